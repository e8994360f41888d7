import { bytesOf } from '../../core/bytes.ts'
import type { StreamingOptions } from './streaming.ts'
import { InvalidResponseError, ResponseTooLargeError } from '../../errors/index.ts'
import type { Logger } from '../../core/logger.ts'
import { unfinished } from '../../core/unfinished.ts'
import { HttpRequest } from '../http-request.ts'
import { type Envelope, envelopeOf } from './envelope.ts'
import type { WireHeaders, WireResponse } from './http-source.ts'
import { jsonSizeAtMost } from './json-size.ts'
import {
  type EncodedBody,
  encodeBytes,
  isBinaryType,
  isReadableStream,
  encodeJson,
  readAll,
  encodeText,
} from './response-body.ts'
import { hasBody, responseHead } from './response-head.ts'
import { encodeStreamed, isStreamed } from './encode-streamed.ts'

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

/** What decides how a response is written. */
export type EncodeOptions = HttpResponseOptions & StreamingOptions

const noResponseOptions: HttpResponseOptions = {}

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
  options: EncodeOptions = noResponseOptions,
): TResult | Promise<TResult> {
  // Each target gives what its source takes; a type for that would go through every signature.
  return encodeEnvelope(envelopeOf(result), request, options) as TResult | Promise<TResult>
}

/** The same for a response. */
export function encodeEnvelope(
  envelope: Envelope,
  request: HttpRequest,
  options: EncodeOptions,
): object | Promise<object> {
  const { body } = envelope
  refuseUnfinished(body)
  if (isStreamed(request, options)) return encodeStreamed(envelope, request, options)
  if (!isReadableStream(body)) return encodeWhole(envelope, request, options)
  return readAll(body, HttpRequest.targetOf(request).limit).then((bytes) =>
    encodeWhole({ ...envelope, body: bytes }, request, options),
  )
}

function encodeWhole(envelope: Envelope, request: HttpRequest, options: HttpResponseOptions): object {
  const head = responseHead(envelope)
  const { headers } = head
  const encoded = encodeBody(envelope, headers, options)
  let { text } = encoded
  if (!hasBody(head)) {
    delete headers['content-type']
    text = ''
  } else if (text) headers['content-type'] ??= encoded.type
  if (request.method === 'HEAD') text = ''
  const isBase64Encoded = encoded.isBase64 && text !== ''
  const target = HttpRequest.targetOf(request)
  const response = { ...head, body: text, isBase64Encoded }
  return withinLimit(target.shape(response, request.raw, options.logger), response, target.limit)
}

function encodeBody(envelope: Envelope, headers: WireHeaders, options: HttpResponseOptions): EncodedBody {
  const { body = '' } = envelope
  if (typeof body === 'string') return encodeText(body, envelope.isBase64Encoded === true)
  const bytes = bytesOf(body)
  if (bytes === undefined) return encodeJson(body)
  const type = String(headers['content-type'] ?? 'application/octet-stream')
  const isBinary = Boolean(headers['content-encoding']) || (options.isBinary ?? isBinaryType)(type)
  return encodeBytes(bytes, type, isBinary)
}

function withinLimit(result: object, { body, isBase64Encoded }: WireResponse<string>, limit: number): object {
  // A character takes six bytes at the most (`\u0000`), and headers take well under 64 KB: small bodies need no measuring.
  if (body.length * 6 + 65_536 > limit) {
    const rest = Buffer.byteLength(JSON.stringify({ ...result, body: '' }))
    // Base64 has nothing to escape.
    if (rest + (isBase64Encoded ? body.length : jsonSizeAtMost(body)) > limit) {
      const size = rest + Buffer.byteLength(JSON.stringify(body)) - 2
      if (size > limit) throw new ResponseTooLargeError(size, limit)
    }
  }
  return result
}

/** A query is an async iterable, but no stream of bytes. @throws InvalidResponseError */
function refuseUnfinished(body: unknown): void {
  if (typeof body === 'object' && body !== null && unfinished in body)
    throw new InvalidResponseError(`The handler returned what is no answer yet: ${String(body[unfinished])}`)
}
