// From the backend through a queue to the worker, beside moto or ElasticMQ. Where one is not like AWS, contributing/emulators.md says so.
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import {
  type EachRecordOptions,
  PermanentFailureError,
  RetryLaterError,
  type SqsRequest,
  eachRecord,
  model,
  sqs,
} from 'clearskies-middy'
import { SqsBackend, type SqsBackendOptions } from 'clearskies-middy/backends/sqs'
import { light } from 'clearskies-middy/clients/light'
import { type PollOptions, poll } from 'clearskies-middy/testing'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { RecordingLogger } from '../../support/recording-logger.ts'

const endpoint = process.env['ELASTICMQ_ENDPOINT'] ?? process.env['MOTO_ENDPOINT']
const client = new SQSClient({ endpoint: endpoint as string })
/** The suite runs once with each client. */
const tested = process.env['AWS_CLIENT'] === 'light' ? light({ endpoint: endpoint as string }) : client
const schema = z.object({ id: z.number(), group: z.string() })
type Job = z.infer<typeof schema>

const kinds = [
  { kind: 'standard', isFifo: false },
  { kind: 'FIFO', isFifo: true },
]

let queues = 0

async function createQueue(isFifo: boolean, attributes: Record<string, string> = {}): Promise<string> {
  const { QueueUrl = '' } = await client.send(
    new CreateQueueCommand({
      QueueName: `jobs-${++queues}${isFifo ? '.fifo' : ''}`,
      Attributes: { ...(isFifo && { FifoQueue: 'true' }), VisibilityTimeout: '1', ...attributes },
    }),
  )
  return QueueUrl
}

async function arnOf(QueueUrl: string): Promise<string> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] })
  return (await client.send(command)).Attributes?.['QueueArn'] ?? ''
}

function backend(url: string, isFifo: boolean, options: SqsBackendOptions<Job> = {}): SqsBackend<Job, Job> {
  return new SqsBackend(model({ name: url, schema }), {
    client: tested,
    ...(isFifo && { groupId: ({ group }: Job) => group }),
    ...options,
  })
}

/** Jobs in three groups. */
const jobs = (count: number): Job[] =>
  Array.from({ length: count }, (_, id) => ({ id, group: 'abc'.charAt(id % 3) }))

/** A worker beside the queue, until the test ends; gives what it was called with, in order. */
function working(
  url: string,
  fn: (request: SqsRequest) => unknown = () => undefined,
  options: EachRecordOptions & PollOptions = {},
) {
  const { deadLetter, ...pollOptions } = options
  const logger = new RecordingLogger()
  const calls: { readonly job: Job; readonly receiveCount: number; readonly at: number }[] = []
  const worker = middy()
    .use(sqs({ logger }))
    .handler(
      eachRecord(
        (request) => {
          calls.push({ job: request.data as Job, receiveCount: request.receiveCount, at: Date.now() })
          return fn(request)
        },
        { client: tested, logger, ...(deadLetter && { deadLetter }) },
      ),
    )
  const poller = poll(url, worker, { client: tested, ...pollOptions })
  return { calls, [Symbol.asyncDispose]: () => poller.stop() }
}

const ids = (calls: readonly { readonly job: Job }[]): number[] => calls.map(({ job }) => job.id)

const until = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 20_000, interval: 50 })

async function isEmpty(QueueUrl: string): Promise<void> {
  const AttributeNames = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ] as const
  // A message that becomes visible between two counts is in neither, so it takes two answers.
  for (let time = 1; time <= 2; time++) {
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] })
    const { Attributes } = await client.send(command)
    expect(AttributeNames.map((name) => Attributes?.[name])).toEqual(['0', '0', '0'])
  }
}

