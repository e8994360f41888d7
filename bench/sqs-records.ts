import type { SQSBatchResponse } from 'aws-lambda'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { type AnyHandler, lambdaContext } from '../dist/testing/index.js'
import { compare, median, table } from './harness.ts'
import { type Work, bare, middyPartial, orders, ours, powertools, powertoolsFifo } from './sqs-handlers.ts'

/** What a record costs one contender, by the size of its batch. */
export interface RecordCost {
  readonly name: string
  /** Microseconds per record: medians, by batch size. */
  readonly sizes: Readonly<Record<number, number>>
  /** Bytes that one batch of 10,000 adds at most to what the process holds: with all garbage, and without any. */
  readonly allocated: number
  readonly held: number
}

export interface FifoTime {
  readonly name: string
  /** Milliseconds. */
  readonly wall: number
}

interface Contestant {
  readonly name: string
  readonly make: (work: Work) => AnyHandler
  readonly fifo?: boolean
}

const contestants: readonly Contestant[] = [
  { name: 'Promise.allSettled', make: bare },
  { name: 'Middy, sqs-partial-batch-failure', make: middyPartial },
  { name: 'clearskies-middy', make: ours },
  { name: 'Powertools, parallel', make: powertools },
  { name: 'clearskies-middy, FIFO', make: ours, fifo: true },
  { name: 'Powertools, FIFO', make: powertoolsFifo, fifo: true },
]

/** Like a contender that sends, too: from when a backend for SQS is loaded, it is followed which record sends what. */
const besideBackend = 'clearskies-middy, SqsBackend loaded'

const sizes = [1, 10, 100, 1000, 10_000]
const context = lambdaContext({ timeout: 900_000 })

export async function benchRecords(rounds: number): Promise<RecordCost[]> {
  for (const contestant of contestants) await check(contestant)
  const costs = await measure(contestants, rounds)
  await import('../dist/backends/sqs.js')
  const [, withBackend] = await measure(
    [contestants[0], { name: besideBackend, make: ours }] as Contestant[],
    rounds,
  )
  return [...costs, withBackend as RecordCost]
}

/** Every contender must have done the work, or its time means nothing. */
async function check({ name, make, fifo = false }: Contestant): Promise<void> {
  for (const size of [10, 1000]) {
    const worked: number[] = []
    const handler = make(({ id }) => {
      if (id === 3) throw new Error('Refused')
      worked.push(id)
    })
    const answer = (await handler(orders(size, { fifo, broken: 6 }), context)) as SQSBatchResponse
    const failed = answer.batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier.slice(8)))
    // In a FIFO queue the rest of a group fails with one of its records.
    const fails = (id: number): boolean =>
      fifo ? (id % 5 === 3 && id >= 3) || (id % 5 === 1 && id >= 6) : id === 3 || id === 6
    const ids = Array.from({ length: size }, (_, id) => id)
    if (String(failed.toSorted((a, b) => a - b)) !== String(ids.filter(fails)))
      throw new Error(`${name} has listed ${failed.join()}`)
    if (String(worked.toSorted((a, b) => a - b)) !== String(ids.filter((id) => !fails(id))))
      throw new Error(`${name} has worked ${worked.join()}`)
  }
}

async function measure(list: readonly Contestant[], rounds: number): Promise<RecordCost[]> {
  const costs = list.map(({ name }) => ({ name, sizes: {} as Record<number, number>, allocated: 0, held: 0 }))
  let sum = 0
  const handlers = list.map(({ make }) => make(({ id }) => void (sum += id)))
  for (const size of sizes) {
    const measurements = await compare(
      list.map(({ name, fifo = false }, index) => {
        const wire = JSON.stringify(orders(size, { fifo }))
        const handler = handlers[index] as AnyHandler
        return {
          name,
          prepare: (count) => Array.from({ length: count }, () => JSON.parse(wire) as unknown),
          async run(inputs) {
            for (const input of inputs) await handler(input, context)
            await setImmediate() // What is put off until the event loop turns is work, too.
          },
        }
      }),
      {
        rounds,
        warmUp: Math.min(10, rounds),
        count: Math.max(1, Math.min(1000, 10_000 / size)),
        batch: Math.max(1, Math.min(50, 1000 / size)),
      },
    )
    for (const [index, { median: time }] of measurements.entries())
      (costs[index] as (typeof costs)[number]).sizes[size] = time / size
  }
  if (Number.isNaN(sum)) throw new Error('An order has lost its id')
  for (const [index, contestant] of list.entries())
    Object.assign(costs[index] as object, {
      allocated: await growth(contestant, false, Math.min(rounds, 3)),
      held: await growth(contestant, true, Math.min(rounds, 3)),
    })
  return costs
}

/** By how much the memory in use grows at most while a batch of 10,000 is worked; looked at ten times and at the end. */
async function growth({ make, fifo = false }: Contestant, collect: boolean, rounds: number): Promise<number> {
  const inUse = (): number => {
    if (collect) globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const samples: number[] = []
  for (let round = 0; round < rounds; round++) {
    let peak = 0
    let worked = 0
    const handler = make(() => {
      if (++worked % 1000 === 0) peak = Math.max(peak, inUse())
    })
    const event = orders(10_000, { fifo })
    globalThis.gc?.()
    const before = inUse()
    await handler(event, context)
    samples.push(Math.max(peak, inUse()) - before)
  }
  return median(samples)
}

/** Ten records in five groups, each of which takes 20 ms. */
export async function benchFifo(rounds: number): Promise<FifoTime[]> {
  const times: FifoTime[] = []
  for (const { name, make } of contestants.filter(({ fifo }) => fifo)) {
    const handler = make(() => setTimeout(20))
    const walls: number[] = []
    for (let round = 0; round < rounds; round++) {
      const started = performance.now()
      await handler(orders(10, { fifo: true }), context)
      walls.push(performance.now() - started)
    }
    times.push({ name, wall: median(walls) })
  }
  return times
}

export function recordsTable(costs: readonly RecordCost[]): string {
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
  return table(
    'SQS records, µs per record by size of the batch, and memory in a batch of 10,000',
    ['', ...sizes.map((size) => size.toLocaleString('en')), 'allocated', 'held'],
    costs.map(({ name, sizes: times, allocated, held }) => [
      name,
      ...sizes.map((size) => (times[size] ?? NaN).toFixed(2)),
      megabytes(allocated),
      megabytes(held),
    ]),
  )
}

export function fifoTable(times: readonly FifoTime[]): string {
  return table(
    'Ten FIFO records in five groups, 20 ms each',
    ['', 'ms'],
    times.map(({ name, wall }) => [name, wall.toFixed(0)]),
  )
}
