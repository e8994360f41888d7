import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda'
import type { Middleware } from '../types.ts'
import { gatewayV1Authorizer } from './authorizer.ts'
import { gatewayAddress } from './client-address.ts'
import { eventKind } from './event-kind.ts'
import { emptyMap } from './headers.ts'
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
  lambdaResponseLimit,
} from './http-response.ts'
import { decodeParameter, mappingPrefix } from './path.ts'
import { type Fields, fields, listMap, queryPairs, text, textMap } from './wire.ts'

const requestContext = (raw: Fields): Fields => fields(raw['requestContext']) ?? {}

/** @internal Payload 1.0, as REST APIs send it. Query and headers come ready decoded, path and path parameters do not. */
export const restApiWire: HttpWire = {
  method: (raw) => text(raw['httpMethod']) ?? 'GET',
  rawPath: (raw) => text(raw['path']) || '/',
  prefix: (raw, path) => mappingPrefix(path, text(raw['resource']), textMap(raw['pathParameters'])),
  rawQueryString: (raw) => restApiWire.query(raw).toString(),
  query: (raw) =>
    new URLSearchParams(queryPairs(raw['queryStringParameters'], raw['multiValueQueryStringParameters'])),
  headers: (raw) => textMap(raw['headers']),
  headerLists: (raw) => listMap(raw['multiValueHeaders']),
  cookies: () => undefined,
  pathParameters: (raw) => readPathParameters(raw['pathParameters'], decodeParameter),
  resource: (raw) => text(raw['resource']),
  stage: (raw) => text(requestContext(raw)['stage']),
  body: (raw) => text(raw['body']),
  isBase64Encoded: (raw) => raw['isBase64Encoded'] === true,
  domainName: (raw) => text(requestContext(raw)['domainName']),
  protocol: () => 'https',
  clientIp: (raw, request, trustedProxies = 0) =>
    gatewayAddress(
      text(fields(requestContext(raw)['identity'])?.['sourceIp']),
      request.header('x-forwarded-for'),
      trustedProxies,
    ),
  requestId: (raw) => text(requestContext(raw)['requestId']),
  authorizer: (raw) =>
    gatewayV1Authorizer(fields(requestContext(raw)['authorizer']), fields(requestContext(raw)['identity'])),
  isHealthCheck: () => false,
}

/** @internal Path parameters into a map without prototype; a source that decodes them itself is not decoded twice. */
export function readPathParameters(
  parameters: unknown,
  decode?: (name: string, value: string) => string,
): Record<string, string> {
  const map = emptyMap<string>()
  for (const [name, value] of Object.entries(fields(parameters) ?? {})) {
    if (typeof value === 'string') map[name] = decode ? decode(name, value) : value
  }
  return map
}

/**
 * Reads the event of a REST API (proxy integration).
 *
 * @throws InvalidEventError if it is another event
 * @example
 * ```ts
 * import { restApiRequest } from 'clearskies-middy/normalizers/rest-api'
 * import { lambdaContext, restApiEvent } from 'clearskies-middy/testing'
 *
 * const event = restApiEvent({ path: '/products/a%20b', resource: '/products/{id}' })
 * console.log(restApiRequest(event, lambdaContext()).pathParameters['id']) // a b
 * ```
 */
export function restApiRequest(
  event: unknown,
  context: Context,
  options: HttpRequestOptions = {},
): HttpRequest<'rest-api', APIGatewayProxyEvent> {
  if (eventKind(event) !== 'rest-api') refuseEvent('restApi()', 'a REST API event', event)
  return new HttpRequest('rest-api', restApiWire, event as APIGatewayProxyEvent, context, options)
}

/** Turns a handler's result into what a REST API takes: any key that it does not know would be a 502. */
export function restApiResponse(
  result: unknown,
  request: HttpRequest,
  options?: HttpResponseOptions,
): APIGatewayProxyResult | Promise<APIGatewayProxyResult> {
  return encodeResponse(result, request, payloadV1Shape, {
    ...options,
    source: 'a REST API',
    responseLimit: lambdaResponseLimit,
  })
}

/** @internal Each header in one of the two maps, because the gateway would send a pair that is in both twice. */
export function payloadV1Shape({
  statusCode,
  headers,
  cookies,
  body,
  isBase64Encoded,
}: WireResponse): APIGatewayProxyResult {
  const single: Record<string, string> = {}
  const lists: Record<string, string[]> = {}
  for (const [name, values] of Object.entries(headers)) {
    if (values.length === 1) single[name] = values[0] as string
    else lists[name] = values
  }
  if (cookies.length > 0) lists['set-cookie'] = cookies
  const result: APIGatewayProxyResult = { statusCode, headers: single, body, isBase64Encoded }
  if (Object.keys(lists).length > 0) result.multiValueHeaders = lists
  return result
}

/**
 * Puts the handler behind a REST API of API Gateway.
 *
 * @throws InvalidEventError if the event is of another source
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { restApi } from 'clearskies-middy/normalizers/rest-api'
 *
 * export const handler = middy()
 *   .use(restApi())
 *   .handler(async (request) => ({ id: request.pathParameters['id'] }))
 * ```
 */
export function restApi(
  options: HttpNormalizerOptions = {},
): Middleware<HttpRequest<'rest-api', APIGatewayProxyEvent>> {
  checkHttpOptions('restApi()', options)
  return httpNormalizer('rest-api', restApiRequest, restApiResponse, options)
}
