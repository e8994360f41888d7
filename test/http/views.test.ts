// What a client sent, in one member and in another, before and after somebody writes.
import middy from '@middy/core'
import httpEventNormalizer from '@middy/http-event-normalizer'
import httpHeaderNormalizer from '@middy/http-header-normalizer'
import validator from '@middy/validator'
import { transpileSchema } from '@middy/validator/transpile'
import { type Middleware, alb, restApi, validate } from 'clearskies-middy'
import { albRequest } from 'clearskies-middy/normalizers/alb'
import { restApiRequest } from 'clearskies-middy/normalizers/rest-api'
import { albEvent, lambdaContext, restApiEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type SourceResponse, sources, invoke } from '../support/sources.ts'

const context = lambdaContext()

describe('cookies', () => {
  it.each([
    ['a=1;b=2', { a: '1', b: '2' }],
    ['  a  =  1  ;b', { a: '1', b: '' }],
    ['a=b   c', { a: 'b   c' }],
    ['a   =b=c', { a: 'b=c' }],
    ['a="b c"', { a: 'b c' }],
    ['a=" b "', { a: ' b ' }],
    ['a="', { a: '"' }],
    ['a=""', { a: '' }],
    ['a="b', { a: '"b' }],
    ['a="b"c"', { a: 'b"c' }],
    ['=a; ;;  ', {}],
    ['a=1; a=2', { a: '1' }],
    ['a=%41; b=%4; __proto__=x', { a: 'A', b: '%4', ['__proto__']: 'x' }],
  ])('H9: of %j', (cookie, expected) => {
    const { cookies } = albRequest(albEvent({ headers: { cookie } }), context)
    expect(Object.entries(cookies)).toEqual(Object.entries(expected))
  })
})

describe('the two maps of a query', () => {
  const query = (single: object | null, lists: object | null): [string, string][] => {
    const event = { ...restApiEvent(), queryStringParameters: single, multiValueQueryStringParameters: lists }
    return [...restApiRequest(event, context).query].toSorted()
  }

  it.each([
    [{ a: '1' }, {}, [['a', '1']]],
    [{ a: '1' }, { a: [] }, [['a', '1']]],
    [{ a: '1' }, { a: null }, [['a', '1']]],
    [{ a: '1' }, { a: [null, 7] }, [['a', '1']]],
    [
      { a: '1', b: '2' },
      { b: ['1', '2'] },
      [
        ['a', '1'],
        ['b', '1'],
        ['b', '2'],
      ],
    ],
    [null, { a: ['1'] }, [['a', '1']]],
    [
      { ['__proto__']: '1' },
      { constructor: ['2'] },
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    ],
  ])('H23: %j beside %j', (single, lists, expected) => {
    expect(query(single, lists)).toEqual(expected)
  })

  it("H23: Middy's event normalizer in front of a load balancer takes nothing away", async () => {
    const handler = middy()
      .use(httpEventNormalizer() as Middleware)
      .use(alb())
      .handler(({ query }) => query.get('a'))
    const { body } = await invoke<SourceResponse>(handler, albEvent({ path: '/?a=1' }))
    expect(body).toBe('1')
  })
})

describe('what a middleware writes into a view', () => {
  it.each(sources)('H24: stays there behind $name', async (source) => {
    const handler = middy()
      .use(source.normalizer())
      .before(({ event }) => {
        event.queryStringParameters['page'] = 3 as never
        event.multiValueQueryStringParameters['page'] = ['3', '4']
      })
      .handler((request) => [
        request.queryStringParameters,
        request.multiValueQueryStringParameters,
        request.query.get('page'),
        request.queryStringParameters === request.queryStringParameters,
        request.multiValueQueryStringParameters === request.multiValueQueryStringParameters,
      ])
    const { body } = await invoke<SourceResponse>(handler, source.event({ path: '/?page=2&a=b' }))
    expect(JSON.parse(body)).toEqual([{ page: 3, a: 'b' }, { page: ['3', '4'], a: ['b'] }, '2', true, true])
  })

  it('H24: stays there where the whole view is set', () => {
    const request = albRequest(albEvent({ path: '/?a=1' }), context)
    request.queryStringParameters = { b: '2' }
    request.multiValueQueryStringParameters = { c: ['3'] }
    expect([request.queryStringParameters, request.multiValueQueryStringParameters]).toEqual([
      { b: '2' },
      { c: ['3'] },
    ])
    request.query = new URLSearchParams('d=4')
    expect([request.queryStringParameters, request.multiValueQueryStringParameters]).toEqual([
      { d: '4' },
      { d: ['4'] },
    ])
  })

  it("H24: Middy's validator coerces and gives defaults", async () => {
    const schema = transpileSchema(
      {
        type: 'object',
        properties: {
          queryStringParameters: {
            type: 'object',
            properties: { page: { type: 'integer' }, size: { type: 'integer', default: 20 } },
          },
        },
      },
      { coerceTypes: true, useDefaults: true },
    )
    const handler = middy()
      .use(restApi())
      .use(validator({ eventSchema: schema }) as Middleware)
      .handler((request) => request.queryStringParameters)
    const { body } = await invoke<SourceResponse>(handler, restApiEvent({ path: '/?page=3' }))
    expect(JSON.parse(body)).toEqual({ page: 3, size: 20 })
  })
})

