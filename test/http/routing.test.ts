// docs/routing.md: Middy's router with the types of requests, and Hono, behind each source.
import middy from '@middy/core'
import httpRouter, { type Method } from '@middy/http-router'
import { type HttpRequest, NotFoundError } from 'clearskies-middy'
import type { DescribedRequest } from 'clearskies-middy/testing'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { answer, responseHeader, sources } from '../support/sources.ts'

type Route<TContext> = (request: HttpRequest, context: TContext) => unknown

function router<TContext>(table: Readonly<Record<`${Method} /${string}`, Route<TContext>>>): Route<TContext> {
  const routes = Object.entries(table).map(([route, handler]) => {
    const [method, path] = route.split(' ')
    return { method, path, handler }
  })
  return httpRouter(routes as never) as never
}

const routed = router<unknown>({
  'GET /products/{id}': ({ pathParameters }) => ({ id: pathParameters['id'] }),
  'POST /products': ({ data }) => ({ created: data }),
  'GET /caf%C3%A9/{id}': ({ pathParameters }) => `Café ${pathParameters['id'] ?? ''}`,
  'GET /café/{id}': () => 'never',
  'ANY /{proxy+}': ({ path }) => {
    throw new NotFoundError(`There is nothing at ${path}`)
  },
})

const app = new Hono()
app.get('/products/:id', (c) => c.json({ id: c.req.param('id') }))
app.get('/café/:id', (c) => c.text(`Café ${c.req.param('id')}`))
app.post('/products', async (c) => c.json({ created: await c.req.json<unknown>() }))

const post = {
  method: 'POST',
  path: '/products',
  headers: { 'content-type': 'application/json' },
  body: { a: 1 },
}
const asked: readonly (readonly [request: DescribedRequest, status: number, body: unknown])[] = [
  [{ path: '/products/100%25%20x' }, 200, { id: '100% x' }],
  [{ path: '/caf%C3%A9/7' }, 200, 'Café 7'],
  [post, 200, { created: { a: 1 } }],
  [{ path: '/none/at/all' }, 404, undefined],
]

describe.each(sources)('behind $name', (source) => {
  it.each([
    ["Middy's router", (request: HttpRequest) => routed(request, {})],
    ['Hono', (request: HttpRequest) => app.fetch(request.toWebRequest())],
  ])('H35: %s finds routes, with parameters decoded once', async (_, handler) => {
    for (const [request, status, body] of asked) {
      const response = await answer(source, request, handler)
      const isJson = responseHeader(response, 'content-type').join().startsWith('application/json')
      expect([request.path, response.statusCode]).toEqual([request.path, status])
      if (body !== undefined) expect(isJson ? JSON.parse(response.body) : response.body).toEqual(body)
    }
  })

  it("H35: a route of Middy's router may be a chain of its own", async () => {
    const chain = middy<HttpRequest>()
      .before(({ event }) => {
        if (event.header('authorization') === undefined) throw new NotFoundError('who is it?')
      })
      .handler(({ pathParameters }) => pathParameters['id'])
    const handler = router({ 'GET /products/{id}': chain as never })
    const [refused, taken] = [{}, { authorization: 'x' }].map((headers) =>
      answer(source, { path: '/products/7', headers }, (request) => handler(request, {})),
    )
    expect([(await refused)?.statusCode, (await taken)?.body]).toEqual([404, '7'])
  })
})
