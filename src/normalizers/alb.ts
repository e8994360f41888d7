import type { ALBEvent, ALBResult, Context } from 'aws-lambda'
import type { Middleware } from '../types.ts'
import { loadBalancerAuthorizer } from './authorizer.ts'
import { forwardedAddress } from './client-address.ts'
import {
  type HttpNormalizerOptions,
  checkHttpOptions,
  httpNormalizer,
  refuseEvent,
} from './http-normalizer.ts'
import { HttpRequest, type HttpRequestOptions, type HttpWire } from './http-request.ts'
import { type HttpResponseOptions, type WireResponse, encodeResponse, joinedValues } from './http-response.ts'
import { emptyMap } from './headers.ts'
import { eventKind } from './event-kind.ts'
import { statusText } from './status-text.ts'
import { type Fields, fields, listMap, queryPairs, text, textMap } from './wire.ts'

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html: 1 MB of JSON, else 502. */
const responseLimit = 1_048_576

const albWire: HttpWire = {
  method: (raw) => text(raw['httpMethod']) ?? 'GET',
  rawPath: (raw) => text(raw['path']) || '/',
  prefix: () => '',
  // Names and values arrive as the client encoded them, so they are put together again and decoded as one query.
  rawQueryString: (raw) =>
    queryPairs(raw['queryStringParameters'], raw['multiValueQueryStringParameters'])
      .map(([name, value]) => `${name}=${value}`)
      .join('&'),
  query: (raw) => new URLSearchParams(albWire.rawQueryString(raw)),
  headers: (raw) => textMap(raw['headers']),
  headerLists: (raw) => listMap(raw['multiValueHeaders']),
  cookies: () => undefined,
  pathParameters: () => emptyMap(),
  resource: () => undefined,
  stage: () => undefined,
  body: (raw) => text(raw['body']),
  isBase64Encoded: (raw) => raw['isBase64Encoded'] === true,
  domainName: () => undefined,
  protocol: (request) => (request.header('x-forwarded-proto') === 'http' ? 'http' : 'https'),
  clientIp: (_raw, request, trustedProxies = 1) =>
    forwardedAddress(request.header('x-forwarded-for'), trustedProxies),
  requestId: (_raw, request) => request.traceId,
  authorizer: (_raw, request) => loadBalancerAuthorizer((name) => request.header(name)),
  // The load balancer's own checks do not pass through its listener: nobody is forwarded.
  isHealthCheck: (request) =>
    request.header('user-agent')?.startsWith('ELB-HealthChecker/') === true &&
    request.header('x-forwarded-for') === undefined,
}

/**
 * Reads the event of an Application Load Balancer, in either header mode.
 *
 * @throws InvalidEventError if it is another event
 * @example
 * ```ts
 * import { albRequest } from 'clearskies-middy/normalizers/alb'
 * import { albEvent, lambdaContext } from 'clearskies-middy/testing'
 *
 * const request = albRequest(albEvent({ path: '/products?author=Le+Guin' }), lambdaContext())
 * console.log(request.query.get('author')) // Le Guin
 * ```
 */
export function albRequest(
  event: unknown,
  context: Context,
  options: HttpRequestOptions = {},
): HttpRequest<'alb', ALBEvent> {
  if (eventKind(event) !== 'alb') refuseEvent('alb()', 'an Application Load Balancer event', event)
  return new HttpRequest('alb', albWire, event as ALBEvent, context, options)
}

/**
 * Turns a handler's result into what the load balancer takes. The event decides between the two header maps: a target
 * group in multi-value mode reads only `multiValueHeaders`, any other only `headers`.
 */
export function albResponse(
  result: unknown,
  request: HttpRequest,
  options?: HttpResponseOptions,
): ALBResult | Promise<ALBResult> {
  return encodeResponse(result, request, shape, {
    ...options,
    source: 'an Application Load Balancer',
    responseLimit,
  })
}

function shape(
  { statusCode, headers, cookies, body, isBase64Encoded }: WireResponse,
  request: HttpRequest,
  warn: (message: string) => void,
): ALBResult {
  const result = {
    statusCode,
    statusDescription: `${statusCode} ${statusText(statusCode)}`,
    body,
    isBase64Encoded,
  }
  if (fields((request.raw as Fields)['multiValueHeaders'])) {
    return {
      ...result,
      multiValueHeaders: cookies.length > 0 ? { ...headers, 'set-cookie': cookies } : headers,
    }
  }
  if (cookies.length > 1) {
    warn(
      `${cookies.length - 1} of ${cookies.length} cookies are lost: a target group delivers several only with multi-value headers enabled`,
    )
  }
  const last = cookies.at(-1)
  return {
    ...result,
    headers: { ...joinedValues(headers), ...(last !== undefined && { 'set-cookie': last }) },
  }
}

/**
 * Puts the handler behind an Application Load Balancer.
 *
 * @throws InvalidEventError if the event is of another source
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { alb } from 'clearskies-middy/normalizers/alb'
 *
 * export const handler = middy()
 *   .use(alb())
 *   .handler(async (request) => ({ hello: request.query.get('name') }))
 * ```
 */
export function alb(options: HttpNormalizerOptions = {}): Middleware<HttpRequest<'alb', ALBEvent>> {
  checkHttpOptions('alb()', options)
  return httpNormalizer('alb', albRequest, albResponse, options)
}
