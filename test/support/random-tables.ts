import { type Index, MemoryBackend, type Model, type Operator, type Query, model } from 'clearskies-middy'
import fc from 'fast-check'
import { z } from 'zod'
import { uniqueName } from './contract-models.ts'

/** Any item of the random tables: which columns are keys differs from table to table. */
export type AnyItem = Readonly<Record<string, unknown>>

/** Keys and indexes. */
export interface TableShape {
  readonly key: readonly string[]
  readonly indexes: Readonly<Record<string, Index>>
}

/** A condition, as `where()` takes it. */
export type AnyCondition = readonly [column: string, operator: Operator, ...operand: readonly unknown[]]

/** What is asked of a table. */
export interface AnyQuery {
  readonly where: readonly AnyCondition[]
  readonly or: readonly (readonly AnyCondition[])[]
  readonly sort?: readonly [column: string, direction: 'asc' | 'desc']
  readonly select?: readonly string[] | undefined
  readonly index?: string
}

/** A table, its items, and queries. */
export interface AnyCase {
  readonly shape: TableShape
  readonly items: readonly AnyItem[]
  readonly queries: readonly AnyQuery[]
  readonly scan: 'allow' | 'error'
}

const schema = z.object({
  a: z.string().optional(),
  b: z.string().nullish(),
  m: z.number().optional(),
  n: z.number().optional(),
  x: z.instanceof(Uint8Array).optional(),
  f: z.boolean().nullish(),
  d: z.date().optional(),
  l: z.array(z.string()).optional(),
  s: z.set(z.string()).optional(),
  o: z.object({ t: z.string().optional(), n: z.number().optional(), f: z.boolean().optional() }).optional(),
})
const columns = Object.keys(schema.shape)
/** What conditions are on: columns, and members of the one that holds objects. */
const places = [...columns.filter((column) => column !== 'o'), 'o.t', 'o.n', 'o.f']
const keyable = ['a', 'b', 'm', 'n', 'x'] as const

/** The model of a random table. */
export function modelOf({ key, indexes }: TableShape): Model<AnyItem, AnyItem> {
  const definition = { name: uniqueName('random'), key, indexes, schema }
  return model(definition as never) as unknown as Model<AnyItem, AnyItem>
}

export function memoryOf({ shape, scan }: AnyCase): MemoryBackend<AnyItem, AnyItem, string> {
  return new MemoryBackend(modelOf(shape), { scan })
}

/** Says a query on a backend. */
export function asked(
  query: Query<AnyItem>,
  { where, or, sort, select, index }: AnyQuery,
): Query<AnyItem, AnyItem> {
  const narrowed = (on: Query<AnyItem>, conditions: readonly AnyCondition[]): Query<AnyItem> =>
    conditions.reduce((all, condition) => all.where(...(condition as [string, '=', string])), on)
  let made = narrowed(query, where)
  if (or.length > 0) made = made.or(...or.map((group) => (one: Query<AnyItem>) => narrowed(one, group)))
  if (sort !== undefined) made = made.sortBy(...sort)
  if (index !== undefined) made = made.using(index)
  return select === undefined ? made : made.select(...select)
}

/** One text for each key, to tell items apart. */
export function idOf(item: AnyItem, { key }: TableShape): string {
  return JSON.stringify(
    key.map((column) => {
      const value = item[column]
      return value instanceof Uint8Array ? [...value] : value
    }),
  )
}

