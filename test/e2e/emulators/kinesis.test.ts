// From a stream's shards to the worker and back to the checkpoint, beside moto.
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import middy from '@middy/core'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { KinesisStreamEvent } from 'aws-lambda'
import { type KinesisRequest, eachRecord, kinesis } from 'clearskies-middy'
import {
  type AnyHandler,
  type StreamInvocation,
  type StreamPollerOptions,
  kinesisPoller,
} from 'clearskies-middy/testing'
import { expect, it } from 'vitest'
import { flakyWork, numbered } from '../../support/flaky-work.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'

// The emulator speaks HTTP/1.1 alone.
const client = new KinesisClient({
  endpoint: process.env['MOTO_ENDPOINT'] as string,
  requestHandler: new NodeHttpHandler(),
})
let streams = 0

interface Put {
  readonly key: string
  readonly data: Uint8Array
}

async function createStream(ShardCount = 1) {
  const StreamName = `clicks-${++streams}`
  await client.send(new CreateStreamCommand({ StreamName, ShardCount }))
  const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName }))
  return {
    arn: StreamDescriptionSummary?.StreamARN ?? '',
    async put(records: readonly Put[]) {
      // A call takes 500.
      for (let start = 0; start < records.length; start += 500) {
        const Records = records
          .slice(start, start + 500)
          .map(({ key, data }) => ({ PartitionKey: key, Data: data }))
        await client.send(new PutRecordsCommand({ StreamName, Records }))
      }
    },
  }
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const numbers = (count: number): Put[] =>
  Array.from({ length: count }, (_, n) => ({ key: `k${n}`, data: json({ n }) }))

/** A worker beside the stream; gives the numbers that it was called with, batch by batch. */
function working(arn: string, fn: (n: number) => unknown, options: StreamPollerOptions = {}) {
  const logger = new RecordingLogger()
  const batches: number[][] = []
  const worker = middy()
    .use(kinesis({ logger }))
    .handler(
      eachRecord(
        ({ data }: KinesisRequest) => {
          const { n } = data as { n: number }
          batches.at(-1)?.push(n)
          return fn(n)
        },
        { logger, concurrency: 1 },
      ),
    ) as AnyHandler
  const handler: AnyHandler = (event, context) => {
    batches.push([])
    return worker(event, context)
  }
  return { batches, poller: kinesisPoller(arn, handler, { client, ...options }) }
}

const failing =
  (...failed: readonly number[]) =>
  (n: number): void => {
    if (failed.includes(n)) throw new Error(`record ${n}`)
  }

it('kinesisPoller() invokes with the event that Lambda makes of a shard', async () => {
  const stream = await createStream()
  const before = Date.now()
  await stream.put([{ key: 'customer-9', data: new Uint8Array([0, 255, 128]) }])
  const events: KinesisStreamEvent[] = []
  await kinesisPoller(stream.arn, (event: KinesisStreamEvent) => void events.push(event), { client }).drain()
  const { kinesis: payload, ...record } = events[0]?.Records[0] ?? {}
  expect(record).toEqual({
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `shardId-000000000000:${payload?.sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: expect.stringMatching(/^arn:aws:iam::/) as string,
    awsRegion: 'eu-central-1',
    eventSourceARN: stream.arn,
  })
  expect(payload).toMatchObject({ partitionKey: 'customer-9', data: 'AP+A', kinesisSchemaVersion: '1.0' })
  expect(Math.abs((payload?.approximateArrivalTimestamp ?? 0) * 1000 - before)).toBeLessThan(60_000)
})

it('kinesisPoller() goes on from the lowest number that failed', async () => {
  const stream = await createStream()
  await stream.put(numbers(6))
  const failed = [2]
  const { poller, batches } = working(stream.arn, (n) => failing(...failed)(n))
  await poller.once()
  failed.pop()
  await poller.once()
  expect(batches).toEqual([
    [0, 1, 2],
    [2, 3, 4, 5],
  ])
  expect(await poller.drain()).toEqual([])
})

it('kinesisPoller() gives a batch up after its retries, tells of it and goes on', async () => {
  const stream = await createStream()
  await stream.put(numbers(5))
  const givenUp: StreamInvocation[] = []
  const { poller, batches } = working(stream.arn, failing(1), {
    batchSize: 3,
    maximumRetryAttempts: 2,
    onFailure: (invocation) => givenUp.push(invocation),
  })
  const invocations = await poller.drain()
  expect(batches).toEqual([[0, 1], [1], [1], [3, 4]])
  expect(givenUp).toEqual([invocations[2]])
  // All that is left of the batch is given up: number 2 as well.
  expect(givenUp[0]).toMatchObject({
    sequenceNumbers: invocations[0]?.sequenceNumbers.slice(1),
    failed: invocations[0]?.sequenceNumbers.slice(1, 2),
  })
})

it('kinesisPoller() splits a batch whose invocation fails until the record is alone', async () => {
  const stream = await createStream()
  await stream.put(numbers(5))
  const options = { maximumRetryAttempts: 1, bisectBatchOnFunctionError: true }
  const events: number[][] = []
  const handler = ({ Records }: KinesisStreamEvent): void => {
    const batch = Records.map(({ kinesis: { data } }) => JSON.parse(atob(data)) as { n: number })
    events.push(batch.map(({ n }) => n))
    if (batch.some(({ n }) => n === 3)) throw new Error('of the batch')
  }
  await kinesisPoller(stream.arn, handler, { client, ...options }).drain()
  expect(events).toEqual([[0, 1, 2, 3, 4], [0, 1, 2], [3, 4], [3], [3], [4]])
})

it('kinesisPoller() from LATEST on leaves what was there before', async () => {
  const stream = await createStream(2)
  await stream.put(numbers(4))
  const { poller, batches } = working(stream.arn, () => undefined, { startingPosition: 'LATEST' })
  expect(await poller.drain()).toEqual([])
  await stream.put([{ key: 'k', data: json({ n: 9 }) }])
  await poller.drain()
  expect(batches).toEqual([[9]])
})

it.each([1, 2, 3])(
  'a soak of kinesisPoller(): every record is worked, in the order of its key (%i)',
  async (seed) => {
    const stream = await createStream(3)
    const records = numbered(1500, 25, seed)
    const { work, check } = flakyWork(seed, 0.04)
    await stream.put(records.map((record) => ({ key: record.key, data: json(record) })))
    const logger = new RecordingLogger()
    const worker = middy()
      .use(kinesis({ logger }))
      .handler(eachRecord(({ data }) => work(data as never), { logger }))
    await kinesisPoller(stream.arn, worker, { client, batchSize: 80 }).drain()
    check(records)
  },
)
