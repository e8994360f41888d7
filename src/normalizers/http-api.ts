import { type UnknownRecord, asRecord } from '../core/record.ts'
import type {
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda'
import type { Middleware } from '../core/middy.ts'
import { readAuthorizer } from './http/authorizer.ts'
import { type HttpNormalizerOptions, httpNormalizer, readEvent } from './http/normalizer.ts'
import type { HttpRequest, HttpRequestOptions } from './http-request.ts'
import {
  type HttpResponseOptions,
  type ResponseTarget,
  encodeResponse,
  lambdaResponseLimit,
  singleLines,
} from './http/encode-response.ts'
import { stagePrefix } from './http/path.ts'
import { payloadV1Target, payloadV1Wire } from './http/payload-v1.ts'
import { type Wire, contextOf } from './http/http-source.ts'

/** The events that `httpApi()` takes: payload 2.0, which function URLs send as well, and payload 1.0. */
export type HttpApiEvent = APIGatewayProxyEventV2 | APIGatewayProxyEvent

/** A response in payload format 2.0 or 1.0. */
export type HttpApiResult = APIGatewayProxyStructuredResultV2 | APIGatewayProxyResult

const httpOf = (raw: UnknownRecord): UnknownRecord => asRecord(contextOf(raw)['http']) ?? {}

/** Payload 2.0. The path comes decoded, the query raw (the ready-made map joins repeats with commas for good). */
const payloadV2Wire: Wire = {
  source: 'http-api',
  method: (raw) => httpOf(raw)['method'],
  path: (raw) => raw['rawPath'],
  prefix: (raw, path) => stagePrefix(path, raw),
  sourceIp: (raw) => httpOf(raw)['sourceIp'],
  authorizer: (raw) => readAuthorizer(contextOf(raw)),
  route: 'routeKey',
}

const wires: Readonly<Record<string, Wire>> = {
  'http-api': payloadV2Wire,
  'http-api-v1': payloadV1Wire,
  // It encodes its path, and names a route and a stage that do not exist.
  'function-url': { ...payloadV2Wire, source: 'function-url', prefix: () => '' },
}

const payloadV2Target: ResponseTarget = {
  limit: lambdaResponseLimit,
  shape({ statusCode, headers, cookies, body, isBase64Encoded }) {
    const result = { statusCode, headers: singleLines(headers), body, isBase64Encoded }
    return cookies.length > 0 ? { ...result, cookies } : result
  },
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
  options?: HttpRequestOptions,
): HttpRequest<'http-api' | 'function-url', HttpApiEvent> {
  return readEvent('httpApi', wires, event, context, options)
}

/**
 * Turns a handler's result into what an HTTP API or a function URL takes, in the payload format of the event.
 *
 * @throws InvalidResponseError, ResponseTooLargeError (6 MB)
 * @example
 * ```ts
 * import { httpApiRequest, httpApiResponse } from 'clearskies-middy/normalizers/http-api'
 * import { httpApiEvent, lambdaContext } from 'clearskies-middy/testing'
 *
 * const request = httpApiRequest(httpApiEvent(), lambdaContext())
 * console.log(await httpApiResponse('Hello', request)) // { statusCode: 200, body: 'Hello', … }
 * ```
 */
export function httpApiResponse(
  result: unknown,
  request: HttpRequest,
  options?: HttpResponseOptions,
): HttpApiResult | Promise<HttpApiResult> {
  const target = (request.raw as UnknownRecord)['version'] === '1.0' ? payloadV1Target : payloadV2Target
  return encodeResponse(result, request, target, options)
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
  return httpNormalizer('httpApi', httpApiRequest, httpApiResponse, options)
}
