import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { median, table } from './harness.ts'

/** What a module costs at the start. */
export interface ImportCost {
  readonly name: string
  /** Of the bundle, minified. */
  readonly bytes: number
  /** Milliseconds of processor time to import the bundle, median of fresh processes. */
  readonly bundled: number
  /** The same of the files as they are installed. */
  readonly files: number
}

const product = '{ id: z.string(), title: z.string(), price: z.number(), tags: z.array(z.string()) }'
const zodProduct = `export const Product = z.object(${product})`

/** One schema of four columns, by each library. */
const schemas: Readonly<Record<string, string>> = {
  'an empty module': 'export {}',
  "zod, `import * as z from 'zod'`": `import * as z from 'zod'\n${zodProduct}`,
  "zod, `import { z } from 'zod'`": `import { z } from 'zod'\n${zodProduct}`,
  'zod/mini': `import * as z from 'zod/mini'\n${zodProduct}`,
  valibot: `import * as z from 'valibot'\n${zodProduct}`,
  arktype: `import { type } from 'arktype'\nexport const Product = type({ id: 'string', title: 'string', price: 'number', tags: 'string[]' })`,
  'typebox with its compiler': `import * as z from 'typebox'\nimport { Compile } from 'typebox/compile'\nexport const Product = Compile(z.Object({ id: z.String(), title: z.String(), price: z.Number(), tags: z.Array(z.String()) }))`,
}

const dist = JSON.stringify(resolve('../dist')).slice(1, -1)

/** What is many small files when it is not bundled. */
const entries: Readonly<Record<string, string>> = {
  'an empty module': 'export {}',
  'clearskies-middy/errors': `export * from '${dist}/errors/index.js'`,
  'clearskies-middy, the root': `export * from '${dist}/index.js'`,
  'clearskies-middy/normalizers/http-api': `export * from '${dist}/normalizers/http-api.js'`,
  'clearskies-middy/backends/dynamodb': `export * from '${dist}/backends/dynamodb.js'`,
}

/** Lambda's runtime has loaded `node:http` before the handler's module is imported. */
const loader = `require('node:http'); require('node:https')
const before = process.cpuUsage()
import(process.argv[2]).then(() => {
  const { user, system } = process.cpuUsage(before)
  process.stdout.write(String((user + system) / 1000))
})`

async function benchImports(
  sources: Readonly<Record<string, string>>,
  processes: number,
): Promise<ImportCost[]> {
  const directory = resolve('.bench/imports')
  mkdirSync(directory, { recursive: true })
  const loaderFile = join(directory, 'loader.cjs')
  writeFileSync(loaderFile, loader)
  const modules: { name: string; bundle: string; file: string }[] = []
  for (const [index, [name, contents]] of Object.entries(sources).entries()) {
    const [bundle, file] = [join(directory, `${index}.bundle.mjs`), join(directory, `${index}.mjs`)]
    writeFileSync(file, contents)
    await build({
      entryPoints: [file],
      outfile: bundle,
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node22',
      format: 'esm',
      logLevel: 'error',
      external: ['@aws-sdk/*', 'kysely', 'pg', 'mysql2'],
    })
    modules.push({ name, bundle, file })
  }
  const times = new Map<string, number[]>()
  // Round by round and not module by module, so that what else the machine does meets all of them.
  for (let round = 0; round < processes; round++) {
    for (const path of modules.flatMap(({ bundle, file }) => [bundle, file])) {
      const { stdout, stderr, status } = spawnSync(process.execPath, [loaderFile, path], { encoding: 'utf8' })
      if (status !== 0) throw new Error(stderr)
      times.set(path, [...(times.get(path) ?? []), Number(stdout)])
    }
  }
  return modules.map(({ name, bundle, file }) => ({
    name,
    bytes: statSync(bundle).size,
    bundled: median(times.get(bundle) ?? []),
    files: median(times.get(file) ?? []),
  }))
}

/** What schema libraries cost at the start. */
export const benchSchemas = (processes: number): Promise<ImportCost[]> => benchImports(schemas, processes)

/** What entries of the library cost, bundled and as files. */
export const benchFiles = (processes: number): Promise<ImportCost[]> => benchImports(entries, processes)

export function importTable(title: string, rows: readonly ImportCost[]): string {
  return table(
    title,
    ['', 'minified', 'bundle ms', 'files ms'],
    rows.map(({ name, bytes, bundled, files }) => [
      name,
      `${(bytes / 1024).toFixed(0)} KB`,
      bundled.toFixed(1),
      files.toFixed(1),
    ]),
  )
}
