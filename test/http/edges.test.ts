// Smaller cases of events and headers that tools, proxies and other alphabets make.
import middy from '@middy/core'
import httpJsonBodyParser from '@middy/http-json-body-parser'
import { type HttpRequest, respond } from 'clearskies-middy'
import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import { restApiRequest } from 'clearskies-middy/normalizers/rest-api'
import { httpApiEvent, httpApiV1Event, lambdaContext, restApiEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import {
  type SourceResponse,
  answer,
  gatewaySources,
  invoke,
  responseHeader,
  sources,
} from '../support/sources.ts'

const context = lambdaContext()

describe("a REST API's event of SAM CLI before 2024, which calls itself 1.0", () => {
  const samEvent = {
    ...restApiEvent({ path: '/products/7', resource: '/products/{id}' }),
    version: '1.0',
    requestContext: {
      apiId: '1234567890',
      resourceId: '123456',
      stage: 'Prod',
      identity: {},
      httpMethod: 'GET',
    },
  }

  it.each([
    ['restApi()', restApiRequest],
    ['anyHttp()', anyHttpRequest],
  ] as const)('is of a REST API for %s', (_, read) => {
    const request: HttpRequest = read(samEvent, context)
    expect([request.source, request.pathParameters['id']]).toEqual(['rest-api', '7'])
  })

  it('is taken by httpApi() as well, for SAM CLI makes those of HTTP APIs alike', () => {
    expect(httpApiRequest(samEvent, context).source).toBe('http-api')
  })

  it.each([null, undefined, '', '123456', '2gxmpl', 'GET /products/{id}', '$default'])(
    'a real HTTP API has %j in its place, and stays one',
    (resourceId) => {
      const event = httpApiV1Event({ path: '/products/7' })
      const real = { ...event, requestContext: { ...event.requestContext, resourceId } }
      expect(anyHttpRequest(real, context).source).toBe('http-api')
      expect(() => restApiRequest(real, context)).toThrow('got "HTTP API 1.0"')
    },
  )
})

describe('a parser of bodies in front of the normalizer', () => {
  // The parser finds no content type in the lists of the others. Node's own server has a message, and no event.
  it.each(gatewaySources.filter(({ name }) => name !== 'vpc-lattice' && name !== 'alb-multi-value'))(
    'gives data and body, behind $name',
    async ({ normalizer, event }) => {
      const chain = middy()
      for (const middleware of [httpJsonBodyParser(), normalizer()]) chain.use(middleware as never)
      const handler = chain.handler((request) => {
        const { data, body, hasBody } = request as HttpRequest
        return [data, body, hasBody]
      })
      const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: { a: 1 } }
      const response = await invoke<SourceResponse>(handler, event(request))
      expect(JSON.parse(response.body)).toEqual([{ a: 1 }, { a: 1 }, true])
    },
  )

  it.each([0, false, [], {}])('gives %j as data', (body) => {
    const request = httpApiRequest({ ...httpApiEvent({ method: 'POST' }), body }, context)
    expect([request.data, request.hasBody]).toEqual([body, true])
  })
})

describe('the address of the client', () => {
  const addressOf = (forwarded: string, trustedProxies: number): string | undefined => {
    const event = httpApiEvent({ headers: { 'x-forwarded-for': forwarded }, clientIp: '9.9.9.9' })
    const made = { ...event, headers: { ...event.headers, 'x-forwarded-for': forwarded } }
    return httpApiRequest(made, context, { trustedProxies }).clientIp
  }

  it.each([
    ['6.6.6.6, 9.9.9.9, 1.1.1.1', 1, '1.1.1.1'],
    ['6.6.6.6, 1.1.1.1, 9.9.9.9', 1, '1.1.1.1'],
    ['9.9.9.9, 6.6.6.6, 9.9.9.9', 1, '6.6.6.6'],
    ['6.6.6.6, 1.1.1.1, 2.2.2.2, 9.9.9.9', 2, '1.1.1.1'],
    ['6.6.6.6, 9.9.9.9', 0, '9.9.9.9'],
  ])('in %s with %i trusted proxies is %s', (forwarded, trustedProxies, expected) => {
    expect(addressOf(forwarded, trustedProxies)).toBe(expected)
  })
})

describe.each(sources)('headers of other alphabets behind $name', (source) => {
  it.each([
    ['café', true],
    ['\u0080\u00ff', true],
    ['zażółć', false],
    ['日本語', false],
    ['\u{1f600}', false],
    ['\ud800', false],
    ['a\u0000b', false],
    ['a\u007fb', false],
    ['a\r\nb', false],
  ])('a response with %j leaves: %s', async (value, leaves) => {
    const { statusCode, logger, ...response } = await answer(source, {}, () =>
      respond('x', { headers: { 'x-value': value } }),
    )
    expect([statusCode, logger.errors.length]).toEqual(leaves ? [200, 0] : [500, 1])
    expect(responseHeader({ statusCode, ...response }, 'x-value')).toEqual(leaves ? [value] : [])
    if (leaves) return
    const { message } = logger.errors[0]?.details as Error
    expect(message).toContain('The header "x-value" cannot be sent')
    expect(message).not.toContain(value)
    if (/[^\0-\xff]/.test(value)) expect(message).toContain('Encode it')
  })

  // Node gives the bytes of a header as Latin-1: see `rich-request.test.ts`.
  it.skipIf(source.name === 'node-http')(
    'a request has them in headers, and a web request those that the web takes',
    async () => {
      const { body } = await answer(
        source,
        { headers: { 'x-latin': 'café', 'x-other': 'zażółć' } },
        (request) => [
          request.headers['x-latin'],
          request.header('X-Other'),
          [...request.toWebRequest().headers].filter(([name]) => /^x-(?:latin|other)$/.test(name)),
        ],
      )
      expect(JSON.parse(body)).toEqual(['café', 'zażółć', [['x-latin', 'café']]])
    },
  )
})
