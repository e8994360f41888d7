import { defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

// What has to notice a changed operator in what is mutated: no engines of others, no processes, no browsers.
export default defineConfig({
  ...config,
  test: {
    ...config.test,
    include: [
      'test/normalizers/**/*.test.ts',
      'test/middleware/{json-body,validate}.test.ts',
      'test/cases/{http,sqs}-*.test.ts',
      'test/cases/dynamodb-{plans,wide-indexes,conditions,alternatives}.test.ts',
      'test/contract/{hono,http,middy,sqs}-*.test.ts',
      'test/backends/sqs-backend.test.ts',
    ],
    silent: true,
  },
})
