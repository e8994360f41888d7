// Processes of senders and consumers, each with two invocations beside each other, that are killed in the middle of their work.
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { poll } from 'clearskies-middy/testing'
import type { SQSEvent } from 'aws-lambda'
import { expect, it } from 'vitest'
import { useSqs } from '../support/engines.ts'
import { startScript } from '../support/run-script.ts'
import { runs } from '../support/runs.ts'
import { seededRandom } from '../support/seeded-random.ts'

/** The same kills again: `SOAK_SEED=…`, as a failure names it. */
const { SOAK_SEED = String(Date.now() % 1_000_000) } = process.env
const seed = Number(SOAK_SEED)
/** At least so long, and at least so many processes of a kind. */
const milliseconds = runs(20_000) === 20_000 ? 20_000 : 0
const kills = milliseconds === 0 ? 1 : 5

const sqs = useSqs()

const preamble = `
  import { SQSClient } from '@aws-sdk/client-sqs'
  import middy from '@middy/core'
  import { backends, currentInvocation, eachRecord, invocation, model, sqs } from 'clearskies-middy'
  import { SqsBackend } from 'clearskies-middy/backends/sqs'
  import { invoke, poll } from 'clearskies-middy/testing'
  import { createInterface } from 'node:readline'
  import { setTimeout as sleep } from 'node:timers/promises'
  import { z } from 'zod'
  const { JOBS, RESULTS } = process.env
  const client = new SQSClient({ endpoint: new URL(JOBS).origin })
`

/** Sends the jobs of each line, awaited by nobody, and tells of them when the invocation has ended. */
const sender = `${preamble}
  const jobs = new SqsBackend(model({ name: JOBS, schema: z.object({ id: z.number() }) }), { client })
  const handler = middy().use(invocation()).use(backends({ jobs })).handler(async ({ data }, { backends }) => {
    for (const id of data) void backends.jobs.create({ id })
  })
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  async function work() {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) return
      await invoke(handler, JSON.parse(value))
      console.log('sent ' + value)
    }
  }
  console.log('ready')
  await Promise.all([work(), work()])
`

/**
 * Works jobs, and sends a result for each, awaited by nobody. The first attempt of some jobs fails: their function throws, or
 * SQS refuses their result. Tells whatever it sees of another record than its own.
 */
const consumer = `${preamble}
  const refused = new Set()
  const faulty = {
    async send(command, options) {
      const { Entries } = command.input
      if (command.constructor.name !== 'SendMessageBatchCommand') return client.send(command, options)
      const bad = Entries.filter(({ MessageBody }) => JSON.parse(MessageBody).bad)
      command.input.Entries = Entries.filter((entry) => !bad.includes(entry))
      const { Successful = [], Failed = [] } = command.input.Entries.length ? await client.send(command, options) : {}
      const failures = bad.map(({ Id }) => ({ Id, SenderFault: true, Code: 'InvalidMessageContents' }))
      return { Successful, Failed: [...Failed, ...failures] }
    },
  }
  const schema = z.object({ id: z.number(), bad: z.boolean() })
  const results = new SqsBackend(model({ name: RESULTS, schema }), { client: faulty })
  const quiet = { error() {}, warn() {} }
  /** Which messages have to fail. */
  const failing = new Set()
  const work = middy()
    .before(({ event, context }) => { context.job = event.data.id })
    .use(backends({ results }))
    .handler(async ({ data: { id }, messageId, receiveCount }, context) => {
      const isFirst = receiveCount === 1
      const throws = isFirst && id % 7 === 0
      const bad = isFirst && id % 11 === 0
      if (throws || bad) failing.add(messageId)
      await sleep((id * 7919) % 5)
      if (context.job !== id || currentInvocation().record.id !== messageId) console.log('mixed ' + id)
      if (throws) throw new Error('job ' + id)
      void context.backends.results.create({ id, bad })
      await sleep((id * 104729) % 3)
      if (context.job !== id || currentInvocation().record.id !== messageId) console.log('mixed ' + id)
      console.log('worked ' + id)
    })
  const handler = middy().use(sqs({ logger: quiet })).handler(
    eachRecord(work, {
      logger: quiet,
      onFailure(error, { messageId, data: { id } }) {
        const own = error.message === 'job ' + id || error.code === 'InvalidMessageContents'
        if (!own || !failing.has(messageId)) console.log('blamed ' + id + ' ' + error)
      },
    }),
  )
  poll(JOBS, handler, {
    client,
    concurrency: 2,
    waitTime: 1,
    onInvocation({ messageIds, failed }) {
      for (const id of messageIds) if (failed.includes(id) !== failing.delete(id)) console.log('blamed ' + id)
    },
  })
  console.log('ready')
`

