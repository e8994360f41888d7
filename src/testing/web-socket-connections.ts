import { longestMessage } from '../wire/web-socket.ts'
import { type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { defaultLogger, logSafely } from '../core/logger.ts'
import type { AnyHandler } from '../core/middy.ts'
import { asRecord, asString, listsByName } from '../core/record.ts'
import type { WebSocketResult } from '../normalizers/web-socket.ts'
import { invoke } from './invoke.ts'
import { type WebSocketEventOptions, newConnectionId, webSocketEvent } from './web-socket-event.ts'

/** Options of {@link webSocketGateway}. */
export interface WebSocketGatewayOptions {
  /** @default a free one */
  readonly port?: number
  /** @default 'live' */
  readonly stage?: string
  /** The key of a JSON message that selects its route. @default 'action' */
  readonly routeKey?: string
  /** The routes beside `$default`. @default none */
  readonly routes?: readonly string[]
  /** Whether the routes have a response: what the handler returns is sent. @default true */
  readonly responses?: boolean
  /** Stands for an authorizer: what it gives is on every event; `undefined` refuses the client with 401. */
  readonly authorizer?: (request: IncomingMessage) => Readonly<Record<string, unknown>> | undefined
  /** Told of failures of the function. @default console.error */
  readonly onFailure?: (reason: string) => void
}

/** How an upgrade goes on. */
export interface Accepted {
  readonly protocol: string | undefined
  readonly opened: (socket: WebSocket) => void
}

/** A client. */
interface OpenConnection {
  readonly socket: WebSocket
  readonly facts: WebSocketEventOptions
  lastActiveAt: Date
  /** Resolves when the function has heard of the end. */
  readonly ended: Promise<void>
}

/** The clients of one gateway. */
export class Connections {
  readonly #handler: AnyHandler
  readonly #options: WebSocketGatewayOptions
  readonly #open = new Map<string, OpenConnection>()

  constructor(handler: AnyHandler, options: WebSocketGatewayOptions) {
    this.#handler = handler
    this.#options = options
  }

  /** Asks the function whether a client may connect. */
  async open(request: IncomingMessage, socket: Duplex, accept: (accepted: Accepted) => void): Promise<void> {
    const { authorizer, stage = 'live' } = this.#options
    const known = authorizer?.(request)
    if (authorizer !== undefined && known === undefined) {
      refuseUpgrade(socket, 401)
      return
    }
    const connectionId = newConnectionId()
    const facts: WebSocketEventOptions = {
      connectionId,
      stage,
      connectedAt: new Date(),
      clientIp: request.socket.remoteAddress ?? '127.0.0.1',
      domainName: request.headers.host ?? '127.0.0.1',
      ...(known !== undefined && { authorizer: known }),
    }
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const result = await this.#invoke({
      ...facts,
      type: 'connect',
      headers: headersOf(request),
      ...(searchParams.size > 0 && { query: listsByName(searchParams) }),
    })
    if (result.statusCode < 200 || result.statusCode > 299) {
      refuseUpgrade(socket, result.statusCode)
      return
    }
    const protocol = Object.entries(result.headers ?? {}).find(([name]) =>
      /^sec-websocket-protocol$/i.test(name),
    )
    accept({
      protocol: protocol?.[1],
      opened: (opened) => {
        this.#add(connectionId, opened, facts)
      },
    })
  }

  #add(connectionId: string, socket: WebSocket, facts: WebSocketEventOptions): void {
    const ended = new Promise<void>((resolve) => {
      socket.once('close', (disconnectCode, reason) => {
        this.#open.delete(connectionId)
        const end = {
          ...facts,
          type: 'disconnect',
          disconnectCode,
          disconnectReason: reason.toString(),
        } as const
        void this.#invoke(end).then(() => {
          resolve()
        })
      })
    })
    const connection: OpenConnection = { socket, facts, ended, lastActiveAt: new Date() }
    this.#open.set(connectionId, connection)
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      connection.lastActiveAt = new Date()
      void this.#message(connection, isBinary ? data : data.toString())
    })
  }

  async #message({ socket, facts }: OpenConnection, body: string | Buffer): Promise<void> {
    const result = await this.#invoke({ ...facts, type: 'message', body, routeKey: this.#routeOf(body) })
    if (this.#options.responses !== false && result.body !== undefined && result.body !== '')
      socket.send(result.body)
  }

  #routeOf(body: string | Buffer): string {
    const { routeKey = 'action', routes = [] } = this.#options
    try {
      const selected = asString(asRecord(JSON.parse(body.toString()) as unknown)?.[routeKey])
      return selected !== undefined && routes.includes(selected) ? selected : '$default'
    } catch {
      return '$default'
    }
  }

  async #invoke(described: WebSocketEventOptions): Promise<WebSocketResult> {
    try {
      return await invoke<WebSocketResult>(this.#handler, webSocketEvent(described))
    } catch (error) {
      const { onFailure = (reason: string) => logSafely(defaultLogger, 'error', reason) } = this.#options
      onFailure(`the function failed: ${String(error)}`)
      return { statusCode: 502 }
    }
  }

  /** The management API: `/{stage}/@connections/{id}`. */
  async manage(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = /\/@connections\/([^/?]+)$/.exec(request.url ?? '')?.[1]
    const connection = path === undefined ? undefined : this.#open.get(unescaped(path))
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    if (path === undefined) {
      answerManagement(response, 403, 'ForbiddenException')
      return
    }
    if (connection === undefined) {
      answerManagement(response, 410, 'GoneException')
      return
    }
    if (body.length > longestMessage) {
      answerManagement(response, 413, 'PayloadTooLargeException')
      return
    }
    const { socket, facts, lastActiveAt } = connection
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'application/json' })
      const identity = { sourceIp: facts.clientIp, userAgent: '' }
      response.end(JSON.stringify({ connectedAt: facts.connectedAt, lastActiveAt, identity }))
      return
    }
    if (request.method === 'DELETE') socket.close(1000)
    // API Gateway sends every message as text.
    else socket.send(body.toString())
    response.writeHead(request.method === 'DELETE' ? 204 : 200).end()
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()]
    for (const { socket } of all) socket.close(1001)
    await Promise.all(all.map(({ ended }) => ended))
  }
}

/** A segment of a path. One that is escaped wrongly is the id of no connection. */
function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function refuseUpgrade(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  )
}

function answerManagement(response: ServerResponse, status: number, type: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type })
  response.end(JSON.stringify({ message: type }))
}

function headersOf({ rawHeaders }: IncomingMessage): Record<string, string[]> {
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, index): [string, string] => [
    rawHeaders[index * 2] ?? '',
    rawHeaders[index * 2 + 1] ?? '',
  ])
  return listsByName(pairs)
}
