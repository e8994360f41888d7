// The catalogue of response cases (C1 to C30), in the order of its numbers.
import middy from '@middy/core'
import { HttpError, type HttpNormalizerOptions, type HttpRequest, respond } from 'clearskies-middy'
import { alb } from 'clearskies-middy/normalizers/alb'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { type DescribedRequest, type GatewaySource, albEvent, lambdaContext } from 'clearskies-middy/testing'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import {
  type TestedSource,
  answer,
  frontOf,
  gatewaySources,
  invoke,
  responseHeader,
  sources,
} from '../support/sources.ts'

const source = (name: GatewaySource) => sources.find((one) => one.name === name)!

/** What each source gets for one result. */
async function everywhere(
  make: (request: HttpRequest) => unknown,
  request: DescribedRequest = {},
  options: HttpNormalizerOptions = {},
  behind: readonly TestedSource[] = sources,
) {
  return Promise.all(
    behind.map(async (one) => [one.name, await answer(one, request, make, options)] as const),
  )
}

/** The same for sources that take a result whole. */
const everywhereButNode = (make: () => unknown) => everywhere(make, {}, {}, gatewaySources)

/** What a client gets for one result, through each gateway. */
async function clients(make: () => unknown, init: RequestInit = {}, gatewayOptions = {}) {
  return Promise.all(
    sources.map(async (each) => {
      const reasons: string[] = []
      const handler = middy()
        .use(each.normalizer({ logger: new RecordingLogger() }))
        .handler(make)
      await using server = await frontOf(each, handler, {
        onRefusal: (reason) => reasons.push(reason),
        ...gatewayOptions,
      })
      const response = await fetch(server.url, init)
      return { name: each.name, response, body: Buffer.from(await response.arrayBuffer()), reasons }
    }),
  )
}

