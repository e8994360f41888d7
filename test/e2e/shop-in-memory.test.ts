// The shop's own handlers over MemoryBackend, as its users would test them: no engine, no network.
import middy from '@middy/core'
import { type HttpRequest, MemoryBackend, type Middleware, backends } from 'clearskies-middy'
import { alb } from 'clearskies-middy/normalizers/alb'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { type GatewaySource, gateway } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { type ShopContext, routes } from '../../examples/shop/app.ts'
import { workOrder } from '../../examples/shop/handlers.ts'
import { CatalogueEntry, Order, Product } from '../../examples/shop/models.ts'

const sources: readonly (readonly [GatewaySource, Middleware<HttpRequest>])[] = [
  ['alb', alb() as never],
  ['rest-api', restApi() as never],
  ['http-api', httpApi() as never],
]
const lem = { author: 'Lem', title: 'Solaris: 100%', genre: 'science fiction', price: 8.5 }
const path = `/products/${lem.author}/${encodeURIComponent(lem.title)}`

function shopInMemory() {
  const messages: { id: string; signature: string }[] = []
  const stores = {
    products: new MemoryBackend(Product),
    orders: new MemoryBackend(Order, { like: 'sql' }),
    catalogue: new MemoryBackend(CatalogueEntry, { like: 'sql' }),
    events: { put: async () => undefined },
    orderQueue: { create: async (message: { id: string; signature: string }) => messages.push(message) },
  }
  const secrets = { get: async () => 'a key of the shop' }
  const handlerOf = (normalizer: Middleware<HttpRequest>) =>
    middy()
      .use(normalizer)
      .use({ before: ({ context }) => void Object.assign(context, { secrets }) })
      .use(backends(stores as never))
      .handler(routes as never)
  return { ...stores, messages, handlerOf, context: { backends: stores, secrets } as unknown as ShopContext }
}

