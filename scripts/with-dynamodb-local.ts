// Runs the tests of the DynamoDB backend beside DynamoDB Local, AWS's own. Where there is no JDK or no Maven, or
// Maven cannot get it, they are skipped.
import { testBeside } from './emulator.ts'
import { copyArtefacts } from './maven.ts'

const source = 'test/e2e/emulators/dynamodb-local'
const directory = '.emulators/dynamodb-local'

async function main(): Promise<number> {
  const why = copyArtefacts(`${source}/pom.xml`, directory)
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
    tests: ['test/e2e/emulators/dynamodb.test.ts'],
    own: ['dynamodb-local', 'dynamodb-streams'].map((name) => `test/e2e/emulators/${name}.test.ts`),
  })
}

process.exitCode = await main()