describe('shape', () => {
  it('http C1: the event decides which header map a load balancer gets', async () => {
    const make = () => respond('x', { headers: { 'x-a': 'b', vary: ['a', 'b'] } })
    const [single, multi] = [
      await answer(source('alb'), {}, make),
      await answer(source('alb-multi-value'), {}, make),
    ]
    expect(single.headers).toEqual({ 'x-a': 'b', vary: 'a, b', 'content-type': 'text/plain; charset=utf-8' })
    expect(single.multiValueHeaders).toBeUndefined()
    expect(multi.multiValueHeaders).toEqual({
      'x-a': ['b'],
      vary: ['a', 'b'],
      'content-type': ['text/plain; charset=utf-8'],
    })
    expect(multi.headers).toBeUndefined()
  })

  it('http C2: values are text, and nothing is null', async () => {
    for (const [name, response] of await everywhere(() => ({
      statusCode: 200,
      headers: {
        'x-number': 5,
        'access-control-allow-credentials': true,
        'x-null': null,
        'x-none': undefined,
      },
      body: null,
    }))) {
      expect([
        name,
        responseHeader(response, 'x-number'),
        responseHeader(response, 'access-control-allow-credentials'),
        response.body,
      ]).toEqual([name, ['5'], ['true'], ''])
      expect(JSON.stringify(response)).not.toContain('null')
    }
  })

  it('http C3: a load balancer gets a description, for any status, and nobody else', async () => {
    for (const [status, text] of [
      [404, '404 Not Found'],
      [299, '299 Unknown'],
      [599, '599 Unknown'],
    ] as const) {
      for (const [name, response] of await everywhere(() => respond('', { status }))) {
        expect([name, response.statusDescription]).toEqual([name, name.startsWith('alb') ? text : undefined])
      }
    }
  })

  it('http C4: several cookies in single-value mode: one is sent, never joined, and the log says so', async () => {
    const { headers, logger } = await answer(source('alb'), {}, () =>
      respond('', { cookies: ['a=1', 'b=2', 'c=3'] }),
    )
    expect(headers?.['set-cookie']).toBe('c=3')
    expect(logger.warnings.map(({ message }) => message)).toEqual([
      'All cookies but the last are lost: enable multi-value headers in the target group',
    ])
  })

  it('http C5: commas inside a value split nothing', async () => {
    const cookies = [
      'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
      'b=2; Expires=Thu, 22 Oct 2026 07:28:00 GMT',
    ]
    const date = 'Wed, 21 Oct 2026 07:28:00 GMT'
    for (const make of [
      () => respond('', { cookies, headers: { 'last-modified': date } }),
      () =>
        new Response('', {
          headers: [
            ['last-modified', date],
            ...cookies.map((cookie) => ['set-cookie', cookie] as [string, string]),
          ],
        }),
    ]) {
      for (const [name, response] of await everywhere(make)) {
        expect([
          name,
          responseHeader(response, 'set-cookie'),
          responseHeader(response, 'last-modified'),
        ]).toEqual([name, name === 'alb' ? cookies.slice(1) : cookies, [date]])
      }
    }
  })

  it('http C6, C9: each header once, whatever its spelling', async () => {
    for (const [name, response] of await everywhere(() => ({
      statusCode: 200,
      headers: { 'x-a': '1', 'X-A': '2', 'Content-Type': 'text/html', vary: 'A', Vary: 'B' },
      multiValueHeaders: { 'x-b': ['1', '2'], 'x-c': ['1'] },
      body: 'x',
    }))) {
      const names = [...Object.keys(response.headers ?? {}), ...Object.keys(response.multiValueHeaders ?? {})]
      expect([name, names.toSorted()]).toEqual([name, ['content-type', 'vary', 'x-a', 'x-b', 'x-c']])
      expect([
        responseHeader(response, 'x-a'),
        responseHeader(response, 'content-type'),
        responseHeader(response, 'vary').join(', '),
      ]).toEqual([['2'], ['text/html'], 'A, B'])
    }
  })

  it('http C7, C8: only the keys that the source knows; cookies where it takes them', async () => {
    const keys = Object.fromEntries(
      (await everywhereButNode(() => respond('x', { cookies: ['a=1', 'b=2'] }))).map(
        ([name, { logger: _, ...response }]) => [name, Object.keys(response).toSorted().join()],
      ),
    )
    expect(keys).toEqual({
      alb: 'body,headers,isBase64Encoded,statusCode,statusDescription',
      'alb-multi-value': 'body,isBase64Encoded,multiValueHeaders,statusCode,statusDescription',
      'rest-api': 'body,headers,isBase64Encoded,multiValueHeaders,statusCode',
      'http-api': 'body,cookies,headers,isBase64Encoded,statusCode',
      'http-api-1.0': 'body,headers,isBase64Encoded,multiValueHeaders,statusCode',
      'function-url': 'body,cookies,headers,isBase64Encoded,statusCode',
      'vpc-lattice': 'body,headers,isBase64Encoded,statusCode',
    })
    for (const [, response] of await everywhere(() => ({
      statusCode: 200,
      headers: { 'Set-Cookie': 'a=1' },
    })))
      expect(responseHeader(response, 'set-cookie')).toEqual(['a=1'])
    expect(
      (await answer(source('http-api'), {}, () => ({ statusCode: 200, headers: { 'Set-Cookie': 'a=1' } })))
        .headers,
    ).toEqual({})
  })
})

