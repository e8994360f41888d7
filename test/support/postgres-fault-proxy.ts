import type { PGlite } from '@electric-sql/pglite'
import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** What can become of a statement: it is refused, or its connection ends before or after it is done. */
export type PostgresFault = 'throttle' | 'conflict' | 'internal' | 'reset-before' | 'reset-after'

/** What takes the protocol's messages, a whole request at a time, and gives what it answers. */
export interface PostgresSession {
  send(messages: Buffer): Promise<Uint8Array>
  close(): void
}

const errors: Readonly<Partial<Record<PostgresFault, readonly [severity: string, code: string]>>> = {
  throttle: ['ERROR', '53300'],
  conflict: ['ERROR', '40001'],
  internal: ['FATAL', '57P01'],
}
const sslRequest = 80877103

/**
 * Stands in front of a PostgreSQL, and does to statements and answers what networks and servers do.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class PostgresFaultProxy {
  /** Says what happens to a statement; nothing, if it is not set or says nothing. */
  plan: ((sql: string) => PostgresFault | undefined) | undefined
  /** Waited for when a statement has met its fault, and before its sender hears of that. */
  onFault: (() => Promise<unknown>) | undefined
  /** What it did, in order. */
  readonly faults: PostgresFault[] = []
  readonly #open: (startup: Buffer) => Promise<PostgresSession>
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((socket) => void this.#serve(socket))

  private constructor(open: (startup: Buffer) => Promise<PostgresSession>) {
    this.#open = open
  }

  static async start(open: (startup: Buffer) => Promise<PostgresSession>): Promise<PostgresFaultProxy> {
    const proxy = new PostgresFaultProxy(open)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket)
    let session: PostgresSession | undefined
    // Whoever is reset sees no more of it here.
    socket.on('error', () => undefined)
    try {
      const messages = requests(socket)
      let startup = (await messages.next()).value ?? Buffer.alloc(8)
      if (startup.readInt32BE(4) === sslRequest) {
        socket.write('N')
        startup = (await messages.next()).value ?? startup
      }
      session = await this.#open(startup)
      socket.write(Buffer.concat([message('R', Buffer.alloc(4)), ready]))
      for await (const request of messages) if (!(await this.#answer(socket, session, request))) break
    } catch {
      socket.destroy()
    } finally {
      session?.close()
      this.#sockets.delete(socket)
    }
  }

  /** Answers a request, and tells whether the connection goes on. */
  async #answer(socket: Socket, session: PostgresSession, request: Buffer): Promise<boolean> {
    const fault = this.plan?.(statementOf(request))
    if (fault === undefined) {
      socket.write(await session.send(request))
      return true
    }
    this.faults.push(fault)
    // What is refused, and what comes to no end, is undone.
    await session.send(fault === 'reset-after' ? request : query('rollback'))
    await this.onFault?.()
    const [severity, code] = errors[fault] ?? []
    if (severity === undefined) socket.resetAndDestroy()
    else {
      const fields = `S${severity}\0V${severity}\0C${code}\0MBy chance\0\0`
      socket.write(Buffer.concat([message('E', Buffer.from(fields)), severity === 'ERROR' ? ready : nothing]))
      if (severity === 'FATAL') socket.end()
    }
    return severity === 'ERROR'
  }
}

/** The embedded engine, which has one session for all. */
export function embedded(pglite: PGlite): () => Promise<PostgresSession> {
  return async () => {
    await pglite.waitReady
    return { send: (messages) => pglite.execProtocolRaw(messages), close: () => undefined }
  }
}

/** A server that lets its users in without a password. */
export function serverOn(port: number): (startup: Buffer) => Promise<PostgresSession> {
  return async (startup) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    let pending = nothing
    const send = async (messages: Buffer): Promise<Uint8Array> => {
      socket.write(messages)
      pending = nothing
      while (!pending.subarray(-6, -1).equals(ready.subarray(0, 5))) {
        const [chunk] = (await once(socket, 'data')) as [Buffer]
        pending = Buffer.concat([pending, chunk])
      }
      return pending
    }
    await once(socket, 'connect')
    await send(startup)
    return { send, close: () => socket.destroy() }
  }
}

/** Requests as a client sends them: the start, then messages up to one that asks for an answer. */
async function* requests(socket: Socket): AsyncGenerator<Buffer, undefined> {
  let [pending, request, isStarted] = [nothing, nothing, false]
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, chunk])
    for (;;) {
      const start = isStarted ? 1 : 0
      if (pending.length < start + 4) break
      const size = start + pending.readInt32BE(start)
      if (pending.length < size) break
      const next = pending.subarray(0, size)
      pending = pending.subarray(size)
      if (!isStarted) {
        isStarted = next.readInt32BE(4) !== sslRequest
        yield next
        continue
      }
      const type = String.fromCharCode(next[0] ?? 0)
      if (type === 'X') return undefined
      request = Buffer.concat([request, next])
      if (type !== 'S' && type !== 'Q') continue
      yield request
      request = nothing
    }
  }
  return undefined
}

/** The text of a request's statement: a query, or what is parsed. */
function statementOf(request: Buffer): string {
  const parts = request.subarray(5).toString('latin1').split('\0')
  return (request[0] === 'Q'.charCodeAt(0) ? parts[0] : parts[1]) ?? ''
}

function message(type: string, body: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type), size, body])
}

const query = (sql: string): Buffer => message('Q', Buffer.from(`${sql}\0`))
const nothing: Buffer = Buffer.alloc(0)
const ready = message('Z', Buffer.from('I'))
