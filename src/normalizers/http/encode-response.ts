import { InvalidResponseError, ResponseTooLargeError } from '../../errors/index.ts'
import type { Logger } from '../../core/logger.ts'
import { isHeaderLine } from './headers.ts'
import type { WireHeaders, WireResponse } from './http-source.ts'
import { HttpRequest } from '../http-request.ts'

/** The options of a normalizer that decide how a response is written. */
export interface HttpResponseOptions {
  /**
   * Whether bytes of a content type are sent as base64.
   * @default everything but text, JSON, XML, JavaScript, forms, YAML, GraphQL and SVG
   */
  readonly isBinary?: (contentType: string) => boolean
  /** @default console */
  readonly logger?: Logger
}

const noOptions: HttpResponseOptions = {}

/** Lambda's own form of a response, with more liberty in what its fields hold. */
interface Envelope {
  readonly statusCode: number
  readonly headers?: object | null
  readonly multiValueHeaders?: object | null
  readonly cookies?: unknown
  readonly body?: unknown
  readonly isBase64Encoded?: unknown
}

/**
 * The path from whatever a handler returned to what the source takes. Asynchronous only for bodies that have to be
 * read first: a web `Response`, a stream, a `Blob`.
 *
 * @throws InvalidResponseError, ResponseTooLargeError
 * @internal
 */
