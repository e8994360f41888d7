import type { Socket } from 'node:net'
import type { PoolConfig } from 'pg'
import { cancelTimeout } from './pool-parts.ts'

/** What of `pg`'s clients and connections is used beyond their types. */
interface CancelSocket {
  readonly stream: Socket
  once(event: 'connect' | 'sslconnect' | 'end', listener: () => void): void
  on(event: 'readyForQuery' | 'error', listener: () => void): void
  connect(port: number | undefined, host: string | undefined): void
  requestSsl(): void
  cancel(processId: unknown, secretKey: unknown): void
}

interface Client {
  readonly connection: CancelSocket
  readonly processID: unknown
  readonly secretKey: unknown
}

/** The socket of a client, within TLS. */
export function socketOf(client: object): Socket {
  return (client as Client).connection.stream
}

/** Has something done each time that a client is ready for its next statement. */
export function onReady(client: object, run: () => void): void {
  ;(client as Client).connection.on('readyForQuery', run)
}

/**
 * Asks the database to end the statement that a client waits for; without, it goes on after the client has left. It is
 * asked over a connection of its own, which needs no login.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export function cancelStatement(
  client: object,
  connection: object,
  { ssl, port, host }: PoolConfig,
): Promise<void> {
  const { processID, secretKey } = client as Client
  const wire = connection as CancelSocket
  return new Promise((resolve) => {
    const timer = setTimeout(() => wire.stream.destroy(), cancelTimeout)
    wire.on('error', () => wire.stream.destroy())
    wire.once('end', () => {
      clearTimeout(timer)
      resolve()
    })
    wire.once(ssl ? 'sslconnect' : 'connect', () => {
      wire.cancel(processID, secretKey)
    })
    if (ssl)
      wire.once('connect', () => {
        wire.requestSsl()
      })
    wire.connect(port, host)
  })
}