describe.each(sources)('the shop in memory behind %s', (source, normalizer) => {
  async function open() {
    const shop = shopInMemory()
    const server = await gateway(source, shop.handlerOf(normalizer), {
      routes: ['/', '/add', '/order', '/products', '/products/{author}/{title}', '/orders', '/orders/{id}'],
    })
    const call = async (method: string, url: string, body?: unknown) => {
      const headers = { 'content-type': 'application/json' }
      const sent = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) }
      const response = await fetch(`${server.url}${url}`, { redirect: 'manual', ...sent })
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json') === true
      return { status: response.status, body: isJson ? (JSON.parse(text) as never) : text }
    }
    /** Sends a form, and gives what its visitor is told on the page that follows. */
    const submit = async (url: string, fields: Record<string, string>) => {
      const body = new URLSearchParams(fields)
      const sent = await fetch(`${server.url}${url}`, { method: 'POST', body, redirect: 'manual' })
      const [cookie = ''] = sent.headers.getSetCookie()[0]?.split(';') ?? []
      const next = await fetch(new URL(sent.headers.get('location') ?? '', server.url), {
        headers: { cookie },
      })
      const [, message] = /role="status">(.*?)</.exec(await next.text()) ?? []
      return { status: [sent.status, next.status], message }
    }
    return { ...shop, call, submit, [Symbol.asyncDispose]: () => server.close() }
  }

  it('M38: a product lives as in DynamoDB: created, refused, changed, read, deleted, gone', async () => {
    await using shop = await open()
    const replies = [
      await shop.call('POST', '/products', lem),
      await shop.call('POST', '/products', lem),
      await shop.call('PATCH', path, { price: 7 }),
      await shop.call('PATCH', path, { price: null }),
      await shop.call('GET', path),
      await shop.call('DELETE', path),
      await shop.call('GET', path),
    ]
    expect(replies.map(({ status }) => status)).toEqual([200, 409, 200, 400, 200, 204, 404])
    expect(replies[4]?.body).toEqual({ ...lem, price: 7 })
  })

  it('M38: products come in pages, and orders in the order of SQL', async () => {
    await using shop = await open()
    const titles = ['c', 'a', 'b', 'd', 'e']
    await shop.products.createMany(titles.map((title) => ({ ...lem, title })))
    const seen: string[] = []
    let after = ''
    do {
      const { body } = await shop.call('GET', `/products?author=Lem&limit=2${after}`)
      const { items, next } = body as unknown as { items: { title: string }[]; next?: string }
      seen.push(...items.map(({ title }) => title))
      after = next === undefined ? '' : `&after=${next}`
    } while (after !== '')
    expect(seen).toEqual(titles.toSorted())
    for (const placedAt of ['2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z', '2026-01-01T00:00:00Z'])
      await shop.orders.create({ ...lem, id: placedAt, quantity: 1, placedAt })
    const page = await shop.call('GET', '/?author=Lem')
    expect(page.status).toBe(200)
  })

  it('M38: an order is placed, read, and worked', async () => {
    await using shop = await open()
    await shop.call('POST', '/products', lem)
    const placed = await shop.call('POST', '/orders', { ...lem, quantity: 2 })
    expect(placed.status).toBe(202)
    const [message] = shop.messages
    expect(await shop.call('GET', `/orders/${message?.id}`)).toMatchObject({
      body: { state: 'placed', quantity: 2 },
    })
    await workOrder({ data: message } as never, shop.context)
    expect(await shop.call('GET', `/orders/${message?.id}`)).toMatchObject({ body: { state: 'worked' } })
    expect((await shop.call('POST', '/orders', { author: 'Lem', title: 'none' })).status).toBe(404)
  })

  it('X27: what a caller sends wrong is a 400 with what is wrong, in front of every handler', async () => {
    await using shop = await open()
    await shop.call('POST', '/products', lem)
    const long = 'x'.repeat(300)
    for (const [method, url, body] of [
      ['GET', '/products'],
      ['GET', '/products?author='],
      ...['abc', '0', '-1', '1.5', '1e9', ''].map((limit) => ['GET', `/products?author=Lem&limit=${limit}`]),
      ['GET', '/products?author=Lem&after=zz'],
      ['GET', `/products/${long}/x`],
      ['DELETE', `/products/x/${long}`],
      ...[
        {},
        [],
        'x',
        7,
        null,
        { ...lem, price: '8' },
        { ...lem, author: '' },
        { ...lem, title: 'a\u0000' },
      ].map((data) => ['POST', '/products', data] as const),
      ...[{}, [], 'x', { author: 'Lem' }, { ...lem, quantity: 0 }, { ...lem, quantity: 1.5 }].map(
        (data) => ['POST', '/orders', data] as const,
      ),
      ...[{}, [], 7, { price: -1 }, { author: 'x' }, { nix: 1 }].map(
        (data) => ['PATCH', path, data] as const,
      ),
    ] as readonly (readonly [string, string, unknown?])[]) {
      const { status, body: told } = await shop.call(method, url, body)
      expect([method, url, body, status, told]).toEqual([
        method,
        url,
        body,
        400,
        expect.objectContaining({ title: 'Bad Request', detail: expect.any(String) as string }),
      ])
    }
    expect(await shop.products.where('author', '=', 'Lem').count()).toBe(1)
    expect(shop.messages).toEqual([])
  })

  it('X27: what a form cannot do is a message on the page', async () => {
    await using shop = await open()
    const fine = { author: 'Lem', title: 'Eden & "x" <b>', price: '8.50' }
    const key = { author: fine.author, title: fine.title }
    for (const [url, fields, message] of [
      ['/add', fine, 'is in the shop now'],
      ['/add', fine, 'is in the shop already'],
      ['/add', { ...fine, price: '' }, 'price: is empty'],
      ['/add', { ...fine, price: 'cheap' }, 'price: '],
      ['/add', {}, 'author: '],
      ['/add', { ...fine, title: 'x'.repeat(3000) }, 'title: is too long'],
      ['/order', key, 'is ordered'],
      ['/order', { ...key, title: 'Fiasco' }, 'is not in the shop'],
      ['/order', {}, 'author: '],
    ] as const) {
      const { status, message: told } = await shop.submit(url, fields)
      expect([status, told]).toEqual([[303, 200], expect.stringContaining(message)])
      expect(told).not.toContain('<b>')
    }
    expect(await shop.products.where('author', '=', 'Lem').count()).toBe(1)
  })

  it('X27: the page has a way to each author, and says of each order how far it is', async () => {
    await using shop = await open()
    const authors = ['Lem', 'Ursula K. Le Guin', 'A & <b>']
    for (const author of authors) {
      await shop.products.create({ ...lem, author })
      for (const title of ['a', 'b']) await shop.catalogue.create({ author, title, price: 1 })
    }
    await shop.call('POST', '/orders', { author: 'Lem', title: lem.title })
    const { body } = await shop.call('GET', '/')
    const [, nav = ''] = /<nav id="authors"[^>]*>(.*?)<\/nav>/s.exec(body) ?? []
    const links = [...nav.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'))
    expect(links).toHaveLength(authors.length)
    for (const link of links) expect((await shop.call('GET', link)).body).toContain('Solaris: 100%')
    expect(body).toMatch(/<th[^>]*>State<\/th>.*<td class="state">placed<\/td>/s)
    expect(body).toContain('<meta name="viewport" content="width=device-width')
  })
})