/** A process, what it printed, and whom to tell of each line. */
class Worker {
  readonly process: ChildProcessWithoutNullStreams
  lines = 0
  /** Lines that were given to it and not answered. */
  open = 0
  errors = ''

  constructor(script: string, env: Record<string, string>, onLine: (line: string) => void) {
    this.process = startScript(script, {
      ...env,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
    })
    this.process.stdin.on('error', () => undefined) // Whoever is killed reads no more.
    this.process.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()))
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.lines++
      onLine(line)
    })
  }

  async kill(): Promise<void> {
    const gone = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await gone
  }
}

/** Asked anew each time: for the compiler a signal stays as it was. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

it('a soak with processes killed: nothing acknowledged is lost, no wrong record is blamed, none sees another’s context', async () => {
  const random = seededRandom(seed)
  const env = {
    JOBS: sqs.createQueue('kills-jobs', { VisibilityTimeout: '4' }),
    RESULTS: sqs.createQueue('kills-results', { VisibilityTimeout: '30' }),
  }
  let assigned = 0
  const sent = new Set<number>()
  const done = new Set<number>()
  const wrong: string[] = []
  const errors: string[] = []
  let worked = 0
  let changed = Promise.withResolvers<undefined>()
  const change = (): void => {
    changed.resolve(undefined)
    changed = Promise.withResolvers()
  }
  const collector = poll(
    env.RESULTS,
    ({ Records }: SQSEvent) => {
      for (const { body } of Records) done.add((JSON.parse(body) as { id: number }).id)
      change()
    },
    { client: sqs.client },
  )

  let isOver = false
  /** Gives a sender jobs for two invocations at a time, as long as the consumers keep up. */
  function feed(worker: Worker): void {
    for (; worker.open < 2 && !isOver && sent.size - done.size < 400; worker.open++)
      worker.process.stdin.write(`${JSON.stringify(Array.from({ length: 10 }, () => ++assigned))}\n`)
  }
  const startSender = (): Worker => {
    const worker = new Worker(sender, env, (line) => {
      if (line.startsWith('sent ')) {
        worker.open--
        for (const id of JSON.parse(line.slice(5)) as number[]) sent.add(id)
      }
      change()
    })
    return worker
  }
  const startConsumer = (): Worker =>
    new Worker(consumer, env, (line) => {
      if (line.startsWith('worked ')) worked++
      else if (line !== 'ready') wrong.push(line)
      change()
    })

  const started = performance.now()
  const killed = { senders: 0, consumers: 0 }
  const senders = [startSender()]
  const consumers = [startConsumer(), startConsumer()]
  /** Kills a process in the middle of its work, when it has printed so many lines, and starts another one. */
  async function killOne(workers: Worker[], start: () => Worker, lines: number): Promise<void> {
    const [worker] = workers
    while (worker !== undefined && worker.lines < lines && worker.errors === '') {
      senders.forEach(feed)
      await changed.promise
    }
    await worker?.kill()
    errors.push(worker?.errors ?? '')
    workers.shift()
    workers.push(start())
  }
  while (performance.now() - started < milliseconds || killed.senders < kills || killed.consumers < kills) {
    if (random() < 0.5) {
      killed.senders++
      await killOne(senders, startSender, 2 + Math.floor(random() * 20))
    } else {
      killed.consumers++
      await killOne(consumers, startConsumer, 2 + Math.floor(random() * 100))
    }
  }
  isOver = true
  await Promise.all(senders.map((worker) => worker.kill()))
  const lost = (): number[] => [...sent].filter((id) => !done.has(id))
  const late = new AbortController()
  late.signal.addEventListener('abort', change)
  const limit = setTimeout(() => late.abort(), 60_000)
  while (lost().length > 0 && !isAborted(late.signal)) await changed.promise
  clearTimeout(limit)
  await Promise.all(consumers.map((worker) => worker.kill()))
  await collector.stop()
  console.log(
    `killed ${killed.senders} senders and ${killed.consumers} consumers in ` +
      `${((performance.now() - started) / 1000).toFixed(1)} s with seed ${seed}: ${assigned} jobs given, ${sent.size} sent, ` +
      `${worked} worked, ${done.size} done, ${lost().length} lost, ${wrong.length} wrong`,
  )
  expect(lost(), `jobs that were lost with seed ${seed}`).toEqual([])
  expect(wrong, `what was seen or blamed of another record with seed ${seed}`).toEqual([])
  expect([...errors, ...consumers.map((worker) => worker.errors)].join(''), 'what processes printed').toBe('')
  expect(sent.size).toBeGreaterThan(0)
}, 180_000)
