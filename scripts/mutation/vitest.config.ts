import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { common } from '../../vitest.config.ts'

/** The quickest first: one failure is enough, and tables without an engine fail within milliseconds. */
class QuickestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      /test\/(?:http|events)\/(?!properties)|\/(?:plans|ranges|choices|wide-indexes|sender-outcomes)\.test/.test(
        moduleId,
      )
        ? 0
        : moduleId.includes('properties')
          ? 2
          : 1
    return Promise.resolve(files.toSorted((a, b) => rank(a) - rank(b)))
  }
}

// What has to notice a changed operator in what is mutated: no engines of others, no processes, no browsers, and of the
// properties only those that take milliseconds.
export default defineConfig({
  ...common,
  test: {
    ...common.test,
    include: [
      'test/{http,events,records,streaming,web-socket}/**/!(growth).test.ts',
      'test/backends/dynamodb/{plans,ranges,choices,wide-indexes,conditions,alternatives,reading,updates}.test.ts',
      'test/backends/{tables,query-properties}.test.ts',
      'test/backends/sqs/*.test.ts',
    ],
    silent: true,
    sequence: { sequencer: QuickestFirst },
    // The modules of one file serve the next: what is mutated keeps no state of its own.
    isolate: false,
  },
})
