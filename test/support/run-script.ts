import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'

/** What a script did in a process of its own, with the library's sources. */
export interface ScriptRun {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

type Variables = Readonly<Record<string, string>>

const flags = ['--conditions=clearskies-middy-source', '--input-type=module', '-e']

function environment(variables: Variables): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    // No look at a profile, nor at the address where EC2 keeps credentials.
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    ...variables,
  }
}

/** Runs a module in a process of its own. Of this process's AWS settings it has none. */
export function runScript(script: string, env: Variables = {}): ScriptRun {
  return spawnSync(process.execPath, [...flags, script], { encoding: 'utf8', env: environment(env) })
}

/** The same for a module that talks to a server of this process, or that is ended by it. */
export function startScript(script: string, env: Variables = {}): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [...flags, script], { env: environment(env) })
}
