import { type SpawnOptions, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What the servers of one run have in common. */
export interface Site {
  /** The directory of this server's files. */
  readonly directory: string
  readonly port: number
  readonly certFile: string
  readonly keyFile: string
  /** PAM's services, of which `rds` verifies tokens. */
  readonly pamDirectory: string
  /** Whom the servers run as: they refuse to be root. */
  readonly user: Pick<SpawnOptions, 'uid' | 'gid'>
}

/** A server that may be installed. */
export interface DatabaseServer {
  readonly engine: 'postgres' | 'mysql'
  readonly title: string
  /** Why it cannot run here, if so. */
  readonly obstacle: () => string | undefined
  /** Makes its files; gives the command that starts it. */
  readonly prepare: (site: Site) => { readonly command: string; readonly args: readonly string[] }
  /** The signal at which it ends and leaves nobody connected. */
  readonly stopSignal: NodeJS.Signals
  /** Makes what the tests need, once it answers. */
  readonly setUp: (port: number) => Promise<void>
}

/** The user that owns everything in the server, and needs no password. */
export const owner = 'owner'

/** The users that log in with a token. */
export const users = ['app', 'other']

/** The user that logs in with a password, which the tests change. */
export const passwordUser = 'rotated'

/** The path of a command. */
export function commandPath(name: string, ...places: readonly string[]): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...places]
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path))
}

/** Runs a command to its end. @throws with what it has said */
export function run(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'uid' | 'gid' | 'cwd'>,
): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (status !== 0) throw new Error(`${command} has failed: ${error?.message ?? ''}${stdout}${stderr}`)
}
