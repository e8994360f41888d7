// Middy's own middlewares, behind the normalizers and in front of them, over all sources.
import middy from '@middy/core'
import errorLogger from '@middy/error-logger'
import httpContentEncoding from '@middy/http-content-encoding'
import httpContentNegotiation from '@middy/http-content-negotiation'
import httpCors from '@middy/http-cors'
import httpErrorHandler from '@middy/http-error-handler'
import httpEventNormalizer from '@middy/http-event-normalizer'
import httpHeaderNormalizer from '@middy/http-header-normalizer'
import httpJsonBodyParser from '@middy/http-json-body-parser'
import httpMultipartBodyParser from '@middy/http-multipart-body-parser'
import httpResponseSerializer from '@middy/http-response-serializer'
import httpRouter from '@middy/http-router'
import httpSecurityHeaders from '@middy/http-security-headers'
import httpUrlencodeBodyParser from '@middy/http-urlencode-body-parser'
import inputOutputLogger from '@middy/input-output-logger'
import validator from '@middy/validator'
import { transpileSchema } from '@middy/validator/transpile'
import warmup from '@middy/warmup'
import { HttpError, respond } from 'clearskies-middy'
import type { DescribedRequest } from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import { brotliDecompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import {
  type SourceResponse,
  type TestedSource,
  gatewaySources,
  invoke,
  responseHeader,
  sources,
} from '../support/sources.ts'

/** What a chain may end with, typed for what these tests read. */
type Handler = (
  request: { readonly [name: string]: never } & {
    readonly data: unknown
    readonly body: unknown
    readonly headers: Record<string, string>
    readonly pathParameters: Record<string, string>
  },
  context: Record<string, unknown>,
) => unknown

const cores = [
  ['@middy/core 7', middy],
  ['@middy/core 6.4.5', middy6 as unknown as typeof middy],
] as const

describe.each(cores)('on %s', (_, core) => {
  describe.each(sources)('behind $name', ({ name, normalizer, event }: TestedSource) => {
    /** A chain of middlewares around a handler, and what comes of one request. */
    async function run(
      middlewares: readonly object[],
      handler: Handler,
      request: DescribedRequest = {},
    ): Promise<SourceResponse> {
      const chain = core()
      for (const middleware of middlewares) chain.use(middleware as never)
      return invoke<SourceResponse>(chain.handler(handler as never), event(request))
    }

    const normalize = () => normalizer({ logger: new RecordingLogger() })
    const json = { headers: { 'content-type': 'application/json' }, body: { a: 1 } }

    it('http-cors', async () => {
      const cors = httpCors({ origins: ['https://a.example', 'https://b.example'], credentials: true })
      const from = { headers: { origin: 'https://a.example' } }
      for (const result of [
        { a: 1 },
        'text',
        respond('x', { status: 201, headers: { vary: 'accept' } }),
        { statusCode: 200, body: 'x' },
      ]) {
        const response = await run([normalize(), cors], () => result, from)
        expect([
          name,
          response.statusCode < 300,
          responseHeader(response, 'access-control-allow-origin'),
          responseHeader(response, 'access-control-allow-credentials'),
        ]).toEqual([name, true, ['https://a.example'], ['true']])
        expect(responseHeader(response, 'vary').join()).toContain('Origin')
      }
      const failed = await run(
        [normalize(), cors, httpErrorHandler({ logger: () => {} })],
        () => {
          throw new HttpError(404, 'no')
        },
        from,
      )
      expect([failed.statusCode, JSON.parse(failed.body)]).toEqual([
        404,
        { title: 'Not Found', status: 404, detail: 'no' },
      ])
      expect(responseHeader(failed, 'access-control-allow-origin')).toEqual(['https://a.example'])
      const preflight = await run([normalize(), httpCors({ origin: '*' })], () => respond.noContent(), {
        method: 'OPTIONS',
        ...from,
      })
      expect([preflight.statusCode, responseHeader(preflight, 'access-control-allow-origin')]).toEqual([
        204,
        ['*'],
      ])
    })

    it('http-error-handler finds the error answered, and does nothing', async () => {
      const response = await run([normalize(), httpErrorHandler({ logger: () => {} })], () => {
        throw new HttpError(418, 'teapot')
      })
      expect([
        response.statusCode,
        JSON.parse(response.body),
        responseHeader(response, 'content-type'),
      ]).toEqual([
        418,
        expect.objectContaining({ status: 418, detail: 'teapot' }),
        ['application/problem+json'],
      ])
      const hidden = await run([normalize(), httpErrorHandler({ logger: () => {} })], () => {
        throw new Error('hunter2')
      })
      expect([hidden.statusCode, hidden.body]).toEqual([
        500,
        '{"title":"Internal Server Error","status":500}',
      ])
    })

    it('http-header-normalizer', async () => {
      const plain = await run([normalize(), httpHeaderNormalizer()], ({ headers }) => headers['x-a'], {
        headers: { 'X-A': 'b' },
      })
      expect(plain.body).toBe('b')
      const canonical = await run(
        [normalize(), httpHeaderNormalizer({ canonical: true })],
        (request) => [
          request.headers['X-A'],
          (request as unknown as { header(name: string): string }).header('x-a'),
        ],
        { headers: { 'x-a': 'b' } },
      )
      expect(JSON.parse(canonical.body)).toEqual(['b', 'b'])
    })

    it('http-event-normalizer', async () => {
      const response = await run(
        [normalize(), httpEventNormalizer()],
        (request) => ({ ...(request as unknown as { queryStringParameters: object }).queryStringParameters }),
        { path: '/?a=1' },
      )
      expect(JSON.parse(response.body)).toEqual({ a: '1' })
    })

    it('http-json-body-parser', async () => {
      const response = await run([normalize(), httpJsonBodyParser()], ({ body, data }) => [body, data], json)
      expect(JSON.parse(response.body)).toEqual([{ a: 1 }, { a: 1 }])
      expect(
        (await run([normalize(), httpJsonBodyParser()], () => 1, { ...json, body: '{' })).statusCode,
      ).toBe(422)
      expect(
        (
          await run([normalize(), httpJsonBodyParser()], () => 1, {
            body: 'x',
            headers: { 'content-type': 'text/csv' },
          })
        ).statusCode,
      ).toBe(415)
    })

    it('http-urlencode-body-parser', async () => {
      const response = await run([normalize(), httpUrlencodeBodyParser()], ({ data }) => data, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'a=x+y&b=1&b=2',
      })
      expect(JSON.parse(response.body)).toEqual({ a: 'x y', b: ['1', '2'] })
    })

    it('http-multipart-body-parser', async () => {
      const form = new FormData()
      form.set('title', 'Solaris')
      const encoded = new Response(form)
      const response = await run([normalize(), httpMultipartBodyParser()], ({ data }) => data, {
        method: 'POST',
        headers: { 'content-type': encoded.headers.get('content-type') ?? '' },
        body: await encoded.text(),
      })
      expect(JSON.parse(response.body)).toEqual({ title: 'Solaris' })
    })

    it('http-content-negotiation and http-content-encoding', async () => {
      const text = 'hello '.repeat(100)
      const chain = [
        normalize(),
        httpContentNegotiation({ availableEncodings: ['br'], availableLanguages: ['en', 'pl'] }),
        httpContentEncoding(),
      ]
      const response = await run(
        chain,
        (__, { preferredLanguage }) =>
          respond(`${text}${String(preferredLanguage)}`, { headers: { 'content-type': 'text/plain' } }),
        { headers: { accept: '*/*', 'accept-encoding': 'br', 'accept-language': 'pl' } },
      )
      expect([name, responseHeader(response, 'content-encoding'), response.isBase64Encoded]).toEqual([
        name,
        ['br'],
        true,
      ])
      expect(brotliDecompressSync(Buffer.from(response.body, 'base64')).toString()).toBe(`${text}pl`)
      expect(responseHeader(response, 'vary')).toEqual(['Accept-Encoding'])
    })

    it('http-response-serializer', async () => {
      const serializer = httpResponseSerializer({
        serializers: [
          {
            regex: /^application\/xml$/,
            serializer: ({ body }: { body: { a: number } }) => `<a>${body.a}</a>`,
          },
        ],
        defaultContentType: 'application/xml',
      } as never)
      const response = await run([normalize(), serializer], () => ({ a: 1 }))
      expect([response.body, responseHeader(response, 'content-type')]).toEqual([
        '<a>1</a>',
        ['application/xml'],
      ])
    })

    it('http-security-headers', async () => {
      const response = await run([normalize(), httpSecurityHeaders()], () => ({ a: 1 }))
      expect([
        response.body,
        responseHeader(response, 'x-content-type-options'),
        responseHeader(response, 'strict-transport-security').length,
      ]).toEqual(['{"a":1}', ['nosniff'], 1])
    })

    it('http-security-headers and http-cors on a web response', async () => {
      const chain = [normalize(), httpSecurityHeaders(), httpCors({ origin: '*' })]
      const response = await run(chain, () => new Response('x', { status: 201 }))
      expect([response.statusCode, response.body]).toEqual([201, 'x'])
      expect(responseHeader(response, 'x-content-type-options')).toEqual(['nosniff'])
      expect(responseHeader(response, 'access-control-allow-origin')).toEqual(['*'])
    })

    it('http-security-headers on nothing', async () => {
      for (const result of [undefined, respond.noContent()]) {
        const response = await run([normalize(), httpSecurityHeaders()], () => result)
        expect([response.statusCode, responseHeader(response, 'x-content-type-options')]).toEqual([
          204,
          ['nosniff'],
        ])
      }
    })

    it('http-router', async () => {
      const routes = [
        {
          method: 'GET',
          path: '/products/{author}/{title}',
          handler: ({ pathParameters }: { pathParameters: object }) => ({ ...pathParameters }),
        },
        {
          method: 'GET',
          path: '/files/{proxy+}',
          handler: ({ pathParameters }: { pathParameters: object }) => ({ ...pathParameters }),
        },
        { method: 'POST', path: '/products', handler: ({ data }: { data: unknown }) => data },
      ]
      const route = (request: DescribedRequest) =>
        run([normalize()], httpRouter(routes as never) as never, request)
      expect(JSON.parse((await route({ path: '/products/Le%20Guin/100%25%20x' })).body)).toMatchObject({
        author: 'Le Guin',
        title: '100% x',
      })
      expect(JSON.parse((await route({ path: '/files/a/b%20c' })).body)).toMatchObject({
        proxy: expect.stringMatching(/^(?:files\/)?a\/b c$/) as string,
      })
      expect((await route({ path: '/products', ...json })).body).toBe('{"a":1}')
      expect((await route({ path: '/none' })).statusCode).toBe(404)
    })

    it('validator', async () => {
      const schema = transpileSchema({
        type: 'object',
        required: ['body'],
        properties: { body: { type: 'object', required: ['a'], properties: { a: { type: 'number' } } } },
      })
      const chain = [normalize(), httpJsonBodyParser(), validator({ eventSchema: schema })]
      expect((await run(chain, () => 'fine', json)).body).toBe('fine')
      expect((await run(chain, () => 'fine', { ...json, body: { b: 1 } })).statusCode).toBe(400)
    })

    it('input-output-logger and error-logger', async () => {
      const logged: unknown[] = []
      await run(
        [
          normalize(),
          inputOutputLogger({
            logger: (message: unknown) => logged.push(JSON.parse(JSON.stringify(message))),
          }),
        ],
        () => ({ a: 1 }),
        { path: '/logged' },
      )
      expect(logged).toHaveLength(2)
      expect(JSON.stringify(logged[0])).toContain('/logged')
      const errors: unknown[] = []
      const failed = await run(
        [normalize(), errorLogger({ logger: (request: { error: unknown }) => errors.push(request.error) })],
        () => {
          throw new HttpError(404, 'no')
        },
      )
      expect([failed.statusCode, errors]).toEqual([404, [expect.any(HttpError)]])
    })

    it('warmup, in front of the normalizer', async () => {
      const chain = [warmup(), normalize()]
      expect((await run(chain, () => ({ a: 1 }))).body).toBe('{"a":1}')
      const warming = core()
      for (const middleware of chain) warming.use(middleware as never)
      expect(await invoke(warming.handler((() => 1) as never), { source: 'serverless-plugin-warmup' })).toBe(
        'warmup',
      )
    })

    const inFront: Readonly<Record<string, readonly string[]>> = {
      // These read and write the raw event: they work in front wherever the event has what they look for. Node's own server
      // has a message, and no such event.
      'http-header-normalizer': gatewaySources.map((one) => one.name),
      'http-event-normalizer': [
        'alb',
        'alb-multi-value',
        'rest-api',
        'http-api',
        'http-api-1.0',
        'function-url',
      ],
    }
    it.each([
      ['http-header-normalizer', httpHeaderNormalizer()],
      ['http-event-normalizer', httpEventNormalizer()],
    ] as const)('%s in front of the normalizer', async (middleware, made) => {
      if (!inFront[middleware]?.includes(name)) return
      const response = await run([made, normalize()], ({ headers, data }) => [headers['x-a'], data], {
        ...json,
        headers: { ...json.headers, 'X-A': 'b' },
      })
      expect(JSON.parse(response.body)).toEqual(['b', { a: 1 }])
    })

    it.each([
      ['http-cors', httpCors({ origin: '*' })],
      ['http-security-headers', httpSecurityHeaders()],
      ['http-error-handler', httpErrorHandler({ logger: () => {} })],
      ['error-logger', errorLogger({ logger: () => {} })],
      ['input-output-logger', inputOutputLogger({ logger: () => {} })],
    ] as const)('%s in front of the normalizer still lets it answer', async (__, made) => {
      expect((await run([made, normalize()], () => ({ a: 1 }))).body).toBe('{"a":1}')
      expect(
        (
          await run([made, normalize()], () => {
            throw new HttpError(404, 'no')
          })
        ).statusCode,
      ).toBe(404)
    })
  })
})
