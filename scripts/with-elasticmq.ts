// Runs the tests of the queue beside ElasticMQ. Where there is no JDK or no Maven, or Maven cannot get it, they are skipped.
import { testBeside } from './emulator.ts'
import { copyArtefacts } from './maven.ts'

const directory = '.emulators/elasticmq'

async function main(): Promise<number> {
  const why = copyArtefacts('test/e2e/emulators/elasticmq/pom.xml', directory)
  if (why !== undefined) {
    console.log(`The tests beside ElasticMQ are skipped: ${why}`)
    return 0
  }
  return testBeside({
    title: 'ElasticMQ',
    command: 'java',
    args: (port) => [
      '-Drest-sqs.bind-hostname=127.0.0.1',
      `-Drest-sqs.bind-port=${port}`,
      '-Drest-stats.enabled=false',
      '-Dnode-address.host=127.0.0.1',
      `-Dnode-address.port=${port}`,
      ...['-cp', `${directory}/*`, 'org.elasticmq.server.Main'],
    ],
    isReady: async (endpoint) => (await fetch(`${endpoint}/health`)).ok,
    variable: 'ELASTICMQ_ENDPOINT',
    tests: ['test/e2e/emulators/sqs.test.ts'],
  })
}

process.exitCode = await main()
