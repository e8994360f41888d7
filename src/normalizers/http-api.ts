import type {
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda'
import type { Middleware } from '../types.ts'
import { gatewayV2Authorizer } from './authorizer.ts'
import { gatewayAddress } from './client-address.ts'
import { eventKind } from './event-kind.ts'
import {
  type HttpNormalizerOptions,
  checkHttpOptions,
  httpNormalizer,
  refuseEvent,
} from './http-normalizer.ts'
import { HttpRequest, type HttpRequestOptions, type HttpWire } from './http-request.ts'
import {
  type HttpResponseOptions,
  type WireResponse,
  encodeResponse,
  joinedValues,
  lambdaResponseLimit,
} from './http-response.ts'
import { stagePrefix } from './path.ts'
import { payloadV1Shape, readPathParameters, restApiWire } from './rest-api.ts'
import { type Fields, fields, text, textMap } from './wire.ts'

/** The events that `httpApi()` takes: payload 2.0, which function URLs send as well, and payload 1.0. */
export type HttpApiEvent = APIGatewayProxyEventV2 | APIGatewayProxyEvent

const requestContext = (raw: Fields): Fields => fields(raw['requestContext']) ?? {}
const http = (raw: Fields): Fields => fields(requestContext(raw)['http']) ?? {}

/** Payload 2.0. The path comes decoded, the query raw (the ready-made map joins repeats with commas for good). */
const payloadV2Wire: HttpWire = {
  method: (raw) => text(http(raw)['method']) ?? 'GET',
  rawPath: (raw) => text(raw['rawPath']) || '/',
  prefix: (raw, path) =>
    stagePrefix(
      path,
      payloadV2Wire.stage(raw),
      payloadV2Wire.domainName(raw) ?? undefined,
      payloadV2Wire.resource(raw),
    ),
  rawQueryString: (raw) => (text(raw['rawQueryString']) ?? '').replace(/^\?/, ''),
  query: (raw) => new URLSearchParams(text(raw['rawQueryString']) ?? ''),
  headers: (raw) => textMap(raw['headers']),
  headerLists: () => undefined,
  cookies: (raw) =>
    Array.isArray(raw['cookies']) ? raw['cookies'].filter((cookie) => typeof cookie === 'string') : undefined,
  pathParameters: (raw) => readPathParameters(raw['pathParameters']),
  resource: (raw) => /^\S+ (\/.*)$/.exec(text(raw['routeKey']) ?? '')?.[1],
  stage: (raw) => text(requestContext(raw)['stage']),
  body: (raw) => text(raw['body']),
  isBase64Encoded: (raw) => raw['isBase64Encoded'] === true,
  domainName: (raw) => text(requestContext(raw)['domainName']),
  protocol: () => 'https',
  clientIp: (raw, request, trustedProxies = 0) =>
    gatewayAddress(text(http(raw)['sourceIp']), request.header('x-forwarded-for'), trustedProxies),
  requestId: (raw) => text(requestContext(raw)['requestId']),
  authorizer: (raw) => gatewayV2Authorizer(fields(requestContext(raw)['authorizer'])),
  isHealthCheck: () => false,
}

/** A function URL names a route, a stage (`$default`, both) and a template that do not exist, and encodes its path. */
const functionUrlWire: HttpWire = {
  ...payloadV2Wire,
  prefix: () => '',
  resource: () => undefined,
  stage: () => undefined,
}

/** Payload 1.0 of an HTTP API: as a REST API's, but with path and path parameters decoded and the stage in the path. */
const payloadV1Wire: HttpWire = {
  ...restApiWire,
  prefix: (raw, path) =>
    stagePrefix(
      path,
      restApiWire.stage(raw),
      restApiWire.domainName(raw) ?? undefined,
      restApiWire.resource(raw),
    ),
  pathParameters: payloadV2Wire.pathParameters,
}

const wires: Readonly<Record<string, readonly ['http-api' | 'function-url', HttpWire]>> = {
  'http-api': ['http-api', payloadV2Wire],
  'function-url': ['function-url', functionUrlWire],
  'http-api-1.0': ['http-api', payloadV1Wire],
}

/**
 * Reads the event of an HTTP API (payload 2.0 or 1.0) or of a function URL.
 *
 * @throws InvalidEventError if it is another event
 * @example
 * ```ts
 * import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
 * import { httpApiEvent, lambdaContext } from 'clearskies-middy/testing'
 *
 * const request = httpApiRequest(httpApiEvent({ path: '/products?tag=a&tag=b' }), lambdaContext())
 * console.log(request.query.getAll('tag')) // [ 'a', 'b' ]
 * ```
 */
export function httpApiRequest(
  event: unknown,
  context: Context,
  options: HttpRequestOptions = {},
): HttpRequest<'http-api' | 'function-url', HttpApiEvent> {
  const wire = wires[eventKind(event)]
  if (wire === undefined) return refuseEvent('httpApi()', 'an HTTP API or function URL event', event)
  return new HttpRequest(wire[0], wire[1], event as HttpApiEvent, context, options)
}

/** Turns a handler's result into what an HTTP API or a function URL takes, in the payload format of the event. */
export function httpApiResponse(
  result: unknown,
  request: HttpRequest,
  options?: HttpResponseOptions,
):
  | APIGatewayProxyStructuredResultV2
  | APIGatewayProxyResult
  | Promise<APIGatewayProxyStructuredResultV2 | APIGatewayProxyResult> {
  const shape = (request.raw as Fields)['version'] === '1.0' ? payloadV1Shape : payloadV2Shape
  return encodeResponse<APIGatewayProxyStructuredResultV2 | APIGatewayProxyResult>(result, request, shape, {
    ...options,
    source: 'an HTTP API',
    responseLimit: lambdaResponseLimit,
  })
}

function payloadV2Shape({
  statusCode,
  headers,
  cookies,
  body,
  isBase64Encoded,
}: WireResponse): APIGatewayProxyStructuredResultV2 {
  const result: APIGatewayProxyStructuredResultV2 = {
    statusCode,
    headers: joinedValues(headers),
    body,
    isBase64Encoded,
  }
  if (cookies.length > 0) result.cookies = cookies
  return result
}

/**
 * Puts the handler behind an HTTP API of API Gateway, with payload format 2.0 or 1.0, or behind a function URL.
 *
 * @throws InvalidEventError if the event is of another source
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 *
 * export const handler = middy()
 *   .use(httpApi())
 *   .handler(async (request) => ({ received: request.data }))
 * ```
 */
export function httpApi(
  options: HttpNormalizerOptions = {},
): Middleware<HttpRequest<'http-api' | 'function-url', HttpApiEvent>> {
  checkHttpOptions('httpApi()', options)
  return httpNormalizer('http-api', httpApiRequest, httpApiResponse, options)
}
