// Results that other code keeps, results that cannot be meant, and answers that are given twice.
import { IdempotencyConfig } from '@aws-lambda-powertools/idempotency'
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb'
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware'
import middy from '@middy/core'
import httpCors from '@middy/http-cors'
import httpSecurityHeaders from '@middy/http-security-headers'
import { InvalidResponseError, respond } from 'clearskies-middy'
import { MemoryBackend } from 'clearskies-middy/backends/memory'
import { model } from 'clearskies-middy/backends/model'
import { restApi } from 'clearskies-middy/normalizers/rest-api'
import { restApiEvent } from 'clearskies-middy/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useDynamoDb } from '../support/engines.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import {
  type SourceResponse,
  answer,
  gatewaySources,
  invoke,
  responseHeader,
  sources,
} from '../support/sources.ts'

const [source] = sources

/** The sentence that the log has of a result that is a 500. */
async function refusal(handler: () => unknown): Promise<string> {
  const { statusCode, body, logger } = await answer(source!, {}, handler)
  expect([statusCode, JSON.parse(body)]).toEqual([500, { title: 'Internal Server Error', status: 500 }])
  const details = logger.errors.map((entry) => entry.details)
  expect(details).toEqual([expect.any(InvalidResponseError)])
  return (details[0] as Error).message
}

describe('what a handler keeps', () => {
  it.each<[string, () => object]>([
    ['an object with the fields of an envelope', () => ({ id: 1, title: 'T', body: 'text of the post' })],
    ['an object with a status of its own', () => ({ statusCode: 'active', id: 7 })],
    ['respond()', () => respond({ id: 7 }, { headers: { 'x-a': ['1', '2'] }, cookies: ['a=1'] })],
    ['an envelope', () => ({ statusCode: 200, headers: { 'x-a': '1' }, body: { id: 7 } })],
    ['a list', () => [1, 2]],
  ])('H13: %s is the same after each of many answers', async (_, make) => {
    const kept = make()
    const before = structuredClone({ ...kept })
    const chain = () =>
      middy()
        .use(source!.normalizer())
        .use(httpCors({ origin: '*' }))
        .use(httpSecurityHeaders())
        .after(({ response }) => {
          const { headers } = response as { headers: Record<string, string> }
          headers['x-after'] = '1'
        })
        .handler(() => kept)
    const answers = [await invoke(chain(), source!.event()), await invoke(chain(), source!.event())]
    expect(answers[1]).toEqual(answers[0])
    expect({ ...kept }).toEqual(before)
    expect(responseHeader(answers[0] as SourceResponse, 'x-after')).toEqual(['1'])
  })
})

describe('an answer that leaves past every after', () => {
  it.each(['before', 'after', 'onError'] as const)(
    'H15: returned by %s behind the normalizer is in the form of the source',
    async (hook) => {
      for (const each of sources) {
        const chain = middy().use(each.normalizer({ logger: new RecordingLogger() }))
        chain[hook](() => respond('x', { status: 401, headers: { 'x-a': '1' } }))
        const handler = chain.handler(() => {
          if (hook === 'onError') throw new Error('x')
          return 1
        })
        const plain = await answer(each, {}, () => respond('x', { status: 401, headers: { 'x-a': '1' } }))
        const { logger: _, ...expected } = plain
        expect(await invoke(handler, each.event())).toEqual(expected)
      }
    },
  )

  it('H15: returned in front of the normalizer stays as it is', async () => {
    // Node's own server can send nothing but a response.
    for (const each of gatewaySources) {
      const early = { before: () => 'raw' }
      expect(
        await invoke(
          middy()
            .use(early)
            .use(each.normalizer())
            .handler(() => 1),
          each.event(),
        ),
      ).toBe('raw')
      const late = { after: () => 'raw' }
      expect(
        await invoke(
          middy()
            .use(late)
            .use(each.normalizer())
            .handler(() => 1),
          each.event(),
        ),
      ).toBe('raw')
    }
  })

  it('H15: that cannot be encoded is a 500', async () => {
    const logger = new RecordingLogger()
    const chain = middy()
      .use(source!.normalizer({ logger }))
      .before(() => ({ a: 1n }))
    expect(
      await invoke(
        chain.handler(() => 1),
        source!.event(),
      ),
    ).toMatchObject({ statusCode: 500 })
    expect(logger.errors).toHaveLength(1)
  })
})

