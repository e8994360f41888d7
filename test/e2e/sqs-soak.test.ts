import { SQSClient } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import { PermanentFailureError, RetryLaterError, eachRecord, model, sqs as sqsSource } from 'clearskies-middy'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { poll } from 'clearskies-middy/testing'
import type { SQSEvent } from 'aws-lambda'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../support/engines.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { runs } from '../support/runs.ts'
import { SqsFaultProxy } from '../support/sqs-fault-proxy.ts'
import { randomFaults } from '../support/sqs-faults.ts'

/** A longer one: `SOAK_MESSAGES=200000`. To have the same faults again: `SOAK_SEED=…`, as a failure names it. */
const { SOAK_MESSAGES = runs(20_000), SOAK_SEED = String(Date.now() % 1_000_000) } = process.env
const messages = Number(SOAK_MESSAGES)
const seed = Number(SOAK_SEED)
/** A tenth of this is what the engine needs on a slow machine. */
const timeout = Math.max(120_000, messages * 20)

const sqs = useSqs()

const schema = z.object({
  id: z.number(),
  group: z.string(),
  poison: z.enum(['redrive', 'permanent']).optional(),
  text: z.string().optional(),
})
type Job = z.infer<typeof schema>

/** Jobs of which a few can never be done, and a few are large. */
function jobs(count: number, groups: number): Job[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    group: `g${id % groups}`,
    ...(id % 500 === 250 && { poison: id % 1000 === 250 ? ('redrive' as const) : ('permanent' as const) }),
    ...(id % 400 < 4 && { text: 'ż'.repeat(50_000) }),
  }))
}

/** A queue with its dead-letter queue; and a message that is given up comes again five times at most. */
function createQueues(name: string, fifo: boolean) {
  const suffix = fifo ? '.fifo' : ''
  const kind = fifo ? { FifoQueue: 'true' } : undefined
  const dead = `${name}-dead${suffix}`
  sqs.createQueue(dead, kind)
  sqs.createQueue(`${name}${suffix}`, {
    ...kind,
    // Only what was received and not deleted waits for it.
    VisibilityTimeout: '5',
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: `arn:aws:sqs:eu-central-1:000000000000:${dead}`,
      maxReceiveCount: 5,
    }),
  })
  return { queue: `${name}${suffix}`, dead }
}

/** Sends all jobs, works them and waits until each is done or dead; gives what was seen on the way. */
async function soak(name: string, all: readonly Job[], fifo: boolean) {
  const { queue, dead } = createQueues(name, fifo)
  const proxy = await SqsFaultProxy.start(sqs.server.address)
  proxy.limit = 262_144
  proxy.plan = randomFaults(seed, {
    internalError: 0.01,
    throttled: 0.01,
    resetBefore: 0.001,
    resetAfter: 0.001,
    slow: 0.02,
    expired: 0.001,
    failedCall: 0.002,
    unlisted: 0.0005,
  })
  const client = new SQSClient({ endpoint: proxy.url })
  const logger = new RecordingLogger()
  const url = (of: string): string => `${proxy.url}/000000000000/${of}`
  const started = performance.now()

  /** What was worked, in order. */
  const worked: { readonly job: Job; readonly messageId: string }[] = []
  const done = new Set<number>()
  /** What the dead-letter queue got, in order. */
  const buried: { readonly job: Job; readonly failure: string | undefined }[] = []
  const deadIds = new Set<number>()
  const finished = Promise.withResolvers<undefined>()
  const check = (): void => {
    if (done.size + deadIds.size === all.length) finished.resolve(undefined)
  }

  const handler = middy()
    .use(sqsSource({ logger }))
    .handler(
      eachRecord(
        async ({ data, messageId }) => {
          const job = data as Job
          if (job.poison === 'redrive') throw new RetryLaterError({ delaySeconds: 0 })
          if (job.poison === 'permanent') throw new PermanentFailureError('Never')
          worked.push({ job, messageId })
          done.add(job.id)
          check()
        },
        { client, logger, deadLetter: { queueUrl: url(dead) } },
      ),
    )
  const bury = ({ Records }: SQSEvent): void => {
    for (const { body, messageAttributes } of Records) {
      const job = JSON.parse(body) as Job
      buried.push({ job, failure: messageAttributes['failure']?.stringValue })
      deadIds.add(job.id)
    }
    check()
  }
  const errors: unknown[] = []
  const onError = (error: unknown): unknown => errors.push(error)
  const pollers = [
    poll(url(queue), handler, { client, concurrency: 4, onError }),
    poll(url(dead), bury, { client, onError }),
  ]

  const backend = new SqsBackend(model({ name: url(queue), schema }), {
    client,
    logger,
    ...(fifo && { groupId: ({ group }: Job) => group, ordering: 'strict' }),
  })
  const sent = await Promise.allSettled(all.map((job) => backend.create(job)))
  const sentAfter = performance.now() - started
  const limit = setTimeout(finished.resolve, timeout * 0.8, undefined)
  await finished.promise
  clearTimeout(limit)
  await Promise.all(pollers.map((poller) => poller.stop()))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  client.destroy()
  await proxy.close()

  const twice = worked.length - done.size
  const { ready = [], inflight = [] } = sqs.server.inspectQueue(queue)?.messages ?? {}
  console.log(
    `${name}: ${all.length} messages, sent in ${(sentAfter / 1000).toFixed(1)} s, all done in ${seconds} s; ` +
      `seed ${seed}; ${worked.length} worked, ${twice} twice, ${deadIds.size} dead; ` +
      `${proxy.requests.length} requests; faults ${JSON.stringify(proxy.faults)}; ${errors.length} errors of the poller`,
  )
  return {
    worked,
    buried,
    done,
    deadIds,
    logger,
    proxy,
    unsent: sent.filter(({ status }) => status === 'rejected'),
    left: [...ready, ...inflight.map(({ message }) => message)],
  }
}

