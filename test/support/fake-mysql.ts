import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Certificate } from './certificates.ts'
import { FakeDatabase, type Refusal, read } from './fake-database.ts'

/**
 * MySQL as far as a login goes: TLS, then the plugin that takes a password in clear text, and OK for any query.
 *
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 */
export function fakeMysql(certificate: Certificate): FakeDatabase {
  return new FakeDatabase(serve, certificate)
}

const capabilities = { connectWithDb: 0x8, protocol41: 0x200, ssl: 0x800, secure: 0x8000, plugins: 0x80000 }
/** The length of a login's head, which is all that a client sends in front of TLS. */
const sslRequestLength = 32

async function serve(raw: Socket, server: FakeDatabase): Promise<void> {
  let socket = raw
  socket.write(packet(0, hello(server.hasTls)))
  let login = await readPacket(socket)
  if (login.body.length === sslRequestLength) {
    socket = await server.secured(socket)
    login = await readPacket(socket)
  }
  const nameEnd = login.body.indexOf(0, sslRequestLength)
  const user = login.body.toString('utf8', sslRequestLength, nameEnd)
  let { sequence } = login
  let token = login.body.toString('hex', nameEnd + 2, nameEnd + 22)
  if (server.asksForToken) {
    socket.write(packet(sequence + 1, Buffer.from('\xfemysql_clear_password\0', 'latin1')))
    const answer = await readPacket(socket)
    sequence = answer.sequence
    token = answer.body.toString().replace(/\0$/, '')
  }
  const refusal = await server.letIn(socket, user, token)
  if (refusal !== undefined) {
    socket.end(packet(sequence + 1, errorOf(refusal)))
    return
  }
  socket.write(packet(sequence + 1, ok))
  for (;;) {
    const command = await readPacket(socket)
    const [code] = command.body
    let error: Refusal | undefined
    if (code === 1) break
    if (code === 3) {
      const sql = command.body.toString('utf8', 1)
      server.queries.push(sql)
      error = await server.onQuery(sql)
    }
    socket.write(packet(1, error === undefined ? ok : errorOf(error)))
  }
  server.goodbyes++
  socket.end()
}

const ok = Buffer.from([0, 0, 0, 2, 0, 0, 0])

function hello(hasTls: boolean): Buffer {
  const { connectWithDb, protocol41, ssl, secure, plugins } = capabilities
  const flags = connectWithDb | protocol41 | secure | plugins | (hasTls ? ssl : 0)
  const head = Buffer.from('\x0a10.11.0-MariaDB\0\x01\0\0\0saltsalt\0', 'latin1')
  const rest = Buffer.alloc(18)
  rest.writeUInt16LE(flags & 0xffff, 0)
  rest.writeUInt8(45, 2)
  rest.writeUInt16LE(2, 3)
  rest.writeUInt16LE(flags >>> 16, 5)
  rest.writeUInt8(21, 7)
  return Buffer.concat([head, rest, Buffer.from('saltsaltsalt\0mysql_native_password\0')])
}

async function readPacket(socket: Socket): Promise<{ sequence: number; body: Buffer }> {
  const head = await read(socket, 4)
  return { sequence: head.readUInt8(3), body: await read(socket, head.readUIntLE(0, 3)) }
}

function packet(sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUIntLE(body.length, 0, 3)
  head.writeUInt8(sequence, 3)
  return Buffer.concat([head, body])
}

function errorOf({ code, message }: Refusal): Buffer {
  const head = Buffer.alloc(3)
  head.writeUInt8(0xff, 0)
  head.writeUInt16LE(Number(code), 1)
  return Buffer.concat([head, Buffer.from(`#28000${message}`)])
}

/** What MySQL is sent instead of a password, for the salt that the fake has. */
export function nativeHash(password: string): string {
  const sha1 = (...parts: Buffer[]) => createHash('sha1').update(Buffer.concat(parts)).digest()
  const hash = sha1(Buffer.from(password))
  const mask = sha1(Buffer.from('salt'.repeat(5)), sha1(hash))
  return Buffer.from(hash.map((byte, index) => byte ^ (mask[index] ?? 0))).toString('hex')
}