describe.each(kinds)('a $kind queue', ({ isFifo }) => {
  it('carries every message once', async () => {
    const url = await createQueue(isFifo)
    await backend(url, isFifo).createMany(jobs(50))
    await using worker = working(url)
    await until(() => isEmpty(url))
    expect(ids(worker.calls).toSorted((a, b) => a - b)).toEqual(jobs(50).map(({ id }) => id))
    if (isFifo)
      for (const group of 'abc')
        expect(ids(worker.calls.filter(({ job }) => job.group === group))).toEqual(
          jobs(50)
            .filter((job) => job.group === group)
            .map(({ id }) => id),
        )
  })

  it('gives again what failed, and nothing else', async () => {
    const url = await createQueue(isFifo)
    await backend(url, isFifo).createMany(jobs(6))
    await using worker = working(url, ({ data, receiveCount }) => {
      if ((data as Job).id === 1 && receiveCount === 1) throw new Error('Not yet')
    })
    await until(() => isEmpty(url))
    for (const id of [0, 2, 3, 5]) expect(ids(worker.calls).filter((one) => one === id)).toHaveLength(1)
    expect(ids(worker.calls).filter((id) => id === 1)).toHaveLength(2)
    // Job 4 is of job 1's group, and was not run after it failed.
    const receiveCounts = worker.calls
      .filter(({ job }) => job.id === 4)
      .map(({ receiveCount }) => receiveCount)
    expect(receiveCounts).toEqual([isFifo ? 2 : 1])
  })

  it('gives a message again when its handler said', async () => {
    const url = await createQueue(isFifo, { VisibilityTimeout: '30' })
    await backend(url, isFifo).create({ id: 0, group: 'a' })
    await using worker = working(url, ({ receiveCount }) => {
      if (receiveCount === 1) throw new RetryLaterError({ delaySeconds: 2 })
    })
    await until(() => isEmpty(url))
    const [first, second] = worker.calls
    expect(worker.calls.map(({ receiveCount }) => receiveCount)).toEqual([1, 2])
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(1500)
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(10_000)
  })

  it('puts aside at once what will never succeed', async () => {
    const url = await createQueue(isFifo, { VisibilityTimeout: '30' })
    const queueUrl = await createQueue(isFifo)
    await backend(url, isFifo).createMany(jobs(4))
    await using worker = working(
      url,
      ({ data }) => {
        if ((data as Job).id === 1) throw new PermanentFailureError('No such product')
      },
      { deadLetter: { queueUrl } },
    )
    await until(() => isEmpty(url))
    expect(ids(worker.calls).toSorted()).toEqual([0, 1, 2, 3])
    await using dead = working(queueUrl)
    await until(() => {
      expect(dead.calls.map(({ job }) => job)).toEqual([{ id: 1, group: 'b' }])
    })
  })

  it("moves to the queue's dead letters what has come too often", async () => {
    const deadUrl = await createQueue(isFifo)
    const url = await createQueue(isFifo, {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: await arnOf(deadUrl), maxReceiveCount: 2 }),
    })
    await backend(url, isFifo).createMany(jobs(3))
    await using worker = working(url, ({ data }) => {
      if ((data as Job).id === 1) throw new Error('Never')
    })
    await using dead = working(deadUrl)
    await until(() => {
      expect(ids(dead.calls)).toEqual([1])
    })
    await until(() => isEmpty(url))
    expect(ids(worker.calls).filter((id) => id === 1)).toHaveLength(2)
  })
})

it('deduplicates on a FIFO queue', async () => {
  const url = await createQueue(true)
  const jobsOf = backend(url, true, { deduplicationId: ({ id }) => `job-${id}` })
  await jobsOf.createMany([...jobs(3), ...jobs(3)])
  await using worker = working(url)
  await until(() => isEmpty(url))
  expect(ids(worker.calls).toSorted()).toEqual([0, 1, 2])
})

it('carries attributes, and delays', async () => {
  const url = await createQueue(false)
  const started = Date.now()
  await backend(url, false, { delaySeconds: 1, attributes: () => ({ kind: 'order', weight: 7 }) }).create({
    id: 0,
    group: 'a',
  })
  const attributes: unknown[] = []
  await using worker = working(url, ({ messageAttributes }) => attributes.push(messageAttributes))
  await until(() => isEmpty(url))
  expect(attributes).toEqual([{ kind: 'order', weight: 7 }])
  expect((worker.calls[0]?.at ?? 0) - started).toBeGreaterThan(900)
})
