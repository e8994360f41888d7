// A shard of a stream, read as Lambda does, by consumers that fail, are throttled and are killed in the middle of their work.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { kinesisEvent } from 'clearskies-middy/testing'
import { expect, it } from 'vitest'
import { startScript } from '../support/run-script.ts'
import { runs } from '../support/runs.ts'
import { seededRandom } from '../support/seeded-random.ts'

/** The same faults again: `SOAK_SEED=…`, as a failure names it. */
const { SOAK_SEED = String(Date.now() % 1_000_000) } = process.env
const seed = Number(SOAK_SEED)
const count = runs(20_000)
const keys = 50

/** Works batches, each a line; tells of each record that is done, and of each batch its answer. */
const consumer = `
  import middy from '@middy/core'
  import { eachRecord, kinesis } from 'clearskies-middy'
  import { invoke } from 'clearskies-middy/testing'
  import { createInterface } from 'node:readline'
  import { setImmediate as turn } from 'node:timers/promises'
  const quiet = { error() {}, warn() {} }
  let state = Number(process.env.SEED)
  const faulty = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 < 0.02
  const handler = middy().use(kinesis({ logger: quiet })).handler(
    eachRecord(
      async ({ data: { n } }) => {
        for (let turns = (n * 7919) % 4; turns > 0; turns--) await turn()
        if (faulty()) throw Object.assign(new Error('busy'), { name: 'ThrottlingException' })
        if (faulty()) throw new Error('record ' + n)
        console.log('done ' + n)
      },
      { logger: quiet, concurrency: 20 },
    ),
  )
  for await (const line of createInterface({ input: process.stdin }))
    console.log('answer ' + JSON.stringify(await invoke(handler, JSON.parse(line))))
`

interface Outcome {
  /** Where the shard goes on; none if the consumer was killed. */
  readonly answer: { readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] } | undefined
}

it('a soak of a stream: every record is worked, in the order of its key, and none is skipped', async () => {
  const random = seededRandom(seed)
  const records = Array.from({ length: count }, (_, n) => ({ n, key: `k${Math.floor(random() * keys)}` }))
  /** The numbers of each key that are done, as they were for the first time. */
  const done = new Map<string, number[]>()
  const isDone = new Set<number>()
  const errors: string[] = []
  let kills = 0

  const start = () => {
    const child = startScript(consumer, { SEED: String(seed + kills) })
    child.stdin.on('error', () => undefined) // Whoever is killed reads no more.
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
    return { child, lines: createInterface({ input: child.stdout }) }
  }

  let worker = start()
  async function work(batch: typeof records, killAfter: number): Promise<Outcome> {
    const { child, lines } = worker
    const event = kinesisEvent(
      batch.map(({ n, key }) => ({ data: { n }, partitionKey: key, sequenceNumber: String(n) })),
    )
    let told = 0
    const ended = new Promise<Outcome>((resolve) => {
      lines.on('line', (line) => {
        const [word, rest = ''] = line.split(/ (.*)/)
        if (word === 'answer') {
          resolve({ answer: JSON.parse(rest) as NonNullable<Outcome['answer']> })
          return
        }
        const n = Number(rest)
        const { key = '' } = records[n] ?? {}
        if (!isDone.has(n)) done.set(key, [...(done.get(key) ?? []), n])
        isDone.add(n)
        if (++told === killAfter) child.kill('SIGKILL')
      })
      child.once('close', () => {
        resolve({ answer: undefined })
      })
    })
    child.stdin.write(`${JSON.stringify(event)}\n`)
    const outcome = await ended
    lines.removeAllListeners('line')
    child.removeAllListeners('close')
    if (outcome.answer === undefined) {
      kills++
      worker = start()
    }
    return outcome
  }

  let at = 0
  let batches = 0
  while (at < count) {
    const size = 1 + Math.floor(random() * 300)
    const batch = records.slice(at, at + size)
    const killAfter = random() < 0.03 ? 1 + Math.floor(random() * 50) : Infinity
    const { answer } = await work(batch, killAfter)
    batches++
    const next = answer?.batchItemFailures[0]?.itemIdentifier
    if (answer !== undefined) at = next === undefined ? at + batch.length : Number(next)
    // What the answer leaves behind never comes again.
    for (const { n } of records.slice(Math.max(0, at - size), at))
      expect(isDone.has(n), `record ${n}, seed ${seed}`).toBe(true)
  }
  const gone = once(worker.child, 'exit')
  worker.child.kill('SIGKILL')
  await gone
  console.log(`${count} records in ${batches} batches, ${kills} consumers killed, seed ${seed}`)
  expect(isDone.size, `seed ${seed}`).toBe(count)
  for (const [key, numbers] of done)
    expect(numbers, `key ${key}, seed ${seed}`).toEqual(
      records.filter((record) => record.key === key).map(({ n }) => n),
    )
  expect(errors.join('')).toBe('')
}, 300_000)
