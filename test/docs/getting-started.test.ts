// Pages that begin with an empty folder are followed to the letter, with the packed package, as far as deploying.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'getting-started-'))
const folder = join(directory, 'hello')
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
}, 120_000)

/** A file that a section tells to write, or commands that it tells to run. */
type Step = { readonly file: string; readonly text: string } | { readonly commands: string }

/** The steps of a section, in their order; without a title, those in front of the first section. */
function stepsOf(page: string, title?: string): Step[] {
  const [start, ...sections] = readFileSync(`docs/${page}.md`, 'utf8').split(/^## /m)
  const section = title === undefined ? start : sections.find((text) => text.startsWith(`${title}\n`))
  if (section === undefined) throw new Error(`${page} has no section ${String(title)}`)
  return [...section.matchAll(/(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n([^]*?)^```$/gm)].map(
    ([, file, language, text = '']) => {
      if (file !== undefined) return { file, text }
      if (language !== 'sh') throw new Error(`A block of ${String(language)} has no file`)
      return { commands: text }
    },
  )
}

/** Of npm's own variables a user's shell has none; Node is the one that runs this test. */
const env = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$|^VITEST|^NODE_ENV$/.test(name)),
  ),
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
  CI: '1',
  SLS_TELEMETRY_DISABLED: '1',
  SAM_CLI_TELEMETRY: '0',
}

/** Runs commands as a shell does, and ends with the first that fails. */
function run(commands: string, cwd: string) {
  return spawnSync('sh', ['-e', '-c', commands], { cwd, env, encoding: 'utf8' })
}

const network = /\b(?:ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|E404)\b/

/** What ends with the account of AWS, which a test has not. */
const deploys = /\b(?:deploy|bootstrap)\b/

let tarball = ''
let offline: string | undefined

/** Takes the steps of a section. Gives why it cannot be done here, if packages cannot be installed. */
function follow(page: string, title?: string): string | undefined {
  for (const step of stepsOf(page, title)) {
    if ('file' in step) {
      writeFileSync(join(folder, step.file), step.text)
      continue
    }
    if (deploys.test(step.commands)) continue
    const commands = step.commands
      .replace('npm install clearskies-middy ', `npm install ${tarball} `)
      .replaceAll('npm install', 'npm install --prefer-offline --no-audit --no-fund')
    const { status, stdout, stderr } = run(commands, folder)
    const unreachable = network.exec(stderr)
    if (status !== 0 && unreachable !== null) return `npm cannot install here (${unreachable[0]})`
    expect(status, `${commands}\n${stdout}\n${stderr}`).toBe(0)
  }
  return undefined
}

beforeAll(() => {
  mkdirSync(folder)
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory]
  const { stdout, stderr } = spawnSync('npm', args, { env, encoding: 'utf8' })
  const [packed] = JSON.parse(stdout || '[]') as { readonly filename: string }[]
  if (packed === undefined) throw new Error(stderr)
  tarball = join(directory, packed.filename)
  offline = follow('getting-started', 'The function')
}, 300_000)

describe('getting started', () => {
  it('the function is compiled, tested and bundled, and the bundle answers an event', ({ skip }) => {
    if (offline !== undefined) skip(offline)
    const script = `
      const { httpApiEvent, invoke } = await import('clearskies-middy/testing')
      const { handler } = await import('./dist/handler.cjs')
      console.log(JSON.stringify(await invoke(handler, httpApiEvent({ path: '/?name=Ursula' }))))`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      env,
      encoding: 'utf8',
    })
    expect(JSON.parse(stdout || JSON.stringify(stderr))).toMatchObject({
      statusCode: 200,
      body: '{"hello":"Ursula"}',
    })
  })

  // Each brings hundreds of packages: in a whole run only.
  it.for([
    ['SAM', 'sam --version'],
    ['CDK', 'npm --version'],
    ['Serverless Framework', 'npm --version'],
  ] as const)(
    'the template of %s is taken by the tool, as far as deploying',
    { timeout: 600_000 },
    ([title, probe], { skip }) => {
      if (process.env['WHOLE'] !== '1') skip('only with WHOLE=1')
      if (offline !== undefined) skip(offline)
      if (run(probe, directory).status !== 0) skip(`${title} is not installed`)
      const reason = follow('getting-started', title)
      if (reason !== undefined) skip(reason)
    },
  )
})

describe('test runners', () => {
  it.for([['vitest'], ['`node:test`'], ['Jest']] as const)(
    'the test of the page passes in %s',
    { timeout: 600_000 },
    ([title], { skip }) => {
      if (process.env['WHOLE'] !== '1' && title !== '`node:test`') skip('only with WHOLE=1')
      if (offline !== undefined) skip(offline)
      const reason = follow('test-runners') ?? follow('test-runners', title)
      if (reason !== undefined) skip(reason)
    },
  )
})
