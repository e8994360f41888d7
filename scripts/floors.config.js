// The floors of `src`, from the ground up. A file may import from its own floor and from those below.
const floors = [
  ['errors'],
  ['core'],
  ['events'],
  ['invocation'],
  ['clients'],
  ['aws'],
  ['wire'],
  ['backends'],
  ['normalizers', 'middleware', 'rest', 'serve', 'serve.ts'],
  ['testing', 'cli'],
  ['index.ts', 'types.ts'],
]

const pathOf = (names) => `^src/(?:${names.map((name) => name.replace('.', '\\.')).join('|')})(?:/|$)`

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    ...floors.slice(0, -1).map((names, floor) => ({
      name: `no-import-upwards-from-${names[0]}`,
      severity: 'error',
      from: { path: pathOf(names) },
      to: { path: pathOf(floors.slice(floor + 1).flat()) },
    })),
    {
      name: 'clients-import-nothing-of-the-house',
      severity: 'error',
      from: { path: pathOf(['clients']) },
      // What is due only with an error, or without a region, is loaded then.
      to: { path: '^src/', pathNot: pathOf(['clients']), dynamic: false },
    },
    ...['dynamodb', 'sql', 'sending'].map((folder) => ({
      name: `memory-is-not-built-on-${folder}`,
      severity: 'error',
      from: { path: '^src/backends/(?:memory|planning)' },
      to: { path: `^src/backends/${folder}(?:/|\\.)` },
    })),
    {
      name: 'no-file-outside-a-floor',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/', pathNot: pathOf(floors.flat()) },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
}
