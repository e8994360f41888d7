// skipLibCheck hides what a declaration does not find: such a type is `any` for users, and nothing tells.
import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'

/** What users import. The closed folders name each other's internal members, which the build takes out of declarations. */
const isPublic = (file: string) => /^[\w.-]+\/?[\w.-]+$/.test(file.slice(resolve('dist').length + 1))

it('each built declaration that users import finds all that it names', () => {
  const files = globSync('dist/**/*.d.ts').map((file) => resolve(file))
  expect(files.length).toBeGreaterThan(100)
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2024,
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  })
  const ours = files
    .filter(isPublic)
    .flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
  const messages = ours.map(
    ({ file, messageText }) =>
      `${file?.fileName.slice(resolve('dist').length) ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  )
  expect(messages).toEqual([])
})
