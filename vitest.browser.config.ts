import { defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

// The shop's page in a real browser. `npm run test:browser` looks for one.
export default defineConfig({
  ...config,
  test: { ...config.test, include: ['test/e2e/browser/*.test.ts'], exclude: [] },
})
