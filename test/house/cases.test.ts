import { globSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

/** The area of an id that stands in a title without one. Findings (H, R, X, M, Y, T, E, P) have no area. */
const areas: readonly (readonly [folder: string, area: string])[] = [
  ['test/http/', 'http'],
  ['test/records/', 'sqs'],
  ['test/backends/sqs/', 'sqs'],
  ['test/backends/dynamodb/', 'dynamodb'],
  ['test/secrets/', 'secrets'],
  ['test/environment/', 'environment'],
  ['test/database/', 'database'],
  ['test/e2e/databases/', 'database'],
]

const names = [...new Set(areas.map(([, area]) => area))].join('|')
const id = String.raw`(?:(?:${names}) )?(?:[BCD]\d+(?:\.\d+)?|[HRXMYTEP]\d+[a-z]?)`
const idsInFront = new RegExp(`^(?:${id}(?:, |(?=\\W|$)))+`)

/** The first argument of each `it`, `test` and `describe`, in any of their forms; and the texts of `each`'s tables. */
function titlesOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  const titles: string[] = []
  const nameOf = (node: ts.Expression): string =>
    ts.isCallExpression(node) || ts.isPropertyAccessExpression(node)
      ? nameOf(node.expression)
      : ts.isIdentifier(node)
        ? node.text
        : ''
  const visitTable = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) titles.push(node.text)
    ts.forEachChild(node, visitTable)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ['it', 'test', 'describe'].includes(nameOf(node))) {
      const [title] = node.arguments
      if (title !== undefined && ts.isStringLiteralLike(title)) titles.push(title.text)
      if (title !== undefined && ts.isTemplateExpression(title)) titles.push(title.head.text)
      if (title !== undefined && ts.isPropertyAccessExpression(node.expression)) visitTable(title)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return titles
}

/** The ids in front of a title, each with its area. */
function idsOf(title: string, file: string): string[] {
  const area = areas.find(([folder]) => file.startsWith(folder))?.[1]
  const found = idsInFront.exec(title)?.[0].split(', ') ?? []
  return found.flatMap((text) => (text === '' ? [] : /^[BCD]/.test(text) ? `${area} ${text}` : text))
}

/** Types are compiled and never run: there the ids stand in comments. */
function idsOfTypes(file: string): string[] {
  return readFileSync(file, 'utf8').match(/\b[YM]\d+\b/g) ?? []
}

const tested = new Set([
  ...globSync('test/**/*.ts').flatMap((file) => titlesOf(file).flatMap((title) => idsOf(title, file))),
  ...globSync('test/types/*.ts').flatMap(idsOfTypes),
])
const lines = [...readFileSync('test/cases.md', 'utf8').matchAll(/^- `([^`]+)` /gm)].map(
  ([, name = '']) => name,
)

describe('test/cases.md', () => {
  it('every id in front of a title has a line', () => {
    expect(tested.size).toBeGreaterThan(200)
    expect([...tested].filter((name) => !lines.includes(name))).toEqual([])
  })

  it('every line has a test, and every id one line', () => {
    expect(lines.filter((name) => !tested.has(name))).toEqual([])
    expect(lines.filter((name, index) => lines.indexOf(name) !== index)).toEqual([])
  })

  it('ids are read from titles with one, several, an area or none', () => {
    expect(idsOf('http C6, C9: a header', 'test/http/x.test.ts')).toEqual(['http C6', 'http C9'])
    expect(idsOf('C18 a record', 'test/records/x.test.ts')).toEqual(['sqs C18'])
    expect(idsOf('R3: a record', 'test/records/x.test.ts')).toEqual(['R3'])
    expect(idsOf('S3 objects are one unit', 'test/records/x.test.ts')).toEqual([])
    expect(idsOf('a D5 in the middle', 'test/records/x.test.ts')).toEqual([])
  })
})
