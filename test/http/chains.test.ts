// Chains of Middy's middlewares behind each source's normalizer, with each kind of outcome: what must come out.
import { Logger } from '@aws-lambda-powertools/logger'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { Metrics } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { Tracer } from '@aws-lambda-powertools/tracer'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import errorLogger from '@middy/error-logger'
import httpContentEncoding from '@middy/http-content-encoding'
import httpContentNegotiation from '@middy/http-content-negotiation'
import httpCors from '@middy/http-cors'
import httpErrorHandler from '@middy/http-error-handler'
import httpEventNormalizer from '@middy/http-event-normalizer'
import httpHeaderNormalizer from '@middy/http-header-normalizer'
import httpResponseSerializer from '@middy/http-response-serializer'
import httpSecurityHeaders from '@middy/http-security-headers'
import inputOutputLogger from '@middy/input-output-logger'
import warmup from '@middy/warmup'
import { NotFoundError, respond } from 'clearskies-middy'
import { type DescribedRequest, invoke } from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type GatewayReply, readResult } from '../../src/testing/gateway-result.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { sources } from '../support/sources.ts'

const cores = [
  ['7', middy],
  ['6', middy6 as unknown as typeof middy],
] as const

const silent = (): void => {}

/** What a handler or a hook does, and what the client gets of it, whatever stands in the chain. */
interface Outcome {
  readonly handler: () => unknown
  /** Returned by a `before` hook behind the others: no `after` runs any more. */
  readonly early?: unknown
  readonly request?: DescribedRequest
  readonly status: number
  readonly type: string | undefined
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
  readonly logged?: number
}

const long = 'some text, '.repeat(50)
const shared = Object.freeze({
  id: 1,
  title: 'T',
  body: 'text of the post',
  headers: Object.freeze({ a: 1 }),
})
const problem = (status: number, title: string, detail?: string) =>
  JSON.stringify({ title, status, ...(detail !== undefined && { detail }) })

const json = 'application/json; charset=utf-8'
const text = 'text/plain; charset=utf-8'
const problemType = 'application/problem+json'

const outcomes: Readonly<Record<string, Outcome>> = {
  'an object with the fields of an envelope': {
    handler: () => shared,
    status: 200,
    type: json,
    body: JSON.stringify(shared),
  },
  'a list': { handler: () => [1, { a: 2 }], status: 200, type: json, body: '[1,{"a":2}]' },
  null: { handler: () => null, status: 200, type: json, body: 'null' },
  'a number': { handler: () => 0, status: 200, type: json, body: '0' },
  text: { handler: () => long, status: 200, type: text, body: long },
  bytes: {
    handler: () => new Uint8Array([1, 2, 255]),
    status: 200,
    type: 'application/octet-stream',
    body: Buffer.from([1, 2, 255]),
  },
  nothing: { handler: () => undefined, status: 204, type: undefined, body: '' },
  'a web response': {
    handler: () =>
      new Response('<p>', { status: 201, headers: { 'content-type': 'text/html', 'x-own': '1' } }),
    status: 201,
    type: 'text/html',
    body: '<p>',
    headers: { 'x-own': '1' },
  },
  'respond()': {
    handler: () => respond({ a: 1 }, { status: 202, headers: { 'x-own': '1' }, cookies: ['sid=S'] }),
    status: 202,
    type: json,
    body: '{"a":1}',
    headers: { 'x-own': '1', 'set-cookie': 'sid=S' },
  },
  'an envelope': {
    handler: () => Object.freeze({ statusCode: 203, body: 'x' }),
    status: 203,
    type: text,
    body: 'x',
  },
  'a stream': {
    handler: async function* stream() {
      yield await Promise.resolve('one')
      yield Buffer.from('two')
    },
    status: 200,
    type: 'application/octet-stream',
    body: 'onetwo',
  },
  'a thrown HTTP error': {
    handler: () => {
      throw new NotFoundError('no such thing', { headers: { 'x-own': '1' } })
    },
    status: 404,
    type: problemType,
    body: problem(404, 'Not Found', 'no such thing'),
    headers: { 'x-own': '1' },
  },
  'a thrown response': {
    handler: () => {
      throw respond({ a: 1 }, { status: 403 })
    },
    status: 403,
    type: json,
    body: '{"a":1}',
  },
  'an unexpected error': {
    handler: () => {
      throw Object.assign(new Error('the password is hunter2'), {
        status: 401,
        headers: { 'set-cookie': 'up=1' },
      })
    },
    status: 500,
    type: problemType,
    body: problem(500, 'Internal Server Error'),
    logged: 1,
  },
  'a result that cannot be encoded': {
    handler: () => respond({ a: 1n }, { headers: { 'x-not': '1' } }),
    status: 500,
    type: problemType,
    body: problem(500, 'Internal Server Error'),
    logged: 1,
  },
  'an early answer': {
    handler: () => 'never',
    early: respond('early', { status: 401, headers: { 'x-own': '1' } }),
    status: 401,
    type: text,
    body: 'early',
    headers: { 'x-own': '1' },
  },
  'an early object': { handler: () => 'never', early: { a: 1 }, status: 200, type: json, body: '{"a":1}' },
  'a preflight that the handler answers': {
    handler: () => respond.noContent(),
    request: { method: 'OPTIONS' },
    status: 204,
    type: undefined,
    body: '',
  },
}

