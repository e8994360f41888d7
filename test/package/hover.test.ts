// What an editor shows of the built package: the names of what middlewares leave, not their members one by one.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const file = resolve('test/package/hover-sample.ts')
const source = readFileSync(file, 'utf8')

const service = ts.createLanguageService({
  getScriptFileNames: () => [file],
  getScriptVersion: () => '1',
  getScriptSnapshot: (name) => {
    const text = ts.sys.readFile(name)
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
  },
  getCurrentDirectory: () => process.cwd(),
  getCompilationSettings: () => ({
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  }),
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: ts.sys.fileExists,
  readFile: ts.sys.readFile,
  directoryExists: ts.sys.directoryExists,
  getDirectories: ts.sys.getDirectories,
})

/** The hover text of the word behind a mark. */
function hover(mark: string): string {
  const comment = `/* ${mark} */ `
  const position = source.indexOf(comment) + comment.length
  const { displayParts } = service.getQuickInfoAtPosition(file, position) ?? {}
  return ts.displayPartsToString(displayParts).replace(/\s+/g, ' ')
}

describe('the hover text', () => {
  it('Y11: of a request behind alb() is its class', () => {
    expect(hover('request')).toBe('(parameter) request: HttpRequest<"alb", ALBEvent>')
  })

  it.each([
    ['backends()', 'BackendsContext<{ readonly products: MemoryBackend<'],
    ['parameterStore()', 'SecretsContext<"key", "secrets">'],
    ['secretsManager({ as })', 'SecretsContext<never, "vault">'],
    ['environment()', 'EnvironmentContext<{ readonly TABLE: string; }>'],
    ['iamDbAuth()', 'DatabaseContext<"postgres"'],
  ])('Y11: of the context has what %s leaves by its name', (_, name) => {
    expect(hover('context')).toContain(name)
  })

  it('Y11: of the context spells out no members of what the middlewares leave', () => {
    expect(hover('context')).not.toMatch(/(?:backends|secrets|vault|environment|db|connectionDetails)\??:/)
  })

  it('Y11: of a validated request has what the schemas make, not the schemas', () => {
    const text = hover('validated')
    expect(text).toContain('HttpRequest<"http-api" | "function-url", HttpApiEvent>')
    expect(text).toContain('n: number')
    expect(text).not.toContain('Zod')
  })

  it('Y11: of a record is its class', () => {
    expect(hover('record')).toContain('request: SqsRequest')
  })
})
