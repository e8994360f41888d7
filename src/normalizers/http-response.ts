import { InvalidResponseError, ResponseTooLargeError } from '../errors.ts'
import { defaultLogger, say } from '../logger.ts'
import type { Logger } from '../types.ts'
import { emptyMap } from './headers.ts'
import type { HttpRequest } from './http-request.ts'
import { type Cookie, HttpResponse, isStatus } from './respond.ts'
import { setCookieLine } from './set-cookie.ts'

/** A response that is ready but for the names that its source uses. Header names are lower case. */
export interface WireResponse {
  statusCode: number
  headers: Record<string, string[]>
  cookies: string[]
  body: string
  isBase64Encoded: boolean
}

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

interface Target extends HttpResponseOptions {
  /** The source, for messages. */
  readonly source: string
  /** In bytes of the whole result as JSON. */
  readonly responseLimit: number
}

/** What Lambda itself delivers, as its own error text has it: 6 MB and some room. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const lambdaResponseLimit = 6_291_556

type Shape<TResult> = (
  response: WireResponse,
  request: HttpRequest,
  warn: (message: string) => void,
) => TResult

/** A response on its way: the body not yet text, the headers not yet checked. */
interface Draft {
  readonly statusCode: number
  readonly headers: Record<string, string[]>
  readonly cookies: string[]
  readonly body: unknown
  readonly isBase64Encoded: boolean
}

/**
 * The path from whatever a handler returned to what the source takes. Asynchronous only for bodies that have to be
 * read first: a web `Response`, a stream, a `Blob`.
 *
 * @throws InvalidResponseError, ResponseTooLargeError
 */
export function encodeResponse<TResult extends object>(
  result: unknown,
  request: HttpRequest,
  shape: Shape<TResult>,
  target: Target,
): TResult | Promise<TResult> {
  const draft = draftOf(result)
  const finish = (body: unknown): TResult => {
    const response = settle(draft, body, request.method, target.isBinary)
    return withinLimit(
      shape(response, request, (message) => {
        say(target.logger ?? defaultLogger, 'warn', message)
      }),
      response,
      target,
    )
  }
  return isReadable(draft.body) ? readAll(draft.body).then(finish) : finish(draft.body)
}

function draftOf(result: unknown): Draft {
  if (result instanceof HttpResponse) return fromEnvelope(result)
  if (isEnvelope(result)) return fromEnvelope({ ...result, body: result.body ?? '' })
  if (result instanceof Response) return fromWebResponse(result)
  return {
    statusCode: result === undefined ? 204 : 200,
    headers: emptyMap(),
    cookies: [],
    body: result,
    isBase64Encoded: false,
  }
}

interface Envelope {
  readonly statusCode: number
  readonly headers?: unknown
  readonly multiValueHeaders?: unknown
  readonly cookies?: unknown
  readonly body?: unknown
  readonly isBase64Encoded?: unknown
}

const envelopeKeys = new Set([
  'statusCode',
  'headers',
  'multiValueHeaders',
  'cookies',
  'body',
  'isBase64Encoded',
  'statusDescription',
])

/** Lambda's own form of a response. An object with any other key is data that happens to have a `statusCode`. */
function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null || !isStatus((value as Partial<Envelope>).statusCode))
    return false
  return Object.hasOwn(value, 'statusCode') && Object.keys(value).every((key) => envelopeKeys.has(key))
}

function fromEnvelope({
  statusCode,
  headers,
  multiValueHeaders,
  cookies,
  body,
  isBase64Encoded,
}: Envelope): Draft {
  const draft: Draft = {
    statusCode,
    headers: emptyMap(),
    cookies: [],
    body,
    isBase64Encoded: isBase64Encoded === true && typeof body === 'string',
  }
  addHeaders(draft, headers)
  addHeaders(draft, multiValueHeaders)
  for (const cookie of Array.isArray(cookies) ? (cookies as (Cookie | string)[]) : [])
    draft.cookies.push(checkValue('set-cookie', setCookieLine(cookie)))
  return draft
}

function fromWebResponse(response: Response): Draft {
  const draft: Draft = {
    statusCode: isStatus(response.status) ? response.status : 500,
    headers: emptyMap(),
    cookies: [],
    body: response,
    isBase64Encoded: false,
  }
  for (const [name, value] of response.headers) addHeader(draft, name, value)
  return draft
}

/** Belong to the connection, not to the message (RFC 9110, 7.6.1); the gateway computes the length itself. */
const connectionHeaders =
  /^(?:connection|content-length|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/

function addHeaders(draft: Draft, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return
  for (const [name, value] of Object.entries(headers)) addHeader(draft, name, value)
}

function addHeader(draft: Draft, name: string, value: unknown): void {
  if (value === null || value === undefined) return
  const key = name.toLowerCase()
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(key))
    throw new InvalidResponseError('A response header has a name that is not an HTTP token')
  if (connectionHeaders.test(key)) return
  const values = (Array.isArray(value) ? value : [value]).map((one) => checkValue(key, String(one)))
  if (key === 'set-cookie') draft.cookies.push(...values)
  // Written twice in different spellings, the later one counts, but `vary` says what each writer depends on.
  else if (key === 'vary') draft.headers[key] = [...new Set([...(draft.headers[key] ?? []), ...values])]
  else if (values.length > 0) draft.headers[key] = values
}

