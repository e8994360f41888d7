import { spawnSync } from 'node:child_process'

/** What a script did in a process of its own, with the library's sources. */
export interface ScriptRun {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a module in a process of its own. Of this process's AWS settings it has none. */
export function runScript(script: string, env: Readonly<Record<string, string>> = {}): ScriptRun {
  return spawnSync(
    process.execPath,
    ['--conditions=clearskies-middy-source', '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        // No look at a profile, nor at the address where EC2 keeps credentials.
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_CONFIG_FILE: '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        ...env,
      },
    },
  )
}
