import { randomUUID } from 'node:crypto'
import type { WebSocketEvent } from '../normalizers/web-socket.ts'
import { encodedBody, region } from './described-request.ts'

/** What {@link webSocketEvent} takes; what is left out is made up. */
export interface WebSocketEventOptions {
  /** @default message */
  readonly type?: 'connect' | 'message' | 'disconnect'
  /** @default a new one */
  readonly connectionId?: string
  /** @default $connect, $default or $disconnect */
  readonly routeKey?: string
  /** The message: text and bytes as they are, anything else as JSON. */
  readonly body?: unknown
  /** Of a connection. A list is sent as several lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Of a connection. */
  readonly query?: Readonly<Record<string, string | readonly string[]>>
  /** @default '203.0.113.7' */
  readonly clientIp?: string
  /** @default 'live' */
  readonly stage?: string
  readonly domainName?: string
  /** What an authorizer gave at the connection. */
  readonly authorizer?: Readonly<Record<string, unknown>>
  /** @default now */
  readonly connectedAt?: Date
  /** Of a connection that has ended. @default 1001 */
  readonly disconnectCode?: number
  readonly disconnectReason?: string
}

const awsEventTypes = { connect: 'CONNECT', message: 'MESSAGE', disconnect: 'DISCONNECT' } as const
const routeKeys = { connect: '$connect', message: '$default', disconnect: '$disconnect' } as const

/**
 * The event of a WebSocket API: a connection with headers and a query, a message without either, or the end.
 *
 * @example
 * ```ts
 * import { webSocketEvent } from 'clearskies-middy/testing'
 *
 * const event = webSocketEvent({ body: { action: 'order' }, connectionId: 'Lk4_dcVnDoECFXQ=' })
 * console.log(event.requestContext.eventType, event.body) // MESSAGE {"action":"order"}
 * ```
 */
export function webSocketEvent(options: WebSocketEventOptions = {}): WebSocketEvent {
  const { type = 'message', connectionId = newConnectionId(), body, clientIp = '203.0.113.7' } = options
  const { stage = 'live', connectedAt = new Date(), routeKey = routeKeys[type] } = options
  const { domainName = `k2k.execute-api.${region}.amazonaws.com`, authorizer } = options
  const requestContext = {
    routeKey,
    eventType: awsEventTypes[type],
    messageDirection: 'IN',
    connectionId,
    connectedAt: connectedAt.getTime(),
    requestTimeEpoch: connectedAt.getTime() + 1,
    requestId: randomUUID(),
    extendedRequestId: randomUUID(),
    stage,
    domainName,
    apiId: 'k2k',
    identity: { sourceIp: clientIp },
    ...(authorizer !== undefined && { authorizer }),
    ...(type === 'message' && { messageId: randomUUID() }),
    ...(type === 'disconnect' && {
      disconnectStatusCode: options.disconnectCode ?? 1001,
      disconnectReason: options.disconnectReason ?? '',
    }),
  }
  return {
    ...connectionParts(options),
    ...messageParts(type === 'message' ? body : undefined),
    requestContext,
  }
}

/** As API Gateway makes them: they end with `=`. */
export function newConnectionId(): string {
  return `${randomUUID().replaceAll('-', '').slice(0, 15)}=`
}

function connectionParts({ type, headers = {}, query }: WebSocketEventOptions): Partial<WebSocketEvent> {
  if (type === 'disconnect') return { headers: { Host: '' }, multiValueHeaders: { Host: [''] } }
  if (type !== 'connect') return {}
  const [single, all] = bothMaps(headers)
  const [parameters, lists] = bothMaps(query ?? {})
  return {
    headers: single,
    multiValueHeaders: all,
    ...(query !== undefined && {
      queryStringParameters: parameters,
      multiValueQueryStringParameters: lists,
    }),
  }
}

/** The last value of each name, and all of them. */
function bothMaps(
  values: Readonly<Record<string, string | readonly string[]>>,
): readonly [last: Record<string, string>, all: Record<string, string[]>] {
  const all = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value].flat()]))
  const last = Object.entries(all).map(([name, list]) => [name, list.at(-1) ?? ''] as const)
  return [Object.fromEntries(last), all]
}

function messageParts(body: unknown): { body?: string; isBase64Encoded: boolean } {
  if (body === undefined) return { isBase64Encoded: false }
  const isBinary = body instanceof Uint8Array
  const bytes = encodedBody(body)
  return { body: bytes.toString(isBinary ? 'base64' : 'utf8'), isBase64Encoded: isBinary }
}