const shapes: fc.Arbitrary<TableShape> = fc
  .tuple(
    fc.shuffledSubarray(['a', 'm', 'x'] as const, { minLength: 1, maxLength: 2 }),
    fc.array(
      fc.record({
        partition: fc.constantFrom(...keyable),
        sort: fc.option(fc.constantFrom(...keyable), { nil: undefined }),
        project: fc.oneof(
          fc.constantFrom('all' as const, 'all' as const, 'keys' as const),
          fc.subarray(['f', 'd', 'l'], { minLength: 1 }),
        ),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([key, indexes]) => ({ key, indexes: Object.fromEntries(indexes.flatMap(named(key))) }))

/** A local index shares the table's partition, and needs a table with a sort column, and another one of its own. */
function named(key: readonly string[]) {
  return (
    { partition, sort, project }: { partition: string; sort: string | undefined; project: Index['project'] },
    place: number,
  ): [string, Index][] => {
    if (sort === partition) return []
    const isLocal = partition === key[0] && key.length === 2 && sort !== undefined && sort !== key[1]
    const index = {
      partition,
      ...(sort !== undefined && { sort }),
      project: project ?? 'all',
      local: isLocal,
    }
    return [[`index-${place}`, index]]
  }
}

const texts = ['a', 'ab', '\uffee', '😀']
const bytes = [[0], [1], [1, 2], [255]].map((list) => Uint8Array.from(list))
const days = ['2020-01-01T00:00:00.000Z', '2024-02-29T12:00:00.001Z'].map((text) => new Date(text))
const values: Readonly<Record<string, readonly unknown[]>> = {
  a: texts,
  b: texts,
  m: [-1, 0, 1.5, 2],
  n: [-10, 2, 10, 9_007_199_254_740_991],
  x: bytes,
  f: [true, false],
  d: days,
  l: [[], ['a'], ['ab', 'b']],
  s: [new Set(['a']), new Set(['ab', 'b'])],
  o: [{ t: 'a', n: 2, f: true }, {}, { t: '😀', n: -1 }, { n: 10, f: false }],
  'o.t': texts,
  'o.n': [-1, 2, 10],
  'o.f': [true, false],
}
/** The first value more often than the others, so that conditions meet items. */
const valueOf = (column: string): fc.Arbitrary<unknown> => {
  const [first, ...others] = values[column] ?? []
  return fc.oneof(fc.constant(first), fc.constantFrom(...others))
}

function itemsOf({ key, indexes }: TableShape): fc.Arbitrary<AnyItem[]> {
  const indexed = Object.values(indexes).flatMap(({ partition, sort = [] }) => [partition, sort].flat())
  const parts = columns.map((column): [string, fc.Arbitrary<unknown>] => {
    if (key.includes(column)) return [column, valueOf(column)]
    const isText = column === 'a' || column === 'b'
    // An index takes neither an empty text nor a null.
    const rare = indexed.includes(column) ? [] : [isText ? '' : undefined, column === 'b' ? null : undefined]
    const other = fc.constantFrom(undefined, ...rare)
    return [column, fc.oneof({ weight: 5, arbitrary: valueOf(column) }, { weight: 1, arbitrary: other })]
  })
  return fc
    .uniqueArray(fc.record(Object.fromEntries(parts)), {
      selector: (item) => idOf(item, { key, indexes }),
      minLength: 4,
      maxLength: 12,
      size: 'max',
    })
    .map((items) => items.map(present))
}

function present(item: AnyItem): AnyItem {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined))
}

const forAny: readonly Operator[] = ['=', '!=', 'in', 'not-in', 'is-null', 'is-not-null']
const forOrdered: readonly Operator[] = [...forAny, '<', '<=', '>', '>=', 'between']
const forText: readonly Operator[] = [...forOrdered, 'begins-with', 'contains', 'like']
const forMembers: readonly Operator[] = ['contains', 'is-null', 'is-not-null']
const operatorsOf: Readonly<Record<string, readonly Operator[]>> = {
  a: forText,
  b: forText,
  m: forOrdered,
  n: forOrdered,
  x: [...forOrdered, 'begins-with'],
  f: forAny,
  d: forOrdered,
  l: forMembers,
  s: forMembers,
  'o.t': forText,
  'o.n': forOrdered,
  'o.f': forAny,
}

const conditionOn = (column: string): fc.Arbitrary<AnyCondition> =>
  fc.constantFrom(...(operatorsOf[column] ?? [])).chain((operator) => operandOf(column, operator))

function operandOf(column: string, operator: Operator): fc.Arbitrary<AnyCondition> {
  const empty = column === 'x' ? new Uint8Array() : ''
  const isText = ['a', 'b', 'x', 'o.t'].includes(column)
  const value = isText
    ? fc.oneof({ weight: 8, arbitrary: valueOf(column) }, { weight: 1, arbitrary: fc.constant(empty) })
    : valueOf(column)
  switch (operator) {
    case 'is-null':
    case 'is-not-null':
      return fc.constant([column, operator])
    case 'in':
    case 'not-in':
      return fc.array(value, { maxLength: 3 }).map((list) => [column, operator, list])
    case 'between':
      return fc.tuple(value, value).map((range) => [column, operator, range])
    case 'contains':
      return fc.constantFrom('a', 'b', '😀').map((element) => [column, operator, element])
    case 'like':
      return fc.constantFrom('a', 'a%', '%b%', '😀%').map((pattern) => [column, operator, pattern])
    default:
      return value.map((one) => [column, operator, one])
  }
}

interface Path {
  readonly name: string
  readonly columns: readonly string[]
}

function pathsOf({ key, indexes }: TableShape): Path[] {
  const others = Object.entries(indexes).map(([name, { partition, sort = [] }]) => ({
    name,
    columns: [partition, sort].flat(),
  }))
  return [{ name: 'table', columns: key }, ...others]
}

/** Conditions that a key or index serves. */
function servedBy({ columns: [partition = '', ...sort] }: Path): fc.Arbitrary<AnyCondition[]> {
  const fixed = fc.oneof(
    { weight: 5, arbitrary: operandOf(partition, '=') },
    { weight: 1, arbitrary: operandOf(partition, 'in') },
  )
  const others = fc.array(fc.constantFrom(...sort, ...sort, partition).chain(conditionOn), { maxLength: 2 })
  return fc.tuple(fixed, others).map(([first, rest]) => [first, ...rest])
}

const anyConditions = fc.array(fc.constantFrom(...places).chain(conditionOn), { minLength: 1, maxLength: 2 })

/** Mostly what the path serves, for anything else is refused more often than not. */
function queryOn(path: Path, paths: readonly Path[]): fc.Arbitrary<AnyQuery> {
  const served = servedBy(path)
  const where = fc.oneof(
    { weight: 4, arbitrary: served },
    { weight: 4, arbitrary: fc.tuple(served, anyConditions).map((both) => both.flat()) },
    { weight: 1, arbitrary: anyConditions },
    { weight: 1, arbitrary: fc.constant([]) },
  )
  const group = fc.oneof(fc.constantFrom(...paths).chain(servedBy), anyConditions)
  const or = fc.array(group, { minLength: 1, maxLength: 3 })
  const direction = fc.constantFrom('asc' as const, 'desc' as const)
  const sort = fc.tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(path.columns.at(-1) as string) },
      { weight: 1, arbitrary: fc.constantFrom(...keyable) },
    ),
    direction,
  )
  const index = fc.constantFrom(path.name, path.name, ...paths.map(({ name }) => name))
  const select = fc.subarray(columns, { minLength: 1 })
  const plain = fc.record({ where, select: fc.option(select, { nil: undefined }), or: fc.constant([]) })
  return fc.oneof(
    plain,
    fc.record({ where, or: fc.constant([]), sort }),
    fc.record({ where, or: fc.constant([]), sort, index }),
    fc.record({ where, or, select: fc.option(select, { nil: undefined }) }),
    fc.record({ where: fc.constant([]), or }),
    fc.record({ where, or: fc.constant([]), index, select: fc.constant([...path.columns]) }),
  )
}

function queriesOf(shape: TableShape): fc.Arbitrary<AnyQuery> {
  const paths = pathsOf(shape)
  return fc.constantFrom(...paths).chain((path) => queryOn(path, paths))
}

/** Random tables, items and queries. */
export const cases: fc.Arbitrary<AnyCase> = shapes.chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    items: itemsOf(shape),
    queries: fc.array(queriesOf(shape), { minLength: 1, maxLength: 4 }),
    scan: fc.constantFrom('allow' as const, 'error' as const),
  }),
)
