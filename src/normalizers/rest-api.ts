import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda'
import type { Middleware } from '../core/middy.ts'
import { type HttpNormalizerOptions, httpNormalizer, readEvent } from './http/normalizer.ts'
import type { HttpRequest, HttpRequestOptions } from './http-request.ts'
import { type HttpResponseOptions, encodeResponse } from './http/encode-response.ts'
import { mappingPrefix } from './http/path.ts'
import { payloadV1Target, payloadV1Wire } from './http/payload-v1.ts'
import { type Wire, contextOf } from './http/http-source.ts'

/** Query and headers come ready decoded, path and path parameters do not. */
const restApiWire: Wire = {
  ...payloadV1Wire,
  source: 'rest-api',
  encoded: 'path-parameters',
  prefix(raw, path) {
    const { stage, path: clientPath } = contextOf(raw)
    // On the API's own domain the client's path has the stage, and nothing else, in front of it.
    return clientPath === `/${String(stage)}${path}` ? '' : mappingPrefix(path, raw)
  },
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
  options?: HttpRequestOptions,
): HttpRequest<'rest-api', APIGatewayProxyEvent> {
  return readEvent('restApi', { 'rest-api': restApiWire }, event, context, options)
}

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
export function restApiResponse(
  result: unknown,
  request: HttpRequest,
  options?: HttpResponseOptions,
): APIGatewayProxyResult | Promise<APIGatewayProxyResult> {
  return encodeResponse(result, request, payloadV1Target, options) as
    APIGatewayProxyResult | Promise<APIGatewayProxyResult>
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
  return httpNormalizer('restApi', restApiRequest, restApiResponse, options)
}
