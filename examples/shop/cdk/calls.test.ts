import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { createHmac } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import {
  type AnyHandler,
  albEvent,
  dynamodbStreamEvent,
  eventBridgeEvent,
  functionUrlEvent,
  httpApiEvent,
  invoke,
  restApiEvent,
  scheduledEvent,
  sqsEvent,
  streamingRuntime,
  webSocketEvent,
  webSocketGateway,
} from '../../../src/testing/index.ts'
import type * as app from '../app.ts'
import type { Database } from '../orders-database.ts'
import { startEngines } from '../local/engines.ts'
import { type Name, permissionsOf } from './shop-template.ts'

let engines: Awaited<ReturnType<typeof startEngines>>
let shop: typeof app
const called = new Set<string>()

function hear(message: unknown): void {
  const target = (message as { request: ClientRequest }).request.getHeader('x-amz-target')
  if (typeof target === 'string') called.add(target)
  // It goes by paths, and not by names of operations.
  if ((message as { request: ClientRequest }).request.path.includes('/@connections/'))
    called.add('execute-api.ManageConnections')
}

/** A secret is kept for minutes, and each function has a process of its own. */
async function openShop(): Promise<void> {
  vi.resetModules()
  shop = await import('../app.ts')
  await (await import('../orders-database.ts')).createOrdersTable()
}

beforeAll(async () => {
  engines = await startEngines()
  subscribe('http.client.request.start', hear)
})
afterAll(async () => {
  unsubscribe('http.client.request.start', hear)
  await engines.stop()
})

/** What IAM is asked for, in place of the names of calls: a batch is allowed by the action of one. */
async function actionsOf(run: () => Promise<unknown>): Promise<string[]> {
  called.clear()
  await run()
  const actions = [...called].map((target) => {
    const [api = '', operation = ''] = target.split('.')
    const service =
      { DynamoDB_20120810: 'dynamodb', AmazonSQS: 'sqs', AmazonSSM: 'ssm', AWSEvents: 'events' }[api] ?? api
    return `${service}:${operation.replace(/^(Send|Delete)MessageBatch$/, '$1Message')}`
  })
  return actions.sort()
}

/** What a function may do, beside logging in to the database, which is no call. */
function allowed(name: Name): string[] {
  const actions = permissionsOf(name).map((permission) => permission.split(' on ')[0] ?? '')
  return [...new Set(actions)].filter((action) => action !== 'rds-db:connect').sort()
}

const product = { author: 'Stanisław Lem', title: 'Solaris', price: 8.5 }
const path = `/products/${encodeURIComponent(product.author)}/${product.title}`

it.each([
  ['BehindAlb', 'albHandler', albEvent],
  ['BehindRestApi', 'restApiHandler', restApiEvent],
  ['BehindHttpApi', 'httpApiHandler', httpApiEvent],
] as const)('%s asks AWS for exactly what it is allowed', async (name, handler, makeEvent) => {
  const statuses: number[] = []
  const ask = async (method: string, at: string, body?: object): Promise<void> => {
    const event = makeEvent({ method, path: at, ...(body && { body }) })
    const { statusCode } = await invoke<{ statusCode: number }>(shop[handler] as AnyHandler, event)
    statuses.push(statusCode)
  }
  await openShop()
  const actions = await actionsOf(async () => {
    await ask('POST', '/products', product)
    await ask('GET', `/products?author=${encodeURIComponent(product.author)}`)
    await ask('PATCH', path, { price: 7 })
    await ask('POST', '/orders', product)
    await ask('GET', path)
    await ask('DELETE', path)
  })
  expect(statuses).toEqual([200, 200, 200, 202, 200, 204])
  expect(actions).toEqual(allowed(name))
})

it('CreateProduct asks AWS for exactly what it is allowed', async () => {
  await openShop()
  const actions = await actionsOf(() => invoke(shop.createProductHandler as AnyHandler, product))
  expect(actions).toEqual(allowed('CreateProduct'))
})

it('Streams asks AWS for exactly what it is allowed', async () => {
  await openShop()
  streamingRuntime()
  const { streamHandler } = await import('../streaming.ts')
  const actions = await actionsOf(async () => {
    const event = functionUrlEvent({ path: '/export?author=Lem' })
    expect(await invoke(streamHandler as AnyHandler, event)).toMatchObject({ statusCode: 200 })
  })
  expect(actions).toEqual(allowed('Streams'))
})

/** An order in the database, and the message of the queue that says so. */
async function placedOrder(): Promise<{ id: string; signature: string }> {
  const { ordersDatabase } = await import('../orders-database.ts')
  const context: { db?: Database } = {}
  await ordersDatabase.before?.({ context } as never)
  await context.db?.query(
    `insert into orders values ('7', 'Lem', 'Solaris', 1, 'placed', '2026-03-10T00:00:00.000Z')`,
  )
  const ssm = new SSMClient({})
  const { Parameter } = await ssm.send(
    new GetParameterCommand({ Name: '/shop/signing-key', WithDecryption: true }),
  )
  ssm.destroy()
  return { id: '7', signature: createHmac('sha256', String(Parameter?.Value)).update('7').digest('hex') }
}

it('Worker asks AWS for what it is allowed, beside what the mapping asks in its name', async () => {
  await openShop()
  const event = sqsEvent([{ body: await placedOrder() }])
  const actions = await actionsOf(async () => {
    expect(await invoke(shop.worker as AnyHandler, event)).toEqual({ batchItemFailures: [] })
  })
  const mapping = ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage']
  expect([...actions, ...mapping].sort()).toEqual(allowed('Worker'))
})

it('Projector and Nightly ask AWS for what they are allowed, beside what Lambda asks in their names', async () => {
  await openShop()
  const changes = dynamodbStreamEvent([{ keys: { author: 'Lem', title: 'Solaris' }, newItem: product }])
  const projected = await actionsOf(async () => {
    expect(await invoke(shop.projector as AnyHandler, changes)).toEqual({ batchItemFailures: [] })
  })
  const mapping = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams']
  const destination = 'sqs:SendMessage'
  expect([...projected, ...mapping.map((action) => `dynamodb:${action}`), destination].sort()).toEqual(
    allowed('Projector'),
  )
  const reported = await actionsOf(() => invoke(shop.nightly as AnyHandler, scheduledEvent()))
  expect([...reported, destination].sort()).toEqual(allowed('Nightly'))
})

it('Live and Teller ask AWS for what they are allowed, beside what Lambda asks in their names', async () => {
  await openShop()
  await using api = await webSocketGateway(shop.live as AnyHandler)
  process.env['CONNECTIONS_ENDPOINT'] = api.endpoint
  const connect = webSocketEvent({ type: 'connect', connectionId: 'gone=' })
  const kept = await actionsOf(async () => {
    await invoke(shop.live as AnyHandler, connect)
    await invoke(shop.live as AnyHandler, webSocketEvent({ type: 'disconnect', connectionId: 'other=' }))
  })
  expect(kept).toEqual(allowed('Live'))
  const news = eventBridgeEvent({ source: 'shop', detailType: 'Catalogue Changed', detail: { books: 1 } })
  const told = await actionsOf(async () => {
    expect(await invoke(shop.teller as AnyHandler, news)).toEqual({ sent: 0, gone: 1, failed: 0 })
  })
  expect([...told, 'sqs:SendMessage'].sort()).toEqual(allowed('Teller'))
})
