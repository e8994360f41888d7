// How work grows with what a client sends: n and 4n, up to the limits of the sources. Linear work takes four times as long,
// quadratic work sixteen times. A test fails only if the ratio is above ten in three rounds running.
import middy from '@middy/core'
import { alb, jsonBody, validate } from 'clearskies-middy'
import type { HttpRequest } from 'clearskies-middy'
import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
import { albEvent, httpApiEvent, invoke, lambdaContext, restApiEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseJson } from '../../src/core/json.ts'
import { growsLinearly } from '../support/growth.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

const context = lambdaContext()

const read = (event: object, look: (request: HttpRequest) => unknown) => (): unknown =>
  look(anyHttpRequest({ ...event }, context))

const albWith = (change: object): object => ({ ...albEvent(), ...change })
const cookie = (text: string): object => albWith({ headers: { cookie: text } })
const names = (count: number, value: unknown): object =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`name-${index}`, value]))

/** Each with the size of which four times is about the limit of the source. */
const readings: readonly (readonly [
  id: string,
  what: string,
  size: number,
  make: (size: number) => () => unknown,
])[] = [
  [
    'H9',
    'white space inside a cookie',
    16_000,
    (n) => read(cookie(`a=b${' '.repeat(n)}c`), (r) => r.cookies),
  ],
  [
    'H9',
    'white space in front of a cookie',
    16_000,
    (n) => read(cookie(`a${' '.repeat(n)}b=c`), (r) => r.cookies),
  ],
  ['H9', 'semicolons', 16_000, (n) => read(cookie(';'.repeat(n)), (r) => r.cookies)],
  [
    'H9',
    'cookies',
    3000,
    (n) => read(cookie(Array.from({ length: n }, (_, i) => `c${i}=v`).join('; ')), (r) => r.cookies),
  ],
  ['H9', 'quotes in a cookie', 16_000, (n) => read(cookie(`a="${'"'.repeat(n)}x`), (r) => r.cookies)],
  ['H9', 'escapes in a cookie', 5000, (n) => read(cookie(`a=${'%'.repeat(n)}`), (r) => r.cookies)],
  [
    'H10',
    'repetitions of one parameter',
    4000,
    (n) => read(httpApiEvent({ path: `/?${'p&'.repeat(n)}` }), (r) => r.multiValueQueryStringParameters),
  ],
  [
    'H10',
    'names of parameters',
    3000,
    (n) =>
      read(albWith({ queryStringParameters: names(n, '1') }), (r) => [
        r.multiValueQueryStringParameters,
        r.queryStringParameters,
        r.rawQueryString,
      ]),
  ],
  [
    'H10',
    'parameters in both maps',
    3000,
    (n) =>
      read(
        {
          ...restApiEvent(),
          queryStringParameters: names(n, '1'),
          multiValueQueryStringParameters: names(n, ['1', '2']),
        },
        (r) => r.multiValueQueryStringParameters,
      ),
  ],
  [
    'H10',
    'headers',
    1500,
    (n) => read(albWith({ headers: names(n, '1') }), (r) => [r.multiValueHeaders, r.header('x')]),
  ],
  [
    'H10',
    'header lists',
    1500,
    (n) =>
      read(albWith({ multiValueHeaders: names(n, ['1', '2']) }), (r) => [r.multiValueHeaders, r.headers]),
  ],
  [
    'H10',
    'lines of one header',
    8000,
    (n) =>
      read(albWith({ multiValueHeaders: { 'x-a': Array.from({ length: n }, () => '1') } }), (r) => [
        r.headers['x-a']?.length,
        r.headerValues('x-a'),
        r.multiValueHeaders,
      ]),
  ],
  ['H7', 'dot segments', 4000, (n) => read(albWith({ path: '/..'.repeat(n) }), (r) => r.url.href)],
  [
    'H7',
    'escapes in a path',
    4000,
    (n) => read(albWith({ path: `/${'%2e%'.repeat(n)}` }), (r) => r.url.href),
  ],
  ['H7', 'slashes in a path', 8000, (n) => read(albWith({ path: '/'.repeat(n) }), (r) => r.url.href)],
  [
    'H22',
    'a long parameter behind a mapping',
    2000,
    (n) =>
      read(
        {
          ...restApiEvent(),
          path: `/v1/${'%c3%a9'.repeat(n)}`,
          resource: '/{proxy+}',
          pathParameters: { proxy: '%c3%a9'.repeat(n) },
        },
        (r) => [r.path, r.pathParameters],
      ),
  ],
  [
    'H22',
    'braces in a template',
    8000,
    (n) => read({ ...restApiEvent(), resource: `/${'{'.repeat(n)}` }, (r) => r.path),
  ],
  [
    'H9',
    'hops of a request',
    4000,
    (n) => read(albWith({ headers: { 'x-forwarded-for': '1.2.3.4:5, '.repeat(n) } }), (r) => r.clientIp),
  ],
  [
    'H9',
    'brackets in x-forwarded-for',
    16_000,
    (n) => read(albWith({ headers: { 'x-forwarded-for': `[${']['.repeat(n)}` } }), (r) => r.clientIp),
  ],
  ['H8', 'a long host', 16_000, (n) => read(albWith({ headers: { host: 'a.'.repeat(n) } }), (r) => r.host)],
  [
    'H8',
    'a host of colons',
    16_000,
    (n) => read(albWith({ headers: { host: ':1'.repeat(n) } }), (r) => r.url),
  ],
  [
    'H35',
    'a list of codings',
    5000,
    (n) =>
      read(
        albWith({ headers: { 'content-encoding': 'gzip,'.repeat(n) }, body: 'e30=', isBase64Encoded: true }),
        (r) => r.bytes(),
      ),
  ],
  [
    'H35',
    'a content type of a body that is no JSON',
    8000,
    (n) =>
      read(albWith({ headers: { 'content-type': ' '.repeat(n) + 'a/'.repeat(n) }, body: '{' }), (r) => {
        try {
          return r.data
        } catch (error) {
          return error
        }
      }),
  ],
  [
    'H11',
    'a base64 body',
    200_000,
    (n) => {
      const event = albWith({ body: Buffer.alloc(n, '"').toString('base64'), isBase64Encoded: true })
      return read(event, (r) => [r.text(), r.bytes(), r.text()])
    },
  ],
  [
    'H6',
    'valid JSON',
    20_000,
    (n) => () => parseJson(JSON.stringify(Array.from({ length: n }, () => ({ a: 1 }))), 'It'),
  ],
]

