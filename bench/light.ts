import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { median, table } from './harness.ts'

/** What a handler with a client of AWS costs before its first invocation. */
export interface LightStart {
  readonly name: string
  /** Milliseconds of import, and of processor time for it, above a handler that has nothing. */
  readonly import: number
  readonly cpu: number
  /** Minified; packages of the SDK are the runtime's own. */
  readonly bytes: number
}

const dist = JSON.stringify(resolve('../dist')).slice(1, -1)
const backend = `import { DynamoDbBackend } from '${dist}/backends/dynamodb.js'
  import { model } from '${dist}/backends/model.js'
  const schema = { '~standard': { version: 1, vendor: 'bench', validate: (value) => ({ value }) } }
  const Thing = model({ name: 'things', key: ['id'], schema })`
const light = `import { light } from '${dist}/clients/light.js'`

const sources: Readonly<Record<string, string>> = {
  'empty handler': 'export const handler = async () => 1',
  'DynamoDbBackend, light()': `${backend}; ${light}
    const things = new DynamoDbBackend(Thing, { client: light() })
    export const handler = () => things.find({ id: '1' })`,
  'DynamoDbBackend, SqsBackend, parameterStore(), light()': `${backend}; ${light}
    import { SqsBackend } from '${dist}/backends/sqs.js'
    import { parameterStore } from '${dist}/middleware/parameter-store.js'
    const things = new DynamoDbBackend(Thing, { client: light() })
    const queue = new SqsBackend(model({ name: 'https://sqs.eu-central-1.amazonaws.com/1/q', schema }), { client: light() })
    const secrets = parameterStore({ client: light() })
    export const handler = () => [things, queue, secrets]`,
  'client-dynamodb of the SDK': `import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
    const client = new DynamoDBClient({})
    export const handler = () => client.send(new GetItemCommand({ TableName: 'things', Key: { id: { S: '1' } } }))`,
  '@aws-lite/client': `import awsLite from '@aws-lite/client'
    import dynamodb from '@aws-lite/dynamodb'
    const aws = awsLite({ region: 'eu-central-1', plugins: [dynamodb] })
    export const handler = async () => (await aws).DynamoDB.GetItem({ TableName: 'things', Key: { id: '1' } })`,
}

/** Lambda's runtime has loaded `node:http` and `node:https` before the handler's module is imported. */
const loader = `import { createRequire } from 'node:module'
createRequire(import.meta.url)('node:https')
const before = process.cpuUsage()
const start = process.hrtime.bigint()
await import(process.argv[2])
const { user, system } = process.cpuUsage(before)
process.stdout.write(JSON.stringify([Number(process.hrtime.bigint() - start) / 1e6, (user + system) / 1000]))`

export async function benchLight(processes: number): Promise<LightStart[]> {
  const directory = resolve('.bench/light')
  mkdirSync(directory, { recursive: true })
  const loaderFile = join(directory, 'loader.mjs')
  writeFileSync(loaderFile, loader)
  const bundles: { name: string; file: string; times: number[]; cpu: number[] }[] = []
  for (const [index, [name, contents]] of Object.entries(sources).entries()) {
    const file = join(directory, `${index}.mjs`)
    await build({
      stdin: { contents, resolveDir: resolve('.'), loader: 'js' },
      outfile: file,
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node22',
      format: 'esm',
      logLevel: 'error',
      // The SDK's own row has its client in the bundle, which is the faster way.
      external: name.includes('SDK') ? [] : ['@aws-sdk/*', '@middy/ssm', '@middy/secrets-manager'],
      banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
    })
    bundles.push({ name, file, times: [], cpu: [] })
  }
  for (let round = 0; round < processes; round++)
    for (const { file, times, cpu } of bundles) {
      const { stdout, stderr, status } = spawnSync(process.execPath, [loaderFile, file], {
        encoding: 'utf8',
        env: {
          ...process.env,
          AWS_REGION: 'eu-central-1',
          AWS_ACCESS_KEY_ID: 'a',
          AWS_SECRET_ACCESS_KEY: 'b',
        },
      })
      if (status !== 0) throw new Error(stderr)
      const [time, spent] = JSON.parse(stdout) as [number, number]
      times.push(time)
      cpu.push(spent)
    }
  const [empty] = bundles
  return bundles.map(({ name, file, times, cpu }) => ({
    name,
    import: median(times) - median(empty?.times ?? []),
    cpu: median(cpu) - median(empty?.cpu ?? []),
    bytes: statSync(file).size,
  }))
}

export function lightTable(rows: readonly LightStart[]): string {
  return table(
    'Clients of AWS: import of a bundled handler above an empty one, fresh processes',
    ['', 'ms', 'CPU ms', 'minified'],
    rows.map(({ name, import: time, cpu, bytes }) => [
      name,
      time.toFixed(1),
      cpu.toFixed(1),
      `${(bytes / 1024).toFixed(1)} KB`,
    ]),
  )
}
