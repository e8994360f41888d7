// A stand-in for AWS's session-manager-plugin: the same arguments, variables and words, and it forwards to this machine.
// It tells a test of itself through a connection that lasts as long as it lives.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

const [variable = '', region, operation, profile, request = '{}', endpoint] = process.argv.slice(2)
const session = JSON.parse(process.env[variable] ?? '{}') as { SessionId?: string; TokenValue?: string }
const { Parameters } = JSON.parse(request) as { Parameters: Record<string, [string]> }
const [mode, reportPort] = (process.env['FAKE_PLUGIN'] ?? 'work:0').split(':')

const report = connect(Number(reportPort), '127.0.0.1')
await once(report, 'connect')
const facts = {
  pid: process.pid,
  argv: process.argv.slice(2),
  variable,
  region,
  operation,
  profile,
  endpoint,
  session,
}
report.write(`${JSON.stringify(facts)}\n`)
report.on('error', () => undefined)

if (mode === 'fail') {
  process.stderr.write('The session was refused\n')
  process.exit(255)
}
if (mode !== 'silent') {
  const server = createServer((socket) => {
    // Listens, and no data passes.
    if (mode === 'dead') return
    const remote = connect(Number(Parameters['portNumber']?.[0]), '127.0.0.1')
    socket.pipe(remote).pipe(socket)
    for (const [one, other] of [
      [socket, remote],
      [remote, socket],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
  })
  server.listen(Number(Parameters['localPortNumber']?.[0]), process.env['SSM_PLUGIN_LOCAL_HOST'])
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  process.stdout.write(`\nStarting session with SessionId: ${session.SessionId}\n`)
  process.stdout.write(
    `Port ${port} opened for sessionId ${session.SessionId}.\nWaiting for connections...\n`,
  )
}
