import { defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

// What runs beside an emulator of AWS that is no npm package. `npm run test:moto` starts it.
export default defineConfig({
  ...config,
  test: { ...config.test, include: ['test/e2e/emulators/*.test.ts'], exclude: [] },
})