describe('reading a request takes time in proportion to', () => {
  it.each(readings)('%s: %s', async (_, __, size, make) => {
    await growsLinearly(make, size)
  })
})

const broken: readonly (readonly [what: string, text: (size: number) => string])[] = [
  ['open brackets', (n) => '['.repeat(n)],
  ['open objects', (n) => '{"a":'.repeat(n)],
  ['a string without an end', (n) => `"${'a'.repeat(n)}`],
  ['escapes', (n) => `"${'\\u0041'.repeat(n)}`],
  ['white space', (n) => `${' '.repeat(n)}x`],
  ['digits', (n) => `${'1'.repeat(n)}x`],
  ['minus signs', (n) => '-'.repeat(n)],
  ['elements', (n) => `[${'1,'.repeat(n)}`],
  ['members', (n) => `{${'"a":1,'.repeat(n)}`],
]

describe('saying where JSON breaks takes time in proportion to', () => {
  it.each(broken)('H6: %s', async (_, textOf) => {
    await growsLinearly((size) => {
      const text = textOf(size)
      return () => {
        expect(() => parseJson(text, 'It')).toThrow('It is not valid JSON')
      }
    }, 20_000)
  })
})

describe('a chain takes time in proportion to', () => {
  const chain = (middleware: object) =>
    middy()
      .use(alb({ logger: new RecordingLogger() }))
      .use(middleware as middy.MiddlewareObj)
      .handler(() => 'ok')

  it('H10: parameters that validate() checks', async () => {
    const handler = chain(validate({ query: z.record(z.string(), z.unknown()) }))
    await growsLinearly((size) => {
      const event = albWith({ queryStringParameters: names(size, '1') })
      return () => invoke(handler, { ...event })
    }, 3000)
  })

  it('H5: findings of validate()', async () => {
    const handler = chain(validate({ data: z.array(z.string()) }))
    await growsLinearly((size) => {
      const event = albWith({ body: JSON.stringify(Array.from({ length: size }, () => 1)) })
      return () => invoke(handler, { ...event })
    }, 5000)
  })

  it('H6: a body that jsonBody() parses', async () => {
    const handler = chain(jsonBody())
    await growsLinearly((size) => {
      const headers = { 'content-type': 'application/json' }
      const event = albWith({ headers, body: JSON.stringify(Array.from({ length: size }, () => ({ a: 1 }))) })
      return () => invoke(handler, { ...event })
    }, 10_000)
  })

  it('H9: spaces in a content type', async () => {
    const handler = chain(jsonBody())
    await growsLinearly((size) => {
      const event = albWith({
        headers: { 'content-type': `application/json${' '.repeat(size)}x` },
        body: '{}',
      })
      return () => invoke(handler, { ...event })
    }, 4000)
  })
})

it('H10: each entry of a query is read once for the view with lists', () => {
  for (const size of [100, 400]) {
    const request = anyHttpRequest(httpApiEvent({ path: `/?${'p&'.repeat(size)}` }), context)
    const { query } = request
    let reads = 0
    query.getAll = () => {
      reads++
      return []
    }
    expect([request.multiValueQueryStringParameters['p']?.length, reads]).toEqual([size, 0])
  }
})