it('H12: an error that a middleware puts in place of another is the one that is answered', async () => {
  const chain = middy()
    .use(source!.normalizer({ logger: new RecordingLogger() }))
    .use(httpCors({ origin: '*' }))
    .onError((request) => {
      request.error = Object.assign(new Error('mapped'), { statusCode: 409, expose: true })
    })
    .handler(() => {
      throw new Error('x')
    })
  const response = await invoke<SourceResponse>(chain, source!.event())
  expect([response.statusCode, responseHeader(response, 'access-control-allow-origin')]).toEqual([409, ['*']])
})

it('H12: an error of a middleware in front, after the answer, has the headers of those behind', async () => {
  const failing = {
    after: () => {
      throw new Error('x')
    },
  }
  const logger = new RecordingLogger()
  const chain = middy()
    .use(failing)
    .use(source!.normalizer({ logger }))
    .use(httpCors({ origin: '*' }))
    .handler(() => 1)
  const response = await invoke<SourceResponse>(chain, source!.event())
  expect([response.statusCode, responseHeader(response, 'access-control-allow-origin')]).toEqual([500, ['*']])
  expect(logger.errors).toHaveLength(1)
})

describe('makeHandlerIdempotent() of Powertools', () => {
  const dynamodb = useDynamoDb()
  beforeAll(async () => {
    await dynamodb.createTable('idempotency', { columns: { id: 'S' }, key: ['id'] })
  })

  let count = 0
  const results: Readonly<Record<string, () => unknown>> = {
    'an object': () => ({ id: 7, list: [1, null], price: 1.5 }),
    text: () => 'text',
    'a number': () => 7,
    null: () => null,
    bytes: () => new Uint8Array([1, 2, 255]),
    nothing: () => undefined,
    'respond() of an object': () =>
      respond({ id: 7 }, { status: 201, headers: { 'x-a': '1' }, cookies: ['a=1'] }),
    'respond() of text': () => respond('text', { status: 202 }),
    'respond() of bytes': () => respond(Buffer.from('abc'), { headers: { 'content-type': 'image/png' } }),
    'an envelope': () => ({ statusCode: 201, headers: { 'x-a': '1' }, body: 'x' }),
  }

  it.each(
    sources.flatMap((each) =>
      Object.entries(results).map(([name, result]) => [name, each.name, result, each] as const),
    ),
  )(
    'H17: a replay of %s behind %s equals the first answer, and the handler runs once',
    async (_, __, result, each) => {
      let calls = 0
      const persistenceStore = new DynamoDBPersistenceLayer({
        tableName: 'idempotency',
        awsSdkV3Client: dynamodb.client,
      })
      const chain: middy.MiddyfiedHandler = middy()
      chain.use(each.normalizer({ logger: new RecordingLogger() }) as never)
      chain.use(
        makeHandlerIdempotent({
          persistenceStore,
          config: new IdempotencyConfig({ eventKeyJmesPath: 'body' }),
        }) as never,
      )
      const handler = chain.handler((() => {
        calls++
        return result()
      }) as never)
      const event = each.event({
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: { order: count++ },
      })
      const first = await invoke<SourceResponse>(handler, event)
      expect(first.statusCode).toBeLessThan(300)
      expect(await invoke(handler, event)).toEqual(first)
      expect(calls).toBe(1)
    },
  )
})

