import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import config from './vitest.config.ts'

/** The quickest first: one failure is enough, and tables without an engine fail within milliseconds. */
class QuickestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      /normalizers|-(?:plans|ranges|choices|wide-indexes|outcomes)\.test/.test(moduleId)
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
  ...config,
  test: {
    ...config.test,
    include: [
      'test/normalizers/**/*.test.ts',
      'test/middleware/{json-body,validate}.test.ts',
      'test/cases/{http,sqs}-*.test.ts',
      'test/cases/dynamodb-{plans,ranges,choices,wide-indexes,conditions,alternatives,reading,updates}.test.ts',
      'test/contract/{hono,http-sources,rich-request,middy-middlewares,tables,query-properties}.test.ts',
      'test/contract/sqs-*.test.ts',
      'test/backends/sqs-backend.test.ts',
    ],
    silent: true,
    sequence: { sequencer: QuickestFirst },
    // The modules of one file serve the next: what is mutated keeps no state of its own.
    isolate: false,
  },
})
