import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda'
import {
  type HttpNormalizer,
  type HttpReader,
  type HttpWriter,
  type StreamingNormalizerOptions,
  normalizes,
  reads,
} from './http/normalizer.ts'
import type { HttpSourceSpec, Wire } from './http/http-source.ts'
import { clientPrefix, mappingPrefix } from './http/path.ts'
import { payloadV1Wire } from './http/payload-v1.ts'
import { encodeResponse } from './http/encode-response.ts'

const restWire: Wire = {
  ...payloadV1Wire,
  source: 'rest-api',
  target: { ...payloadV1Wire.target, streams: 'by option' },
  // Query and headers come ready decoded, path and path parameters do not.
  encoded: 'path-parameters',
  clientPrefix: (event, path) => clientPrefix(path, event),
  // Where the event's path has lost something already, a mapping is not left in it.
  prefix: (event, path) => (clientPrefix(path, event) === '' ? mappingPrefix(path, event) : ''),
}

/** @internal */
export const restApiSource: HttpSourceSpec = {
  factory: 'restApi',
  wires: { 'rest-api': restWire, 'sam-api': restWire },
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
export const restApiRequest: HttpReader<'rest-api', APIGatewayProxyEvent> = reads(restApiSource)

/**
 * Turns a handler's result into what a REST API takes: any key that it does not know would be a 502.
 *
 * @throws InvalidResponseError, ResponseTooLargeError (6 MB)
 * @example
 * ```ts
 * import { restApiRequest, restApiResponse } from 'clearskies-middy/normalizers/rest-api'
 * import { lambdaContext, restApiEvent } from 'clearskies-middy/testing'
 *
 * const request = restApiRequest(restApiEvent(), lambdaContext())
 * console.log(await restApiResponse({ id: 7 }, request)) // { statusCode: 200, … }
 * ```
 */
export const restApiResponse: HttpWriter<APIGatewayProxyResult> = encodeResponse

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
export const restApi: HttpNormalizer<'rest-api', APIGatewayProxyEvent, StreamingNormalizerOptions> =
  normalizes(restApiSource)