describe('headers', () => {
  const csp = "default-src 'none'"
  it.each<[string, unknown]>([
    ['a Headers', new Headers({ 'content-security-policy': csp })],
    ['a Map', new Map([['Content-Security-Policy', csp]])],
    ['an object', { 'content-security-policy': csp }],
  ])('H26: given as %s are sent', async (_, headers) => {
    for (const result of [
      respond('x', { headers: headers as Headers }),
      { statusCode: 200, headers, body: 'x' },
    ]) {
      const response = await answer(source!, {}, () => result)
      expect(responseHeader(response, 'content-security-policy')).toEqual([csp])
    }
  })

  it('H26: of a fetch keep each cookie', async () => {
    const headers = new Headers([
      ['set-cookie', 'a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT'],
      ['set-cookie', 'b=2'],
    ])
    const response = await answer(sources[1]!, {}, () => ({ statusCode: 200, headers, body: 'x' }))
    expect(responseHeader(response, 'set-cookie')).toEqual(headers.getSetCookie())
  })

  it.each([['x-a: 1'], [['x-a', '1']], [7]])('H26: given as %j are refused', async (headers) => {
    expect(await refusal(() => ({ statusCode: 200, headers, body: 'x' }))).toContain('Headers are')
    expect(await refusal(() => respond('x', { headers: headers as never }))).toContain('Headers are')
  })

  it.each([[{ a: 1 }], [new Date(0)], [() => 1], [Symbol('x')]])(
    'H26: with a value that has no text are refused: %s',
    async (value) => {
      expect(await refusal(() => ({ statusCode: 200, headers: { 'x-a': value }, body: 'x' }))).toContain(
        '"x-a"',
      )
    },
  )

  it('H26: called __proto__ are refused', async () => {
    const headers = JSON.parse('{"__proto__": ["a", "b"]}') as object
    expect(await refusal(() => ({ statusCode: 200, headers, body: 'x' }))).toContain('__proto__')
  })

  it('H30: in both maps of an envelope are one list, with equal pairs once', async () => {
    const envelope = {
      statusCode: 200,
      headers: { 'X-A': '1', 'Set-Cookie': 'a=1', 'x-b': '1' },
      multiValueHeaders: { 'x-a': ['2', '3'], 'set-cookie': ['a=1', 'b=2'], 'X-B': ['1'] },
      body: 'x',
    }
    for (const chain of [[], [httpSecurityHeaders()]]) {
      const wrapped = middy().use(restApi())
      for (const middleware of chain) wrapped.use(middleware)
      const response = await invoke<SourceResponse>(
        wrapped.handler(() => envelope),
        restApiEvent(),
      )
      expect(responseHeader(response, 'x-a')).toEqual(['1', '2', '3'])
      expect(responseHeader(response, 'set-cookie')).toEqual(['a=1', 'b=2'])
      expect(responseHeader(response, 'x-b')).toEqual(['1'])
    }
  })
})

