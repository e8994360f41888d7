import { defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

// What runs beside database servers; `npm run test:databases` starts them. One file at a time: they share a clock.
export default defineConfig({
  ...config,
  test: { ...config.test, include: ['test/e2e/databases/*.test.ts'], exclude: [], fileParallelism: false },
})
