import { invalidEvent } from '../events/advice.ts'
import type { ALBEvent, APIGatewayProxyEvent, Context } from 'aws-lambda'
import type { Middleware } from '../core/middy.ts'
import { albRequest, albResponse } from './alb.ts'
import { eventKind } from '../events/event-kind.ts'
import { type HttpApiEvent, httpApiRequest, httpApiResponse } from './http-api.ts'
import { type HttpNormalizerOptions, httpNormalizer } from './http/normalizer.ts'
import type { HttpRequest, HttpRequestOptions, HttpSource } from './http-request.ts'
import type { HttpResponseOptions } from './http/encode-response.ts'
import { restApiRequest, restApiResponse } from './rest-api.ts'

/** The event of any HTTP source. */
export type AnyHttpEvent = ALBEvent | APIGatewayProxyEvent | HttpApiEvent

/**
 * Reads the event of whichever HTTP source sent it.
 *
 * @throws InvalidEventError if none did
 * @example
 * ```ts
 * import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
 * import { albEvent, lambdaContext } from 'clearskies-middy/testing'
 *
 * console.log(anyHttpRequest(albEvent({ path: '/' }), lambdaContext()).source) // alb
 * ```
 */
export function anyHttpRequest(
  event: unknown,
  context: Context,
  options?: HttpRequestOptions,
): HttpRequest<HttpSource, AnyHttpEvent> {
  const kind = eventKind(event)
  if (kind === 'alb') return albRequest(event, context, options)
  if (kind === 'rest-api') return restApiRequest(event, context, options)
  if (/^http-api|^function-url/.test(kind)) return httpApiRequest(event, context, options)
  throw invalidEvent('anyHttp', ['alb', 'rest-api', 'http-api', 'function-url'], kind)
}

/**
 * Turns a handler's result into what the request's source takes.
 *
 * @throws InvalidResponseError, ResponseTooLargeError
 * @example
 * ```ts
 * import { anyHttpRequest, anyHttpResponse } from 'clearskies-middy/normalizers/any-http'
 * import { functionUrlEvent, lambdaContext } from 'clearskies-middy/testing'
 *
 * const request = anyHttpRequest(functionUrlEvent(), lambdaContext())
 * console.log(await anyHttpResponse({ id: 7 }, request))
 * ```
 */
export function anyHttpResponse(
  result: unknown,
  request: HttpRequest,
  options?: HttpResponseOptions,
): object | Promise<object> {
  if (request.source === 'alb') return albResponse(result, request, options)
  if (request.source === 'rest-api') return restApiResponse(result, request, options)
  return httpApiResponse(result, request, options)
}

/**
 * Puts the handler behind every HTTP source at once: load balancer, REST API, HTTP API and function URL. Where a
 * function has one source only, that source's own normalizer is smaller and refuses the others.
 *
 * @throws InvalidEventError if the event is of no HTTP source
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { anyHttp } from 'clearskies-middy/normalizers/any-http'
 *
 * export const handler = middy()
 *   .use(anyHttp())
 *   .handler(async (request) => `Hello from ${request.source}`)
 * ```
 */
export function anyHttp(
  options: HttpNormalizerOptions = {},
): Middleware<HttpRequest<HttpSource, AnyHttpEvent>> {
  return httpNormalizer('anyHttp', anyHttpRequest, anyHttpResponse, options)
}
