import { bytesOf } from '../../core/bytes.ts'
import { unfinished } from '../../core/unfinished.ts'
import { InvalidResponseError, ResponseTooLargeError } from '../../errors/index.ts'
import { nameOfKind } from './response-headers.ts'

/** A body in the form in which it is sent. */
export interface EncodedBody {
  readonly text: string
  readonly isBase64: boolean
  /** Its content type, unless the handler gives another. */
  readonly type: string
}

/** A body that has to be read first. */
type Readable = Blob | AsyncIterable<unknown>

/** Text, or bytes that are base64 already. */
export function encodeText(text: string, isBase64: boolean): EncodedBody {
  return { text, isBase64, type: isBase64 ? 'application/octet-stream' : 'text/plain; charset=utf-8' }
}

/** Bytes. They are sent as text only if they are text to the last of them. */
export function encodeBytes(bytes: Buffer, type: string, isBinary: boolean): EncodedBody {
  const text = isBinary ? undefined : decodeText(bytes)
  return { text: text ?? bytes.toString('base64'), isBase64: text === undefined, type }
}

/**
 * Any other value, as JSON.
 *
 * @throws InvalidResponseError for a value of which JSON has nothing
 */
export function encodeJson(body: unknown): EncodedBody {
  const text: unknown = JSON.stringify(body)
  if (typeof text !== 'string') throw new InvalidResponseError(`A ${typeof body} cannot be sent`)
  if (body instanceof Error || (text === '{}' && !isPlainText(body)))
    throw new InvalidResponseError(advice(body))
  return { text, isBase64: false, type: 'application/json; charset=utf-8' }
}

function isPlainText(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return true
  return body.constructor === Object || Object.getPrototypeOf(body) === null || 'toJSON' in body
}

/** What to do with a value that JSON would lose. */
function advice(body: unknown): string {
  if (body instanceof Error) return `An error (${body.constructor.name}) was returned: throw it`
  const name = Object.prototype.toString.call(body).slice(8, -1)
  return `A value of the kind ${name} has no JSON: return an object, a list or text made of it`
}

/** Whether a body is a stream or a `Blob`. */
export function isReadableStream(body: unknown): body is Readable {
  if (typeof body !== 'object' || body === null) return false
  return Symbol.asyncIterator in body || ('arrayBuffer' in body && typeof body.arrayBuffer === 'function')
}

/**
 * Reads a stream, no further than what its source delivers.
 *
 * @throws InvalidResponseError for a stream of anything but text and bytes; ResponseTooLargeError
 */
export async function readAll(body: Readable, limit: number): Promise<Buffer> {
  if (!(Symbol.asyncIterator in body)) return Buffer.from(await body.arrayBuffer())
  refuseQuery(body)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : bytesOf(chunk)
    if (bytes === undefined)
      throw new InvalidResponseError(`A stream gives text or bytes, and this gave ${nameOfKind(chunk)}`)
    size += bytes.length
    if (size > limit) throw new ResponseTooLargeError(size, limit)
    // A stream may use its buffer again.
    chunks.push(Buffer.from(bytes))
  }
  return Buffer.concat(chunks)
}

/**
 * A body as other middlewares find it. They know Node's streams and those of the web; any other iterable would be data to
 * them, which the logger of Middy 6 clones.
 */
export function knownStream(body: unknown): unknown {
  if (!isReadableStream(body) || !(Symbol.asyncIterator in body) || isQuery(body)) return body
  return 'getReader' in body || 'pipe' in body || unfinished in body ? body : ReadableStream.from(body)
}

/** @throws InvalidResponseError for a query of a backend, which can be iterated, too */
export function refuseQuery(body: object): void {
  if (isQuery(body))
    throw new InvalidResponseError('A query was returned: end it with .page(), .all() or .first()')
}

/** Known by its methods: its class is no part of an HTTP entry. */
function isQuery(body: object): boolean {
  return 'where' in body && 'page' in body && 'first' in body
}

/** Whether bytes of a content type are no text. */
export function isBinaryType(contentType: string): boolean {
  const isTextType =
    /^text\/|[/+](?:json|xml|x?-?yaml|javascript|ecmascript|graphql|x-www-form-urlencoded|x-ndjson)\b/i
  return !isTextType.test(contentType) || /charset\s*=(?!\s*"?(?:utf-?8|us-ascii))/i.test(contentType)
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