/** The characters that RFC 9110 allows; a line break here would be another header of somebody else's choice. */
function checkValue(name: string, value: string): string {
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    throw new InvalidResponseError(`The response header "${name}" has a character that a header cannot hold`)
  return value.trim()
}

function settle(
  draft: Draft,
  body: unknown,
  method: string,
  isBinary: HttpResponseOptions['isBinary'],
): WireResponse {
  const { statusCode, headers, cookies } = draft
  if (statusCode < 200 || statusCode === 204 || statusCode === 205 || statusCode === 304) {
    delete headers['content-type']
    return { statusCode, headers, cookies, body: '', isBase64Encoded: false }
  }
  const encoded = encodeBody(body, draft, isBinary)
  if (encoded.type !== undefined && encoded.body !== '') headers['content-type'] ??= [encoded.type]
  if (method === 'HEAD') return { statusCode, headers, cookies, body: '', isBase64Encoded: false }
  return { statusCode, headers, cookies, body: encoded.body, isBase64Encoded: encoded.isBase64Encoded }
}

interface EncodedBody {
  readonly body: string
  readonly isBase64Encoded: boolean
  /** The content type that such a value has by default. */
  readonly type?: string
}

function encodeBody(
  body: unknown,
  { headers, isBase64Encoded }: Draft,
  isBinary = isBinaryType,
): EncodedBody {
  if (body === undefined || body === '') return { body: '', isBase64Encoded: false }
  const declared = headers['content-type']?.at(-1)
  if (typeof body === 'string') {
    if (isBase64Encoded) return { body, isBase64Encoded, type: 'application/octet-stream' }
    return { body, isBase64Encoded, type: 'text/plain; charset=utf-8' }
  }
  const bytes = bytesOf(body)
  if (bytes !== undefined) {
    const type = declared ?? 'application/octet-stream'
    const coding = headers['content-encoding']?.join().toLowerCase() ?? 'identity'
    const text = coding === 'identity' && !isBinary(type) ? decodeText(bytes) : undefined
    return text === undefined
      ? { body: bytes.toString('base64'), isBase64Encoded: true, type }
      : { body: text, isBase64Encoded: false, type }
  }
  const json = JSON.stringify(body) as string | undefined
  if (json === undefined) throw new InvalidResponseError(`A ${typeof body} cannot be sent as a response`)
  return { body: json, isBase64Encoded: false, type: 'application/json; charset=utf-8' }
}

const textTypes =
  /^(?:text\/|application\/(?:[\w.+-]+\+)?(?:json|xml|javascript|ecmascript|x-javascript|x-www-form-urlencoded|yaml|x-yaml|graphql|x-ndjson)\b|[\w.-]+\/[\w.-]+\+(?:json|xml|yaml)\b)/i

function isBinaryType(contentType: string): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1]?.toLowerCase()
  return !textTypes.test(contentType) || (charset !== undefined && !/^(?:utf-?8|us-ascii)$/.test(charset))
}

/** Text only if it is text to the last byte; anything else keeps its bytes as base64. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function bytesOf(body: unknown): Buffer | undefined {
  if (body instanceof ArrayBuffer || body instanceof SharedArrayBuffer) return Buffer.from(body)
  if (ArrayBuffer.isView(body)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return undefined
}

function isReadable(body: unknown): body is Response | Blob | ReadableStream | AsyncIterable<Uint8Array> {
  if (typeof body !== 'object' || body === null) return false
  return body instanceof Response || body instanceof Blob || Symbol.asyncIterator in body
}

async function readAll(
  body: Response | Blob | ReadableStream | AsyncIterable<Uint8Array>,
): Promise<Uint8Array | string> {
  const response =
    body instanceof Response ? body : new Response(body as ConstructorParameters<typeof Response>[0])
  const bytes = new Uint8Array(await response.arrayBuffer())
  return bytes.length === 0 ? '' : bytes
}

function withinLimit<TResult extends object>(
  result: TResult,
  { body, isBase64Encoded }: WireResponse,
  { source, responseLimit }: Target,
): TResult {
  // A character takes six bytes at the most (`\u0000`), and headers take well under 64 KB: small bodies need no measuring.
  if (body.length * 6 + 65_536 <= responseLimit) return result
  const size = isBase64Encoded
    ? body.length + Buffer.byteLength(JSON.stringify({ ...result, body: '' }))
    : Buffer.byteLength(JSON.stringify(result))
  if (size > responseLimit) throw new ResponseTooLargeError(source, size, responseLimit)
  return result
}

/** One value per name, lists joined: for sources that know no lists. */
export function joinedValues(headers: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const name in headers) joined[name] = (headers[name] as readonly string[]).join(', ')
  return joined
}
