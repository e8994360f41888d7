import { once } from 'node:events'
import { type AddressInfo, type Socket, createServer } from 'node:net'
import { TLSSocket, createSecureContext } from 'node:tls'
import type { Certificate } from './certificates.ts'

/** An attempt to log in, as the server saw it. */
export interface Login {
  readonly user: string
  readonly token: string
  /** Whether it came through TLS. */
  readonly isEncrypted: boolean
  /** The name that the client took the server for. */
  readonly servername: string | undefined
}

/** An error in the server's own words. */
export interface Refusal {
  readonly code: string
  readonly message: string
}

/** How a server talks to one client, from its first byte. */
export type Protocol = (socket: Socket, server: FakeDatabase) => Promise<void>

/** A server that does nothing but let clients in, and remember who came how. */
export class FakeDatabase {
  readonly logins: Login[] = []
  readonly queries: string[] = []
  /** Connections that have been begun. */
  connections = 0
  /** Connections that were ended in the words of the protocol. */
  goodbyes = 0
  /** Lets a client in, or not; it may take its time. */
  onLogin: (login: Login) => Refusal | undefined | Promise<Refusal | undefined> = () => undefined
  /** Answers a query, at once or later, with an error or without. */
  onQuery: (sql: string) => Refusal | undefined | Promise<Refusal | undefined> = () => undefined
  /** Statements that were cancelled, as the protocol of PostgreSQL does. */
  cancellations = 0
  /** Whether MySQL asks for a token; else it takes the hash of a password. */
  asksForToken = true
  /** Whether the server has TLS. */
  hasTls = true
  port = 0
  readonly #certificate: Certificate
  readonly #sockets = new Set<Socket>()
  readonly #server

  constructor(protocol: Protocol, certificate: Certificate) {
    this.#certificate = certificate
    this.#server = createServer((socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
      // Who leaves in the middle of a word has left.
      protocol(socket, this).catch(() => socket.destroy())
    })
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.killConnections()
    await once(this.#server, 'close')
  }

  /** Cuts off everybody, as a failover does. */
  killConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Ends all connections in silence, as an idle timeout does, and waits until their sockets have closed. */
  async endConnections(): Promise<void> {
    for (const socket of this.#sockets) socket.end()
    await this.deserted()
  }

  /** Resolves when all clients have left. */
  async deserted(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => once(socket, 'close')))
  }

  get openConnections(): number {
    return this.#sockets.size
  }

  /** Goes on through TLS. */
  async secured(socket: Socket): Promise<TLSSocket> {
    const { cert, key } = this.#certificate
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: createSecureContext({ cert, key }),
    })
    secure.on('error', () => undefined)
    await once(secure, 'secure')
    return secure
  }

  async letIn(socket: Socket, user: string, token: string): Promise<Refusal | undefined> {
    const isEncrypted = socket instanceof TLSSocket
    const servername = (socket as { servername?: string | false }).servername
    const login = { user, token, isEncrypted, servername: servername === false ? undefined : servername }
    this.logins.push(login)
    return this.onLogin(login)
  }
}

/** Exactly so many bytes of what a client sends. */
export async function read(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null
    if (bytes?.length === count) return bytes
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw new Error('The client has left')
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const proceed = (): void => resolve(undefined)
    for (const event of ['readable', 'end', 'close']) socket.once(event, proceed)
    await promise
    for (const event of ['readable', 'end', 'close']) socket.off(event, proceed)
  }
}
