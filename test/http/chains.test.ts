// Chains of Middy's middlewares behind each source's normalizer, with each kind of outcome: what must come out.
import { Logger } from '@aws-lambda-powertools/logger'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { Metrics } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { Tracer } from '@aws-lambda-powertools/tracer'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import { describe, expect, it } from 'vitest'
import { bodyOf, expectOutcome, headerOf, outcomes, replyOf } from '../support/chain-outcomes.ts'
import { type MiddyPackages, majors } from '../support/middy-majors.ts'
import { sources } from '../support/sources.ts'

const silent = (): void => {}

interface Chain {
  readonly middlewares: () => readonly object[]
  /** Headers that are on every answer that does not leave early. */
  readonly headers?: Readonly<Record<string, string>>
}

const origin = { 'access-control-allow-origin': '*' }
function chainsOf(packages: MiddyPackages): Readonly<Record<string, Chain>> {
  const {
    errorLogger,
    httpContentEncoding,
    httpContentNegotiation,
    httpCors,
    httpErrorHandler,
    httpEventNormalizer,
    httpHeaderNormalizer,
    httpPartialResponse,
    httpResponseSerializer,
    httpSecurityHeaders,
    inputOutputLogger,
    warmup,
  } = packages
  return {
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
      middlewares: () => [
        httpResponseSerializer({ serializers: [], defaultContentType: 'application/json' }),
      ],
    },
    'header-normalizer, event-normalizer': {
      middlewares: () => [httpHeaderNormalizer(), httpEventNormalizer()],
    },
    'partial-response': { middlewares: () => [httpPartialResponse()] },
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
}

describe.each(majors)('on Middy %s', (_, packages) => {
  const { middy: core, httpCors } = packages
  const chains = chainsOf(packages)

  describe.each(sources)('behind $name', (source) => {
    describe.each(Object.entries(chains))('with %s', (__, { middlewares, headers }) => {
      it.each(Object.entries(outcomes))('H12, H13, H14, H15: %s', async (___, outcome) => {
        expectOutcome(await replyOf({ core, source, middlewares: middlewares() }, outcome), outcome, headers)
      })
    })

    it('H14: content-encoding compresses text, and keeps its type', async () => {
      const { middlewares } = chains['content-negotiation, content-encoding']!
      const answer = await replyOf({ core, source, middlewares: middlewares() }, outcomes['text']!)
      expect([headerOf(answer, 'content-encoding'), headerOf(answer, 'vary')]).toEqual([
        'gzip',
        'Accept-Encoding',
      ])
    })

    it("H14: partial-response leaves the fields that the client asks for, and the handler's object as it is", async () => {
      const book = Object.freeze({ id: 7, title: 'T', price: 1 })
      const middlewares = [packages.httpPartialResponse()]
      const answer = await replyOf(
        { core, source, middlewares, request: { path: '/?fields=id,price' } },
        { handler: () => book },
      )
      expect(JSON.parse(bodyOf(answer).toString())).toEqual({ id: 7, price: 1 })
      expect(book).toEqual({ id: 7, title: 'T', price: 1 })
    })

    it('H16: http-cors answers a preflight', async () => {
      const cors = httpCors({ origin: '*', methods: 'GET, PUT', disableBeforePreflightResponse: false })
      const answer = await replyOf(
        { core, source, middlewares: [cors], request: { method: 'OPTIONS' } },
        { handler: () => 'never' },
      )
      expect([answer.reason, answer.status, answer.body.length]).toEqual([undefined, 204, 0])
      expect(headerOf(answer, 'access-control-allow-origin')).toBe('*')
      expect(headerOf(answer, 'access-control-allow-methods')).toBe('GET, PUT')
    })
  })
})