type Report = Awaited<ReturnType<typeof soak>>

/** What holds on every queue. */
function expectNothingLost({ unsent, done, deadIds, buried }: Report, all: readonly Job[]): void {
  const of = `with seed ${seed}`
  expect(unsent, `creates that failed ${of}`).toEqual([])
  const good = all.filter(({ poison }) => poison === undefined)
  expect(
    good.filter(({ id }) => !done.has(id)).map(({ id }) => id),
    `messages that were lost ${of}`,
  ).toEqual([])
  const poisoned = all.filter(({ poison }) => poison !== undefined).map(({ id }) => id)
  expect(
    [...deadIds].sort((a, b) => a - b),
    `messages in the dead-letter queue ${of}`,
  ).toEqual(poisoned)
  for (const { job, failure } of buried) {
    // Those that were sent there carry the reason; those that SQS moved do not.
    expect(failure, `the reason of message ${job.id} ${of}`).toBe(
      job.poison === 'permanent' ? 'PermanentFailureError' : undefined,
    )
  }
}

/** Messages that were worked, or are left, more often than faults explain. */
function unexplained({ worked, left, done, proxy }: Report): unknown[] {
  const again = [...Map.groupBy(worked, ({ job }) => job.id).values()].flatMap((works) => {
    const ids = new Set(works.map(({ messageId }) => messageId))
    const sentTwice = ids.size > 1 && !proxy.untold.has(JSON.stringify(works[0]?.job))
    const givenTwice =
      works.length > ids.size && ![...ids].some((messageId) => proxy.undeleted.has(messageId))
    return sentTwice || givenTwice ? works : []
  })
  const remaining = left.filter(
    ({ messageId, body }) =>
      !(proxy.undeleted.has(messageId) || (proxy.untold.has(body) && done.has((JSON.parse(body) as Job).id))),
  )
  return [...again, ...remaining]
}

describe('a queue under faults', () => {
  it(
    'standard: nothing is lost, and what comes twice is explained',
    async () => {
      const all = jobs(messages, 1)
      const report = await soak('standard', all, false)
      expectNothingLost(report, all)
      expect(unexplained(report), `unexplained duplicates with seed ${seed}`).toEqual([])
      expect(report.proxy.faults['BatchRequestTooLong'], 'requests that were too long').toBeGreaterThan(0)
    },
    timeout,
  )

  it(
    'FIFO, strict: groups keep their order, and nothing is sent twice',
    async () => {
      const all = jobs(Math.ceil(messages / 4), 50)
      const report = await soak('fifo', all, true)
      expectNothingLost(report, all)
      expect(unexplained(report), `unexplained duplicates with seed ${seed}`).toEqual([])
      const { worked, logger } = report
      const ids = new Map(worked.map(({ job, messageId }) => [messageId, job.id]))
      expect(ids.size, `messages sent twice with seed ${seed}`).toBe(report.done.size)
      for (const [group, works] of Map.groupBy(worked, ({ job }) => job.group)) {
        const order = works.map(({ job }) => job.id)
        expect(order, `the order of group ${group} with seed ${seed}`).toEqual(
          order.toSorted((a, b) => a - b),
        )
      }
      expect(logger.warnings.filter(({ message }) => message.includes('behind a later one'))).toEqual([])
    },
    timeout,
  )
})