describe('what a value becomes', () => {
  it.each([
    [{ statusCode: 'active' }],
    [{ statusCode: 7, body: 'hello' }],
    [{ statusCode: 600 }],
    [{ statusCode: 200.5 }],
    [{ statusCode: '200', body: 'x' }],
    [{ body: 'x' }],
    [{ headers: { a: 'b' } }],
    [{ statusCode: 200, body: 'x', id: 1 }],
    [Object.create({ statusCode: 200 }) as object],
    [[{ statusCode: 200 }]],
  ])('http C10, C11: %j is data', async (value) => {
    for (const [name, response] of await everywhere(() => value))
      expect([name, response.statusCode, response.body]).toEqual([name, 200, JSON.stringify(value)])
  })

  it('http C10, C11: an envelope is a response, and its body may be an object', async () => {
    for (const [, response] of await everywhere(() => ({
      statusCode: 201,
      headers: { 'x-a': 'b' },
      body: { a: 1 },
      isBase64Encoded: false,
      statusDescription: '201 Yes',
    }))) {
      expect([
        response.statusCode,
        response.body,
        responseHeader(response, 'x-a'),
        responseHeader(response, 'content-type'),
      ]).toEqual([201, '{"a":1}', ['b'], ['application/json; charset=utf-8']])
    }
  })

  it('http C12: text is text, null is JSON, nothing is 204', async () => {
    const outcomes = await Promise.all(
      ['hi', null, undefined, respond(null), respond(undefined), 0, ''].map((value) =>
        answer(source('rest-api'), {}, () => value),
      ),
    )
    expect(
      outcomes.map((response) => [
        response.statusCode,
        responseHeader(response, 'content-type')[0],
        response.body,
      ]),
    ).toEqual([
      [200, 'text/plain; charset=utf-8', 'hi'],
      [200, 'application/json; charset=utf-8', 'null'],
      [204, undefined, ''],
      [200, 'application/json; charset=utf-8', 'null'],
      [204, undefined, ''],
      [200, 'application/json; charset=utf-8', '0'],
      [200, undefined, ''],
    ])
  })

  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256)
  it.each<[string, () => unknown]>([
    ['Uint8Array', () => bytes],
    ['Buffer', () => Buffer.from(bytes)],
    ['ArrayBuffer', () => bytes.buffer],
    ['a part of a buffer', () => Buffer.concat([Buffer.from('xx'), bytes]).subarray(2)],
    ['DataView', () => new DataView(bytes.buffer)],
    ['Blob', () => new Blob([bytes])],
    ['ReadableStream', () => new Blob([bytes]).stream()],
    ['Node stream', () => Readable.from([Buffer.from(bytes)])],
    ['Response', () => new Response(bytes)],
    ['respond()', () => respond(bytes)],
    ['an envelope', () => ({ statusCode: 200, body: bytes })],
  ])('http C13: %s is sent byte by byte', async (_, make) => {
    for (const [name, response] of await everywhere(make)) {
      expect([
        name,
        response.body,
        response.isBase64Encoded,
        responseHeader(response, 'content-type'),
      ]).toEqual([name, Buffer.from(bytes).toString('base64'), true, ['application/octet-stream']])
    }
  })

  it('http C14: what is base64 already is not encoded again', async () => {
    for (const [, response] of await everywhere(() => ({
      statusCode: 200,
      isBase64Encoded: true,
      body: '/wA=',
      headers: { 'content-type': 'image/png' },
    }))) {
      expect([response.body, response.isBase64Encoded]).toEqual(['/wA=', true])
    }
  })

  it.each(['gzip', 'br', 'zstd', 'gzip, br'])(
    'http C15: bytes with the coding %s are base64, text or not',
    async (coding) => {
      const body = gzipSync('hello')
      for (const [, response] of await everywhere(() =>
        respond(body, { headers: { 'content-encoding': coding, 'content-type': 'text/plain' } }),
      )) {
        expect([response.body, response.isBase64Encoded]).toEqual([body.toString('base64'), true])
      }
    },
  )

  it.each([
    ['text/markdown', false],
    ['text/event-stream', false],
    ['application/javascript', false],
    ['application/problem+json; charset=utf-8', false],
    ['application/json', false],
    ['image/svg+xml', false],
    ['application/xml', false],
    ['application/x-www-form-urlencoded', false],
    ['application/yaml', false],
    ['application/x-yaml', false],
    ['application/graphql', false],
    ['text/plain; charset=iso-8859-1', true],
    ['image/png', true],
    ['application/pdf', true],
    ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', true],
    ['application/octet-stream', true],
  ])('http C16: bytes of %s, base64: %s', async (type, encoded) => {
    const { body, isBase64Encoded } = await answer(source('http-api'), {}, () =>
      respond(Buffer.from('abc'), { headers: { 'content-type': type } }),
    )
    expect([body, isBase64Encoded]).toEqual(encoded ? ['YWJj', true] : ['abc', false])
  })

  it('http C16: bytes that are no text are base64 whatever their type says, and an option decides otherwise', async () => {
    const broken = () => respond(new Uint8Array([0xff, 0xfe]), { headers: { 'content-type': 'text/plain' } })
    expect(await answer(source('alb'), {}, broken)).toMatchObject({ body: '//4=', isBase64Encoded: true })
    const image = () => respond(Buffer.from('abc'), { headers: { 'content-type': 'image/png' } })
    expect(await answer(source('alb'), {}, image, { isBinary: () => false })).toMatchObject({
      body: 'abc',
      isBase64Encoded: false,
    })
  })

  it('http C17: text is never base64, and a REST API gives bytes for its binary media types', async () => {
    for (const { name, response, body, reasons } of await clients(() =>
      respond('<p>ż', { headers: { 'content-type': 'text/html; charset=utf-8' } }),
    )) {
      expect([name, response.status, body.toString(), reasons]).toEqual([name, 200, '<p>ż', []])
    }
    const image = () => respond(bytes, { headers: { 'content-type': 'image/png' } })
    for (const { name, body } of await clients(image, {}, { binaryMediaTypes: ['image/*'] }))
      expect([name, body.equals(bytes)]).toEqual([name, true])
  })

  it('http C18: whatever has a body has a type', async () => {
    for (const value of [{}, 'x', 5, bytes, respond('x'), { statusCode: 200, body: 'x' }]) {
      for (const [name, response] of await everywhere(() => value))
        expect([name, responseHeader(response, 'content-type')]).toEqual([name, [expect.any(String)]])
    }
  })

  it.each([204, 205, 304, 100])('http C19: %i has neither body nor type', async (status) => {
    for (const value of [
      respond('x', { status, headers: { 'content-type': 'text/plain', etag: '"1"' } }),
      { statusCode: status, body: { a: 1 }, headers: { etag: '"1"' } },
    ]) {
      // A client of Node's own server would take 100 for a sign of life, and wait on.
      const make = status === 100 ? everywhereButNode : everywhere
      for (const [name, response] of await make(() => value)) {
        expect([
          name,
          response.statusCode,
          response.body,
          responseHeader(response, 'content-type'),
          responseHeader(response, 'etag'),
        ]).toEqual([name, status, '', [], ['"1"']])
      }
    }
    expect(
      (await answer(source('alb'), {}, () => new Response(null, { status: status === 100 ? 204 : status })))
        .body,
    ).toBe('')
  })

  it('http C20: HEAD has the headers of GET and no body', async () => {
    for (const [name, response] of await everywhere(() => ({ a: 1 }), { method: 'HEAD' })) {
      expect([name, response.statusCode, response.body, responseHeader(response, 'content-type')]).toEqual([
        name,
        200,
        '',
        ['application/json; charset=utf-8'],
      ])
    }
  })

  it.each([
    ['a line break in a value', { headers: { 'x-a': 'a\r\nset-cookie: evil=1' } }],
    ['a line feed', { headers: { 'x-a': 'a\nb' } }],
    ['NUL', { headers: { 'x-a': 'a\0b' } }],
    ['a space in a name', { headers: { 'x a': 'b' } }],
    ['a colon in a name', { headers: { 'x:a': 'b' } }],
    ['a line break in a list', { headers: { 'x-a': ['ok', 'a\r\nb'] } }],
    ['a line break in a cookie line', { cookies: ['a=1\r\nx: y'] }],
    ['another alphabet', { headers: { 'x-a': '炎' } }],
    ['a control character', { headers: { 'x-a': '\u0007' } }],
  ])('http C21: refuses %s with a logged 500', async (_, options) => {
    for (const [name, response] of await everywhere(() => respond('x', options))) {
      expect([
        name,
        response.statusCode,
        response.logger.errors.length,
        responseHeader(response, 'x-a'),
      ]).toEqual([name, 500, 1, []])
      expect(JSON.stringify(response)).not.toContain('evil')
    }
  })

  it('http C21: refuses what would end a cookie or its attribute, and encodes its value', () => {
    expect(() => respond('', { cookies: [{ name: 'a b', value: '' }] })).toThrow('not an HTTP token')
    expect(() =>
      respond('', { cookies: [{ name: 'a', value: '', path: '/; Domain=evil.example' }] }),
    ).toThrow('that would end it')
    const expires = new Date(Date.UTC(2026, 9, 21))
    expect(
      respond('', {
        cookies: [
          {
            name: 'a',
            value: 'x;y\r\n',
            domain: 'd',
            path: '/',
            expires,
            maxAge: 0,
            httpOnly: true,
            secure: true,
            sameSite: 'Lax',
            partitioned: true,
          },
        ],
      }).cookies,
    ).toEqual([
      'a=x%3By%0D%0A; Domain=d; Path=/; Expires=Wed, 21 Oct 2026 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax; Partitioned',
    ])
  })

  it('http C22: headers of the connection, and the length, are dropped', async () => {
    const headers = {
      connection: 'keep-alive',
      'Keep-Alive': '5',
      'transfer-encoding': 'chunked',
      upgrade: 'x',
      te: 'x',
      trailer: 'x',
      'proxy-authenticate': 'x',
      'content-length': 1,
      'x-a': 'b',
    }
    for (const [name, response] of await everywhere(() => respond('hello', { headers }))) {
      expect([
        name,
        [...Object.keys(response.headers ?? {}), ...Object.keys(response.multiValueHeaders ?? {})].toSorted(),
      ]).toEqual([name, ['content-type', 'x-a']])
    }
  })

  it('http C23: what a REST API renames is told in the documentation', () => {
    expect(readFileSync('docs/rest-api.md', 'utf8')).toMatch(/x-amzn-remapped/i)
  })

  it('http C24: a response over the limit is a logged 500 that says the sizes', async () => {
    for (const [make, limit] of [
      [() => 'x'.repeat(7_000_000), 6_291_556],
      [() => '\u0000'.repeat(1_200_000), 6_291_556],
      [() => new Uint8Array(5_000_000), 6_291_556],
      [() => 'x'.repeat(1_048_576), 1_048_576],
    ] as const) {
      // Node's own server knows no limit.
      for (const [name, response] of await everywhereButNode(make)) {
        if (limit < 2_000_000 && !name.startsWith('alb')) expect(response.statusCode).toBe(200)
        else {
          const { details } = response.logger.errors[0]!
          expect([name, response.statusCode, details]).toMatchObject([
            name,
            500,
            {
              name: 'ResponseTooLargeError',
              limit: name.startsWith('alb') ? 1_048_576 : limit,
              size: expect.any(Number) as number,
            },
          ])
        }
      }
    }
  })

  it('http C24: a response just within the limit passes the gateway, one byte more does not', async () => {
    const bodyFor = async (name: GatewaySource, size: number) => {
      const empty = await answer(source(name), {}, () => respond('y'))
      const { logger: _, ...bare } = empty
      return 'y'.repeat(size - Buffer.byteLength(JSON.stringify(bare)) + 1)
    }
    for (const [name, limit] of [
      ['alb', 1_048_576],
      ['http-api', 6_291_556],
    ] as const) {
      const body = await bodyFor(name, limit)
      expect((await answer(source(name), {}, () => body)).statusCode).toBe(200)
      expect((await answer(source(name), {}, () => `${body}y`)).statusCode).toBe(500)
    }
  })
})

