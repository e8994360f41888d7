import { globSync } from 'node:fs'

/** Everything that users can import: the subpath, and its source file. */
export const entries: readonly (readonly [subpath: string, source: string])[] = [
  ['clearskies-middy', 'src/index.ts'],
  ['clearskies-middy/errors', 'src/errors/index.ts'],
  ['clearskies-middy/types', 'src/types.ts'],
  ['clearskies-middy/testing', 'src/testing/index.ts'],
  ...globSync('src/{normalizers,middleware,backends,clients}/*.ts').map(
    (source) => [source.replace(/^src/, 'clearskies-middy').replace(/\.ts$/, ''), source] as const,
  ),
]
