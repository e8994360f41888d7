import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { type UnknownRecord, asRecord } from '../core/record.ts'
import { InvalidResponseError } from '../errors/index.ts'
import {
  type HttpNormalizer,
  type HttpReader,
  type HttpWriter,
  normalizes,
  reads,
} from './http/normalizer.ts'
import { encodeResponse } from './http/encode-response.ts'
import type { HttpSourceSpec } from './http/http-source.ts'

/** A request of Node's own HTTP server, as `serve()` hands it to a handler. */
export interface NodeHttpEvent {
  readonly source: 'node-http'
  readonly message: IncomingMessage
  /** The body, if there is one of at most `maxBodyBytes`. */
  readonly body: Uint8Array | undefined
  /** Of a longer body, how much would have been read. */
  readonly maxBodyBytes: number | undefined
  readonly requestId: string
  /** Whether Lambda is in front: a Web Function. */
  readonly isWebFunction: boolean
  /** Aborted when the client leaves before the answer has ended. */
  readonly signal: AbortSignal
  /** A longer body, as it arrives. */
  stream(): ReadableStream<Uint8Array>
}

/** A response for Node's own HTTP server. */
export interface NodeHttpResult {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: string | Uint8Array | Readable
}

/** In place of a gateway's. An id is made where somebody looks. */
class RequestContext {
  readonly #event: NodeHttpEvent

  constructor(event: NodeHttpEvent) {
    this.#event = event
  }

  get requestId(): string {
    return this.#event.requestId
  }
}

/** The request in payload 1.0's words. What few handlers ask for is looked up when they do. */
class NodeView {
  readonly #message: IncomingMessage
  readonly method: string | undefined
  readonly path: string
  readonly rawQueryString: string
  readonly headers: UnknownRecord
  readonly body: string | undefined
  readonly isBase64Encoded: boolean
  readonly maxBodyBytes: number | undefined
  readonly requestContext: RequestContext
  readonly isWebFunction: boolean

  constructor(event: NodeHttpEvent) {
    const { message, body, maxBodyBytes, isWebFunction } = event
    const { url = '/', headers } = message
    // A proxy sends the whole address.
    const target = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, '')
    const end = target.indexOf('?')
    const isText = body !== undefined && headers['content-encoding'] === undefined && isUtf8(body)
    this.#message = message
    this.method = message.method
    this.path = end < 0 ? target : target.slice(0, end)
    this.rawQueryString = end < 0 ? '' : target.slice(end + 1)
    this.headers = headers
    this.body =
      body && Buffer.from(body.buffer, body.byteOffset, body.length).toString(isText ? 'utf8' : 'base64')
    this.isBase64Encoded = body !== undefined && !isText
    this.maxBodyBytes = maxBodyBytes
    this.requestContext = new RequestContext(event)
    this.isWebFunction = isWebFunction
  }

  /** The lines of each name, where a name has several. */
  get multiValueHeaders(): UnknownRecord | undefined {
    const { headers, rawHeaders } = this.#message
    return rawHeaders.length === Object.keys(headers).length * 2 ? undefined : this.#message.headersDistinct
  }

  get remoteAddress(): string | undefined {
    return this.#message.socket.remoteAddress?.replace(/^::ffff:/, '')
  }

  get isEncrypted(): boolean {
    return this.isWebFunction || 'encrypted' in this.#message.socket
  }
}

/** @internal */
export const nodeHttpSource: HttpSourceSpec = {
  factory: 'nodeHttp',
  wires: {
    'node-http': {
      source: 'node-http',
      // What the table of events takes for one of `serve()`: it alone comes here.
      view: (raw) => asRecord(new NodeView(raw as unknown as NodeHttpEvent)),
      method: (event) => event['method'],
      path: (event) => event['path'],
      prefix: () => '',
      sourceIp: (event) => event['remoteAddress'],
      authorizer: () => ({ kind: 'none' }),
      // Lambda itself appends the client's address. The endpoints of Web Functions are HTTPS only.
      trustedProxies: (event) => (event['isWebFunction'] === true ? 1 : 0),
      protocol: (event, forwarded) => {
        if (event['isEncrypted'] === true) return 'https'
        return forwarded === 'https' ? 'https' : 'http'
      },
      signal: (raw) => (raw as NodeHttpEvent).signal,
      stream: (raw) => (raw as NodeHttpEvent).stream(),
      target: {
        limit: Infinity,
        streams: 'always',
        shape({ statusCode, headers, cookies, body }) {
          // A client takes it for a sign of life, and waits on.
          if (statusCode < 200) throw new InvalidResponseError('A status below 200 is no answer')
          if (cookies.length > 0) headers['set-cookie'] = cookies
          return { statusCode, headers, body }
        },
      },
    },
  },
}

/**
 * Reads a request of Node's own HTTP server.
 *
 * @throws InvalidEventError if it is another event
 * @example
 * ```ts
 * import { type NodeHttpEvent, nodeHttpRequest } from 'clearskies-middy/normalizers/node-http'
 *
 * export const pathOf = (event: NodeHttpEvent) => nodeHttpRequest(event, {} as never).path
 * ```
 */
export const nodeHttpRequest: HttpReader<'node-http', NodeHttpEvent> = reads(nodeHttpSource)

/**
 * Turns a handler's result into what `serve()` writes. A stream stays one.
 *
 * @throws InvalidResponseError
 * @example
 * ```ts
 * import type { HttpRequest } from 'clearskies-middy/normalizers/http-request'
 * import { nodeHttpResponse } from 'clearskies-middy/normalizers/node-http'
 *
 * export const answer = (request: HttpRequest<'node-http'>) => nodeHttpResponse({ id: 7 }, request)
 * ```
 */
export const nodeHttpResponse: HttpWriter<NodeHttpResult> = encodeResponse

/**
 * Puts the handler behind Node's own HTTP server, for `serve()`: Lambda Web Functions, containers, local work.
 *
 * @throws InvalidEventError if the event is of another source
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { nodeHttp } from 'clearskies-middy/normalizers/node-http'
 * import { serve } from 'clearskies-middy/serve'
 *
 * const handler = middy()
 *   .use(nodeHttp())
 *   .handler(async (request) => ({ hello: request.query.get('name') }))
 *
 * await serve(handler, { port: 3000 })
 * ```
 */
export const nodeHttp: HttpNormalizer<'node-http', NodeHttpEvent> = normalizes(nodeHttpSource)
