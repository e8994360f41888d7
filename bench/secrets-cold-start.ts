import { type BuildOptions, build } from 'esbuild'
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { median, table } from './harness.ts'

/** What one contender takes from nothing to the first value. */
export interface FirstValue {
  readonly name: string
  /** Milliseconds to import the bundled handler and run its first invocation, median of fresh processes, by bundle. */
  readonly times: Readonly<Record<Form, number>>
}

type Form = 'ESM' | 'CJS' | 'ESM, chunks' | 'CJS, SDK apart'

/**
 * A bundle in one file holds the AWS SDK whether it is used or not, and the whole file is parsed. What is imported late is
 * left for later by a bundle in chunks, and by one that leaves the SDK to Lambda, which has it.
 */
const forms: Readonly<Record<Form, BuildOptions>> = {
  ESM: { format: 'esm' },
  CJS: { format: 'cjs' },
  'ESM, chunks': { format: 'esm', splitting: true },
  'CJS, SDK apart': { format: 'cjs', external: ['@aws-sdk/*'] },
}

const middy = `import middy from '@middy/core'\n`
const ours = JSON.stringify(resolve('../dist/middleware/parameter-store.js'))
const lightClient = JSON.stringify(resolve('../dist/clients/light.js'))
const parameterStore = (options: string, imports = ''): string =>
  `${middy}${imports}import { parameterStore } from ${ours}\nexport const handler = middy().use(parameterStore(${options})).handler((event, { secrets }) => secrets.get('/shop/key'))`

/** The same handler by each: it gives the value of one parameter. */
const sources: Readonly<Record<string, string>> = {
  'nothing: a handler with the value in it': `export const handler = async () => 'hunter2'`,
  'bare Middy, nothing read': `${middy}export const handler = middy().handler(async () => 'hunter2')`,
  'clearskies-middy, extension': parameterStore('{ extension: true }'),
  'clearskies-middy, light()': parameterStore(
    '{ client: light() }',
    `import { light } from ${lightClient}\n`,
  ),
  'clearskies-middy, AWS SDK': parameterStore(''),
  '@middy/ssm': `${middy}import ssm from '@middy/ssm'\nexport const handler = middy().use(ssm({ fetchData: { key: '/shop/key' }, setToContext: true })).handler(async (event, { key }) => key)`,
  'Powertools getParameter': `import { getParameter } from '@aws-lambda-powertools/parameters/ssm'\nexport const handler = () => getParameter('/shop/key', { decrypt: true })`,
}

/** Lambda's runtime has loaded `node:http` before the handler's module is imported. */
const loader = `require('node:http'); require('node:https')
const start = process.hrtime.bigint()
const run = async ({ handler }) => {
  const value = await handler({}, { getRemainingTimeInMillis: () => 30000 })
  const elapsed = Number(process.hrtime.bigint() - start) / 1e6
  if (value !== 'hunter2') throw new Error('Another value: ' + value)
  process.stdout.write(String(elapsed), () => process.exit())
}
const file = process.argv[2]
file.endsWith('.mjs') ? import(file).then(run) : run(require(file))`

export async function benchFirstValue(processes: number): Promise<FirstValue[]> {
  const directory = resolve('.bench/first-value')
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const loaderFile = join(directory, 'loader.cjs')
  writeFileSync(loaderFile, loader)
  const bundles: { name: string; form: string; file: string; times: number[] }[] = []
  for (const [name, contents] of Object.entries(sources)) {
    for (const [form, options] of Object.entries(forms))
      bundles.push({
        name,
        form,
        file: await bundle(contents, join(directory, `${bundles.length}`), options),
        times: [],
      })
  }
  const { server, env } = await startServer()
  // Round by round and not contender by contender, so that what else the machine does meets all of them.
  for (let round = 0; round < processes; round++) {
    for (const { file, times } of bundles) {
      const { stdout, stderr, status } = spawnSync(process.execPath, [loaderFile, file], {
        encoding: 'utf8',
        env,
      })
      if (status !== 0) throw new Error(stderr.slice(-2000))
      times.push(Number(stdout))
    }
  }
  server.disconnect()
  return Object.keys(sources).map((name) => ({
    name,
    times: Object.fromEntries(
      bundles.filter((one) => one.name === name).map(({ form, times }) => [form, median(times)]),
    ) as Record<Form, number>,
  }))
}

async function bundle(contents: string, outdir: string, options: BuildOptions): Promise<string> {
  const isModule = options.format === 'esm'
  await build({
    stdin: { contents, resolveDir: resolve('.'), loader: 'js', sourcefile: 'handler.js' },
    outdir,
    outExtension: { '.js': isModule ? '.mjs' : '.cjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node22',
    logLevel: 'error',
    // Packages that are CommonJS inside ask for built-in modules by require().
    ...(isModule && {
      banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
    }),
    ...options,
  })
  return join(outdir, `stdin.${isModule ? 'mjs' : 'cjs'}`)
}

async function startServer(): Promise<{ readonly server: ChildProcess; readonly env: NodeJS.ProcessEnv }> {
  const credentials = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_SESSION_TOKEN: 'bench',
  }
  const server = fork(resolve('secrets-server.ts'), { env: credentials, execArgv: [] })
  const [{ endpoint, port }] = (await once(server, 'message')) as [{ endpoint: string; port: number }]
  return {
    server,
    env: {
      ...credentials,
      AWS_ENDPOINT_URL: endpoint,
      PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String(port),
    },
  }
}

export function firstValueTable(rows: readonly FirstValue[]): string {
  const names = Object.keys(forms) as Form[]
  return table(
    'First value, ms, and above nothing: import of a bundled handler and its first invocation, fresh processes',
    ['', ...names],
    rows.map(({ name, times }) => [
      name,
      ...names.map((form) => {
        const above = times[form] - (rows[0]?.times[form] ?? 0)
        return `${times[form].toFixed(1)} ${`${above < 0 ? '' : '+'}${above.toFixed(1)}`.padStart(6)}`
      }),
    ]),
  )
}
