// Prints the numbers that keep `src` easy to read. Ends with 1 if one is over its limit. `npm run house` runs it here,
// and a test runs it in a directory of its own.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** A place in the sources, for somebody who has to mend it. */
type Place = string

interface HouseNumber {
  readonly title: string
  readonly value: number
  /** The most that is allowed; without one it is only printed. */
  readonly limit: number | undefined
  /** Where what was counted stands. */
  readonly places: readonly Place[]
}

/** The most of each that is allowed. */
const limits: Readonly<Record<string, number>> = {
  'import cycles, type imports included': 0,
  'imports upwards': 0,
  'files over 300 lines': 0,
  'functions over 40 lines': 5,
  'functions with 4 or more parameters': 10,
  'casts per 1,000 lines of code': 15,
  // Names that mean the same in both: two drivers, two services, and the light client, which imports nothing of the house.
  'top-level names in two files or more': 25,
  'uses of any': 13,
  'entries of exports': 24,
  'configuration files at the root': 7,
}

function houseNumber(title: string, places: readonly Place[], value = places.length): HouseNumber {
  return { title, value, limit: limits[title], places }
}

interface Cruise {
  readonly summary: {
    readonly violations: readonly {
      readonly from: string
      readonly to: string
      readonly rule: { readonly name: string }
    }[]
  }
}

/** What dependency-cruiser says of the floors. */
function imports(): HouseNumber[] {
  const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
  const args = [path('../node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), 'src']
  const config = ['--config', path('floors.config.js'), '--output-type', 'json']
  const { stdout, stderr } = spawnSync(process.execPath, [...args, ...config], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (stdout === '') throw new Error(stderr)
  const { summary } = JSON.parse(stdout) as Cruise
  const [cycles = [], upwards = []] = [true, false].map((isCycle) =>
    summary.violations
      .filter(({ rule }) => (rule.name === 'no-cycle') === isCycle)
      .map(({ rule, from, to }) => `${from} → ${to} (${rule.name})`),
  )
  return [
    houseNumber('import cycles, type imports included', cycles),
    houseNumber('imports upwards', upwards),
  ]
}

/** What is counted in one file. */
class Counted {
  lines = 0
  linesOfCode = 0
  readonly long: Place[] = []
  readonly wide: Place[] = []
  readonly casts: Place[] = []
  readonly anys: Place[] = []
  readonly names: string[] = []
}

/** The lines that hold a token: not blank, and more than a comment. */
function linesOfCode(source: ts.SourceFile): number {
  const lines = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return
    const children = node.getChildren(source)
    children.forEach(visit)
    if (children.length > 0 || node.getWidth(source) === 0) return
    const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line
    const last = source.getLineAndCharacterOfPosition(node.getEnd()).line
    for (let line = first; line <= last; line++) lines.add(line)
  }
  visit(source)
  return lines.size
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) =>
      ts.isIdentifier(name) ? [name.text] : [],
    )
  }
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement)
  return isNamed && statement.name !== undefined ? [statement.name.text] : []
}

function count(file: string): Counted {
  const text = readFileSync(file, 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const counted = new Counted()
  counted.lines = text.split('\n').length - 1
  counted.linesOfCode = linesOfCode(source)
  counted.names.push(...new Set(source.statements.flatMap(declaredNames)))
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1
  const visit = (node: ts.Node): void => {
    const line = lineOf(node.getStart(source))
    const place = `${file}:${line}`
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const length = lineOf(node.getEnd()) - line + 1
      if (length > 40) counted.long.push(`${place} (${length})`)
      if (node.parameters.length > 3) counted.wide.push(`${place} (${node.parameters.length})`)
    }
    const isCast = ts.isAsExpression(node) || ts.isTypeAssertionExpression(node)
    if (isCast && !ts.isConstTypeReference(node.type)) counted.casts.push(place)
    if (node.kind === ts.SyntaxKind.AnyKeyword) counted.anys.push(place)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return counted
}

/** What the sources say of themselves. */
function sources(): HouseNumber[] {
  const files = new Map(
    globSync('src/**/*.ts')
      .sort()
      .map((file) => [file, count(file)]),
  )
  const all = [...files.values()]
  const long = [...files]
    .filter(([, { lines }]) => lines > 300)
    .map(([file, { lines }]) => `${file} (${lines})`)
  const casts = all.flatMap((counted) => counted.casts)
  const code = all.reduce((sum, counted) => sum + counted.linesOfCode, 0)
  const homes = Map.groupBy(
    [...files].flatMap(([file, { names }]) => names.map((name) => [name, file] as const)),
    ([name]) => name,
  )
  const alike = [...homes]
    .filter(([, places]) => places.length > 1)
    .map(([name, places]) => `${name}: ${places.map(([, file]) => file).join(', ')}`)
  console.log(`${files.size} files, ${code} lines of code, ${casts.length} casts`)
  return [
    houseNumber('files over 300 lines', long),
    houseNumber(
      'functions over 40 lines',
      all.flatMap((counted) => counted.long),
    ),
    houseNumber(
      'functions with 4 or more parameters',
      all.flatMap((counted) => counted.wide),
    ),
    houseNumber('casts per 1,000 lines of code', casts, Math.round((casts.length / code) * 10_000) / 10),
    houseNumber(
      'uses of any',
      all.flatMap((counted) => counted.anys),
    ),
    houseNumber('top-level names in two files or more', alike),
  ]
}

/** What lies at the root, and how much of the package is written by hand. */
function root(): HouseNumber[] {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: object }
  const configuration = readdirSync('.', { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== '.git')
    .map(({ name }) => name)
    .filter((name) => !/\.(?:md|tgz)$|^LICENSE$|^package(?:-lock)?\.json$/.test(name))
  return [
    houseNumber('entries of exports', Object.keys(exports)),
    houseNumber('configuration files at the root', configuration),
  ]
}

const numbers = [...imports(), ...sources(), ...root()]
const isOver = ({ value, limit = Infinity }: HouseNumber): boolean => value > limit
for (const number of numbers) {
  const { title, value, limit, places } = number
  const most = limit === undefined ? '' : `, at most ${limit}`
  console.log(`${isOver(number) ? '✗' : '✓'} ${title}: ${value}${most}`)
  if (isOver(number) || process.argv.includes('--places'))
    console.log(places.map((place) => `    ${place}`).join('\n'))
}
process.exitCode = numbers.some(isOver) ? 1 : 0
