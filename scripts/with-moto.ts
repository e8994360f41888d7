// Runs the emulator suite beside moto's server, in a Python environment of its own. Where there is none, it is skipped.
import { existsSync } from 'node:fs'
import { succeeds, testBeside } from './emulator.ts'

const requirement = 'moto[server]==5.2.5'
const environment = '.emulators/moto'
const python = `${environment}/bin/python`

/** Why the suite cannot run here, if so. */
function install(): string | undefined {
  if (!succeeds('python3', ['--version'])) return 'there is no python3'
  if (!existsSync(python) && !succeeds('python3', ['-m', 'venv', environment]))
    return 'python3 cannot make a virtual environment'
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement]
  return succeeds(python, pip) ? undefined : `pip cannot install ${requirement}`
}

const testFiles = (...names: readonly string[]): string[] =>
  names.map((name) => `test/e2e/emulators/${name}.test.ts`)

async function main(): Promise<number> {
  const obstacle = install()
  if (obstacle !== undefined) {
    console.log(`The tests beside moto are skipped: ${obstacle}`)
    return 0
  }
  return testBeside({
    title: 'moto',
    command: python,
    args: (port) => ['-m', 'moto.server', '-H', '127.0.0.1', '-p', `${port}`],
    isReady: async (endpoint) => (await fetch(`${endpoint}/moto-api/data.json`)).ok,
    variable: 'MOTO_ENDPOINT',
    tests: testFiles('dynamodb', 'secrets', 'sqs'),
    // The light client has no streams and no topics.
    own: testFiles('dynamodb-streams', 'kinesis', 'sns'),
  })
}

process.exitCode = await main()