describe('errors', () => {
  const failing = (error: unknown) => () => {
    throw error
  }

  it.each<[string, unknown, number, string | undefined]>([
    ['an exposed error', new HttpError(404, 'no such thing'), 404, 'no such thing'],
    [
      'a hidden client error',
      new HttpError(403, 'the password is hunter2', { expose: false }),
      403,
      undefined,
    ],
    ['an exposed server error', new HttpError(503, 'come back', { expose: true }), 503, 'come back'],
    ['a hidden server error', new HttpError(503, 'hunter2'), 503, undefined],
    ['an error', new Error('hunter2'), 500, undefined],
    [
      'an error with status and expose',
      Object.assign(new Error('teapot'), { status: 418, expose: true }),
      418,
      'teapot',
    ],
    ['an error with status alone', Object.assign(new Error('hunter2'), { status: 418 }), 500, undefined],
    ['an error with an odd status', Object.assign(new Error('hunter2'), { statusCode: 200 }), 500, undefined],
    [
      'an error with a text for a status',
      Object.assign(new Error('hunter2'), { statusCode: '404' }),
      500,
      undefined,
    ],
    ['null', null, 500, undefined],
    ['nothing', undefined, 500, undefined],
    ['text', 'hunter2', 500, undefined],
    ['a symbol', Symbol('x'), 500, undefined],
    ['a frozen error', Object.freeze(new Error('hunter2')), 500, undefined],
    [
      'an object whose getters throw',
      {
        get statusCode() {
          throw new Error('hunter2')
        },
      },
      500,
      undefined,
    ],
    [
      'an error that is no text',
      Object.assign(new Error(), {
        message: {
          toString: () => {
            throw new Error('x')
          },
        },
        statusCode: 400,
        expose: true,
      }),
      400,
      undefined,
    ],
  ])('http C25: %s', async (_, error, status, detail) => {
    for (const [name, response] of await everywhere(failing(error))) {
      const { title: __, ...problem } = JSON.parse(response.body) as { title: string }
      expect([name, response.statusCode, problem]).toEqual([
        name,
        status,
        { status, ...(detail !== undefined && { detail }) },
      ])
      expect(responseHeader(response, 'content-type')).toEqual(['application/problem+json'])
    }
  })

  it('http C25: errors of direct invocations are thrown', async () => {
    await expect(
      invoke(
        middy()
          .use(invocation())
          .handler(failing(new HttpError(404, 'x'))),
        {},
      ),
    ).rejects.toThrow('x')
  })

  it("http C25: a response that another middleware made of an error is kept, in the source's form", async () => {
    const handler = middy()
      .use(alb())
      .onError((request) => {
        request.response = { statusCode: 409, headers: { 'x-a': 1 }, body: 'mine' }
      })
      .handler(failing(new Error('x')))
    expect(await invoke(handler, albEvent())).toMatchObject({
      statusCode: 409,
      statusDescription: '409 Conflict',
      headers: { 'x-a': '1' },
      body: 'mine',
    })
  })

  it('http C25: a failing middleware in front is answered as well, and an error in the error option too', async () => {
    const logger = new RecordingLogger()
    const early = middy()
      .before(failing(new HttpError(401, 'who?')))
      .use(alb({ logger }))
      .handler(() => 1)
    expect(await invoke(early, albEvent())).toMatchObject({ statusCode: 401 })
    const odd = middy()
      .use(alb({ logger, errors: failing(new Error('hunter2')) }))
      .handler(failing(new Error('x')))
    expect(await invoke(odd, albEvent())).toMatchObject({
      statusCode: 500,
      body: '{"title":"Internal Server Error","status":500}',
    })
    expect(logger.errors).toHaveLength(2)
  })

  it('http C25: a thrown response is one', async () => {
    for (const [name, response] of await everywhere(
      failing(respond.redirect('/login', 303, { cookies: ['a=1'] })),
    )) {
      expect([
        name,
        response.statusCode,
        responseHeader(response, 'location'),
        responseHeader(response, 'set-cookie'),
        response.logger.errors,
      ]).toEqual([name, 303, ['/login'], ['a=1'], []])
    }
  })

  it("http C25: a route's answer to a wrong method keeps its headers", async () => {
    const [[, response]] = (await everywhere(
      failing(new HttpError(405, 'no', { headers: { allow: 'GET, HEAD' } })),
    )) as [[string, Awaited<ReturnType<typeof answer>>]]
    expect(responseHeader(response, 'allow')).toEqual(['GET, HEAD'])
  })

  it('http C26: a status that is none cannot be given', () => {
    for (const status of [0, 99, 600, 1.5, NaN, '201'])
      expect(() => respond('', { status: status as number })).toThrow(
        'A status is a whole number from 100 to 599',
      )
  })

  it('http C27: a redirect goes where it says, and the base path is at hand', async () => {
    const response = await answer(source('http-api'), { path: '/x' }, ({ basePath }) =>
      respond.redirect(`${basePath}/login?next=/ż`),
    )
    expect([response.statusCode, responseHeader(response, 'location')]).toEqual([
      302,
      ['/login?next=/%C5%BC'],
    ])
    expect(() => respond.redirect('/', 200)).toThrow('A redirect has a status from 300 to 399')
    expect(respond.redirect(new URL('https://a.example/ż'))).toMatchObject({
      headers: { location: 'https://a.example/%C5%BC' },
    })
  })

  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  it.each<[string, unknown]>([
    ['a bigint', { n: 1n }],
    ['a cycle', cycle],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    [
      'a throwing toJSON',
      {
        toJSON() {
          throw new Error('x')
        },
      },
    ],
  ])('http C28: %s cannot be written: a logged 500', async (_, value) => {
    for (const [name, response] of await everywhere(() => value))
      expect([name, response.statusCode, response.logger.errors.length]).toEqual([name, 500, 1])
  })

  it('http C28: dates are ISO, NaN is null', async () => {
    expect((await answer(source('alb'), {}, () => ({ at: new Date(0), n: NaN }))).body).toBe(
      '{"at":"1970-01-01T00:00:00.000Z","n":null}',
    )
  })

  it('http C28: a stream that breaks is a logged 500', async () => {
    const make = () =>
      new ReadableStream({
        start: (controller) => {
          controller.error(new Error('broken'))
        },
      })
    // Node's own server sends a stream as it comes, and cuts it.
    for (const [name, response] of await everywhereButNode(make))
      expect([name, response.statusCode, response.logger.errors.length]).toEqual([name, 500, 1])
  })

  it('http C29: a direct invocation gets the value as it is', async () => {
    for (const value of [{ statusCode: 404, body: 'x' }, 'text', 5, null]) {
      const handler = middy()
        .use(invocation())
        .handler(() => value)
      expect(await handler({} as never, lambdaContext())).toBe(value)
    }
  })
})

