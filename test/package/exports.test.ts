import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

interface Manifest {
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>> | string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
const entries = Object.keys(manifest.exports)
  .filter((entry) => entry !== './package.json')
  .map((entry) => `clearskies-middy${entry.slice(1)}`)

/** Runs a script in a process of its own, with the built package. */
function run(script: string, ...flags: string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, '-e', script], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

describe('the built package', () => {
  it.each(entries)('%s can be imported, and required', (entry) => {
    expect(run(`import('${entry}').then((m) => console.log(Object.keys(m).length))`).trim()).toMatch(/^\d+$/)
    expect(
      run(
        `console.log(Object.keys(require('${entry}')).length)`,
        '--disable-warning=ExperimentalWarning',
      ).trim(),
    ).toMatch(/^\d+$/)
  })

  it.each([
    'clearskies-middy',
    ...['alb', 'rest-api', 'http-api', 'any-http', 'invocation', 'respond'].map(
      (name) => `clearskies-middy/normalizers/${name}`,
    ),
  ])('%s loads neither an AWS client nor the module facade of node:http', (entry) => {
    const script = `
        const { registerHooks } = require('node:module')
        const loaded = []
        registerHooks({ resolve(specifier, context, next) { loaded.push(specifier); return next(specifier, context) } })
        import('${entry}').then(() => console.log(JSON.stringify(loaded)))`
    const loaded = JSON.parse(run(script)) as string[]
    expect(
      loaded.filter(
        (name) =>
          name === 'node:http' || name === 'http' || name.startsWith('@aws-sdk/') || name === '@middy/util',
      ),
    ).toEqual([])
  })

  it('has an entry for every middleware, normalizer and backend file that a user imports', () => {
    const internal = new Set([
      'auth-error',
      'extension-bypass',
      'middy-loader',
      'secret-cache',
      'secret-read-error',
      'secret-reading',
      'secret-store',
      'secret-store-extension',
      'secret-store-secrets-manager',
      'secret-store-ssm',
      'secret-value',
      'secret-write-error',
      'secrets-middleware',
      'session-manager-plugin',
      'time-limit',
    ])
    for (const file of readdirSync('src/middleware').filter((name) => name.endsWith('.ts'))) {
      const name = file.replace(/\.ts$/, '')
      if (!internal.has(name)) expect(entries).toContain(`clearskies-middy/middleware/${name}`)
    }
  })
})
