import { bytesOf } from '../../core/bytes.ts'
import type { Readable } from 'node:stream'
import { type Logger, defaultLogger, logSafely } from '../../core/logger.ts'
import { HttpRequest } from '../http-request.ts'
import { bodyStream, discard } from './body-stream.ts'
import type { Envelope } from './envelope.ts'
import { encodeJson, encodeText, isReadableStream } from './response-body.ts'
import { hasBody, responseHead } from './response-head.ts'
import type { ByteSource } from './source-reader.ts'
import type { StreamingOptions } from './streaming.ts'

/** A longer text would be cut into pieces by Middy, in the middle of a character if need be. */
const longestText = 16_383

interface LogOptions {
  readonly logger?: Logger
}

/** Whether bodies leave as they are produced. */
export function isStreamed(request: HttpRequest, { streaming }: StreamingOptions): boolean {
  const { streams } = HttpRequest.targetOf(request)
  return streams === 'always' || (streaming === true && streams !== undefined)
}

/**
 * A response without base64 and without a limit, whose body may be a stream.
 *
 * @throws InvalidResponseError
 */
export function encodeStreamed(envelope: Envelope, request: HttpRequest, options: LogOptions): object {
  const head = responseHead(envelope)
  const { headers } = head
  const target = HttpRequest.targetOf(request)
  const { body, type } = rawBody(envelope)
  if (!hasBody(head)) delete headers['content-type']
  else if (body !== '') headers['content-type'] ??= type
  const isSent = hasBody(head) && request.method !== 'HEAD'
  const onError = report(request, options)
  if (!isSent && !isWholeBody(body)) discard(body, onError)
  const sent = isSent ? sendable(body, target.streams === 'by option', onError) : ''
  const response = target.shape({ ...head, body: sent, isBase64Encoded: false }, request.raw, options.logger)
  // In the metadata of a stream, this would be unknown.
  if ('isBase64Encoded' in response) Reflect.deleteProperty(response, 'isBase64Encoded')
  return response
}

/** Text, bytes, or what gives them, and its content type unless the handler gives another. */
function rawBody({ body = '', isBase64Encoded }: Envelope): {
  body: string | Buffer | ByteSource
  type: string
} {
  if (isReadableStream(body))
    return { body: Symbol.asyncIterator in body ? body : body.stream(), type: 'application/octet-stream' }
  if (typeof body === 'string') {
    const { text, isBase64, type } = encodeText(body, isBase64Encoded === true)
    return { body: isBase64 ? Buffer.from(text, 'base64') : text, type }
  }
  const bytes = bytesOf(body)
  if (bytes !== undefined) return { body: bytes, type: 'application/octet-stream' }
  const { text, type } = encodeJson(body)
  return { body: text, type }
}

/** What the source takes. Middy takes short texts and streams. */
function sendable(
  body: string | Buffer | ByteSource,
  isByMiddy: boolean,
  onError: (error: unknown) => void,
): string | Buffer | Readable {
  if (!isWholeBody(body)) return bodyStream(body, onError)
  if (!isByMiddy || (typeof body === 'string' && body.length <= longestText)) return body
  return bodyStream([body], onError)
}

function isWholeBody(body: string | Buffer | ByteSource): body is string | Buffer {
  return typeof body === 'string' || Buffer.isBuffer(body)
}

/** By then the client has the status: the log alone can tell. */
function report(
  { method, path }: HttpRequest,
  { logger = defaultLogger }: LogOptions,
): (error: unknown) => void {
  return (error) => {
    logSafely(logger, 'error', `The response to ${method} ${path} broke off`, error)
  }
}
