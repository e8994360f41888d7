// The same handler, the same real request: a client behind serve() gets what a client of a gateway gets.
import middy from '@middy/core'
import cors from '@middy/http-cors'
import httpRouter from '@middy/http-router'
import securityHeaders from '@middy/http-security-headers'
import {
  BadRequestError,
  HttpError,
  type HttpRequest,
  type Middleware,
  NotFoundError,
  nodeHttp,
  respond,
} from 'clearskies-middy'
import { jsonBody } from 'clearskies-middy/middleware/json-body'
import { validate } from 'clearskies-middy/middleware/validate'
import { serve } from 'clearskies-middy/serve'
import { gateway } from 'clearskies-middy/testing'
import { Hono } from 'hono'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RecordingLogger } from '../support/recording-logger.ts'
import { gatewaySources as sources } from '../support/sources.ts'

type Chain = (normalizer: ReturnType<typeof nodeHttp>) => ReturnType<typeof middy>

/** What a client sees, but for what servers write themselves. */
async function seen(url: string, path: string, init: RequestInit) {
  const response = await fetch(url + path, { redirect: 'manual', ...init })
  const headers = [...response.headers].filter(
    ([name]) => !/^(?:date|connection|keep-alive|content-length|transfer-encoding)$/.test(name),
  )
  return {
    status: response.status,
    headers: headers.toSorted(),
    body: Buffer.from(await response.arrayBuffer()).toString('latin1'),
  }
}

async function everywhere(chain: Chain, path = '/', init: RequestInit = {}) {
  const logger = new RecordingLogger()
  await using server = await serve(chain(nodeHttp({ logger })) as never, {
    port: 0,
    host: '127.0.0.1',
    logger,
  })
  const served = await seen(server.url, path, init)
  const others = sources.map(async ({ name, normalizer }) => {
    const handler = chain(normalizer({ logger: new RecordingLogger() }))
    await using behind = await gateway(name, handler as never, { binaryMediaTypes: ['*/*'] })
    return [name, await seen(behind.url, path, init)] as const
  })
  return { served, logger, others: await Promise.all(others) }
}

const plain =
  (make: (request: HttpRequest) => unknown): Chain =>
  (normalizer) =>
    middy()
      .use(normalizer)
      .handler(make as never) as never

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)

describe('what a handler gives', () => {
  it.each<[string, (request: HttpRequest) => unknown]>([
    ['an object', () => ({ a: 1, ä: 'ö' })],
    ['a list', () => [1, null]],
    ['a number', () => 7],
    ['false', () => false],
    ['null', () => null],
    ['text', () => 'grüß 😀'],
    ['empty text', () => ''],
    ['bytes', () => bytes],
    ['an ArrayBuffer', () => bytes.buffer],
    ['nothing', () => undefined],
    ['a status', () => respond({ id: 7 }, { status: 201, headers: { location: '/products/7' } })],
    ['several lines of a header', () => respond('x', { headers: { vary: ['a', 'b'] } })],
    ['one cookie', () => respond('x', { cookies: [{ name: 'a', value: '1', httpOnly: true }] })],
    ['a redirect', () => respond.redirect('/ż', 303)],
    ['a page', () => respond.html('<p>ż')],
    ['nothing to say', () => respond.noContent()],
    ['205', () => respond('lost', { status: 205 })],
    ['304', () => respond('lost', { status: 304, headers: { etag: '"1"' } })],
    ['an envelope', () => ({ statusCode: 202, headers: { 'X-A': 1 }, body: { a: 1 } })],
    ['an envelope in base64', () => ({ statusCode: 200, body: 'AQL/', isBase64Encoded: true })],
    ['a Response', () => new Response('x', { status: 418, headers: { 'x-a': 'b' } })],
    ['a Response with bytes', () => new Response(bytes)],
    ['a Blob', () => respond(new Blob([bytes]))],
    ['a web stream', () => new Response(new Blob(['a', 'b']).stream())],
    [
      'a Node stream',
      () => respond(Readable.from(['a', 'b']), { headers: { 'content-type': 'text/plain' } }),
    ],
    [
      'an exposed error',
      () => Promise.reject(new HttpError(409, 'taken', { headers: { 'retry-after': '7' } })),
    ],
    ['an unexpected error', () => Promise.reject(new Error('db-password'))],
    ['an error that is no error', () => Promise.reject({ statusCode: 404 })],
    ['a thrown response', () => Promise.reject(respond('go', { status: 303 }))],
    ['what cannot be sent', () => new Map([[1, 2]])],
    ['a header of two lines', () => respond('x', { headers: { 'x-a': 'a\r\nb: c' } })],
    ['hop-by-hop headers', () => respond('x', { headers: { connection: 'x', 'transfer-encoding': 'y' } })],
    ['a length that is wrong', () => respond('four', { headers: { 'content-length': '3' } })],
  ])('http C1: %s is the same behind serve() and every gateway, for GET and HEAD', async (_, make) => {
    for (const method of ['GET', 'HEAD']) {
      const { served, others } = await everywhere(plain(make), '/', { method })
      for (const [name, other] of others) expect(served, `${method}, ${name}`).toEqual(other)
      expect(served.body).not.toContain('db-password')
    }
  })
})

