import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

interface Sample {
  readonly file: string
  readonly line: number
  readonly code: string
}

/** Every block of TypeScript in a text; in a source file, those of its doc comments. */
function samplesOf(file: string): Sample[] {
  const text = readFileSync(file, 'utf8')
  const fence = file.endsWith('.ts') ? /^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm : /^```ts\n([^]*?)^```$/gm
  return [...text.matchAll(fence)].map(({ 1: block = '', index }) => ({
    file,
    line: text.slice(0, index).split('\n').length,
    code: block.replace(/^ *\* ?/gm, ''),
  }))
}

const samples = globSync(['README.md', 'docs/**/*.md', 'src/**/*.ts']).flatMap(samplesOf)

/** Compiles all samples as files of this project, and gives the errors of each. */
function compile(): Map<string, string[]> {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8')) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, '.')
  const sources = new Map(samples.map((sample, index) => [resolve(`sample-${index}.ts`), sample]))
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (path) => sources.has(path) || fileExists(path)
  host.readFile = (path) => sources.get(path)?.code ?? readFile(path)
  host.getSourceFile = (path, ...rest) => {
    const sample = sources.get(path)
    return sample === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, sample.code, rest[0])
  }
  const program = ts.createProgram(
    [...sources.keys(), resolve('examples/shop/local/dynalite.d.ts')],
    options,
    host,
  )
  const errors = new Map<string, string[]>()
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const sample = file && sources.get(file.fileName)
    if (sample === undefined) continue
    const key = `${sample.file}:${sample.line}`
    const at = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0
    errors.set(key, [
      ...(errors.get(key) ?? []),
      `line ${sample.line + 1 + at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    ])
  }
  return errors
}

describe('samples in the documentation', () => {
  const errors = compile()

  it('are many', () => {
    expect(samples.length).toBeGreaterThan(20)
  })

  it.each(samples.map(({ file, line }) => join(`${file}:${line}`)))('%s compiles', (key) => {
    expect(errors.get(key) ?? []).toEqual([])
  })
})
