// Builds AWS's runtime interface client and runs the shop inside it. Where that cannot be built, the tests are skipped.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'

const folder = 'test/e2e/lambda-runtime'
const client = `${folder}/client`
const installed = `${client}/node_modules/aws-lambda-ric`

/** Why the tests cannot run here, if so. */
function obstacle(): string | undefined {
  for (const tool of ['cmake', 'g++', 'openssl'])
    if (!succeeds(tool, [tool === 'openssl' ? 'version' : '--version'])) return `there is no ${tool}`
  if (isBuilt()) return undefined
  succeeds('npm', ['ci', '--prefix', client, '--no-audit', '--no-fund'])
  return isBuilt() ? undefined : 'aws-lambda-ric cannot be installed, or does not compile'
}

function isBuilt(): boolean {
  if (!existsSync(`${installed}/rapid-client.node`)) return false
  const { dependencies } = read(`${client}/package.json`)
  return read(`${installed}/package.json`).version === dependencies?.['aws-lambda-ric']
}

interface Manifest {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

function read(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest
}

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 600_000 }).status === 0
}

async function main(): Promise<number> {
  const reason = obstacle()
  if (reason !== undefined) {
    console.log(`The tests on the Lambda runtime are skipped: ${reason}`)
    return 0
  }
  // The table of cold starts is meant to be read.
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'lambda', '--silent=false']
  const tests = spawn(process.execPath, [...vitest, ...process.argv.slice(2)], { stdio: 'inherit' })
  const [code] = (await once(tests, 'exit')) as [number | null]
  return code ?? 1
}

process.exitCode = await main()
