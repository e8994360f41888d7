import { type UnknownRecord, asRecord } from '../core/record.ts'
import type {
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
} from 'aws-lambda'
import { readAuthorizer } from './http/authorizer.ts'
import {
  type HttpNormalizer,
  type HttpReader,
  type HttpWriter,
  type StreamingNormalizerOptions,
  normalizes,
  reads,
} from './http/normalizer.ts'
import { type HttpSourceSpec, type Wire, contextOf, singleLines } from './http/http-source.ts'
import { lambdaResponseLimit } from '../invocation/response-limit.ts'
import { stagePrefix } from './http/path.ts'
import { payloadV1Wire } from './http/payload-v1.ts'
import { encodeResponse } from './http/encode-response.ts'

/** The events that `httpApi()` takes: payload 2.0, which function URLs send as well, and payload 1.0. */
export type HttpApiEvent = APIGatewayProxyEventV2 | APIGatewayProxyEvent

/** A response in payload format 2.0 or 1.0. */
export type HttpApiResult = APIGatewayProxyStructuredResultV2 | APIGatewayProxyResult

const httpOf = (event: UnknownRecord): UnknownRecord => asRecord(contextOf(event)['http']) ?? {}

/** Payload 2.0. The path comes decoded, the query raw (the ready-made map joins repeats with commas for good). */
const payloadV2Wire: Wire = {
  source: 'http-api',
  method: (event) => httpOf(event)['method'],
  path: (event) => event['rawPath'],
  prefix: (event, path) => stagePrefix(path, event),
  sourceIp: (event) => httpOf(event)['sourceIp'],
  authorizer: (event) => readAuthorizer(contextOf(event)),
  route: 'routeKey',
  target: {
    limit: lambdaResponseLimit,
    shape({ statusCode, headers, cookies, body, isBase64Encoded }) {
      const result = { statusCode, headers: singleLines(headers), body, isBase64Encoded }
      return cookies.length > 0 ? { ...result, cookies } : result
    },
  },
}

/** @internal */
export const httpApiSource: HttpSourceSpec = {
  factory: 'httpApi',
  wires: {
    'http-api': payloadV2Wire,
    'http-api-v1': payloadV1Wire,
    'sam-api': payloadV1Wire,
    // It encodes its path, and names a route and a stage that do not exist.
    'function-url': {
      ...payloadV2Wire,
      source: 'function-url',
      prefix: () => '',
      target: { ...payloadV2Wire.target, streams: 'by option' },
    },
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
export const httpApiRequest: HttpReader<'http-api' | 'function-url', HttpApiEvent> = reads(httpApiSource)

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
export const httpApiResponse: HttpWriter<HttpApiResult> = encodeResponse

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
export const httpApi: HttpNormalizer<'http-api' | 'function-url', HttpApiEvent, StreamingNormalizerOptions> =
  normalizes(httpApiSource)
