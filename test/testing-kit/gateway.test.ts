import { type GatewaySource, gateway } from 'clearskies-middy/testing'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'

/** What a handler sees of a request, behind each gateway. */
async function eventOf(source: GatewaySource, path: string, init: RequestInit = {}, options = {}) {
  let event: unknown
  await using server = await gateway(
    source,
    (seen: unknown) => {
      event = seen
      return {
        statusCode: 200,
        ...(source === 'alb-multi-value' ? { multiValueHeaders: {} } : { headers: {} }),
      }
    },
    options,
  )
  await (await fetch(`${server.url}${path}`, init)).arrayBuffer()
  return event as Record<string, never>
}

describe('a gateway makes the event of its source', () => {
  const path = '/a%20b/caf%C3%A9?x=1&x=2&q=a+b%2Bc&e='

  it('alb: nothing decoded, the last of repeated values', async () => {
    expect(await eventOf('alb', path)).toMatchObject({
      httpMethod: 'GET',
      path: '/a%20b/caf%C3%A9',
      queryStringParameters: { x: '2', q: 'a+b%2Bc', e: '' },
      body: '',
      isBase64Encoded: false,
    })
  })

  it('alb in multi-value mode: lists only', async () => {
    const event = await eventOf('alb-multi-value', path)
    expect(event).toMatchObject({
      multiValueQueryStringParameters: { x: ['1', '2'], q: ['a+b%2Bc'], e: [''] },
    })
    expect(Object.keys(event)).not.toContain('headers')
    expect(Object.keys(event)).not.toContain('queryStringParameters')
  })

  it('rest-api: the query decoded, path and path parameters not', async () => {
    expect(await eventOf('rest-api', path, {}, { routes: ['/a%20b/{name}'] })).toMatchObject({
      path: '/a%20b/caf%C3%A9',
      resource: '/a%20b/{name}',
      pathParameters: { name: 'caf%C3%A9' },
      queryStringParameters: { x: '2', q: 'a b+c', e: '' },
      multiValueQueryStringParameters: { x: ['1', '2'] },
      body: null,
      requestContext: { path: '/prod/a%20b/caf%C3%A9', identity: { sourceIp: '127.0.0.1' } },
    })
  })

  it('rest-api: a path behind the stage, as links of the handler have it, is the same request', async () => {
    expect(await eventOf('rest-api', '/prod/products?x=1')).toMatchObject({
      path: '/products',
      queryStringParameters: { x: '1' },
      requestContext: { path: '/prod/products' },
    })
    expect(await eventOf('rest-api', '/production')).toMatchObject({ path: '/production' })
    expect(await eventOf('rest-api', '/prod')).toMatchObject({ path: '/' })
  })

  it('http-api: the path decoded, the query raw, repeats joined with commas', async () => {
    expect(
      await eventOf('http-api', path, { headers: [['cookie', 'a=1; b=2']] }, { stage: 'dev' }),
    ).toMatchObject({
      version: '2.0',
      rawPath: '/dev/a b/café',
      rawQueryString: 'x=1&x=2&q=a+b%2Bc&e=',
      queryStringParameters: { x: '1,2', q: 'a b+c', e: '' },
      cookies: ['a=1', 'b=2'],
    })
  })

  it('function-url: the path encoded, and decoded beside it; cookies twice', async () => {
    expect(await eventOf('function-url', path, { headers: { cookie: 'a=1' } })).toMatchObject({
      rawPath: '/a%20b/caf%C3%A9',
      requestContext: { http: { path: '/a b/café' }, stage: '$default' },
      cookies: ['a=1'],
      headers: { cookie: 'a=1' },
    })
  })

  it.each([
    ['alb', 'application/json', false],
    ['alb', 'application/problem+json', true],
    ['http-api', 'text/plain', false],
    ['http-api', 'application/x-www-form-urlencoded', true],
    ['rest-api', 'application/octet-stream', false],
    ['function-url', 'image/png', true],
  ] as const)('%s: a body of %s', async (source, type, encoded) => {
    const event = await eventOf(source, '/', {
      method: 'POST',
      body: 'abc',
      headers: { 'content-type': type },
    })
    expect(event).toMatchObject({ body: encoded ? 'YWJj' : 'abc', isBase64Encoded: encoded })
  })
})

