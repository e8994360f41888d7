import { type UnknownRecord, asRecord } from '../core/record.ts'
import type { ALBEvent, ALBResult, Context } from 'aws-lambda'
import type { Middleware } from '../core/middy.ts'
import { type HttpNormalizerOptions, httpNormalizer, readEvent } from './http/normalizer.ts'
import type { HttpRequest, HttpRequestOptions } from './http-request.ts'
import {
  type HttpResponseOptions,
  type ResponseTarget,
  encodeResponse,
  singleLines,
  warn,
} from './http/encode-response.ts'
import { statusText } from './http/status-text.ts'
import { type Wire } from './http/http-source.ts'

const albWire: Wire = {
  source: 'alb',
  method: (raw) => raw['httpMethod'],
  path: (raw) => raw['path'],
  prefix: () => '',
  sourceIp: () => undefined,
  encoded: 'query',
  authorizer(_raw, header) {
    const data = header('x-amzn-oidc-data')
    if (data === undefined) return { kind: 'none' }
    const [identity, accessToken] = [header('x-amzn-oidc-identity'), header('x-amzn-oidc-accesstoken')]
    return { kind: 'alb-oidc', data, identity, accessToken }
  },
}

const albTarget: ResponseTarget = {
  // Of JSON, else 502: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
  limit: 1_048_576,
  shape({ statusCode, headers, cookies, body, isBase64Encoded }, request, options) {
    const statusDescription = `${statusCode} ${statusText(statusCode)}`
    if (asRecord((request.raw as UnknownRecord)['multiValueHeaders'])) {
      const multiValueHeaders: Record<string, string[]> = {}
      for (const name in headers) multiValueHeaders[name] = [headers[name] as string | string[]].flat()
      if (cookies.length > 0) multiValueHeaders['set-cookie'] = cookies
      return { statusCode, statusDescription, multiValueHeaders, body, isBase64Encoded }
    }
    if (cookies.length > 1) {
      warn(options, 'All cookies but the last are lost: enable multi-value headers in the target group')
    }
    const single = singleLines(headers)
    const cookie = cookies.at(-1)
    if (cookie !== undefined) single['set-cookie'] = cookie
    return { statusCode, statusDescription, headers: single, body, isBase64Encoded }
  },
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
  options?: HttpRequestOptions,
): HttpRequest<'alb', ALBEvent> {
  return readEvent('alb', { alb: albWire }, event, context, options)
}

/**
 * Turns a handler's result into what the load balancer takes. The event decides between the two header maps: a target
 * group in multi-value mode reads only `multiValueHeaders`, any other only `headers`.
 *
 * @throws InvalidResponseError, ResponseTooLargeError (1 MB)
 * @example
 * ```ts
 * import { albRequest, albResponse } from 'clearskies-middy/normalizers/alb'
 * import { albEvent, lambdaContext } from 'clearskies-middy/testing'
 *
 * const request = albRequest(albEvent(), lambdaContext())
 * console.log(await albResponse({ id: 7 }, request)) // { statusCode: 200, statusDescription: '200 OK', … }
 * ```
 */
export function albResponse(
  result: unknown,
  request: HttpRequest,
  options?: HttpResponseOptions,
): ALBResult | Promise<ALBResult> {
  return encodeResponse(result, request, albTarget, options) as ALBResult | Promise<ALBResult>
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
  return httpNormalizer('alb', albRequest, albResponse, options)
}
