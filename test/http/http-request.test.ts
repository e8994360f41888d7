import { BadRequestError } from 'clearskies-middy/errors'
import { albRequest } from 'clearskies-middy/normalizers/alb'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import type { HttpRequest, HttpRequestOptions } from 'clearskies-middy/normalizers/http-request'
import { restApiRequest } from 'clearskies-middy/normalizers/rest-api'
import {
  albEvent,
  functionUrlEvent,
  httpApiEvent,
  httpApiV1Event,
  lambdaContext,
  restApiEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'

const context = lambdaContext()

/** A request of a load balancer, whose event says something else in places. */
const behindAlb = (change: object = {}, options?: HttpRequestOptions): HttpRequest =>
  albRequest({ ...albEvent({ path: '/a?b=1' }), ...change }, context, options)

describe('what a middleware writes is what others read', () => {
  it('path', () => {
    const request = behindAlb()
    request.path = '/other'
    expect([request.path, request.basePath, request.rawPath]).toEqual(['/other', '', '/a'])
    const read = behindAlb({ path: '/v1/a' }, { basePath: 'v1' })
    read.path = '/other'
    expect([read.path, read.basePath, read.url.pathname]).toEqual(['/other', '/v1', '/v1/other'])
  })

  it('query', () => {
    const request = behindAlb()
    request.query = new URLSearchParams('c=2')
    expect(request.query.get('c')).toBe('2')
    expect(request.queryStringParameters).toEqual({ c: '2' })
  })

  it('multiValueHeaders', () => {
    const request = behindAlb({ headers: { host: 'x' } })
    expect(request.multiValueHeaders).toEqual({ host: ['x'] })
    request.multiValueHeaders = { a: ['1'] }
    expect(request.multiValueHeaders).toEqual({ a: ['1'] })
    request.multiValueHeaders = { a: ['2'] }
    expect(request.multiValueHeaders).toEqual({ a: ['2'] })
  })

  it('headers, whichever spelling they were written in', () => {
    const request = behindAlb({ headers: { 'x-a': '1' } })
    expect(request.header('X-A')).toBe('1')
    request.headers = { 'X-B': '2' }
    expect([request.header('x-a'), request.header('x-b'), request.header('X-B')]).toEqual([
      undefined,
      '2',
      '2',
    ])
  })

  it('a body that a parser made, not one that it decoded', () => {
    const request = behindAlb({ body: '{"id":1}' })
    request.body = '{"id":2}'
    expect([request.body, request.data]).toEqual(['{"id":2}', { id: 1 }])
    request.body = { id: 3 }
    expect([request.body, request.data]).toEqual([{ id: 3 }, { id: 3 }])
  })
})

describe('names of headers, whatever the request before had', () => {
  const headersOf = (headers: object): object => ({ ...behindAlb({ headers }).headers })

  it('in another spelling, at the same place', () => {
    expect(headersOf({ host: 'x', 'x-a': '1' })).toEqual({ host: 'x', 'x-a': '1' })
    expect(headersOf({ host: 'x', 'X-A': '2' })).toEqual({ host: 'x', 'x-a': '2' })
    expect(headersOf({ host: 'x', 'X-A': '3' })).toEqual({ host: 'x', 'x-a': '3' })
  })

  it('in another order, fewer and more', () => {
    expect(headersOf({ host: 'x', 'x-a': '1' })).toEqual({ host: 'x', 'x-a': '1' })
    expect(headersOf({ 'x-a': '2', host: 'y' })).toEqual({ 'x-a': '2', host: 'y' })
    expect(headersOf({ 'x-a': '3' })).toEqual({ 'x-a': '3' })
    expect(headersOf({ 'x-a': '4', 'X-B': '5', 'x-b': '6' })).toEqual({ 'x-a': '4', 'x-b': '5, 6' })
  })
})

describe('the odd event', () => {
  it('without a method is a GET, without a path is for the root', () => {
    const request = behindAlb({ httpMethod: null, path: null, queryStringParameters: null })
    expect([request.method, request.path, request.rawPath, request.rawQueryString]).toEqual([
      'GET',
      '/',
      '/',
      '',
    ])
  })

  it('with values that are no text leaves them out', () => {
    const request = behindAlb({
      headers: null,
      queryStringParameters: null,
      multiValueHeaders: { 'x-a': ['1', 2, null, '3'], 'x-b': 7 },
      multiValueQueryStringParameters: { a: ['1', 2, null, '3'], b: 7, c: null },
    })
    expect([...request.query]).toEqual([
      ['a', '1'],
      ['a', '3'],
    ])
    expect([request.header('x-a'), request.headerValues('X-A'), request.header('x-b')]).toEqual([
      '1, 3',
      ['1', '3'],
      undefined,
    ])
  })

  it('with parameters and cookies that are no text leaves them out', () => {
    const request = restApiRequest(
      { ...restApiEvent({ path: '/' }), pathParameters: { id: '7', a: null, b: 7 } },
      context,
    )
    expect({ ...request.pathParameters }).toEqual({ id: '7' })
    const { headers } = httpApiRequest(
      { ...httpApiEvent({ path: '/' }), cookies: ['a=1', null, '', 'b=2'] },
      context,
    )
    expect(headers['cookie']).toBe('a=1; b=2')
  })

  it('without an identity has no client', () => {
    const event = httpApiV1Event({ path: '/' })
    const requestContext = { ...event.requestContext, identity: undefined }
    expect(httpApiRequest({ ...event, requestContext }, context).clientIp).toBeUndefined()
  })

  it('without headers has none, and no cookies', () => {
    const request = behindAlb({ headers: null })
    expect([request.header('x'), request.header('cookie'), request.headerValues('cookie')]).toEqual([
      undefined,
      undefined,
      [],
    ])
    expect([{ ...request.cookies }, request.host]).toEqual([{}, undefined])
    expect(request.url.href).toBe('https://localhost/a?b=1')
  })

  it('says in its context what the source said', () => {
    const event = restApiEvent({ path: '/a' })
    expect(restApiRequest(event, context).requestContext).toBe(event.requestContext)
  })
})

describe('cookies', () => {
  it('that a source takes out of the headers are a header all the same', () => {
    const request = () => httpApiRequest({ ...httpApiEvent({ path: '/' }), cookies: ['a=1', 'b=2'] }, context)
    expect(request().kind).toBe('http')
    expect(request().header('Cookie')).toBe('a=1; b=2')
    expect(request().headerValues('Cookie')).toEqual(['a=1; b=2'])
    expect({ ...request().cookies }).toEqual({ a: '1', b: '2' })
  })
})

describe('the query', () => {
  it('as sent has no question mark in front, and keeps others', () => {
    const raw = (rawQueryString: string) =>
      httpApiRequest({ ...httpApiEvent({ path: '/a' }), rawQueryString }, context).rawQueryString
    expect([raw('?a=1'), raw('a=1?2'), raw('')]).toEqual(['a=1', 'a=1?2', ''])
  })

  it('cannot end the address early', () => {
    const { url } = httpApiRequest({ ...httpApiEvent({ path: '/a' }), rawQueryString: 'a=1#b&c=2' }, context)
    expect([url.hash, url.search]).toEqual(['', '?a=1%23b&c=2'])
  })
})

describe('the path', () => {
  it.each([
    ['/a%2fb', '/a%2Fb'],
    ['/%41%7e%5f%2D', '/A~_-'],
    ['/a b', '/a%20b'],
    ['/100%', '/100%25'],
    ['/%zz', '/%25zz'],
    ['/ä?#', '/%C3%A4%3F%23'],
    ['a', '/a'],
    ['/\ud800', '/%EF%BF%BD'],
    ['//a//b/', '//a//b/'],
  ])('has one spelling: %s', (path, spelled) => {
    expect(behindAlb({ path }).path).toBe(spelled)
  })

  it.each([
    ['v1', '/v1/a', '/v1', '/a'],
    ['//v1/', '/v1/a', '/v1', '/a'],
    ['/v1//x', '/v1//x/a', '/v1//x', '/a'],
    ['/v1', '/v1', '/v1', '/'],
    ['/v1', '/v10/a', '', '/v10/a'],
    [['/v2', '/v1'], '/v1/a', '/v1', '/a'],
    [/^\/v\d/, '/v7/a', '/v7', '/a'],
    [/^\/v\d\//, '/v7/a', '/v7', '/a'],
    [/^\/v\d/, '/a', '', '/a'],
    ['', '/a', '', '/a'],
    [[], '/a', '', '/a'],
  ])('loses the base path %s: %s', (basePath, path, taken, left) => {
    const request = behindAlb({ path }, { basePath })
    expect([request.basePath, request.path]).toEqual([taken, left])
  })

  it('loses the base path behind the stage, never in it', () => {
    const event = httpApiEvent({ path: '/v1/a' })
    const staged = (rawPath: string, more: object = {}) => {
      const requestContext = { ...event.requestContext, stage: 'prod', ...more }
      const { basePath, path } = httpApiRequest({ ...event, rawPath, requestContext }, context, {
        basePath: '/v1',
      })
      return [basePath, path]
    }
    expect(staged('/prod/v1/a')).toEqual(['/prod/v1', '/a'])
    expect(staged('/prod/a')).toEqual(['/prod', '/a'])
    expect(staged('/prod/a', { domainName: 'shop.example.com' })).toEqual(['', '/prod/a'])
    expect(staged('/$default/a', { stage: '$default' })).toEqual(['', '/$default/a'])
    expect(staged('/undefined/a', { stage: undefined })).toEqual(['', '/undefined/a'])
    for (const domainName of [
      'x.execute-api.eu-central-1.amazonaws.com',
      'localhost:3000',
      '127.0.0.1:3000',
      null,
      undefined,
    ])
      expect(staged('/prod/v1/a', { domainName })).toEqual(['/prod/v1', '/a'])
  })

  it('behind the own domain of a REST API is whole, whatever the resource says', () => {
    const event = restApiEvent({ path: '/hello' })
    for (const resource of ['/', '/hello', null])
      expect(restApiRequest({ ...event, resource }, context).path).toBe('/hello')
  })

  it.each([
    ['/shop/products/7', '/products/{id}', { id: '7' }, '/shop', '/products/7'],
    ['/shop/a/b', '/{proxy+}', { proxy: 'a/b' }, '/shop', '/a/b'],
    ['/shop', '/', {}, '/shop', '/'],
    ['/shop/', '/', {}, '/shop', '/'],
    ['/shop/products/8', '/products/{id}', { id: '7' }, '', '/shop/products/8'],
    ['/shop/products/8', '/products/{id}', null, '', '/shop/products/8'],
    ['/shop/products', null, null, '', '/shop/products'],
  ])(
    'behind a custom domain of a REST API loses the mapping: %s of %s',
    (path, resource, pathParameters, taken, left) => {
      const event = restApiEvent({ path })
      const requestContext = { ...event.requestContext, domainName: 'shop.example.com', path }
      const request = restApiRequest({ ...event, path, resource, pathParameters, requestContext }, context)
      expect([request.basePath, request.path]).toEqual([taken, left])
    },
  )
})

describe('the client', () => {
  it.each([
    ['9.9.9.9, 1.2.3.4', '1.2.3.4'],
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:db8::1:443', '2001:db8::1:443'],
    [' , ,1.2.3.4 ', '1.2.3.4'],
    ['1.2.3.4:x', '1.2.3.4:x'],
    ['1.2.3.4:80x', '1.2.3.4:80x'],
    ['x[::1]:80', 'x[::1]:80'],
    ['', undefined],
  ])('is who the load balancer saw: %j', (forwarded, clientIp) => {
    expect(behindAlb({ headers: { 'x-forwarded-for': forwarded } }).clientIp).toBe(clientIp)
  })

  it('is who stands in front of the proxies that are trusted', () => {
    const seen = (trustedProxies: number, forwarded: string) =>
      httpApiRequest({ ...httpApiEvent({ path: '/' }), headers: { 'x-forwarded-for': forwarded } }, context, {
        trustedProxies,
      }).clientIp
    expect(seen(0, '1.1.1.1, 2.2.2.2')).toBe('203.0.113.7')
    expect(seen(1, '1.1.1.1, 2.2.2.2')).toBe('2.2.2.2')
    expect(seen(1, '1.1.1.1, 203.0.113.7')).toBe('1.1.1.1')
    expect(seen(2, '1.1.1.1, 2.2.2.2, 203.0.113.7')).toBe('1.1.1.1')
    expect(seen(9, '1.1.1.1, 2.2.2.2')).toBe('1.1.1.1')
    expect(seen(1, '203.0.113.7, 2.2.2.2')).toBe('203.0.113.7')
  })

  it('is the checker where the load balancer itself asks', () => {
    const headers = { 'user-agent': 'ELB-HealthChecker/2.0' }
    expect(behindAlb({ headers }).isHealthCheck).toBe(true)
    expect(behindAlb({ headers: {} }).isHealthCheck).toBe(false)
    expect(behindAlb({ headers: { 'user-agent': 'curl/8' } }).isHealthCheck).toBe(false)
    expect(behindAlb({ headers: { 'user-agent': 'curl ELB-HealthChecker/2.0' } }).isHealthCheck).toBe(false)
    expect(behindAlb({ headers: { ...headers, 'x-forwarded-for': '1.2.3.4' } }).isHealthCheck).toBe(false)
    const url = functionUrlEvent({ path: '/' })
    expect(httpApiRequest({ ...url, headers }, context).isHealthCheck).toBe(false)
  })
})

describe('the body', () => {
  it.each([
    ['text', false, 'x\ufeffy', 'x\ufeffy'],
    ['a byte order mark', false, '\ufeffx', 'x'],
    ['base64', true, Buffer.from('{"ä":1}').toString('base64'), '{"ä":1}'],
    ['text that looks like base64', false, 'aGVsbG8=', 'aGVsbG8='],
    ['text of other alphabets', false, 'äöü', 'äöü'],
  ])('as text and as bytes: %s', (_, isBase64Encoded, body, text) => {
    const request = behindAlb({ body, isBase64Encoded })
    expect(request.text()).toBe(text)
    expect(Buffer.from(request.bytes())).toEqual(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'))
    expect(request.isBase64Encoded).toBe(isBase64Encoded)
  })

  it('parsed is parsed once', () => {
    const request = behindAlb({ body: '{"id":7}' })
    expect(request.json()).toEqual({ id: 7 })
    expect(request.json()).toBe(request.json())
    expect(request.data).toBe(request.json())
    expect(behindAlb({ body: null }).json()).toBeUndefined()
  })
})

describe('as a web request', () => {
  it.each([
    ['GET', null],
    ['HEAD', null],
    ['POST', 'x'],
    ['DELETE', 'x'],
    ['GETX', 'x'],
    ['XGET', 'x'],
  ])('%s has the body %j', async (httpMethod, body) => {
    const request = behindAlb({ httpMethod, body: 'x' }).toWebRequest()
    expect(request.method).toBe(httpMethod)
    expect(request.body === null ? null : await request.text()).toBe(body)
  })

  it('is refused by name where there can be none', () => {
    const error = (() => {
      try {
        return behindAlb({ httpMethod: 'TRACE' }).toWebRequest()
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(BadRequestError)
    expect(error).toMatchObject({ message: 'This cannot be a web request', cause: expect.any(TypeError) })
  })
})

describe('the authorizer', () => {
  const authorizerOf = (requestContext: object) =>
    restApiRequest({ ...restApiEvent({ path: '/' }), requestContext }, context).authorizer

  it.each([
    ['nobody', {}, { kind: 'none' }],
    ['a context of nothing', { authorizer: { a: null, b: undefined } }, { kind: 'none' }],
    [
      'a context',
      { authorizer: { tenant: 'x', a: null } },
      { kind: 'lambda', context: { tenant: 'x', a: null } },
    ],
    [
      'a principal',
      { authorizer: { principalId: 'me' } },
      { kind: 'lambda', context: {}, principalId: 'me' },
    ],
    ['only a latency', { authorizer: { integrationLatency: 7 } }, { kind: 'none' }],
    [
      'a user of IAM',
      { identity: { userArn: 'arn:aws:iam::1:user/x', accountId: '1', accessKey: null, caller: 'c' } },
      { kind: 'iam', userArn: 'arn:aws:iam::1:user/x', accountId: '1', callerId: 'c' },
    ],
    ['an identity without a user', { identity: { accountId: '1' } }, { kind: 'none' }],
    ['claims', { authorizer: { claims: { sub: 'x' } } }, { kind: 'cognito', claims: { sub: 'x' } }],
  ])('%s', (_, requestContext, authorizer) => {
    expect(authorizerOf(requestContext)).toStrictEqual(authorizer)
  })
})
