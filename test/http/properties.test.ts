// For anything that comes in and anything that a handler gives: a request or a named error, and a response that the
// gateway takes; never an unhandled rejection, a changed event or a polluted prototype.
import middy from '@middy/core'
import { HttpError, type HttpRequest, InvalidEventError, respond } from 'clearskies-middy'
import { albRequest } from 'clearskies-middy/normalizers/alb'
import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import { restApiRequest } from 'clearskies-middy/normalizers/rest-api'
import { vpcLatticeRequest } from 'clearskies-middy/normalizers/vpc-lattice'
import { lambdaContext } from 'clearskies-middy/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readResult } from '../../src/testing/gateway-result.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { runs } from '../support/runs.ts'
import { gatewaySources, invoke } from '../support/sources.ts'

const context = lambdaContext()
const rejections: unknown[] = []
const remember = (reason: unknown): void => void rejections.push(reason)
beforeAll(() => void process.on('unhandledRejection', remember))
afterAll(() => {
  process.off('unhandledRejection', remember)
  expect(rejections).toEqual([])
})

/** Reads everything, each member on its own: what cannot be read says so with the caller's error. */
function readAll(request: HttpRequest): void {
  const prototype = Object.getPrototypeOf(request) as object
  for (const member of Object.getOwnPropertyNames(prototype)) {
    if (member === 'constructor') continue
    try {
      const value: unknown = request[member as keyof HttpRequest]
      if (typeof value === 'function') (value as (name: string) => unknown).call(request, 'x-a')
    } catch (error) {
      expect([member, error]).toEqual([member, expect.any(HttpError)])
      expect((error as HttpError).statusCode).toBe(400)
    }
  }
}

const json = () => fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>
const names = fc.oneof(
  fc.constantFrom(
    'content-encoding',
    'host',
    'cookie',
    'x-forwarded-for',
    'content-type',
    '__proto__',
    'constructor',
    'X-A',
    '',
  ),
  fc.string(),
)
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '%',
    '%E0%A4%A',
    '//evil.example/x',
    '?a',
    '#b',
    '\r\n',
    'a=1; b=2',
    '1.2.3.4, 5.6.7.8:9',
    'gzip',
    'br, gzip, deflate',
    'gzip,'.repeat(9),
    'shop.example:443',
    'shop.example@evil.example',
    'evil.example/x?',
    '[::1]:99999',
    'H4sIAAAAAAAAA6tWSlSyMqwFAF7rZYQHAAAA',
    'ż',
    '[::1',
    '/dev',
    '/v1/x',
  ),
  json(),
)
const map = () =>
  fc.oneof(
    fc.dictionary(names, texts, { maxKeys: 5 }),
    fc.dictionary(names, fc.array(texts, { maxLength: 3 }), { maxKeys: 5 }),
    json(),
  )

/** Events that look like a source's, with anything in each field. */
const eventLike = fc.record(
  {
    httpMethod: texts,
    version: fc.oneof(fc.constantFrom('1.0', '2.0'), json()),
    path: texts,
    rawPath: texts,
    rawQueryString: texts,
    routeKey: texts,
    resource: texts,
    headers: map(),
    multiValueHeaders: map(),
    queryStringParameters: map(),
    multiValueQueryStringParameters: map(),
    pathParameters: map(),
    cookies: fc.oneof(fc.array(texts), json()),
    body: texts,
    isBase64Encoded: fc.oneof(fc.boolean(), json()),
    // VPC Lattice, version 1.
    method: texts,
    raw_path: texts,
    query_string_parameters: map(),
    is_base64_encoded: fc.oneof(fc.boolean(), json()),
    requestContext: fc.oneof(
      fc.record(
        {
          elb: json(),
          serviceArn: texts,
          http: fc.oneof(fc.record({ method: texts, path: texts, sourceIp: texts }), json()),
          stage: texts,
          domainName: texts,
          path: texts,
          requestId: texts,
          identity: map(),
          authorizer: fc.oneof(
            fc.record(
              {
                jwt: json(),
                lambda: json(),
                iam: map(),
                claims: json(),
                scopes: json(),
                principalId: json(),
              },
              { requiredKeys: [] },
            ),
            json(),
          ),
        },
        { requiredKeys: [] },
      ),
      json(),
    ),
  },
  { requiredKeys: [] },
)

describe('any event', () => {
  it.each([
    ['albRequest', albRequest],
    ['restApiRequest', restApiRequest],
    ['httpApiRequest', httpApiRequest],
    ['vpcLatticeRequest', vpcLatticeRequest],
    ['anyHttpRequest', anyHttpRequest],
  ])('%s gives a request or a named error', (_, take) => {
    fc.assert(
      fc.property(
        fc.oneof({ arbitrary: eventLike, weight: 4 }, { arbitrary: json(), weight: 1 }),
        (event) => {
          const before = structuredClone(event)
          let request: HttpRequest | undefined
          try {
            request = take(event, context)
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidEventError)
          }
          if (request !== undefined) {
            readAll(request)
            expect(request.path).toMatch(/^\/(?:[\w\-.~!$&'()*+,;=:@/]|%[\dA-F]{2})*$/)
            expect(request.url.pathname.startsWith('/')).toBe(true)
          }
          expect(event).toEqual(before)
          expect(Object.keys(Object.prototype)).toEqual([])
          expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
        },
      ),
      { seed: 11, numRuns: runs(4000) },
    )
  })
})

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
    withSparseArray: true,
  }),
  fc
    .constantFrom<() => unknown>(
      () => () => 1,
      () => Symbol('x'),
      () => new Error('x'),
      () => Promise.resolve(1),
      () => new Response('x'),
      () => new Response(null, { status: 204 }),
      () => new Blob(['x']),
      () => new Date(NaN),
      () =>
        new Proxy(
          {},
          {
            get() {
              throw new Error('x')
            },
          },
        ),
      () => Object.freeze({ statusCode: 200 }),
    )
    .map((make) => make()),
  fc.record(
    {
      statusCode: fc.oneof(fc.integer({ min: -1, max: 700 }), json()),
      headers: map(),
      multiValueHeaders: map(),
      cookies: fc.oneof(fc.array(texts), json()),
      body: fc.anything(),
      isBase64Encoded: json(),
      statusDescription: json(),
    },
    { requiredKeys: ['statusCode'] },
  ),
  fc
    .record({ value: fc.anything(), status: fc.integer({ min: 100, max: 599 }), headers: map() })
    .map(({ value, status, headers }) => respond(value, { status, headers: headers as never })),
)

// Not Node's own server: its client takes what the server writes, and no gateway reads a result before.
describe.each(gatewaySources)('anything that a handler gives behind $name', ({ name, normalizer, event }) => {
  it.each([
    ['returned', false],
    ['thrown', true],
  ])('%s, becomes a response that the gateway takes', async (_, thrown) => {
    await fc.assert(
      fc.asyncProperty(
        odd,
        fc.constantFrom('GET', 'HEAD', 'POST'),
        fc.constantFrom('problem' as const, 'clearskies' as const),
        async (value, method, errors) => {
          const handler = middy()
            .use(normalizer({ logger: new RecordingLogger(), errors }))
            .handler(async () => {
              if (thrown) throw value
              return value
            })
          const described = event({ method })
          const result = await invoke(handler, described)
          expect(
            readResult(result, { source: name, event: described, accept: '*/*', binaryMediaTypes: ['*/*'] })
              .reason,
          ).toBeUndefined()
        },
      ),
      { seed: 13, numRuns: runs(1500) },
    )
  })
})
