// What a bundle that is cut into chunks loads, in a process of its own: the AWS client only where it is used.
import { build } from 'esbuild'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { useAwsStandIn } from '../support/engines.ts'
import { useExtension } from '../support/extension.ts'

const aws = useAwsStandIn()
const { extension, port } = useExtension()
let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secrets-'))
})
afterAll(() => rm(directory, { recursive: true }))

/** Bundles a handler that reads a parameter. With `isAlone` the chunks that it imports late are gone. */
async function bundle(name: string, options: string, isAlone: boolean): Promise<string> {
  const outdir = join(directory, name)
  const { metafile } = await build({
    stdin: {
      contents: `import middy from '@middy/core'
        import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
        export const handler = middy()
          .use(parameterStore(${options}))
          .handler((event, { secrets }) => secrets.get('/shop/key'))`,
      resolveDir: '.',
    },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    conditions: ['clearskies-middy-source'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    metafile: true,
    absWorkingDir: process.cwd(),
  })
  const late = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter(({ kind, external }) => kind === 'dynamic-import' && external !== true),
  )
  if (isAlone) for (const { path } of late) await rm(path, { force: true })
  return join(outdir, 'stdin.mjs')
}

/** Runs the handler once: what it gives, and whether names were looked up for it. */
async function run(file: string, env: Record<string, string>): Promise<unknown> {
  const script = `const { handler } = await import(process.argv[1])
    const value = await handler({}, {})
    console.log(JSON.stringify({ value, hasDns: process.moduleLoadList.includes('NativeModule dns') }))`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script, file],
    {
      env: {
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        ...env,
      },
    },
  )
  return JSON.parse(stdout)
}

it('reads through the extension without the AWS client, and looks no name up', async () => {
  extension.answer = () => ({ Parameter: { Value: 'hunter2' } })
  const file = await bundle('extension', '{ extension: true }', true)
  expect(
    await run(file, {
      AWS_SESSION_TOKEN: 'session-token',
      PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String(port()),
    }),
  ).toEqual({ value: 'hunter2', hasDns: false })
})

it('finds the AWS client in its chunk', async () => {
  aws.server.parameters.set('/shop/key', { versions: ['hunter2'], type: 'SecureString', labels: new Map() })
  const file = await bundle('client', '', false)
  expect(await run(file, { AWS_ENDPOINT_URL: aws.server.url })).toMatchObject({ value: 'hunter2' })
})
