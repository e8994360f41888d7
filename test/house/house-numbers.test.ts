import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

type Files = Readonly<Record<string, string>>

const sound: Files = {
  'package.json': '{ "exports": { ".": "./src/index.ts" } }',
  'tsconfig.json': '{ "compilerOptions": { "module": "nodenext", "allowImportingTsExtensions": true } }',
  'src/index.ts': "export * from './core/text.ts'\n",
  'src/core/text.ts': [
    'export const text = (value: unknown): string => String(value)',
    "export const words = ['as', 'any'] as const",
    'export function overload(one: 1, two: 2, three: 3): void',
    `export function overload(one: 1): void {\n${'  // A line.\n'.repeat(38)}}`,
    'export type NoBody = (one: 1, two: 2, three: 3, four: 4) => void\n',
  ].join('\n'),
}

const many = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join('\n')

const body = `{\n${'  // A line.\n'.repeat(39)}}`

/** A house with each number over its limit. */
const broken: Files = {
  ...sound,
  'package.json': JSON.stringify({
    exports: Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`./${index}`, null])),
  }),
  ...Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`.tool-${index}`, ''])),
  'src/core/a.ts': "import type { B } from './b.ts'\nexport type A = B | 'a'\n",
  'src/core/b.ts': "import type { A } from './a.ts'\nexport type B = A[]\n",
  'src/errors/up.ts': "import type { Cast } from '../core/casts.ts'\nexport type Up = Cast[]\n",
  'src/core/casts.ts': `export const b = <number>1\nexport const c = [${'b as unknown, '.repeat(9)}]\nexport type Cast = 'cast'\n`,
  'src/core/any.ts': `export type Any = [${'any, '.repeat(14)}]\n`,
  'src/core/alike.ts': 'export const text = 1\ninterface Any {}\n',
  'src/core/wide.ts': many(
    12,
    (index) => `
      export function f${index}(one: 1, two: 2, three: 3, four: 4): void ${body}
      export class A${index} {
        constructor(one: 1, two: 2, three: 3, four: 4) ${body}
        method(one: 1, two: 2, three: 3, ...rest: 4[]): void ${body}
      }
      export const g${index} = (one: 1, two: 2, three: 3, four = 4): void => ${body}`,
  ),
  ...Object.fromEntries(
    Array.from({ length: 9 }, (_, index) => [`src/core/long-${index}.ts`, '\n'.repeat(301)]),
  ),
}

/** Runs the script over a house that is made for it. */
function measure(files: Files) {
  const house = mkdtempSync(join(tmpdir(), 'house-'))
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(house, file)), { recursive: true })
      writeFileSync(join(house, file), text)
    }
    const { status, stdout } = spawnSync(process.execPath, [resolve('scripts/house-numbers.ts')], {
      cwd: house,
      encoding: 'utf8',
    })
    return { status, lines: stdout.split('\n') }
  } finally {
    rmSync(house, { recursive: true })
  }
}

describe('npm run house', () => {
  it('a house within all limits passes', () => {
    const { status, lines } = measure(sound)
    expect(lines.filter((line) => line.startsWith('✓'))).toHaveLength(10)
    expect(lines.filter((line) => /^✗|^✓.*: [1-9].* \(to be/.test(line))).toEqual([])
    expect(status).toBe(0)
  })

  it('a house over each limit fails, and each number is printed', () => {
    const { status, lines } = measure(broken)
    const value = (line: string): string => line.replace(/, at most.*/, '')
    expect(lines.filter((line) => /^[✓✗]/.test(line)).map(value)).toEqual([
      '✗ import cycles, type imports included: 1',
      '✗ imports upwards: 1',
      // The nine and the one with 48 long functions.
      '✗ files over 300 lines: 10',
      '✗ functions over 40 lines: 48',
      '✗ functions with 4 or more parameters: 48',
      expect.stringMatching(/^✗ casts per 1,000 lines of code: \d+/),
      '✗ uses of any: 14',
      '✓ top-level names in two files or more: 2',
      '✗ entries of exports: 25',
      '✗ configuration files at the root: 8',
    ])
    expect(status).toBe(1)
    expect(lines).toContain('    src/errors/up.ts → src/core/casts.ts (no-import-upwards-from-errors)')
    expect(lines).toContain('    src/core/casts.ts:1')
  })
})
