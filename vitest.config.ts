import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestProjectInlineConfiguration, type ViteUserConfig, defineConfig } from 'vitest/config'

// Each file of tests is a process of its own, and many start more: what Node has compiled once serves them all.
process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'node-compile-cache')

const conditions = ['clearskies-middy-source']

/** What every suite has in common. */
export const common: ViteUserConfig = {
  // Tests read the sources, by the names that users import.
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A handler's log is part of what is tested; the rest stays quiet.
    silent: 'passed-only',
    env: { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
  },
}

/** The suites that need more than npm, each in a folder of its own. A script starts what a suite needs. */
const beside = {
  emulators: 'test/e2e/emulators',
  databases: 'test/e2e/databases',
  browser: 'test/e2e/browser',
  lambda: 'test/e2e/lambda-runtime',
}

/**
 * Suites that leave nothing behind: one process works their files one after the other, and loads what they need once. What
 * counts what a process does, its time, its memory, its modules, has a process of its own.
 */
export const together = [
  'test/{events,http,records,serve,streaming,web-socket}/**/!(growth).test.ts',
  'test/invocation/{direct,scope,sends}.test.ts',
  'test/testing-kit/*.test.ts',
  'test/backends/dynamodb/!(deadline|faults|outcomes|told-writes|value-properties).test.ts',
  'test/backends/{mistakes,named-places,planning,tables}.test.ts',
  'test/backends/memory/like-dynamodb.test.ts',
  'test/backends/sqs/*.test.ts',
]

function project(name: keyof typeof beside): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: [`${beside[name]}/*.test.ts`],
      // The database servers share one clock.
      fileParallelism: name !== 'databases',
    },
  }
}

const test = {
  ...common.test,
  // Vitest reads the command line's `--project` from here, too: without one, the suites that need nothing else run.
  project: ['unit', 'together'],
  projects: [
    {
      extends: true as const,
      test: {
        name: 'unit',
        include: ['test/**/*.test.ts'],
        exclude: [
          ...Object.values(beside).map((folder) => `${folder}/**`),
          ...together,
          '**/node_modules/**',
        ],
      },
    },
    { extends: true as const, test: { name: 'together', include: together, isolate: false } },
    project('emulators'),
    project('databases'),
    project('browser'),
    project('lambda'),
  ],
}

export default defineConfig({ ...common, test })