describe('validate() of a query', () => {
  const schema = z.record(z.string(), z.union([z.string(), z.array(z.string())]))
  const methods = [
    ...Object.getOwnPropertyNames(URLSearchParams.prototype),
    'toString',
    'valueOf',
    '__proto__',
  ]

  it.each(methods)('H25: a parameter called %s hides no method', async (name) => {
    const handler = middy()
      .use(alb())
      .use(validate({ query: schema }))
      .handler(({ query, valid }) => [query.get(name), query.has('a'), [...query.keys()], valid.query[name]])
    const { statusCode, body } = await invoke<SourceResponse>(handler, albEvent({ path: `/?${name}=1&a=2` }))
    expect([statusCode, body]).toEqual([
      200,
      JSON.stringify(['1', true, [name, 'a'], name === '__proto__' ? {} : '1']),
    ])
  })
})

describe('headers whose maps spell them in different ways', () => {
  const event = {
    ...albEvent({ multiValue: true }),
    headers: { Host: 'shop.example.com', 'X-B': '2' },
    multiValueHeaders: { host: ['shop.example.com'], 'x-a': ['1'], 'X-A': ['2'] },
  }

  it('are not doubled', () => {
    const request = albRequest(event, context)
    expect([request.host, request.header('x-a'), request.headerValues('X-a'), request.header('x-b')]).toEqual(
      ['shop.example.com', '1, 2', ['1', '2'], '2'],
    )
    expect(request.multiValueHeaders).toEqual({ host: ['shop.example.com'], 'x-a': ['1', '2'], 'x-b': ['2'] })
  })

  it('are the same before and after all are read', () => {
    const request = albRequest({ ...albEvent(), headers: { 'x-a': '1', 'X-A': '2' } }, context)
    const before = request.header('x-a')
    expect([before, request.headers['x-a'], request.header('x-a')]).toEqual(['1, 2', '1, 2', '1, 2'])
  })

  it('are, once written or deleted, as they were left', () => {
    const request = albRequest(
      albEvent({ multiValue: true, headers: { authorization: 'x', 'x-a': ['1', '2'], 'x-b': ['1', '2'] } }),
      context,
    )
    delete request.headers['authorization']
    request.headers['x-a'] = '3'
    expect(request.headerValues('authorization')).toEqual([])
    expect([request.headerValues('x-a'), request.headerValues('x-b')]).toEqual([['3'], ['1', '2']])
    const { multiValueHeaders } = request
    expect([multiValueHeaders['authorization'], multiValueHeaders['x-a'], multiValueHeaders['x-b']]).toEqual([
      undefined,
      ['3'],
      ['1', '2'],
    ])
  })

  it("are one for Middy's header normalizer", async () => {
    const handler = middy()
      .use(alb())
      .use(httpHeaderNormalizer() as Middleware)
      .handler(({ headers, multiValueHeaders }) => [headers['host'], multiValueHeaders['host']])
    const { body } = await invoke<SourceResponse>(handler, event)
    expect(JSON.parse(body)).toEqual(['shop.example.com', ['shop.example.com']])
  })
})

describe('the client behind proxies', () => {
  it.each([
    ['unknown', 3, undefined],
    ['<script>, 10.0.0.1', 5, undefined],
    ['2001:db8::1, 10.0.0.1', 2, '2001:db8::1'],
  ])('has an address, or none: %s with %d proxies', (forwarded, trustedProxies, expected) => {
    const event = albEvent({ headers: { 'x-forwarded-for': forwarded } })
    const raw = { ...event, headers: { ...event.headers, 'x-forwarded-for': forwarded } }
    expect(albRequest(raw, context, { trustedProxies }).clientIp).toBe(expected)
  })
})
