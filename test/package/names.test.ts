// The names that users can import, as the built declarations have them. A new one is a decision: it stands in
// public-names.txt, which `npm run unit -- test/package/names.test.ts --update` writes anew from the build.
import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const all = globSync('dist/**/*.d.ts').map((file) => resolve(file))
const program = ts.createProgram(all, {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2024,
  skipLibCheck: true,
  noEmit: true,
})
const checker = program.getTypeChecker()

/** The files that `exports` opens, by the names under which they are imported. */
const entries = ['index', 'errors/index', 'testing/index', 'types']
  .concat(
    globSync('{normalizers,middleware,backends,clients}/*.d.ts', { cwd: 'dist' }).map((file) =>
      file.slice(0, -5),
    ),
  )
  .sort()

/** Each name with what it is, one a line. */
function namesOf(entry: string): string[] {
  const file = program.getSourceFile(resolve('dist', `${entry}.d.ts`))
  const symbol = file && checker.getSymbolAtLocation(file)
  if (symbol === undefined) throw new Error(`dist/${entry}.d.ts exports nothing`)
  return checker
    .getExportsOfModule(symbol)
    .map((name) => `  ${name.name.padEnd(28)} ${kindOf(name)}`)
    .sort()
}

function kindOf(name: ts.Symbol): string {
  const meant = name.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(name) : name
  if (!(meant.flags & ts.SymbolFlags.Value) || isTypeOnly(name)) return 'type'
  if (meant.flags & ts.SymbolFlags.Class) return 'class'
  return checker.getTypeOfSymbol(meant).getCallSignatures().length > 0 ? 'function' : 'value'
}

function isTypeOnly(name: ts.Symbol): boolean {
  return name.declarations?.some((node) => ts.isTypeOnlyExportDeclaration(node)) === true
}

/** Interfaces, classes and aliases that say nothing at all: any value but null and undefined is one. */
function emptyTypes(file: ts.SourceFile): string[] {
  return file.statements.flatMap((node) => {
    const isEmpty =
      ((ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) &&
        node.members.length === 0 &&
        node.heritageClauses === undefined) ||
      (ts.isTypeAliasDeclaration(node) && ts.isTypeLiteralNode(node.type) && node.type.members.length === 0)
    return isEmpty ? [`${file.fileName}: ${node.name?.text ?? 'default'}`] : []
  })
}

describe('the built declarations', () => {
  it('export the names of public-names.txt, no more and no less', async () => {
    const lines = entries.flatMap((entry) => {
      const path = `clearskies-middy/${entry}`.replace(/\/index$/, '')
      return [path, ...namesOf(entry), '']
    })
    const hint = 'npm run unit -- test/package/names.test.ts --update'
    await expect(lines.join('\n')).toMatchFileSnapshot('public-names.txt', hint)
  })

  it('have no type that is empty, as one whose members were all internal would be', () => {
    expect(all.length).toBeGreaterThan(100)
    const files = all.map((file) => program.getSourceFile(file)).filter((file) => file !== undefined)
    expect(files.flatMap(emptyTypes)).toEqual([])
  })
})
