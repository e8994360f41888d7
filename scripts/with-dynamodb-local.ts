// Runs the tests of the DynamoDB backend beside DynamoDB Local, AWS's own. Where there is no JDK or no Maven, or
// Maven cannot get it, they are skipped.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { succeeds, testBeside } from './emulator.ts'

const source = 'test/emulators/dynamodb-local'
const pom = `${source}/pom.xml`
const directory = '.emulators/dynamodb-local'
/** Stands beside what it names as soon as all of that is there. */
const copied = `${directory}/pom.xml`
const oldestJava = 17

/** Why the tests cannot run here, if so. */
function obstacle(): string | undefined {
  // The compiler's, for one class is compiled: a runtime alone will not do.
  const version = javaVersion()
  if (version === undefined) return 'there is no JDK'
  if (version < oldestJava) return `the JDK is ${version}, and ${oldestJava} is needed`
  if (isThere()) return undefined
  if (!succeeds('mvn', ['--version'])) return 'there is no mvn'
  const copy = ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime']
  if (!succeeds('mvn', [...copy, `-DoutputDirectory=${process.cwd()}/${directory}`]))
    return `mvn cannot get what ${pom} names`
  copyFileSync(pom, copied)
  return undefined
}

/** What was copied is kept until the POM names something else. */
function isThere(): boolean {
  if (existsSync(copied) && readFileSync(copied, 'utf8') === readFileSync(pom, 'utf8')) return true
  rmSync(directory, { recursive: true, force: true })
  return false
}

function javaVersion(): number | undefined {
  const { status, stdout } = spawnSync('javac', ['-version'], { encoding: 'utf8' })
  const version = /javac (\d+)/.exec(stdout)?.[1]
  return status === 0 && version !== undefined ? Number(version) : undefined
}

async function main(): Promise<number> {
  const why = obstacle()
  if (why !== undefined) {
    console.log(`The tests beside DynamoDB Local are skipped: ${why}`)
    return 0
  }
  return testBeside({
    title: 'DynamoDB Local',
    command: 'java',
    args: (port) => [
      `-Djava.library.path=${directory}`,
      ...['-cp', `${directory}/*`, `${source}/Loopback.java`],
      ...['-inMemory', '-disableTelemetry', '-port', `${port}`],
    ],
    // It answers what is no request with an error, as AWS does.
    isReady: async (endpoint) => (await fetch(endpoint)).status === 400,
    variable: 'DYNAMODB_LOCAL_ENDPOINT',
    tests: ['test/emulators/dynamodb.test.ts'],
  })
}

process.exitCode = await main()
