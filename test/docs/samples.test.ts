import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { entries } from '../support/entries.ts'

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

const samples = globSync(['*.md', 'docs/**/*.md', 'src/**/*.ts']).flatMap(samplesOf)
const sources = new Map(samples.map((sample, index) => [resolve(`sample-${index}.ts`), sample]))

/** All samples as files of this project, with what they import. */
function openProgram(): ts.Program {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8')) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, '.')
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
  const files = [...sources.keys(), ...entries.map(([, file]) => resolve(file))]
  return ts.createProgram([...files, resolve('examples/shop/local/dynalite.d.ts')], options, host)
}

/** Compiles all samples, and gives the errors of each. */
function compile(program: ts.Program): Map<string, string[]> {
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

/** Whether a symbol is a special error: the example of the base class shows how errors are told apart. */
function isSpecialError(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  if ((symbol.flags & ts.SymbolFlags.Class) === 0) return false
  const [base] = checker.getDeclaredTypeOfSymbol(symbol).getBaseTypes() ?? []
  return (
    base !== undefined && (base.symbol.name === 'ClearskiesError' || isSpecialError(base.symbol, checker))
  )
}

/** What an entry exports that has no doc comment, or is a function or class whose doc comment shows no use of it. */
function undocumented(program: ts.Program, file: string): string[] {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${file} is no module`)
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol =
      (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported)
    const tags = symbol.getJsDocTags(checker)
    // Shared between modules, and not among the declarations that are published.
    if (tags.some(({ name }) => name === 'internal')) return []
    if (symbol.getDocumentationComment(checker).length === 0) return [`${symbol.name} has no doc comment`]
    const isUsed = (symbol.flags & ts.SymbolFlags.Value) !== 0 && !isSpecialError(symbol, checker)
    const examples = tags.filter(({ name }) => name === 'example')
    const shows = examples.some(({ text }) => ts.displayPartsToString(text).includes(symbol.name))
    return isUsed && !shows ? [`${symbol.name} has no example`] : []
  })
}

describe('samples in the documentation', () => {
  const program = openProgram()
  const errors = compile(program)

  it('are many', () => {
    expect(samples.length).toBeGreaterThan(100)
  })

  it.each(samples.map(({ file, line }) => join(`${file}:${line}`)))('%s compiles', (key) => {
    expect(errors.get(key) ?? []).toEqual([])
  })

  it.each([...entries])(
    '%s says of every export what it is, and shows every function and class but special errors in use',
    (_, file) => {
      expect(undocumented(program, resolve(file))).toEqual([])
    },
  )
})
