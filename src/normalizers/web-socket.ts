import { longestMessage } from '../wire/web-socket.ts'
import type { Context } from 'aws-lambda'
import { bytesOf } from '../core/bytes.ts'
import { type Logger, defaultLogger, logSafely } from '../core/logger.ts'
import type { Middleware, MiddyRequest } from '../core/middy.ts'
import { checkOptions, isLogger } from '../core/options.ts'
import { InvalidEventError, InvalidResponseError, ResponseTooLargeError } from '../errors/index.ts'
import { invalidEvent } from '../events/advice.ts'
import { eventKind } from '../events/event-kind.ts'
import { awaitSends, finalizeResponse, opensInvocation, settleSends } from '../invocation/middy-request.ts'
import { envelopeOf, isResponse } from './http/envelope.ts'
import { errorFacts, errorResponse } from './http/errors.ts'
import { singleLines } from './http/http-source.ts'
import { encodeJson, isReadableStream, readAll } from './http/response-body.ts'
import { responseHead } from './http/response-head.ts'
import { type WebSocketEvent, WebSocketRequest } from './web-socket-request.ts'

export { type WebSocketEvent, WebSocketRequest } from './web-socket-request.ts'

/** Options of {@link webSocket}. */
export interface WebSocketOptions {
  /** Told of errors that are not the client's. @default console */
  readonly logger?: Logger
}

/** What a WebSocket API takes. The headers count at the connection, the body on routes with a response. */
export interface WebSocketResult {
  readonly statusCode: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * Reads the event of a WebSocket API.
 *
 * @throws InvalidEventError if it is another event
 * @example
 * ```ts
 * import { webSocketRequest } from 'clearskies-middy/normalizers/web-socket'
 * import { lambdaContext, webSocketEvent } from 'clearskies-middy/testing'
 *
 * console.log(webSocketRequest(webSocketEvent({ body: { hello: 1 } }), lambdaContext()).data) // { hello: 1 }
 * ```
 */
export function webSocketRequest(event: unknown, context: Context): WebSocketRequest {
  const kind = eventKind(event)
  if (kind !== 'web-socket') throw invalidEvent('webSocket', ['web-socket'], kind)
  return WebSocketRequest.of(event as WebSocketEvent, context)
}

/**
 * Turns a handler's result into what a WebSocket API takes.
 *
 * @throws InvalidResponseError for bytes, which no response can hold; ResponseTooLargeError (128 KB)
 * @example
 * ```ts
 * import { webSocketRequest, webSocketResponse } from 'clearskies-middy/normalizers/web-socket'
 * import { lambdaContext, webSocketEvent } from 'clearskies-middy/testing'
 *
 * const request = webSocketRequest(webSocketEvent({ body: 'ping' }), lambdaContext())
 * console.log(await webSocketResponse({ pong: 1 }, request)) // { statusCode: 200, body: '{"pong":1}' }
 * ```
 */
export async function webSocketResponse(
  result: unknown,
  { type }: WebSocketRequest,
): Promise<WebSocketResult> {
  if (type === 'disconnect') return { statusCode: 200 }
  const envelope = envelopeOf(result)
  const head = responseHead(envelope)
  // A status without a body is for HTTP.
  const statusCode = head.statusCode === 204 ? 200 : head.statusCode
  const headers = singleLines(head.headers)
  const body = type === 'connect' ? '' : await messageOf(envelope.body)
  return { statusCode, ...(Object.keys(headers).length > 0 && { headers }), ...(body !== '' && { body }) }
}

async function messageOf(body: unknown): Promise<string> {
  const whole = isReadableStream(body) ? (await readAll(body, longestMessage)).toString() : (body ?? '')
  if (bytesOf(whole) !== undefined)
    throw new InvalidResponseError('A response cannot be bytes: send them by a ConnectionsBackend')
  const text = typeof whole === 'string' ? whole : encodeJson(whole).text
  const size = Buffer.byteLength(text)
  if (size > longestMessage) throw new ResponseTooLargeError(size, longestMessage)
  return text
}

/**
 * Puts the handler behind a WebSocket API of API Gateway. It is called when a client connects, for each message, and when
 * the client has left. A value that it returns for a message is sent where the route has a response; to send at any other
 * time there is `ConnectionsBackend`.
 *
 * @throws InvalidEventError if the event is of another source
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { respond } from 'clearskies-middy/normalizers/respond'
 * import { webSocket } from 'clearskies-middy/normalizers/web-socket'
 *
 * export const handler = middy()
 *   .use(webSocket())
 *   .handler(async ({ type, data, subprotocols }) => {
 *     if (type !== 'connect') return { received: data }
 *     const headers = { 'sec-websocket-protocol': subprotocols.includes('v2') ? 'v2' : 'v1' }
 *     return respond(undefined, { headers })
 *   })
 * ```
 */
export function webSocket(options: WebSocketOptions = {}): Middleware<WebSocketRequest> {
  checkOptions('webSocket', options, { logger: isLogger })
  const { logger = defaultLogger } = options

  const middleware = {
    before: function webSocketBefore(request: MiddyRequest): void | Promise<void> {
      return opensInvocation(request, () => {
        awaitSends(request, middleware)
        const made = webSocketRequest(request.event, request.context)
        request.event = made
        finalizeResponse(request, (result) => answerSocket(result, made, logger))
      })
    },
    after: async function webSocketAfter(request: MiddyRequest): Promise<void> {
      await settleSends(request, middleware)
      request.response = await answerSocket(request.response, requestOf(request), logger)
    },
    onError: async function webSocketOnError(request: MiddyRequest): Promise<void> {
      if (request.error instanceof InvalidEventError) return
      const made = requestOf(request)
      let { error }: { error: unknown } = request
      await settleSends(request, middleware)?.catch((failure: unknown) => {
        error = failure
      })
      request.response =
        request.response === undefined
          ? await refuseSocket(error, made, logger)
          : await answerSocket(request.response, made, logger)
    },
  }
  return middleware
}

async function answerSocket(
  result: unknown,
  made: WebSocketRequest,
  logger: Logger,
): Promise<WebSocketResult> {
  try {
    return await webSocketResponse(result, made)
  } catch (error) {
    return refuseSocket(error, made, logger)
  }
}

/** Says nothing of an error that is not the client's. */
async function refuseSocket(
  error: unknown,
  made: WebSocketRequest,
  logger: Logger,
): Promise<WebSocketResult> {
  if (isResponse(error) && !(error instanceof Error)) return webSocketResponse(error, made)
  const facts = errorFacts(error)
  if (!facts.exposed)
    logSafely(logger, 'error', `${made.routeKey} failed (connection ${made.connectionId})`, error)
  return webSocketResponse(errorResponse(facts, 'problem'), made)
}

/** A middleware in front may have failed, before there was a request. */
function requestOf({ event, context }: MiddyRequest): WebSocketRequest {
  return event instanceof WebSocketRequest ? event : webSocketRequest(event, context)
}
