import { PGlite } from '@electric-sql/pglite'
import type { Socket } from 'node:net'
import { type Certificate } from '../../support/certificates.ts'
import { FakeDatabase, read } from '../../support/fake-database.ts'
import { readIamToken } from '../../support/iam-token.ts'

const sslRequest = 80877103

/** A PostgreSQL that takes TLS and tokens of IAM, as RDS does; one engine runs what all connections send. */
export async function startPostgres(certificate: Certificate, secretAccessKey: string) {
  const engine = await PGlite.create()
  const server = new FakeDatabase((socket, database) => serve(socket, database, engine), certificate)
  server.onLogin = ({ user, token, isEncrypted }) => {
    const { isGenuine, action, user: named } = readIamToken(token, secretAccessKey)
    return isEncrypted && isGenuine && action === 'connect' && named === user
      ? undefined
      : { code: '28P01', message: `PAM authentication failed for user "${user}"` }
  }
  await server.start()
  return {
    server,
    engine,
    async stop(): Promise<void> {
      await server.stop()
      await engine.close()
    },
  }
}

/** https://www.postgresql.org/docs/current/protocol-flow.html */
async function serve(raw: Socket, server: FakeDatabase, engine: PGlite): Promise<void> {
  const asked = await read(raw, 8)
  if (asked.readInt32BE(4) !== sslRequest) throw new Error('The client wants no TLS')
  raw.write('S')
  const socket = await server.secured(raw)
  const length = (await read(socket, 4)).readInt32BE(0)
  const fields = (await read(socket, length - 4)).toString().slice(4).split('\0')
  const user = fields[fields.indexOf('user') + 1] ?? ''
  socket.write(Buffer.from([...Buffer.from('R'), 0, 0, 0, 8, 0, 0, 0, 3]))
  const { body } = await readMessage(socket)
  const refusal = await server.letIn(socket, user, body.toString().replace(/\0$/, ''))
  if (refusal !== undefined) throw new Error(refusal.message)
  socket.write(
    Buffer.from([...Buffer.from('R'), 0, 0, 0, 8, 0, 0, 0, 0, ...Buffer.from('Z'), 0, 0, 0, 5, 0x49]),
  )
  let batch: Buffer[] = []
  for (;;) {
    const { type, bytes } = await readMessage(socket)
    if (type === 'X') break
    batch.push(bytes)
    // What belongs together is run together, for another connection's may come between.
    if (type !== 'S' && type !== 'Q') continue
    const whole = Buffer.concat(batch)
    batch = []
    socket.write(await engine.runExclusive(() => engine.execProtocolRaw(whole)))
  }
  socket.end()
}

async function readMessage(socket: Socket): Promise<{ type: string; body: Buffer; bytes: Buffer }> {
  const head = await read(socket, 5)
  const rest = head.readInt32BE(1) - 4
  const body = rest > 0 ? await read(socket, rest) : Buffer.alloc(0)
  return { type: head.toString('latin1', 0, 1), body, bytes: Buffer.concat([head, body]) }
}
