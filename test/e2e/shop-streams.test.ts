// What the shop streams, over MemoryBackend, behind each source that can.
import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/executionModeStreamifyResponse'
import { MemoryBackend, backends } from 'clearskies-middy'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { nodeHttp } from 'clearskies-middy/normalizers/node-http'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { serve } from 'clearskies-middy/serve'
import { gateway, streamingRuntime } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { Order, Product } from '../../examples/shop/models.ts'
import { streamRoutes } from '../../examples/shop/streams.ts'

streamingRuntime()

function stores() {
  return { products: new MemoryBackend(Product), orders: new MemoryBackend(Order, { like: 'sql' }) }
}

type Stores = ReturnType<typeof stores>
const streamed = () => middy({ executionMode: executionModeStreamifyResponse })

const opens: Readonly<Record<string, (shop: Stores) => Promise<{ url: string } & AsyncDisposable>>> = {
  'a function URL': (shop) =>
    gateway(
      'function-url',
      streamed()
        .use(httpApi({ streaming: true }))
        .use(backends(shop))
        .handler(streamRoutes as never),
    ),
  'a REST API': (shop) =>
    gateway(
      'rest-api',
      streamed()
        .use(restApi({ streaming: true }))
        .use(backends(shop))
        .handler(streamRoutes as never),
    ),
  'serve()': (shop) =>
    serve(
      middy()
        .use(nodeHttp())
        .use(backends(shop))
        .handler(streamRoutes as never),
      { port: 0, host: '127.0.0.1' },
    ),
}

describe.each(Object.entries(opens))('the shop behind %s', (_, open) => {
  it('P2: exports the books of an author, one line each', async () => {
    const shop = stores()
    for (const title of ['B', 'A', 'C']) await shop.products.create({ author: 'Lem', title, price: 7 })
    await using server = await open(shop)
    const response = await fetch(`${server.url}/export?author=Lem`)
    const lines = (await response.text()).trimEnd().split('\n')
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    expect(lines.map((line) => (JSON.parse(line) as { title: string }).title)).toEqual(['A', 'B', 'C'])
    expect((await fetch(`${server.url}/export`)).status).toBe(400)
  })

  it('P2: shows an order that is placed while the client listens, and goes on behind the last one', async () => {
    const shop = stores()
    const order = (id: string, placedAt: string) => ({ id, author: 'Lem', title: 'A', quantity: 1, placedAt })
    await shop.orders.create(order('old', '2030-01-01T00:00:00.000Z'))
    await using server = await open(shop)
    const controller = new AbortController()
    const response = await fetch(`${server.url}/live`, {
      headers: { 'last-event-id': '2030-01-01T00:00:00.000Z' },
      signal: controller.signal,
    })
    const reader = response.body?.getReader()
    const next = async () => Buffer.from((await reader?.read())?.value ?? []).toString()
    expect(await next()).toBe('id: 2030-01-01T00:00:00.000Z\nretry: 1000\n\n')
    await shop.orders.create(order('new', '2030-01-02T00:00:00.000Z'))
    expect(await next()).toMatch(
      /^event: order\nid: 2030-01-02T00:00:00\.000Z\ndata: \{.*"id":"new".*\}\n\n$/,
    )
    controller.abort()
  })
})
