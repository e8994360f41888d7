import type { ALBEvent, ALBResult } from 'aws-lambda'
import { defaultLogger, logSafely } from '../core/logger.ts'
import { asRecord } from '../core/record.ts'
import {
  type HttpNormalizer,
  type HttpReader,
  type HttpWriter,
  normalizes,
  reads,
} from './http/normalizer.ts'
import { type HttpSourceSpec, type ResponseTarget, singleLines } from './http/http-source.ts'
import { statusText } from './http/status-text.ts'
import { encodeResponse } from './http/encode-response.ts'

const albTarget: ResponseTarget = {
  // Of JSON, else 502: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
  limit: 1_048_576,
  shape({ statusCode, headers, cookies, body, isBase64Encoded }, raw, logger = defaultLogger) {
    const statusDescription = `${statusCode} ${statusText(statusCode)}`
    if (asRecord(asRecord(raw)?.['multiValueHeaders'])) {
      const multiValueHeaders: Record<string, string[]> = {}
      for (const [name, lines] of Object.entries(headers)) multiValueHeaders[name] = [lines].flat()
      if (cookies.length > 0) multiValueHeaders['set-cookie'] = cookies
      return { statusCode, statusDescription, multiValueHeaders, body, isBase64Encoded }
    }
    if (cookies.length > 1)
      logSafely(
        logger,
        'warn',
        'All cookies but the last are lost: enable multi-value headers in the target group',
      )
    const single = singleLines(headers)
    const cookie = cookies.at(-1)
    if (cookie !== undefined) single['set-cookie'] = cookie
    return { statusCode, statusDescription, headers: single, body, isBase64Encoded }
  },
}

/** @internal */
export const albSource: HttpSourceSpec = {
  factory: 'alb',
  wires: {
    alb: {
      source: 'alb',
      method: (event) => event['httpMethod'],
      path: (event) => event['path'],
      prefix: () => '',
      sourceIp: () => undefined,
      encoded: 'query',
      protocolHeader: 'x-forwarded-proto',
      authorizer(_event, header) {
        const data = header('x-amzn-oidc-data')
        if (!data) return { kind: 'none' }
        const [identity, accessToken] = [header('x-amzn-oidc-identity'), header('x-amzn-oidc-accesstoken')]
        return { kind: 'alb-oidc', data, identity, accessToken }
      },
      target: albTarget,
    },
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
export const albRequest: HttpReader<'alb', ALBEvent> = reads(albSource)

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
export const albResponse: HttpWriter<ALBResult> = encodeResponse

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
export const alb: HttpNormalizer<'alb', ALBEvent> = normalizes(albSource)
