import type { Context } from 'aws-lambda'
import { parseIfJson } from '../core/json.ts'
import { type OwnProperties, addProperties, passForPlainData } from '../core/plain-data.ts'
import { type UnknownRecord, asRecord, asString } from '../core/record.ts'
import { type Authorizer, readAuthorizer } from './http/authorizer.ts'
import { RequestBody } from './http/body.ts'
import { RequestHeaders, readCookies } from './http/headers.ts'
import { contextOf } from './http/http-source.ts'
import { RequestQuery } from './http/query.ts'

/**
 * The event of a WebSocket API. Headers and query are there at the connection alone.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
 */
export interface WebSocketEvent {
  readonly headers?: Readonly<Record<string, string>> | null
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>> | null
  readonly queryStringParameters?: Readonly<Record<string, string>> | null
  readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[]>> | null
  readonly body?: string | null
  readonly isBase64Encoded?: boolean
  readonly requestContext: UnknownRecord & {
    readonly connectionId: string
    readonly eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT'
    readonly routeKey: string
  }
}

const eventTypes = { CONNECT: 'connect', MESSAGE: 'message', DISCONNECT: 'disconnect' } as const

/** Stands for what nobody has looked at yet. */
const notRead: unique symbol = Symbol('not read')

/**
 * A client that connects, sends a message or has left, at a WebSocket API of API Gateway. Messages of one connection may run
 * beside each other, in any order.
 *
 * @example
 * ```ts
 * import type { WebSocketRequest } from 'clearskies-middy/normalizers/web-socket'
 *
 * export const echo = ({ type, data }: WebSocketRequest) => (type === 'message' ? { received: data } : undefined)
 * ```
 */
export class WebSocketRequest<TData = unknown> {
  readonly kind = 'web-socket'
  readonly source = 'web-socket'
  readonly type: 'connect' | 'message' | 'disconnect'
  /** Ends with `=`. */
  readonly connectionId: string
  /** `$connect`, `$disconnect`, `$default`, or what the route selection expression found in the message. */
  readonly routeKey: string
  readonly #raw: WebSocketEvent
  readonly #context: UnknownRecord
  readonly #lambdaContext: Context
  readonly #headers: RequestHeaders
  readonly #query: RequestQuery
  readonly #body: RequestBody
  #data: unknown = notRead

  static readonly #members: OwnProperties = passForPlainData(WebSocketRequest.prototype, ['data'])

  private constructor(raw: WebSocketEvent, lambdaContext: Context) {
    const event: UnknownRecord = { ...raw }
    const { connectionId, eventType, routeKey } = raw.requestContext
    this.type = eventTypes[eventType]
    this.connectionId = connectionId
    this.routeKey = routeKey
    this.#raw = raw
    this.#context = contextOf(event)
    this.#lambdaContext = lambdaContext
    this.#headers = new RequestHeaders(event)
    this.#query = new RequestQuery(event)
    this.#body = new RequestBody(event, this.#headers)
    addProperties(this, WebSocketRequest.#members)
  }

  /** @internal */
  static of(raw: WebSocketEvent, lambdaContext: Context): WebSocketRequest {
    return new WebSocketRequest(raw, lambdaContext)
  }

  /** The event as AWS sent it. */
  get raw(): WebSocketEvent {
    return this.#raw
  }
  get lambdaContext(): Context {
    return this.#lambdaContext
  }

  /** The message's id; of a connection that begins or ends, the id of the request. */
  get id(): string | undefined {
    return this.messageId ?? asString(this.#context['requestId'])
  }
  get messageId(): string | undefined {
    return asString(this.#context['messageId'])
  }

  /** JSON where the message is JSON, else its text; the bytes of a binary message; `undefined` without a message. */
  get data(): TData {
    if (this.#data === notRead) this.#data = this.#read()
    return this.#data as TData
  }
  set data(value: TData) {
    this.#data = value
  }

  #read(): unknown {
    if (typeof this.#raw.body !== 'string') return undefined
    return this.#raw.isBase64Encoded === true ? this.bytes() : parseIfJson(this.text())
  }

  /** The message as text. */
  text(): string {
    return this.#body.text()
  }
  /** The bytes of a message. */
  bytes(): Uint8Array {
    return this.#body.bytes()
  }

  /** Of the client's first request, by lower-case name; empty on messages. */
  get headers(): Record<string, string> {
    return this.#headers.all
  }

  /** One header, whatever the spelling. */
  header(name: string): string | undefined {
    return this.#headers.get(name)
  }

  /** Of the client's first request; empty on messages. */
  get query(): URLSearchParams {
    return this.#query.parameters
  }

  /** Of the client's first request; empty on messages. */
  get cookies(): Record<string, string> {
    return readCookies(this.headers['cookie'])
  }

  /** The subprotocols that the client offers at the connection, in its order. */
  get subprotocols(): string[] {
    const offered = this.header('sec-websocket-protocol') ?? ''
    return offered
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean)
  }

  get clientIp(): string | undefined {
    return asString(asRecord(this.#context['identity'])?.['sourceIp'])
  }
  get stage(): string | undefined {
    return asString(this.#context['stage'])
  }
  get domainName(): string | undefined {
    return asString(this.#context['domainName'])
  }

  /** Who connected. The authorizer is asked at the connection; what it said is on every message. */
  get authorizer(): Authorizer {
    return readAuthorizer(this.#context)
  }

  get connectedAt(): Date {
    return new Date(Number(this.#context['connectedAt']))
  }

  /** Why the connection ended: a close code of RFC 6455. */
  get disconnectCode(): number | undefined {
    const code = this.#context['disconnectStatusCode']
    return typeof code === 'number' ? code : undefined
  }
  get disconnectReason(): string | undefined {
    return asString(this.#context['disconnectReason'])
  }

  /** Lambda's id of the invocation's request at the gateway. */
  get requestId(): string | undefined {
    return asString(this.#context['requestId'])
  }
}
