import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entries } from '../support/entries.ts'

const directory = mkdtempSync(join(tmpdir(), 'tarball-'))
const project = join(directory, 'project')
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** What npm tells scripts of this project is not for another one. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))

function run(command: string, args: readonly string[], cwd: string) {
  return spawnSync(command, args, { cwd, env, encoding: 'utf8' })
}

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

function pack(): Packed {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory]
  const { stdout, stderr } = run('npm', args, '.')
  const [packed] = JSON.parse(stdout || '[]') as Packed[]
  if (packed === undefined) throw new Error(stderr)
  return packed
}

const { filename, files } = pack()
const paths = files.map(({ path }) => path)

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, string | Record<string, string>>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

describe('the packed files', () => {
  it('are the build, its sources and the documentation, and nothing of the project beside', () => {
    const others = paths.filter((path) => !/^(?:dist|src|docs|contributing)\//.test(path))
    expect(
      others.filter(
        (path) => !/^(?:package\.json|LICENSE|(?:README|CHANGELOG|CONTRIBUTING|SECURITY)\.md)$/.test(path),
      ),
    ).toEqual([])
    expect(paths.filter((path) => !/\.(?:js|d\.ts|ts|md|json|map)$|^LICENSE$/.test(path))).toEqual([])
  })

  it('have neither tests nor examples nor what a machine leaves behind', () => {
    const unwanted =
      /(?:^|\/)(?:tests?|examples?|bench|scripts|node_modules|\.[^/]*)(?:\/|$)|\.test\.|\.tgz$|\.tsbuildinfo$/
    expect(paths.filter((path) => unwanted.test(path))).toEqual([])
  })

  it('hold whatever can be imported', () => {
    const named = entries.flatMap(([, source]) => {
      const built = source.replace(/^src/, 'dist').replace(/\.ts$/, '')
      return [source, `${built}.js`, `${built}.d.ts`]
    })
    expect(named.filter((path) => !paths.includes(path))).toEqual([])
  })

  it('link to what is packed too, or to pages of the web', () => {
    const broken = paths
      .filter((path) => path.endsWith('.md'))
      .flatMap((page) => {
        const text = readFileSync(page, 'utf8')
          .replace(/^```[^]*?^```$/gm, '')
          .replace(/`[^`\n]*`/g, '``')
        const targets = [...text.matchAll(/\]\(([^)\s#]+)|^\[[^\]]+\]: +([^\s#]+)/gm)].map(
          ([, inline, defined]) => inline ?? defined ?? '',
        )
        return targets
          .filter((target) => !/^https:/.test(target))
          .filter((target) => !paths.includes(join(dirname(page), target)))
          .map((target) => `${page}: ${target}`)
      })
    expect(broken).toEqual([])
  })

  it('have maps that lead to the packed sources', () => {
    const maps = paths.filter((path) => path.endsWith('.map'))
    expect(maps.length).toBeGreaterThan(200)
    const lost = maps.filter((path) => {
      const { sources } = JSON.parse(readFileSync(path, 'utf8')) as { readonly sources: readonly string[] }
      return sources.some((source) => !paths.includes(join(dirname(path), source)))
    })
    expect(lost).toEqual([])
  })

  it('bring Middy packages of the majors that are installed here, each by one range', () => {
    const ranges = Object.entries(manifest.dependencies).filter(([name]) => name.startsWith('@middy/'))
    expect(ranges.length).toBeGreaterThan(2)
    for (const [name, range] of ranges) {
      const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as {
        readonly version: string
      }
      expect([name, range]).toEqual([
        name,
        expect.stringMatching(new RegExp(`^\\^${version.split('.')[0]}[.\\d]*$`)),
      ])
    }
  })

  it('would be published as they are: npm corrects nothing in the manifest', () => {
    const { status, stderr } = run('npm', ['publish', '--dry-run', '--ignore-scripts'], '.')
    expect(status, stderr).toBe(0)
    expect(stderr).not.toMatch(/auto-corrected|errors corrected|invalid/i)
  })

  it('name no place on the machine that built them', () => {
    const places = [process.cwd(), homedir()].filter((place) => place.length > 1)
    const telling = paths.filter((path) => {
      const text = readFileSync(path, 'utf8')
      return places.some((place) => text.includes(`${place}/`))
    })
    expect(telling).toEqual([])
  })
})

/** Why nothing can be installed here, if so: neither is it in npm's cache nor can the registry be reached. */
let offline: string | undefined

beforeAll(() => {
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "name": "newcomer", "private": true }')
  const wanted = [join('..', filename), `@middy/core@${manifest.devDependencies['@middy/core'] ?? ''}`]
  const install = (...flags: string[]) =>
    run('npm', ['install', ...flags, '--no-audit', '--no-fund', ...wanted], project)
  if (install('--offline').status === 0) return
  const { status, stderr } = install('--prefer-offline')
  if (status === 0) return
  const network = /\b(?:ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT)\b/.exec(stderr)
  if (network === null) throw new Error(stderr)
  offline = `npm cannot install here (${network[0]})`
}, 120_000)

const modules = {
  'index.mjs': `
    import middy from '@middy/core'
    import { httpApi } from 'clearskies-middy/normalizers/http-api'
    import { httpApiEvent, invoke } from 'clearskies-middy/testing'

    const handler = middy().use(httpApi()).handler(({ path, data }) => ({ path, data }))
    console.log(JSON.stringify(await invoke(handler, httpApiEvent({ path: '/books', body: { title: 'Solaris' } }))))`,
  'index.cjs': `
    const { httpApi } = require('clearskies-middy')
    const { httpApiEvent, invoke } = require('clearskies-middy/testing')

    // Middy 7 lets itself be imported only.
    const handler = import('@middy/core').then(({ default: middy }) =>
      middy().use(httpApi()).handler(({ path, data }) => ({ path, data })))
    exports.handler = async (event, context) => (await handler)(event, context)
    invoke(exports.handler, httpApiEvent({ path: '/books', body: { title: 'Solaris' } }))
      .then((response) => console.log(JSON.stringify(response)))`,
} as const

describe('the package, installed into an empty project beside @middy/core', () => {
  it.for(Object.entries(modules))('runs a handler from %s', ([name, text], { skip }) => {
    if (offline !== undefined) skip(offline)
    writeFileSync(join(project, name), text)
    const { stdout, stderr } = run(process.execPath, ['--disable-warning=ExperimentalWarning', name], project)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      statusCode: 200,
      body: '{"path":"/books","data":{"title":"Solaris"}}',
    })
  })

  it('brings no AWS client and no database driver along', ({ skip }) => {
    if (offline !== undefined) skip(offline)
    const { stdout } = run('npm', ['ls', '--all', '--parseable'], project)
    const installed = stdout.split('\n').map((path) => path.replace(/^.*node_modules\//, ''))
    expect(installed).toContain('clearskies-middy')
    expect(installed.filter((name) => /^@aws-sdk\/|^@smithy\/|^pg$|^mysql2$|^kysely$/.test(name))).toEqual([])
  })
})
