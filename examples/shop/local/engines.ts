import {
  CreateTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { ParameterAlreadyExists, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import dynalite from 'dynalite'
import { startFauxqs } from 'fauxqs'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { startAwsStandIn } from './aws-stand-in.ts'
import { givenEndpoint } from './endpoints.ts'
import { type LocalEventBus, startEventBus } from './event-bus.ts'
import { type TableStream, startTableStream } from './table-stream.ts'

/** What the shop runs on, and how to stop it. */
export interface Engines {
  readonly queueUrl: string
  readonly deadLetterQueueUrl: string
  /** What calls the functions behind the bus and the stream, where these are embedded. */
  readonly bus: LocalEventBus | undefined
  readonly productStream: TableStream | undefined
  /** What was started, or what is used instead: a line each. */
  readonly told: readonly string[]
  stop(): Promise<void>
}

/** How often a poisoned order is tried before it is put aside. */
export const maxReceiveCount = 3

const titles = {
  DYNAMODB: 'DynamoDB',
  SQS: 'SQS',
  SSM: 'Parameter Store',
  EVENTBRIDGE: 'EventBridge',
} as const
type Service = keyof typeof titles
const services = Object.keys(titles) as Service[]

interface Engine {
  readonly url: string
  stop(): Promise<void>
}

/** What the SDK needs beside endpoints. Gives a line for each variable that is not taken as it stands. */
function setUpSdk(allGiven: boolean): string[] {
  const notes: string[] = []
  const { AWS_REGION, AWS_PROFILE } = process.env
  // A variable of a developer's shell may be empty.
  process.env['AWS_REGION'] ||= 'eu-central-1'
  if (AWS_REGION === '') notes.push(`AWS_REGION is empty: ${process.env['AWS_REGION']} is used`)
  if (AWS_PROFILE && allGiven) return notes
  // Embedded engines take any credentials; without some, the SDK would go looking for them.
  process.env['AWS_ACCESS_KEY_ID'] ||= 'local'
  process.env['AWS_SECRET_ACCESS_KEY'] ||= 'local'
  // The SDK would prefer its profile to these, and a session of that may be over.
  delete process.env['AWS_PROFILE']
  if (AWS_PROFILE) notes.push(`AWS_PROFILE=${AWS_PROFILE} is not used: embedded engines take any credentials`)
  return notes
}

/**
 * Starts embedded engines for each AWS service that has no endpoint in the environment (`AWS_ENDPOINT_URL`, or the
 * service's own variable), points the SDK at them, and creates what the shop needs.
 */
export async function startEngines(): Promise<Engines> {
  const stops: (() => Promise<void>)[] = []
  const told: string[] = []
  let bus: LocalEventBus | undefined
  let productStream: TableStream | undefined
  const stop = async (): Promise<void> => {
    // What was changed last is still told, on the bus, whose function asks the table of listeners.
    await productStream?.stop()
    await bus?.stop()
    await Promise.all(stops.map((one) => one()))
  }
  const starters: Readonly<Record<Service, () => Promise<Engine>>> = {
    DYNAMODB: async () => {
      const database = await startDynalite()
      productStream = await startTableStream(database.url, 'products', ['author', 'title'])
      return { url: productStream.url, stop: database.stop }
    },
    SQS: startSqs,
    SSM: startSsm,
    EVENTBRIDGE: async () => (bus = await startEventBus()),
  }
  try {
    // Before anything is started, so that what cannot work is told at once.
    const given = await Promise.all(services.map((service) => givenEndpoint(service)))
    const notes = setUpSdk(given.every((endpoint) => endpoint !== undefined))
    await Promise.all(
      services.map(async (service, index) => {
        const endpoint = given[index]
        if (endpoint !== undefined) return void told.push(`${titles[service]}: ${endpoint}`)
        const { url, stop } = await starters[service]()
        stops.push(stop)
        process.env[`AWS_ENDPOINT_URL_${service}`] = url
        told.push(`${titles[service]}: embedded, ${url}`)
      }),
    )
    const [queues] = await Promise.all([createQueues(), createTables(), createSigningKey()])
    process.env['ORDERS_QUEUE_URL'] = queues.queueUrl
    told.push(`PostgreSQL: ${process.env['db_endpoint'] || 'embedded, in this process'}`)
    if (productStream === undefined)
      told.push("Changes of products: none, for no stream is read from another's DynamoDB")
    else told.push('Changes of products: each write is followed by a look at the table, for want of streams')
    told.push(...notes)
    return { ...queues, bus, productStream, told, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startDynalite() {
  const server = dynalite({ createTableMs: 0 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve()
      })
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop }
}

async function startSqs() {
  const server = await startFauxqs({ port: 0, logger: false })
  return { url: server.address, stop: () => server.stop() }
}

async function startSsm() {
  const { url, close } = await startAwsStandIn()
  return { url, stop: close }
}

async function createQueues(): Promise<{ queueUrl: string; deadLetterQueueUrl: string }> {
  const client = new SQSClient({})
  const deadLetterQueueUrl = await createQueue(client, 'orders-dead')
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetterQueueUrl, AttributeNames: ['QueueArn'] }),
  )
  const redrive = JSON.stringify({
    deadLetterTargetArn: Attributes?.['QueueArn'],
    maxReceiveCount: String(maxReceiveCount),
  })
  const queueUrl = await createQueue(client, 'orders', { RedrivePolicy: redrive, VisibilityTimeout: '2' })
  client.destroy()
  return { queueUrl, deadLetterQueueUrl }
}

async function createQueue(
  client: SQSClient,
  QueueName: string,
  Attributes?: Record<string, string>,
): Promise<string> {
  const { QueueUrl = '' } = await client.send(
    new CreateQueueCommand({ QueueName, ...(Attributes && { Attributes }) }),
  )
  const url = new URL(QueueUrl)
  // Emulators name themselves by domains that not every machine can resolve; they go by the path alone.
  if (url.hostname.endsWith('.localhost'))
    url.host = new URL(process.env['AWS_ENDPOINT_URL_SQS'] || String(process.env['AWS_ENDPOINT_URL'])).host
  return url.href
}

async function createTables(): Promise<void> {
  const client = new DynamoDBClient({})
  const string = (...names: string[]) =>
    names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const }))
  const keys = (partition: string, sort?: string) => [
    { AttributeName: partition, KeyType: 'HASH' as const },
    ...(sort === undefined ? [] : [{ AttributeName: sort, KeyType: 'RANGE' as const }]),
  ]
  const create = async (command: CreateTableCommand): Promise<void> => {
    try {
      await client.send(command)
    } catch (error) {
      if (!(error instanceof ResourceInUseException)) throw error
    }
    const TableName = String(command.input.TableName)
    await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 0.01, maxDelay: 1 }, { TableName })
  }
  await create(
    new CreateTableCommand({
      TableName: 'products',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: string('author', 'title', 'genre'),
      KeySchema: keys('author', 'title'),
      GlobalSecondaryIndexes: [
        { IndexName: 'byGenre', KeySchema: keys('genre', 'title'), Projection: { ProjectionType: 'ALL' } },
      ],
    }),
  )
  await create(
    new CreateTableCommand({
      TableName: 'listeners',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: string('channel', 'connectionId'),
      KeySchema: keys('channel', 'connectionId'),
    }),
  )
  client.destroy()
}

async function createSigningKey(): Promise<void> {
  const client = new SSMClient({})
  try {
    await client.send(
      new PutParameterCommand({
        Name: '/shop/signing-key',
        Type: 'SecureString',
        Value: randomBytes(32).toString('hex'),
      }),
    )
  } catch (error) {
    if (!(error instanceof ParameterAlreadyExists)) throw error
  }
  client.destroy()
}
