import { defineConfig } from 'vitest/config'

const conditions = ['clearskies-middy-source']

export default defineConfig({
  // Tests read the sources, by the names that users import.
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/e2e/lambda-runtime/**',
      'test/e2e/emulators/**',
      'test/e2e/databases/**',
      'test/e2e/browser/**',
      '**/node_modules/**',
    ],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A handler's log is part of what is tested; the rest stays quiet.
    silent: 'passed-only',
    env: { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
  },
})
