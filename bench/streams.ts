// Records of streams: each contender reads a record as its users do, and answers with what is not done.
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import middy from '@middy/core'
import type { DynamoDBRecord, KinesisStreamRecord } from 'aws-lambda'
import { setImmediate } from 'node:timers/promises'
import { dynamodbStream } from '../dist/normalizers/dynamodb-stream.js'
import { eachRecord } from '../dist/normalizers/each-record.js'
import { kinesis } from '../dist/normalizers/kinesis.js'
import {
  type AnyHandler,
  dynamodbStreamEvent,
  invoke,
  kinesisEvent,
  lambdaContext,
} from '../dist/testing/index.js'
import { type Measurement, compare, table } from './harness.ts'
import { type Order, order } from './sqs-handlers.ts'

type Work = (data: Order) => void

/** Microseconds per record. */
export interface StreamCost extends Measurement {
  readonly size: number
}

interface Contestant {
  readonly name: string
  readonly event: (size: number) => unknown
  readonly make: (work: Work) => AnyHandler
}

const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore }
const context = lambdaContext({ timeout: 900_000 })
const sizes = [10, 100, 1000]

/** Each record in a key of its own: the peer keeps no order. */
const clicks = (size: number): unknown =>
  kinesisEvent(
    Array.from({ length: size }, (_, id) => ({
      data: order(id),
      partitionKey: `k${id}`,
      sequenceNumber: String(1000 + id),
    })),
  )

const changes = (size: number): unknown =>
  dynamodbStreamEvent(
    Array.from({ length: size }, (_, id) => ({
      keys: { id },
      newItem: { ...order(id) },
      sequenceNumber: String(1000 + id),
    })),
  )

const contestants: readonly Contestant[] = [
  {
    name: 'clearskies-middy, Kinesis',
    event: clicks,
    make: (work) =>
      middy()
        .use(kinesis({ logger: quiet }))
        .handler(eachRecord(async ({ data }) => work(data as Order), { logger: quiet })) as AnyHandler,
  },
  {
    name: 'Powertools BatchProcessor, Kinesis',
    event: clicks,
    make(work) {
      const processor = new BatchProcessor(EventType.KinesisDataStreams)
      const handler = async ({ kinesis: { data } }: KinesisStreamRecord): Promise<void> =>
        work(JSON.parse(Buffer.from(data, 'base64').toString()) as Order)
      return ((event: never, lambda: never) =>
        processPartialResponse(event, handler, processor, { context: lambda })) as AnyHandler
    },
  },
  {
    name: 'clearskies-middy, DynamoDB stream',
    event: changes,
    make: (work) =>
      middy()
        .use(dynamodbStream({ logger: quiet }))
        .handler(
          eachRecord(async ({ newItem }) => work(newItem as unknown as Order), { logger: quiet }),
        ) as AnyHandler,
  },
  {
    name: 'Powertools BatchProcessor, DynamoDB stream',
    event: changes,
    make(work) {
      const processor = new BatchProcessor(EventType.DynamoDBStreams)
      const handler = async ({ dynamodb }: DynamoDBRecord): Promise<void> =>
        work(unmarshall(dynamodb?.NewImage as never) as Order)
      return ((event: never, lambda: never) =>
        processPartialResponse(event, handler, processor, { context: lambda })) as AnyHandler
    },
  },
]

export async function benchStreams(rounds: number): Promise<StreamCost[]> {
  for (const contestant of contestants) await check(contestant)
  let sum = 0
  const handlers = contestants.map(({ make }) => make(({ id }) => (sum += id)))
  const costs: StreamCost[] = []
  for (const size of sizes) {
    const measurements = await compare(
      contestants.map(({ name, event }, index) => {
        const wire = JSON.stringify(event(size))
        return {
          name,
          prepare: (count) => Array.from({ length: count }, () => JSON.parse(wire) as unknown),
          async run(inputs) {
            for (const input of inputs) await handlers[index]?.(input, context)
            await setImmediate() // What is put off until the event loop turns is work, too.
          },
        }
      }),
      {
        rounds,
        warmUp: Math.min(10, rounds),
        count: 10_000 / size,
        batch: Math.max(1, Math.min(50, 1000 / size)),
      },
    )
    costs.push(
      ...measurements.map((measurement) => ({ ...measurement, median: measurement.median / size, size })),
    )
  }
  if (Number.isNaN(sum)) throw new Error('An order has lost its id')
  return costs
}

/** Every contender must have done the work, or its time means nothing. */
async function check({ name, make, event }: Contestant): Promise<void> {
  const worked: number[] = []
  const handler = make(({ id }) => {
    if (id === 3) throw new Error('Refused')
    worked.push(id)
  })
  const { batchItemFailures } = await invoke<{ batchItemFailures: { itemIdentifier: string }[] }>(
    handler,
    event(10),
  )
  if (batchItemFailures[0]?.itemIdentifier !== '1003' || worked.length !== 9)
    throw new Error(`${name} has listed ${JSON.stringify(batchItemFailures)} and worked ${worked.join()}`)
}

export function streamsTable(costs: readonly StreamCost[]): string {
  return table(
    'Records of streams, microseconds each',
    ['', ...sizes.map((size) => `batch of ${size}`)],
    contestants.map(({ name }) => [
      name,
      ...sizes.map(
        (size) => costs.find((cost) => cost.name === name && cost.size === size)?.median.toFixed(2) ?? '',
      ),
    ]),
  )
}

function ignore(): void {
  // A failure that is meant to happen.
}