export function encodeResponse<TResult extends object>(
  result: unknown,
  request: HttpRequest,
  options: HttpResponseOptions = noOptions,
): TResult | Promise<TResult> {
  const envelope = envelopeOf(result)
  const { body } = envelope
  if (!isReadable(body)) return encodeEnvelope(envelope, request, options) as TResult
  const whole = readAll(body).then((bytes) => encodeEnvelope({ ...envelope, body: bytes }, request, options))
  return whole as Promise<TResult>
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

function envelopeOf(result: unknown): Envelope {
  if (typeof result === 'object' && result !== null) {
    if (isWebResponse(result)) {
      const { headers } = result
      // Middy's HTTP middlewares write headers as properties, also onto an object of this kind.
      const lines = {
        ...Object.fromEntries(headers),
        ...(headers as object),
        'set-cookie': headers.getSetCookie(),
      }
      return { statusCode: result.status, headers: lines, body: result }
    }
    if (isEnvelope(result)) return { ...result, body: result.body ?? '' }
  }
  return { statusCode: result === undefined ? 204 : 200, body: result }
}

const envelopeKeys =
  /^(?:statusCode|headers|multiValueHeaders|cookies|body|isBase64Encoded|statusDescription)$/

/** An object with any other key is data that happens to have a `statusCode`. */
function isEnvelope(value: object): value is Envelope {
  const { statusCode } = value as Partial<Envelope>
  if (!Number.isInteger(statusCode) || !Object.hasOwn(value, 'statusCode')) return false
  return (
    (statusCode as number) > 99 &&
    (statusCode as number) < 600 &&
    Object.keys(value).every((key) => envelopeKeys.test(key))
  )
}

function encodeEnvelope(envelope: Envelope, request: HttpRequest, options: HttpResponseOptions): object {
  const { statusCode, body } = envelope
  const headers: WireHeaders = {}
  const cookies: string[] = []
  if (envelope.headers) addLines(envelope.headers, headers, cookies)
  if (envelope.multiValueHeaders) addLines(envelope.multiValueHeaders, headers, cookies)
  if (envelope.cookies) addLines({ 'set-cookie': envelope.cookies }, headers, cookies)

  const encoded =
    typeof body === 'string' || body === undefined
      ? textBody(body ?? '', envelope.isBase64Encoded === true)
      : encodeBody(body, headers, options)
  let { text } = encoded
  if (statusCode < 200 || statusCode === 204 || statusCode === 205 || statusCode === 304) {
    delete headers['content-type']
    text = ''
  } else if (text) headers['content-type'] ??= encoded.type
  if (request.method === 'HEAD') text = ''
  const isBase64Encoded = encoded.isBase64 && text !== ''
  const target = HttpRequest.targetOf(request)
  const response = { statusCode, headers, cookies, body: text, isBase64Encoded }
  return withinLimit(target.shape(response, request.raw, options.logger), response, target.limit)
}

/** A body in the form in which it is sent. */
interface EncodedBody {
  readonly text: string
  readonly isBase64: boolean
  /** Its content type, unless the handler gives another. */
  readonly type: string
}

function textBody(text: string, isBase64: boolean): EncodedBody {
  return { text, isBase64, type: isBase64 ? 'application/octet-stream' : 'text/plain; charset=utf-8' }
}

function encodeBody(body: unknown, headers: WireHeaders, options: HttpResponseOptions): EncodedBody {
  const bytes = bytesOf(body)
  if (bytes === undefined) {
    const text: unknown = JSON.stringify(body)
    if (typeof text !== 'string') throw new InvalidResponseError(`A ${typeof body} cannot be sent`)
    return { text, isBase64: false, type: 'application/json; charset=utf-8' }
  }
  const type = String(headers['content-type'] ?? 'application/octet-stream')
  const isBinary = headers['content-encoding'] || (options.isBinary ?? isBinaryType)(type)
  const text = isBinary ? undefined : decodeText(bytes)
  return { text: text ?? bytes.toString('base64'), isBase64: text === undefined, type }
}

/** Belong to the connection, not to the message (RFC 9110, 7.6.1); the gateway computes the length itself. */
const connectionHeaders =
  /^(?:connection|content-length|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/

function addLines(map: object, headers: WireHeaders, cookies: string[]): void {
  for (const [name, value] of Object.entries(map)) {
    const key = name.toLowerCase()
    const lines = [value as unknown].flat().flatMap((line) => (line == null ? [] : checkedLine(key, line)))
    if (lines.length === 0 || connectionHeaders.test(key)) continue
    if (key === 'set-cookie') cookies.push(...lines)
    // Written twice in different spellings the later one counts; but who varies by what, all of them say.
    else if (key === 'vary') headers[key] = [...new Set([headers[key] ?? [], lines].flat())]
    else headers[key] = lines.length === 1 ? (lines[0] as string) : lines
  }
}

function checkedLine(name: string, value: unknown): string {
  const line = String(value)
  if (!isHeaderLine(name, line))
    throw new InvalidResponseError(`The header ${JSON.stringify(name)} cannot be sent`)
  return line.trim()
}

/** By its tag: naming the global `Response` would load the whole of Node's fetch, some 30 ms of a cold start. */
function isWebResponse(value: object): value is Response {
  return (
    (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Response' && 'arrayBuffer' in value
  )
}

type Readable = Response | Blob | ReadableStream | AsyncIterable<Uint8Array>

function isReadable(body: unknown): body is Readable {
  if (typeof body !== 'object' || body === null) return false
  return Symbol.asyncIterator in body || typeof (body as Partial<Blob>).arrayBuffer === 'function'
}

async function readAll(body: Readable): Promise<Uint8Array> {
  const response = isWebResponse(body)
    ? body
    : new Response(body as ConstructorParameters<typeof Response>[0])
  return new Uint8Array(await response.arrayBuffer())
}

function bytesOf(body: unknown): Buffer | undefined {
  if (ArrayBuffer.isView(body)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return body instanceof ArrayBuffer || body instanceof SharedArrayBuffer ? Buffer.from(body) : undefined
}

function isBinaryType(contentType: string): boolean {
  const isText =
    /^text\/|[/+](?:json|xml|x?-?yaml|javascript|ecmascript|graphql|x-www-form-urlencoded|x-ndjson)\b/i
  return !isText.test(contentType) || /charset\s*=(?!\s*"?(?:utf-?8|us-ascii))/i.test(contentType)
}

/** Text only if it is text to the last byte; anything else keeps its bytes as base64. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function withinLimit(result: object, { body, isBase64Encoded }: WireResponse, limit: number): object {
  // A character takes six bytes at the most (`\u0000`), and headers take well under 64 KB: small bodies need no measuring.
  if (body.length * 6 + 65_536 > limit) {
    // Escapes are ASCII, so that each character more is a byte more; base64 has none.
    const escapes = isBase64Encoded ? 0 : JSON.stringify(body).length - body.length - 2
    const size =
      Buffer.byteLength(JSON.stringify({ ...result, body: '' })) + Buffer.byteLength(body) + escapes
    if (size > limit) throw new ResponseTooLargeError(size, limit)
  }
  return result
}
