import { defineConfig } from 'vitest/config'
import config from '../../../vitest.config.ts'

// What runs inside AWS's own runtime interface client. `npm run test:lambda` builds that first.
export default defineConfig({
  ...config,
  test: {
    ...config.test,
    include: ['test/e2e/lambda-runtime/*.test.ts'],
    exclude: ['**/node_modules/**'],
    // The table of cold starts is meant to be read.
    silent: false,
  },
})
