import { defineConfig } from 'vitest/config'
import { common } from '../../../vitest.config.ts'

export default defineConfig({
  ...common,
  test: { ...common.test, include: ['*.test.ts'], exclude: ['**/node_modules/**'], testTimeout: 120_000 },
})
