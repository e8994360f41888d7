import { type IncomingMessage, createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocketServer } from 'ws'
import type { AnyHandler } from '../core/middy.ts'
import { listen } from '../core/listen.ts'
import { atRunTime, lazyImport } from '../core/optional-import.ts'
import { longestMessage } from '../wire/web-socket.ts'
import { Connections, type WebSocketGatewayOptions } from './web-socket-connections.ts'

/** A gateway that is listening. */
export interface WebSocketGateway {
  /** For clients: `ws://127.0.0.1:…/live`. */
  readonly url: string
  /** For a `ConnectionsBackend`: `http://127.0.0.1:…/live`. */
  readonly endpoint: string
  readonly port: number
  /** Ends all connections, and resolves when the function has heard of each. */
  close(): Promise<void>
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

export type { WebSocketGatewayOptions } from './web-socket-connections.ts'

const loadWs = lazyImport('ws', () => import('ws').catch(atRunTime))

/**
 * A real WebSocket server that stands for API Gateway in front of a handler: it tells of connections, messages and ends by
 * events, and has the management API to which `ConnectionsBackend` sends. Needs the package `ws`.
 *
 * @throws Error with `code` EADDRINUSE if the port is taken
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { webSocket } from 'clearskies-middy/normalizers/web-socket'
 * import { webSocketGateway } from 'clearskies-middy/testing'
 *
 * const handler = middy().use(webSocket()).handler(async ({ data }) => ({ received: data }))
 * await using gateway = await webSocketGateway(handler)
 * const socket = new WebSocket(gateway.url)
 * socket.onopen = () => socket.send('hello')
 * socket.onmessage = ({ data }) => {
 *   console.log(data) // {"received":"hello"}
 *   socket.close()
 * }
 * ```
 */
export async function webSocketGateway(
  handler: AnyHandler,
  options: WebSocketGatewayOptions = {},
): Promise<WebSocketGateway> {
  const ws = await loadWs()
  const { stage = 'live' } = options
  const connections = new Connections(handler, options)
  const server = createServer((request, response) => {
    connections.manage(request, response).catch(() => response.destroy())
  })
  server.on(
    'upgrade',
    upgrades(
      new ws.WebSocketServer({ noServer: true, maxPayload: longestMessage, handleProtocols: () => false }),
      connections,
    ),
  )
  const port = await listen(server, options.port ?? 0, '127.0.0.1')
  const close = async (): Promise<void> => {
    await connections.close()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    url: `ws://127.0.0.1:${port}/${stage}`,
    endpoint: `http://127.0.0.1:${port}/${stage}`,
    port,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Lets the function decide on each client. */
function upgrades(
  sockets: WebSocketServer,
  connections: Connections,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const protocols = new WeakMap<IncomingMessage, string>()
  sockets.on('headers', (lines, request) => {
    const protocol = protocols.get(request)
    if (protocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${protocol}`)
  })
  return (request, socket, head) => {
    // A client may leave while the function is asked.
    socket.on('error', () => undefined)
    void connections.open(request, socket, (accepted) => {
      if (accepted.protocol !== undefined) protocols.set(request, accepted.protocol)
      sockets.handleUpgrade(request, socket, head, accepted.opened)
    })
  }
}
