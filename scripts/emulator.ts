// What the scripts that test beside an emulator have in common.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** An emulator's server. */
export interface Emulator {
  readonly title: string
  readonly command: string
  readonly args: (port: number) => readonly string[]
  /** Whether a response means that it is ready. */
  readonly isReady: (endpoint: string) => Promise<boolean>
  /** The environment variable that tells the tests where it is. */
  readonly variable: string
  /** The tests, if not all. */
  readonly tests?: readonly string[]
  /** Tests that have a client of their own, and run once. */
  readonly own?: readonly string[]
}

/** Whether a command ends well. */
export function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 300_000 }).status === 0
}

/** Runs the tests beside an emulator, once with each client. Gives the tests' exit code. */
export async function testBeside(emulator: Emulator): Promise<number> {
  for (const client of ['sdk', 'light']) {
    const code = await testWith(client, emulator)
    if (code !== 0) return code
  }
  return 0
}

/** Starts a new emulator on a free port of the loopback interface, runs the tests, ends it. */
async function testWith(
  client: string,
  { title, command, args, isReady, variable, tests = [], own = [] }: Emulator,
): Promise<number> {
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const server = spawn(command, args(port), { stdio: 'ignore' })
  let run: ChildProcess | undefined
  // What ends this process ends the tests, and the server with them.
  const stop = (signal: NodeJS.Signals): void => void (run ?? server).kill(signal)
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    await once(server, 'spawn')
    await untilReady(server, title, () => isReady(endpoint))
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'emulators']
    const files = client === 'sdk' ? [...tests, ...own] : tests
    run = spawn(process.execPath, [...vitest, ...files, ...process.argv.slice(2)], {
      stdio: 'inherit',
      env: { ...process.env, [variable]: endpoint, AWS_CLIENT: client },
    })
    const [code] = (await once(run, 'exit')) as [number | null]
    return code ?? 1
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    await end(server)
  }
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Waits until a server answers. @throws if it has ended, or does not answer in time */
export async function untilReady(
  server: ChildProcess,
  title: string,
  isReady: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    if (server.exitCode !== null || server.signalCode !== null)
      throw new Error(`${title} has ended by itself`)
    if (Date.now() > deadline) throw new Error(`${title} has not answered for a minute`)
    try {
      if (await isReady()) return
    } catch {
      // It is not listening yet.
    }
    await setTimeout(100)
  }
}

/** Ends a server, and waits until it has. */
export async function end(server: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill(signal)
  const isLate = await Promise.race([ended.then(() => false), setTimeout(5000, true, { ref: false })])
  if (isLate) server.kill('SIGKILL')
  await ended
}