describe('through real gateways', () => {
  it.each<[string, () => unknown]>([
    ['an object', () => ({ a: 'ż' })],
    [
      'cookies and lists',
      () => respond('x', { cookies: ['a=1; Path=/', 'b=2'], headers: { vary: ['a', 'b'], 'x-n': 5 } }),
    ],
    [
      'a web response',
      () =>
        new Response('hi', {
          status: 201,
          headers: [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
            ['x-a', 'b'],
          ],
        }),
    ],
    ['nothing', () => undefined],
    [
      'an error',
      () => {
        throw new Error('x')
      },
    ],
    ['bytes', () => new Uint8Array(300_000)],
    ['too much', () => 'x'.repeat(7_000_000)],
  ])('%s is never refused', async (_, make) => {
    for (const { name, reasons, response } of await clients(make))
      expect([name, reasons, response.status]).toEqual([name, [], expect.any(Number)])
  })

  it('every normalizer gives the hooks that Middy names after it', () => {
    for (const [name, normalizer] of [
      ['alb', alb()],
      ['restApi', restApi()],
      ['httpApi', httpApi()],
    ] as const) {
      expect([normalizer.before?.name, normalizer.after?.name, normalizer.onError?.name]).toEqual([
        `${name}Before`,
        `${name}After`,
        `${name}OnError`,
      ])
    }
  })
})

// C30, response streaming, needs another entry point of the runtime and is out of scope: bodies are read fully.