describe('what a handler finds', () => {
  const facts = (request: HttpRequest) => {
    const { method, path, query, headers, cookies, data, hasBody, kind } = request
    return {
      method,
      path,
      query: [...query],
      cookies: { ...cookies },
      data,
      hasBody,
      kind,
      text: request.text(),
      bytes: [...request.bytes()],
      'x-a': headers['x-a'],
      type: request.header('Content-Type'),
    }
  }
  const json = { 'content-type': 'application/json' }

  it.each<[string, string, RequestInit]>([
    ['a path with escapes', '/a%20b/caf%C3%A9?x=1&y=%2B&z=a+b', {}],
    ['no query', '/products', {}],
    ['an empty value', '/?a=&b', {}],
    ['JSON', '/', { method: 'POST', body: '{"ä":1}', headers: json }],
    ['malformed JSON', '/', { method: 'POST', body: '{', headers: json }],
    [
      'packed JSON',
      '/',
      { method: 'PUT', body: gzipSync('{"a":1}'), headers: { ...json, 'content-encoding': 'gzip' } },
    ],
    [
      'bytes that are no text',
      '/',
      { method: 'POST', body: bytes, headers: { 'content-type': 'image/png' } },
    ],
    ['a form', '/', { method: 'PATCH', body: new URLSearchParams({ a: 'ż' }) }],
    ['cookies', '/', { headers: { cookie: 'a=1; b=%20; a=2' } }],
    ['a header', '/', { headers: { 'X-A': 'b, c' } }],
    ['DELETE without a body', '/x', { method: 'DELETE' }],
  ])('http B1: %s is the same behind serve() and every gateway', async (name, path, init) => {
    const { served, others } = await everywhere(plain(facts), path, init)
    for (const [source, other] of others) {
      // An HTTP API and VPC Lattice give paths and queries in other forms; `test/http` says which.
      if (name === 'an empty value' && source !== 'rest-api') continue
      expect(served, source).toEqual(other)
    }
  })
})

describe('chains and frameworks', () => {
  const app = new Hono()
    .get('/hello/:name', (c) => c.json({ hello: c.req.param('name'), q: c.req.queries('q') ?? [] }))
    .post('/echo', async (c) => c.body(await c.req.arrayBuffer(), 201, { 'x-a': '1' }))
    .get('/cookies', (c) => c.body(null, 204, { 'set-cookie': 'a=1' }))
    .get('/fail', () => {
      throw new Error('inside')
    })
    .onError((_, c) => c.text('failed', 500))
  const chains: Readonly<Record<string, Chain>> = {
    hono: plain((request) => app.fetch(request.toWebRequest())),
    router: (normalizer) =>
      middy()
        .use(normalizer)
        .handler(
          httpRouter([
            {
              method: 'GET',
              path: '/products/{id}',
              handler: (({ pathParameters }: HttpRequest) => ({ id: pathParameters['id'] })) as never,
            },
          ]) as never,
        ) as never,
    headers: (normalizer) =>
      middy()
        .use(normalizer)
        .use(cors({ origin: 'https://shop.example' }) as Middleware)
        .use(securityHeaders() as Middleware)
        .handler((({ path }: HttpRequest) => {
          if (path === '/bad') throw new BadRequestError('no')
          if (path === '/none') throw new NotFoundError('none')
          return { path }
        }) as never) as never,
    validated: (normalizer) =>
      middy()
        .use(normalizer)
        .use(jsonBody())
        .use(validate({ data: z.object({ a: z.number() }) }) as Middleware)
        .handler((({ data }: HttpRequest) => data) as never) as never,
  }
  const json = { 'content-type': 'application/json' }

  it.each<[string, string, RequestInit]>([
    ['hono', '/hello/ad%C4%85?q=1&q=2', {}],
    [
      'hono',
      '/echo',
      { method: 'POST', body: bytes, headers: { 'content-type': 'application/octet-stream' } },
    ],
    ['hono', '/cookies', {}],
    ['hono', '/fail', {}],
    ['hono', '/nowhere', {}],
    ['router', '/products/7', {}],
    ['router', '/nowhere', {}],
    ['headers', '/', { headers: { origin: 'https://shop.example' } }],
    ['headers', '/bad', { headers: { origin: 'https://shop.example' } }],
    ['headers', '/none', {}],
    ['validated', '/', { method: 'POST', body: '{"a":1}', headers: json }],
    ['validated', '/', { method: 'POST', body: '{"a":"x"}', headers: json }],
    ['validated', '/', { method: 'POST', body: '<a/>', headers: { 'content-type': 'text/xml' } }],
  ])('http C1: %s answers %s alike behind serve() and every gateway', async (name, path, init) => {
    const { served, others } = await everywhere(chains[name]!, path, init)
    for (const [source, other] of others) {
      // ALB's single-value mode keeps the last of repeated query parameters.
      if (source === 'alb' && path.includes('q=1&q=2')) continue
      expect(served, source).toEqual(other)
    }
  })
})
