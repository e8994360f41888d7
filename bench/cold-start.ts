import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { median, table } from './harness.ts'

/** One contender's handler, bundled and minified. */
export interface ColdStart {
  readonly name: string
  /** Milliseconds from the import to its end, median of fresh processes in which `node:http` is there already. */
  readonly esm: number
  readonly cjs: number
  /** Of the ES module, minified. */
  readonly bytes: number
}

const middy = `import middy from '@middy/core'\n`
const dist = JSON.stringify(resolve('../dist')).slice(1, -1)

const sources: Readonly<Record<string, string>> = {
  'bare Middy': `${middy}export const handler = middy().handler(async (e) => ({ statusCode: 200, body: JSON.stringify({ data: JSON.parse(e.body) }) }))`,
  ...Object.fromEntries(
    (['http-api', 'alb', 'rest-api'] as const).map((name) => {
      const factory = name.replace(/-a/, 'A').replace(/pi$/, 'pi')
      return [
        `clearskies-middy ${factory}()`,
        `${middy}import { ${factory} } from '${dist}/normalizers/${name}.js'\nexport const handler = middy().use(${factory}()).handler(async ({ data }) => ({ data }))`,
      ]
    }),
  ),
  "Middy's HTTP middlewares": `${middy}import a from '@middy/http-event-normalizer'\nimport b from '@middy/http-header-normalizer'\nimport c from '@middy/http-json-body-parser'\nimport d from '@middy/http-response-serializer'\nimport e from '@middy/http-error-handler'\nexport const handler = middy().use(a()).use(b()).use(c()).use(d({ serializers: [{ regex: /json/, serializer: ({ body }) => JSON.stringify(body) }], defaultContentType: 'application/json' })).use(e()).handler(async ({ body }) => ({ statusCode: 200, body }))`,
  'Hono (hono/aws-lambda)': `import { Hono } from 'hono'\nimport { handle } from 'hono/aws-lambda'\nconst app = new Hono()\napp.post('/', async (c) => c.json({ data: await c.req.json() }))\nexport const handler = handle(app)`,
  'Powertools event handler': `import { Router } from '@aws-lambda-powertools/event-handler/http'\nconst app = new Router()\napp.post('/', async ({ req }) => ({ data: await req.json() }))\nexport const handler = (event, context) => app.resolve(event, context)`,
  'lambda-api': `import createApi from 'lambda-api'\nconst api = createApi()\napi.post('/', (req, res) => { res.json({ data: req.body }) })\nexport const handler = (event, context) => api.run(event, context)`,
  'serverless-http with Express': `import express from 'express'\nimport serverless from 'serverless-http'\nconst app = express()\napp.use(express.json())\napp.post('/', (req, res) => { res.json({ data: req.body }) })\nexport const handler = serverless(app)`,
  '@fastify/aws-lambda': `import fastify from 'fastify'\nimport adapt from '@fastify/aws-lambda'\nconst app = fastify()\napp.post('/', async (request) => ({ data: request.body }))\nexport const handler = adapt(app)`,
}

/** Lambda's runtime has loaded `node:http` before the handler's module is imported. */
const loader = `require('node:http'); require('node:https')
const start = process.hrtime.bigint()
const done = () => process.stdout.write(String(Number(process.hrtime.bigint() - start) / 1e6))
process.argv[2].endsWith('.mjs') ? import(process.argv[2]).then(done) : (require(process.argv[2]), done())`

export async function benchColdStart(processes: number): Promise<ColdStart[]> {
  const directory = resolve('.bench/cold')
  mkdirSync(directory, { recursive: true })
  const loaderFile = join(directory, 'loader.cjs')
  writeFileSync(loaderFile, loader)
  const bundles: { name: string; esm: string; cjs: string }[] = []
  for (const [index, [name, contents]] of Object.entries(sources).entries()) {
    const files = { esm: join(directory, `${index}.mjs`), cjs: join(directory, `${index}.cjs`) }
    for (const format of ['esm', 'cjs'] as const) {
      await build({
        stdin: { contents, resolveDir: resolve('.'), loader: 'js' },
        outfile: files[format],
        bundle: true,
        minify: true,
        platform: 'node',
        target: 'node22',
        format,
        logLevel: 'error',
        // Packages that are CommonJS inside ask for built-in modules by require().
        ...(format === 'esm' && {
          banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
        }),
      })
    }
    bundles.push({ name, ...files })
  }
  const times = new Map<string, number[]>()
  // Round by round and not contender by contender, so that what else the machine does meets all of them.
  for (let round = 0; round < processes; round++) {
    for (const { esm, cjs } of bundles) {
      for (const file of [esm, cjs]) {
        const { stdout, stderr, status } = spawnSync(process.execPath, [loaderFile, file], {
          encoding: 'utf8',
        })
        if (status !== 0) throw new Error(stderr)
        times.set(file, [...(times.get(file) ?? []), Number(stdout)])
      }
    }
  }
  return bundles.map(({ name, esm, cjs }) => ({
    name,
    esm: median(times.get(esm) ?? []),
    cjs: median(times.get(cjs) ?? []),
    bytes: statSync(esm).size,
  }))
}

/** The normalizers alone, as a bundler leaves them: what they add to a handler. */
export async function benchEntries(): Promise<{ readonly name: string; readonly bytes: number }[]> {
  const names = ['alb', 'rest-api', 'http-api', 'any-http', 'sqs', 'invocation']
  return Promise.all(
    names.map(async (name) => {
      const { outputFiles } = await build({
        entryPoints: [`../dist/normalizers/${name}.js`],
        bundle: true,
        minify: true,
        platform: 'node',
        target: 'node22',
        format: 'esm',
        write: false,
      })
      return { name, bytes: outputFiles[0]?.contents.length ?? 0 }
    }),
  )
}

export function coldStartTable(rows: readonly ColdStart[]): string {
  return table(
    'Cold start: import of a bundled handler, fresh processes',
    ['', 'ESM ms', 'CJS ms', 'minified'],
    rows.map(({ name, esm, cjs, bytes }) => [
      name,
      esm.toFixed(1),
      cjs.toFixed(1),
      `${(bytes / 1024).toFixed(1)} KB`,
    ]),
  )
}

export function entriesTable(rows: readonly { readonly name: string; readonly bytes: number }[]): string {
  return table(
    'Entries, minified',
    ['', ''],
    rows.map(({ name, bytes }) => [name, `${(bytes / 1024).toFixed(1)} KB`]),
  )
}
