import type { Socket } from 'node:net'
import type { Certificate } from './certificates.ts'
import { FakeDatabase, type Refusal, read } from './fake-database.ts'

const sslRequest = 80877103
const cancelRequest = 80877102

/**
 * PostgreSQL as far as a login goes: TLS if it is asked for, a password in clear text, and no rows for any query.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function fakePostgres(certificate: Certificate): FakeDatabase {
  return new FakeDatabase(serve, certificate)
}

async function serve(raw: Socket, server: FakeDatabase): Promise<void> {
  let socket = raw
  let startup = await readStartup(socket)
  if (startup.code === sslRequest) {
    socket.write(server.hasTls ? 'S' : 'N')
    if (server.hasTls) socket = await server.secured(socket)
    startup = await readStartup(socket)
  }
  if (startup.code === cancelRequest) {
    server.cancellations++
    socket.end()
    return
  }
  const fields = startup.text.split('\0')
  const user = fields[fields.indexOf('user') + 1] ?? ''
  socket.write(message('R', int32(3)))
  const [, password] = await readMessage(socket)
  const refusal = await server.letIn(socket, user, password.replace(/\0$/, ''))
  if (refusal !== undefined) {
    socket.end(message('E', errorFields('FATAL', refusal)))
    return
  }
  const key = message('K', Buffer.concat([int32(1), int32(2)]))
  socket.write(Buffer.concat([message('R', int32(0)), key, ready]))
  for (;;) {
    const [type, text] = await readMessage(socket)
    if (type === 'X') break
    if (type !== 'Q') throw new Error(`The fake does not know the message ${type}`)
    const sql = text.replace(/\0$/, '')
    server.queries.push(sql)
    const error = await server.onQuery(sql)
    const answer =
      error === undefined ? message('C', 'SELECT 0\0') : message('E', errorFields('ERROR', error))
    socket.write(Buffer.concat([answer, ready]))
  }
  server.goodbyes++
  socket.end()
}

async function readStartup(socket: Socket): Promise<{ code: number; text: string }> {
  const head = await read(socket, 8)
  const rest = head.readInt32BE(0) - 8
  return { code: head.readInt32BE(4), text: rest > 0 ? (await read(socket, rest)).toString() : '' }
}

async function readMessage(socket: Socket): Promise<[type: string, text: string]> {
  const head = await read(socket, 5)
  const rest = head.readInt32BE(1) - 4
  return [head.toString('latin1', 0, 1), rest > 0 ? (await read(socket, rest)).toString() : '']
}

function message(type: string, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(type), int32(bytes.length + 4), bytes])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function errorFields(severity: string, { code, message: text }: Refusal): string {
  return `S${severity}\0V${severity}\0C${code}\0M${text}\0\0`
}

const ready = message('Z', 'I')
