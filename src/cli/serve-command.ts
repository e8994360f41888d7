import { spawn } from 'node:child_process'
import { asRecord } from '../core/record.ts'
import { gatewaySources } from '../testing/gateway-result.ts'
import { type GatewaySource, gateway, webSocketGateway } from '../testing/index.ts'
import type { AnyHandler } from '../core/middy.ts'
import { serve } from '../serve.ts'
import { type CliCommand, type Typed, UsageError, handlerOptions, timeoutOf } from './command.ts'
import { LoadError, loadHandler } from './load-handler.ts'
import { stopped, tell } from './terminal.ts'

const serveSources: readonly string[] = [...gatewaySources, 'node-http', 'web-socket']

export const serveCommand: CliCommand = {
  name: 'serve',
  usage: 'MODULE[#EXPORT]',
  summary: 'Puts a handler behind a gateway on this machine',
  options: {
    source: { type: 'string', value: 'SOURCE', help: `one of ${serveSources.join(', ')} (default http-api)` },
    port: { type: 'string', value: 'N', help: 'the port, 0 for a free one (default 3000)' },
    watch: { type: 'boolean', help: 'start again when a file has changed' },
    ...handlerOptions,
  },
  positionals: [1, 1],
  run: (typed) => (typed.flag('watch') ? watched() : serveHere(typed)),
}

/** Node itself knows which files the handler has loaded. */
function watched(): Promise<number> {
  const args = process.argv.slice(1).filter((arg) => arg !== '--watch')
  const child = spawn(
    process.execPath,
    ['--watch', '--watch-preserve-output', ...process.execArgv, ...args],
    {
      stdio: 'inherit',
    },
  )
  const end = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.once('SIGINT', end).once('SIGTERM', end)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      resolve(code ?? 0)
    })
  })
}

async function serveHere(typed: Typed): Promise<number> {
  const [target = ''] = typed.positionals
  const source = typed.text('source') ?? 'http-api'
  if (!serveSources.includes(source))
    throw new UsageError(`serve has no source "${source}"; it has ${serveSources.join(', ')}`)
  const timeout = timeoutOf(typed)
  const port = typed.integer('port', 0, 65_535) ?? 3000
  const handler = await loadHandler(target, typed)
  const server = await openServer(handler, { source, port, timeout })
  tell(`${server.url}  ${source} → ${target}`, 'green')
  await stopped()
  await server.close()
  return 0
}

interface Opening {
  readonly source: string
  readonly port: number
  readonly timeout: number
}

/** @throws LoadError if the port is taken */
async function openServer(
  handler: AnyHandler,
  { source, port, timeout }: Opening,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  try {
    if (source === 'node-http') return await serve(handler, { port, host: '127.0.0.1', timeout })
    if (source === 'web-socket') return await webSocketGateway(handler, { port })
    return await gateway(source as GatewaySource, handler, {
      port,
      timeout,
      onInvocation({ method, path, status, milliseconds }) {
        tell(
          `${method} ${path} ${status} ${Math.round(milliseconds)} ms`,
          status < 400 ? 'dim' : status < 500 ? 'yellow' : 'red',
        )
      },
    })
  } catch (error) {
    const code = asRecord(error)?.['code']
    if (code === 'EADDRINUSE') throw new LoadError(`The port ${port} is taken: choose another with --port`)
    if (code === 'EACCES')
      throw new LoadError(`This user may not listen on the port ${port}: choose one from 1024 with --port`)
    throw error
  }
}
