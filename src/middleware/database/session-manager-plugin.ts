import type { StartSessionCommandOutput } from '@aws-sdk/client-ssm'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { BastionError, ConfigurationError } from '../../errors/index.ts'
import { serviceHost } from '../../wire/partitions.ts'

/** A running plugin. */
export interface PluginProcess {
  /** Where it listens, on this machine. */
  readonly port: number
  readonly isAlive: boolean
  stop(): Promise<void>
}

/** What the plugin is started with. */
export interface PluginOptions {
  readonly session: StartSessionCommandOutput
  readonly request: object
  readonly region: string
  readonly localPort: number
  readonly profile: string | undefined
  readonly command: string | undefined
}

/** The variable that the plugin reads the session's token from; in an argument, `ps` would show it to everybody. */
const sessionVariable = 'AWS_SSM_START_SESSION_RESPONSE'

/** Milliseconds until it must listen. */
const startPatience = 20_000

/**
 * Starts AWS's session-manager-plugin, and waits until it listens.
 *
 * @throws ConfigurationError if it is not installed; BastionError if the port is taken, or the plugin ends at once
 */
export async function startPlugin(options: PluginOptions): Promise<PluginProcess> {
  const { localPort, command = defaultCommand } = options
  // Whoever listens there already would be sent the token.
  if (localPort !== 0 && !(await isFree(localPort)))
    throw new BastionError(`Port ${localPort} of this machine is taken: choose another "localPort", or none`)
  const child = spawnPlugin(options)
  // At this one it ends its session, and itself.
  const forget = whenProcessEnds(() => child.kill('SIGINT'))
  child.once('exit', forget)
  child.once('error', forget)
  const port = await listening(child, command)
  // A script that has done its work ends, and the plugin with it.
  for (const part of [child, child.stdout, child.stderr]) (part as { unref?: () => void } | null)?.unref?.()
  return {
    port,
    get isAlive() {
      return child.exitCode === null && child.signalCode === null
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill()
      await gone
    },
  }
}

const defaultCommand = 'session-manager-plugin'

function spawnPlugin({ session, request, region, profile = '', command = defaultCommand }: PluginOptions) {
  const { SessionId, TokenValue, StreamUrl } = session
  return spawn(
    command,
    [
      sessionVariable,
      region,
      'StartSession',
      profile,
      JSON.stringify(request),
      `https://${serviceHost('ssm', region)}`,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        SSM_PLUGIN_LOCAL_HOST: '127.0.0.1',
        [sessionVariable]: JSON.stringify({ SessionId, TokenValue, StreamUrl }),
      },
    },
  )
}

/** Whether a port of this machine can be listened on. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}

/** The ways to end a process from outside, at which no `exit` is emitted. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Does something when this process ends, however it does, until the function that is returned is called. */
function whenProcessEnds(run: () => void): () => void {
  function forget(): void {
    process.off('exit', run)
    for (const signal of signals) process.off(signal, end)
  }
  function end(signal: NodeJS.Signals): void {
    forget()
    run()
    // With a listener the signal alone ends nothing any more.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  }
  process.once('exit', run)
  for (const signal of signals) process.once(signal, end)
  return forget
}

/** What it says when it listens, and where. */
const openedPort = /Port (\d+) opened for sessionId/

function listening(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(() => {
      child.kill()
      reject(new BastionError(`${command} did not listen within ${startPatience / 1000} seconds`))
    }, startPatience)
    const hear = (chunk: Buffer): void => {
      // Read to the end of its life: a pipe that nobody reads stops the plugin.
      if (output.length < 10_000) output += chunk.toString()
      const [, port] = openedPort.exec(output) ?? []
      if (port === undefined) return
      clearTimeout(timer)
      resolve(Number(port))
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      reject(
        cause.code === 'ENOENT'
          ? new ConfigurationError(
              `${command} is not installed: see https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html`,
              { cause },
            )
          : cause,
      )
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(
        new BastionError(`${command} has ended with ${code ?? 'a signal'}: ${output.trim().slice(0, 500)}`),
      )
    })
  })
}