describe('a gateway refuses what the real one refuses', () => {
  it.each<[GatewaySource, string, unknown]>([
    ['alb', 'no status', {}],
    ['alb', 'a status as text', { statusCode: '200' }],
    ['alb', 'a body of null', { statusCode: 200, body: null }],
    ['alb', 'headers of null', { statusCode: 200, headers: null }],
    ['alb', 'a header that is no string', { statusCode: 200, headers: { 'content-length': 5 } }],
    ['alb', 'more than a megabyte', { statusCode: 200, body: 'x'.repeat(1_048_576) }],
    ['rest-api', 'a key it does not know', { statusCode: 200, cookies: [] }],
    [
      'rest-api',
      'the same header in both maps',
      { statusCode: 200, headers: { a: 'b' }, multiValueHeaders: { A: ['b'] } },
    ],
    ['rest-api', 'text instead of an envelope', 'hello'],
    ['http-api', 'a status out of range', { statusCode: 99 }],
    ['http-api', 'a body that is no string', { statusCode: 200, body: {} }],
    ['function-url', 'cookies that are no list', { statusCode: 200, cookies: 'a=b' }],
  ])('%s: %s', async (source, _, result) => {
    const reasons: string[] = []
    await using server = await gateway(source, () => result, { onRefusal: (reason) => reasons.push(reason) })
    expect((await fetch(server.url)).status).toBe(502)
    expect(reasons).toEqual([
      expect.stringMatching(new RegExp(`^${source} gateway answered GET / with 502: `)),
    ])
  })

  it('and what a function throws', async () => {
    const reasons: string[] = []
    await using server = await gateway(
      'alb',
      () => {
        throw new Error('no')
      },
      { onRefusal: (reason) => reasons.push(reason) },
    )
    expect((await fetch(server.url)).status).toBe(502)
    expect(reasons[0]).toContain('the function failed: Error: no')
  })

  it('a REST API hands base64 through unless the media type is binary', async () => {
    const image = {
      statusCode: 200,
      headers: { 'content-type': 'image/png' },
      body: 'AQID',
      isBase64Encoded: true,
    }
    await using plain = await gateway('rest-api', () => image)
    expect(await (await fetch(plain.url)).text()).toBe('AQID')
    await using binary = await gateway('rest-api', () => image, { binaryMediaTypes: ['image/*'] })
    expect(new Uint8Array(await (await fetch(binary.url)).arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]))
  })

  it('an HTTP API infers a response from a bare value', async () => {
    await using server = await gateway('http-api', () => ({ id: 7 }))
    const response = await fetch(server.url)
    expect([response.status, response.headers.get('content-type'), await response.json()]).toEqual([
      200,
      'application/json',
      { id: 7 },
    ])
  })
})

describe('a gateway', () => {
  it('finishes a request that is under way when it closes', async () => {
    let finish = (): void => {}
    const reached = Promise.withResolvers<undefined>()
    const server = await gateway('alb', async () => {
      reached.resolve(undefined)
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return { statusCode: 200, headers: {}, body: 'done' }
    })
    const response = fetch(server.url)
    await reached.promise
    const closed = server.close()
    finish()
    expect(await (await response).text()).toBe('done')
    await closed
    await expect(fetch(server.url)).rejects.toThrow()
  })

  it('survives a client that goes away', async () => {
    await using server = await gateway('alb', () => ({ statusCode: 200, headers: {} }))
    const gone = request(server.url, { method: 'POST', headers: { 'content-length': '100' } })
    gone.on('error', () => {})
    gone.write('half')
    await once(gone, 'socket')
    gone.destroy()
    expect((await fetch(server.url)).status).toBe(200)
  })

  it('says that its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await expect(gateway('alb', () => ({}), { port })).rejects.toMatchObject({ code: 'EADDRINUSE', port })
    other.close()
  })

  it('sends no body in answer to HEAD', async () => {
    await using server = await gateway('http-api', () => ({ statusCode: 200, body: 'hello' }))
    const response = await fetch(server.url, { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })
})