interface Chain {
  readonly middlewares: () => readonly object[]
  /** Headers that are on every answer that does not leave early. */
  readonly headers?: Readonly<Record<string, string>>
}

const origin = { 'access-control-allow-origin': '*' }
const chains: Readonly<Record<string, Chain>> = {
  'no others': { middlewares: () => [] },
  cors: { middlewares: () => [httpCors({ origin: '*' })], headers: origin },
  'security-headers': {
    middlewares: () => [httpSecurityHeaders()],
    headers: { 'x-content-type-options': 'nosniff' },
  },
  'cors, security-headers, error-handler': {
    middlewares: () => [
      httpCors({ origin: '*' }),
      httpSecurityHeaders(),
      httpErrorHandler({ logger: silent }),
    ],
    headers: { ...origin, 'x-content-type-options': 'nosniff' },
  },
  'content-negotiation, content-encoding': {
    middlewares: () => [httpContentNegotiation({ availableEncodings: ['gzip'] }), httpContentEncoding()],
  },
  'response-serializer': {
    middlewares: () => [httpResponseSerializer({ serializers: [], defaultContentType: 'application/json' })],
  },
  'header-normalizer, event-normalizer': {
    middlewares: () => [httpHeaderNormalizer(), httpEventNormalizer()],
  },
  'input-output-logger, error-logger': {
    middlewares: () => [
      inputOutputLogger({ logger: silent, omitPaths: ['event.body', 'response.body'] }),
      errorLogger({ logger: silent }),
    ],
  },
  warmup: { middlewares: () => [warmup()] },
  'Powertools logger, tracer, metrics': {
    middlewares: () => [
      injectLambdaContext(new Logger({ logLevel: 'SILENT' }), { logEvent: true }),
      captureLambdaHandler(new Tracer({ enabled: false })),
      logMetrics(new Metrics({ namespace: 'test', logger: { ...console, warn: silent } })),
    ],
  },
  'a middleware that writes a header': {
    middlewares: () => [
      {
        after: ({ response }: { response: { headers: Record<string, string> } }) =>
          void (response.headers['x-a'] = '1'),
      },
      {
        onError: ({ response }: { response: { headers: Record<string, string> } }) =>
          void (response.headers['x-a'] = '1'),
      },
    ],
    headers: { 'x-a': '1' },
  },
}

function headerOf(reply: GatewayReply, name: string): string | undefined {
  const values = reply.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return values.length > 0 ? values.join(', ') : undefined
}

function bodyOf(reply: GatewayReply): Buffer {
  return headerOf(reply, 'content-encoding') === 'gzip' ? gunzipSync(reply.body) : reply.body
}

describe.each(cores)('on Middy %s', (_, core) => {
  describe.each(sources)('behind $name', ({ name, normalizer, event: toEvent }) => {
    /** What the gateway sends to the client, and what the normalizer has logged. */
    async function reply(chain: Chain, { handler, early, request }: Outcome) {
      const logger = new RecordingLogger()
      const wrapped = core()
      wrapped.use(normalizer({ logger }) as never)
      for (const middleware of chain.middlewares()) wrapped.use(middleware as never)
      if (early !== undefined) wrapped.before(() => early)
      const event = toEvent({
        headers: { origin: 'https://a.example', 'accept-encoding': 'gzip' },
        ...request,
      })
      const result = await invoke(wrapped.handler(handler as never), event)
      const setting = { source: name, event, accept: '*/*', binaryMediaTypes: ['*/*'] }
      return { ...readResult(result, setting), logged: logger.errors.length }
    }

    describe.each(Object.entries(chains))('with %s', (__, chain) => {
      it.each(Object.entries(outcomes))('H12, H13, H14, H15: %s', async (___, outcome) => {
        const { logged, ...answer } = await reply(chain, outcome)
        expect([answer.reason, answer.status, logged]).toEqual([
          undefined,
          outcome.status,
          outcome.logged ?? 0,
        ])
        expect(headerOf(answer, 'content-type')).toBe(outcome.type)
        expect(bodyOf(answer)).toEqual(Buffer.from(outcome.body))
        const theirs = outcome.early === undefined ? chain.headers : undefined
        for (const [header, value] of Object.entries({ ...outcome.headers, ...theirs }))
          expect([header, headerOf(answer, header)]).toEqual([header, value])
        expect(headerOf(answer, 'x-not')).toBeUndefined()
        if (outcome.headers?.['set-cookie'] === undefined)
          expect(headerOf(answer, 'set-cookie')).toBeUndefined()
      })
    })

    it('H14: content-encoding compresses text, and keeps its type', async () => {
      const answer = await reply(chains['content-negotiation, content-encoding']!, outcomes['text']!)
      expect([headerOf(answer, 'content-encoding'), headerOf(answer, 'vary')]).toEqual([
        'gzip',
        'Accept-Encoding',
      ])
    })

    it('H16: http-cors answers a preflight', async () => {
      const cors = httpCors({ origin: '*', methods: 'GET, PUT', disableBeforePreflightResponse: false })
      const answer = await reply(
        { middlewares: () => [cors] },
        { handler: () => 'never', request: { method: 'OPTIONS' }, status: 204, type: undefined, body: '' },
      )
      expect([answer.reason, answer.status, answer.body.length]).toEqual([undefined, 204, 0])
      expect(headerOf(answer, 'access-control-allow-origin')).toBe('*')
      expect(headerOf(answer, 'access-control-allow-methods')).toBe('GET, PUT')
    })
  })
})
