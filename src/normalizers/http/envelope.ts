import { bytesOf } from '../../core/bytes.ts'
import { InvalidResponseError } from '../../errors/index.ts'
import { headerEntries } from './response-headers.ts'
import { knownStream } from './response-body.ts'

/** Lambda's own form of a response, with more liberty in what its fields hold. */
export interface Envelope {
  readonly statusCode: unknown
  readonly headers?: unknown
  readonly multiValueHeaders?: unknown
  readonly cookies?: unknown
  readonly body?: unknown
  readonly isBase64Encoded?: unknown
}

/** A response as other middlewares find it and change it. */
export interface ShownResponse {
  statusCode: unknown
  headers: Record<string, unknown>
  multiValueHeaders?: Record<string, unknown>
  cookies?: unknown
  body: unknown
  isBase64Encoded?: boolean
}

/**
 * Whether a value is a response already: Lambda's envelope, what `respond()` gives, or a web `Response`.
 *
 * @example
 * ```ts
 * import { isResponse } from 'clearskies-middy/normalizers/http-response'
 *
 * console.log(isResponse({ statusCode: 201, body: '' }), isResponse({ statusCode: 201, id: 7 })) // true false
 * ```
 */
export function isResponse(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (isWebResponse(value) || isEnvelope(value))
}

/** Any result as a response. What the handler returned is read only. */
export function envelopeOf(result: unknown): Envelope {
  if (typeof result === 'object' && result !== null) {
    if (isWebResponse(result)) return envelopeOfWeb(result)
    if (isEnvelope(result)) return { ...result, body: result.body ?? '' }
  }
  return { statusCode: result === undefined ? 204 : 200, body: result }
}

function envelopeOfWeb(response: Response): Envelope {
  // `Response.error()` stands for a request that has failed.
  if (response.status === 0) throw new InvalidResponseError('Response.error() is no response to send')
  if (response.bodyUsed) throw new InvalidResponseError('The body of the Response was read before')
  const headers = Object.fromEntries(response.headers)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) Object.assign(headers, { 'set-cookie': cookies })
  return { statusCode: response.status, headers, body: response.body ?? '' }
}

/**
 * Any result as a response that other middlewares can read and change: a plain object, made anew. Text stays text, bytes
 * are base64, any other value is itself.
 */
export function shownResponse(result: unknown): ShownResponse {
  const { statusCode, headers, multiValueHeaders, cookies, body = '', isBase64Encoded } = envelopeOf(result)
  const shown: ShownResponse = { statusCode, headers: Object.fromEntries(headerEntries(headers)), body }
  if (multiValueHeaders) shown.multiValueHeaders = Object.fromEntries(headerEntries(multiValueHeaders))
  if (cookies) shown.cookies = Array.isArray(cookies) ? [...(cookies as unknown[])] : cookies
  if (isBase64Encoded === true) shown.isBase64Encoded = true
  if (body === null) {
    // In an envelope, null is no body.
    shown.body = 'null'
    shown.headers['content-type'] = 'application/json; charset=utf-8'
    return shown
  }
  const bytes = bytesOf(body)
  if (bytes === undefined) {
    shown.body = knownStream(body)
    return shown
  }
  shown.body = bytes.toString('base64')
  shown.isBase64Encoded = true
  return shown
}

/** Whether a result is text, or a response of text. */
export function isText(result: unknown): boolean {
  if (typeof result === 'string') return true
  if (typeof result !== 'object' || result === null || !('body' in result)) return false
  return typeof result.body === 'string' && !('isBase64Encoded' in result && result.isBase64Encoded === true)
}

const envelopeKeys =
  /^(?:statusCode|headers|multiValueHeaders|cookies|body|isBase64Encoded|statusDescription)$/

/** An object with any other key is data that happens to have a `statusCode`. */
function isEnvelope(value: object): value is Envelope {
  return (
    'statusCode' in value &&
    isStatus(value.statusCode) &&
    Object.hasOwn(value, 'statusCode') &&
    Object.keys(value).every((key) => envelopeKeys.test(key))
  )
}

/** Whether a value is a status that can be sent. */
export function isStatus(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 99 && Number(value) < 600
}

/** By its tag: naming the global `Response` would load the whole of Node's fetch, some 30 ms of a cold start. */
function isWebResponse(value: object): value is Response {
  return Symbol.toStringTag in value && value[Symbol.toStringTag] === 'Response' && 'arrayBuffer' in value
}
