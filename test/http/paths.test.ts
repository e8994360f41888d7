import type { HttpRequest, HttpRequestOptions } from 'clearskies-middy'
import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
import {
  httpApiEvent,
  httpApiV1Event,
  lambdaContext,
  restApiEvent,
  vpcLatticeEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { type TestedSource, readBy, sources } from '../support/sources.ts'

/** A request whose event has this path, as it is, in every field that has one. */
function read(event: object, path: string, options?: HttpRequestOptions): HttpRequest {
  const fields = event as Record<string, unknown>
  const changed = Object.fromEntries(
    ['path', 'rawPath', 'raw_path'].filter((name) => name in fields).map((name) => [name, path]),
  )
  return anyHttpRequest({ ...fields, ...changed }, lambdaContext(), options)
}

const dots = ['..', '.%2e', '%2e.', '%2E%2e', '%2e%2E', '.', '%2e', '%2E']
const places = ['/public/DOTS/admin', '/public/DOTS', '/DOTS/admin', '/DOTS', '/a//DOTS/b', '/DOTS/DOTS/DOTS']

/** The same, of a request that Node's own server gets, where there is no event. */
const readOf = async (
  source: TestedSource,
  path: string,
  options?: HttpRequestOptions,
): Promise<HttpRequest> =>
  source.name === 'node-http'
    ? readBy(source.event({ path }), (request) => request, options)
    : read(source.event({ path: '/other' }), path, options)

describe.each(sources)('dot segments behind $name', (source) => {
  it.each(dots)('H7: %s names one route, which is the one that the gateway saw', async (spelling) => {
    for (const place of places) {
      const path = place.replaceAll('DOTS', spelling)
      const request = await readOf(source, path)
      const segments = place.split('/').length
      expect([path, request.path.split('/').length, request.path.includes('/.')]).toEqual([
        path,
        segments,
        false,
      ])
      expect(request.path.startsWith('/public')).toBe(place.startsWith('/public'))
      const front = request.basePath
      expect(request.url.pathname).toBe(front + request.path)
      expect(new URL(request.toWebRequest().url).pathname).toBe(request.path)
    }
  })

  it.each(dots)('H7: %s does not leave a base path', async (spelling) => {
    const request = await readOf(source, `/base/${spelling}/x`, { basePath: '/base' })
    const web = new URL(request.toWebRequest().url).pathname
    expect(request.path).toMatch(/^\/(?:%252E)+\/x$/)
    expect(request.basePath.endsWith('/base')).toBe(true)
    expect([request.url.pathname, web]).toEqual([request.basePath + request.path, request.path])
  })

  it.each(['/..b', '/b..', '/...', '/.b/x', '/a/.well-known/x', '/..%2fadmin', '/a/..%5cadmin', '/x;/..;a'])(
    'H7: %s is a name like any other',
    async (path) => {
      const request = await readOf(source, path)
      expect(request.path.toLowerCase()).toBe(path)
      expect(request.url.pathname).toBe(request.basePath + request.path)
    },
  )
})

it('H7: dots at the edge of a stage stay behind it', () => {
  for (const event of [httpApiEvent({ stage: 'dev' }), httpApiV1Event({ stage: 'dev' })]) {
    const request = read(event, '/dev/../x')
    expect([request.basePath, request.path, request.url.pathname]).toEqual([
      '/dev',
      '/%252E%252E/x',
      '/dev/%252E%252E/x',
    ])
  }
})

it('H7: a tab, a line break or a backslash makes no dot segment', () => {
  for (const path of ['/a/.\t./b', '/a/.\n./b', '/a/..\\b', '\\..\\b']) {
    const request = read(httpApiEvent(), path)
    expect([path, request.url.pathname]).toEqual([path, request.path])
  }
})

/** A REST API's event with these paths. */
function rest(
  path: string,
  clientPath: unknown,
  changes: object = {},
  options?: HttpRequestOptions,
): HttpRequest {
  const event = restApiEvent({ path: '/x' })
  const requestContext = { ...event.requestContext, path: clientPath }
  return anyHttpRequest({ ...event, path, requestContext, ...changes }, lambdaContext(), options)
}

describe("the address of a REST API's client", () => {
  it.each([
    ['/capture/x', '/live/capture/x', '/live'],
    ['/products', '/v1/products', '/v1'],
    ['/products', '/shop/v1/products', '/shop/v1'],
    ['/', '/live', '/live'],
    ['/', '/live/', '/live'],
    ['/', '/', ''],
    ['/caf%c3%a9', '/live/caf%C3%A9', '/live'],
    ['/caf%C3%A9', '/live/caf%c3%a9', '/live'],
    ['/products', '/products', ''],
    ['/products', '/v1/other', ''],
    ['/{proxy+}', '/{proxy+}', ''],
    ['/', '/{proxy+}', ''],
    ['/products', null, ''],
    ['/products', 7, ''],
  ])('H21: %s where the client used %s', (path, clientPath, front) => {
    const request = rest(path, clientPath, {
      resource: '/{proxy+}',
      pathParameters: { proxy: path.slice(1) },
    })
    const own = read(httpApiEvent(), path).path
    expect([request.basePath, request.path, request.url.pathname]).toEqual([front, own, front + own])
    expect(new URL(request.toWebRequest().url).pathname).toBe(own)
  })

  it('H21: has the option basePath behind the stage', () => {
    const request = rest('/api/x', '/live/api/x', {}, { basePath: '/api' })
    expect([request.basePath, request.path, request.url.pathname]).toEqual(['/live/api', '/x', '/live/api/x'])
    const unstripped = rest('/x', '/live/x', {}, { stripStage: false })
    expect([unstripped.basePath, unstripped.path]).toEqual(['/live', '/x'])
  })
})

describe("the mapping of a REST API's custom domain", () => {
  it.each([
    ['/v1/a%c3%a9/c', '/{proxy+}', { proxy: 'a%c3%a9/c' }, '/a%C3%A9/c'],
    ['/v1/a%C3%A9/c', '/{proxy+}', { proxy: 'a%c3%a9/c' }, '/a%C3%A9/c'],
    ['/v1/x/a%2fb', '/x/{id}', { id: 'a%2fb' }, '/x/a%2Fb'],
    ['/v1/x/%41%7e', '/x/{id}', { id: '%41%7e' }, '/x/A~'],
    ['/v1/x/A~', '/x/{id}', { id: '%41%7E' }, '/x/A~'],
    ['/v1/x/%2e%2e', '/x/{id}', { id: '%2e%2e' }, '/x/%252E%252E'],
    ['/v1/x/a b', '/x/{id}', { id: 'a%20b' }, '/x/a%20b'],
    ['/v1/p/q/r', '/{a}/{b}/{c+}', { a: 'p', b: 'q', c: 'r' }, '/p/q/r'],
  ])('H22: is taken off %s at %s', (path, resource, pathParameters, expected) => {
    const request = rest(path, path, { resource, pathParameters })
    expect([request.basePath, request.path, request.url.pathname]).toEqual([
      '/v1',
      expected,
      `/v1${expected}`,
    ])
  })
})

it('a custom domain with a name of another alphabet is one', () => {
  const event = httpApiEvent({ path: '/x', stage: 'v1' })
  const requestContext = { ...event.requestContext, domainName: 'api.example.xn--p1ai' }
  expect(read({ ...event, requestContext }, '/v1/orders').path).toBe('/v1/orders')
})

it('a base path is found in any spelling', () => {
  const request = anyHttpRequest(vpcLatticeEvent({ path: '/caf%c3%a9/x' }), lambdaContext(), {
    basePath: '/café',
  })
  expect([request.basePath, request.path]).toEqual(['/caf%C3%A9', '/x'])
})
