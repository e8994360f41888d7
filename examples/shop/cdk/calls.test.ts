import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import {
  type AnyHandler,
  albEvent,
  httpApiEvent,
  invoke,
  restApiEvent,
  sqsEvent,
} from '../../../src/testing/index.ts'
import type * as app from '../app.ts'
import { startEngines } from '../local/engines.ts'
import { type Name, permissionsOf } from './shop-template.ts'

let engines: Awaited<ReturnType<typeof startEngines>>
let shop: typeof app
const called = new Set<string>()

function hear(message: unknown): void {
  const target = (message as { request: ClientRequest }).request.getHeader('x-amz-target')
  if (typeof target === 'string') called.add(target)
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
    const service = { DynamoDB_20120810: 'dynamodb', AmazonSQS: 'sqs', AmazonSSM: 'ssm' }[api] ?? api
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

it('Worker asks AWS for what it is allowed, beside what the mapping asks in its name', async () => {
  await openShop()
  const event = sqsEvent([{ body: { id: 'forged', signature: '0' } }])
  const actions = await actionsOf(() => invoke(shop.worker as AnyHandler, event))
  const mapping = ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage']
  expect([...actions, ...mapping].sort()).toEqual(allowed('Worker'))
})