describe('a value without JSON', () => {
  const Product = model({ name: 'products', key: ['id'], schema: z.object({ id: z.string() }) })

  it.each([0, 1])('H28: a query that nobody has ended is refused, with %i items', async (items) => {
    const products = new MemoryBackend(Product, { scan: 'allow' })
    for (let id = 0; id < items; id++) await products.create({ id: String(id) })
    expect(await refusal(() => products.where('id', '!=', 'x'))).toMatch(/\.page\(\).*\.all\(\).*\.first\(\)/)
  })

  class Private {
    readonly #id = 7
    get id(): number {
      return this.#id
    }
  }

  it.each<[string, () => unknown]>([
    ['an error', () => new Error('hunter2')],
    ['an error with fields', () => Object.assign(new Error('hunter2'), { code: 7 })],
    ['URLSearchParams', () => new URLSearchParams('a=1')],
    ['FormData', () => new FormData()],
    ['a Map', () => new Map([['a', 1]])],
    ['a Set', () => new Set([1])],
    ['a RegExp', () => /x/],
    ['an object of private members', () => new Private()],
    ['Response.error()', () => Response.error()],
    [
      'a stream of objects',
      async function* objects() {
        yield await Promise.resolve({ a: 1 })
      },
    ],
    [
      'a web response that was read',
      async () => {
        const response = new Response('x')
        await response.text()
        return response
      },
    ],
  ])('H28: %s is refused', async (_, handler) => {
    const message = await refusal(handler)
    expect(message).not.toMatch(/hunter2|Buffer/)
    expect(message.length).toBeGreaterThan(20)
  })

  it.each<[unknown, string]>([
    [{}, '{}'],
    [Object.create(null), '{}'],
    [{ a: undefined }, '{}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [{ toJSON: () => ({}) }, '{}'],
  ])('H28: a value with JSON is sent', async (value, body) => {
    expect((await answer(source!, {}, () => value)).body).toBe(body)
  })

  it('H28: a stream is read no further than its source delivers', async () => {
    let read = 0
    async function* endless() {
      for (;;) {
        read++
        yield await Promise.resolve(Buffer.alloc(65_536))
      }
    }
    const { statusCode, logger } = await answer(source!, {}, () => respond(endless()))
    expect([statusCode, (logger.errors[0]?.details as Error).name]).toEqual([500, 'ResponseTooLargeError'])
    expect(read).toBeLessThan(20)
  })
})

describe('options of respond()', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['statusCode', () => respond({}, { statusCode: 404 } as never), /no option "statusCode"/],
    ['a value in place of options', () => respond(404, { message: 'x' } as never), /no option "message"/],
    ['a status that is text', () => respond('x', { status: '404' as never }), /not a string/],
    ['a status of null', () => respond('x', { status: null as never }), /not null/],
    ['cookies that are no list', () => respond('x', { cookies: 'a=b' as never }), /Cookies are a list/],
    ['a cookie without a name', () => respond('x', { cookies: [{ value: 'b' } as never] }), /name/],
    [
      'a cookie without a value',
      () => respond('x', { cookies: [{ name: 'a' } as never] }),
      /"a" has a value/,
    ],
    [
      'a cookie with a lone surrogate',
      () => respond('x', { cookies: [{ name: 'a', value: '\ud800' }] }),
      /well-formed/,
    ],
    ['maxAge NaN', () => respond('x', { cookies: [{ name: 'a', value: 'b', maxAge: NaN }] }), /Max-Age/],
    ['maxAge 1.5', () => respond('x', { cookies: [{ name: 'a', value: 'b', maxAge: 1.5 }] }), /Max-Age/],
    [
      'an invalid date',
      () => respond('x', { cookies: [{ name: 'a', value: 'b', expires: new Date(NaN) }] }),
      /Expires/,
    ],
    [
      'any sameSite',
      () => respond('x', { cookies: [{ name: 'a', value: 'b', sameSite: 'any' as never }] }),
      /SameSite/,
    ],
    [
      'an unknown attribute',
      () => respond('x', { cookies: [{ name: 'a', value: 'b', httponly: true } as never] }),
      /"httponly"/,
    ],
    [
      'secure of text',
      () => respond('x', { cookies: [{ name: 'a', value: 'b', secure: 'yes' as never }] }),
      /Secure/,
    ],
    ['a redirect to nothing', () => respond.redirect(undefined as never), /not to undefined/],
    [
      'a redirect with options for a status',
      () => respond.redirect('/', { headers: {} } as never),
      /not an object/,
    ],
  ])('H29: %s is refused with a sentence', async (_, make, sentence) => {
    expect(make).toThrow(InvalidResponseError)
    expect(make).toThrow(sentence)
    expect(await refusal(make)).toMatch(sentence)
  })

  it('H29: every attribute of a cookie is written', () => {
    const { cookies } = respond('x', {
      cookies: [
        {
          name: 'a',
          value: 'é',
          domain: 'a.example',
          path: '/',
          expires: new Date(0),
          maxAge: 0,
          httpOnly: true,
          secure: true,
          sameSite: 'Lax',
          partitioned: true,
        },
      ],
    })
    expect(cookies).toEqual([
      'a=%C3%A9; Domain=a.example; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax; Partitioned',
    ])
  })
})

it('H18: the option streaming is refused by name where nothing streams', () => {
  const buffered = sources.filter(({ name }) => name.startsWith('alb') || name === 'vpc-lattice')
  for (const each of buffered)
    expect(() => each.normalizer({ streaming: true } as never)).toThrow(/no option "streaming"/)
})
