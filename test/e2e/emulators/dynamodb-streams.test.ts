// From a table's stream to the worker and back to the checkpoint, beside moto or DynamoDB Local.
import {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  type StreamViewType,
} from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import middy from '@middy/core'
import type { DynamoDBStreamEvent } from 'aws-lambda'
import { dynamodbStream, eachRecord, model } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { dynamodbStreamPoller } from 'clearskies-middy/testing'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { Project, start } from '../../support/command-line.ts'
import { flakyWork, numbered } from '../../support/flaky-work.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'

const endpoint = (process.env['DYNAMODB_LOCAL_ENDPOINT'] ?? process.env['MOTO_ENDPOINT']) as string
const tables = new DynamoDBClient({ endpoint })
const client = new DynamoDBStreamsClient({ endpoint })
let made = 0

async function createTable(view: StreamViewType = 'NEW_AND_OLD_IMAGES') {
  const { TableDescription } = await tables.send(
    new CreateTableCommand({
      TableName: `streamed-${++made}-${process.env['AWS_CLIENT']}`,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: view },
    }),
  )
  const { TableName = '', LatestStreamArn = '' } = TableDescription ?? {}
  return { TableName, arn: LatestStreamArn }
}

it('dynamodbStreamPoller() invokes with the event that Lambda makes of the changes', async () => {
  const { TableName, arn } = await createTable()
  const before = Date.now()
  const item = { id: { S: 'a' }, bytes: { B: new Uint8Array([0, 255]) } }
  const changed = {
    ...item,
    all: { M: { list: { L: [{ BS: [new Uint8Array([1])] }, { NULL: true } as const] } } },
  }
  await tables.send(new PutItemCommand({ TableName, Item: item }))
  await tables.send(new PutItemCommand({ TableName, Item: changed }))
  await tables.send(new DeleteItemCommand({ TableName, Key: { id: { S: 'a' } } }))
  const events: DynamoDBStreamEvent[] = []
  await dynamodbStreamPoller(arn, (event: DynamoDBStreamEvent) => void events.push(event), { client }).drain()
  const image = { id: { S: 'a' }, bytes: { B: 'AP8=' } }
  const after = { ...image, all: { M: { list: { L: [{ BS: ['AQ=='] }, { NULL: true }] } } } }
  const records = events.flatMap(({ Records }) => Records)
  expect(
    records.map(({ eventName, dynamodb }) => [eventName, dynamodb?.OldImage, dynamodb?.NewImage]),
  ).toEqual([
    ['INSERT', undefined, image],
    ['MODIFY', image, after],
    ['REMOVE', after, undefined],
  ])
  const [first] = records
  expect(first).toMatchObject({ eventSource: 'aws:dynamodb', eventSourceARN: arn })
  expect(first?.dynamodb).toMatchObject({ Keys: { id: { S: 'a' } }, StreamViewType: 'NEW_AND_OLD_IMAGES' })
  expect(Math.abs((first?.dynamodb?.ApproximateCreationDateTime ?? 0) * 1000 - before)).toBeLessThan(120_000)
})

it('dynamodbStreamPoller() gives plain values as the backend has them', async () => {
  const { TableName, arn } = await createTable()
  const Product = model({
    name: TableName,
    key: ['id'],
    schema: z.object({ id: z.string(), price: z.number(), tags: z.set(z.string()), at: z.date() }),
  })
  const product = { id: 'a', price: 1.5, tags: new Set(['x', 'y']), at: new Date(1_773_100_000_123) }
  const products = new DynamoDbBackend(Product, { client: tables })
  await products.create(product)
  const seen: unknown[] = []
  const worker = middy()
    .use(dynamodbStream({ model: Product }))
    .handler(eachRecord(({ change, newItem }) => void seen.push([change, newItem])))
  await dynamodbStreamPoller(arn, worker, { client }).drain()
  expect(seen).toEqual([['insert', await products.find({ id: 'a' })]])
  expect(seen).toEqual([['insert', product]])
})

it('dynamodbStreamPoller() gives only what the view of the stream has', async () => {
  const { TableName, arn } = await createTable('KEYS_ONLY')
  await tables.send(new PutItemCommand({ TableName, Item: { id: { S: 'a' }, n: { N: '1' } } }))
  const seen: unknown[] = []
  const worker = middy()
    .use(dynamodbStream())
    .handler(eachRecord(({ newItem, data }) => void seen.push([newItem, data])))
  await dynamodbStreamPoller(arn, worker, { client }).drain()
  expect(seen).toEqual([[undefined, { id: 'a' }]])
})

it('a soak of dynamodbStreamPoller(): every change is worked, in the order of its item', async () => {
  const { TableName, arn } = await createTable()
  const records = numbered(400, 12, 7)
  for (const { n, key } of records)
    await tables.send(new PutItemCommand({ TableName, Item: { id: { S: key }, n: { N: String(n) } } }))
  const { work, check } = flakyWork(7, 0.04)
  const logger = new RecordingLogger()
  const worker = middy()
    .use(dynamodbStream({ logger }))
    .handler(
      eachRecord(({ newItem, keys }) => work({ n: Number(newItem?.['n']), key: String(keys['id']) }), {
        logger,
      }),
    )
  await dynamodbStreamPoller(arn, worker, { client, batchSize: 60 }).drain()
  check(records)
})

it('clearskies-middy poll works the records of a stream, and ends with its signal', async () => {
  const { TableName, arn } = await createTable()
  await tables.send(new PutItemCommand({ TableName, Item: { id: { S: 'a' } } }))
  using project = new Project()
  const file = project.write(
    'handler.ts',
    `export const handler = ({ Records }) => console.log('got', Records[0].dynamodb.Keys.id.S)`,
  )
  const running = start(['poll', arn, file], { AWS_ENDPOINT_URL: endpoint })
  await running.until(/got a[\s\S]*1 records, done, \d+ ms/)
  expect((await running.stop()).code).toBe(0)
})
