import { defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

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
      'test/cases/dynamodb-*.test.ts',
      'test/contract/{hono,http-sources,rich-request,middy-middlewares,tables,query-properties}.test.ts',
      'test/contract/sqs-*.test.ts',
      'test/backends/sqs-backend.test.ts',
    ],
    silent: true,
    // The modules of one file serve the next: what is mutated keeps no state of its own.
    isolate: false,
  },
})
