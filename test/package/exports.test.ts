import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, unknown>>
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
/** The files of a folder of `dist`, as a user would name them. */
function modules(pattern: string): string[] {
  return globSync(pattern, { cwd: 'dist' }).map((file) => `clearskies-middy/${file.replace(/\.js$/, '')}`)
}

const folders = '{normalizers,middleware,backends,clients}'
const entries = ['', '/errors', '/serve', '/types', '/testing']
  .map((path) => `clearskies-middy${path}`)
  .concat(modules(`${folders}/*.js`))
const insides = modules('**/*.js').filter(
  (name) => !entries.includes(name) && !/\/(?:index|types)$/.test(name),
)

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
    const script = `
      const required = Object.keys(require('${entry}'))
      import('${entry}').then((imported) => console.log(required.length, Object.keys(imported).length))`
    const [required, imported] = run(script, '--disable-warning=ExperimentalWarning').trim().split(' ')
    expect(required).toMatch(/^\d+$/)
    expect(imported).toBe(required)
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

  it('refuses the import of every inside file', () => {
    expect(insides.length).toBeGreaterThan(80)
    const script = `
      const open = []
      for (const name of ${JSON.stringify(insides)}) {
        try { await import(name); open.push(name) }
        catch (error) { if (error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error }
      }
      console.log(JSON.stringify(open))`
    expect(JSON.parse(run(script, '--input-type=module'))).toEqual([])
  })

  it('names what it loads when that is first needed, as a dependency or an optional peer', () => {
    const loaded = globSync('src/**/*.ts').flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\bimport\('((?:@[\w-]+\/)?[\w-]+)[^']*'\)/g)].map(
        ([, name]) => name,
      ),
    )
    const named = new Set([
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.peerDependenciesMeta),
    ])
    expect(loaded.length).toBeGreaterThan(10)
    expect(loaded.filter((name = '') => !named.has(name))).toEqual([])
    expect(Object.keys(manifest.peerDependencies)).toEqual(
      expect.arrayContaining(Object.keys(manifest.peerDependenciesMeta)),
    )
  })

  it('has no more than 24 entries written by hand', () => {
    expect(Object.keys(manifest.exports).length).toBeLessThanOrEqual(24)
  })
})
