import type { TableDescription } from '@aws-sdk/client-dynamodb'
import type { ColumnKind } from './column-kinds.ts'
import type { Model } from '../model.ts'

/** The table's own key, or an index: a way to find items. */
export interface AccessPath {
  /** The index's name; `undefined` for the table itself. */
  readonly name: string | undefined
  readonly partition: readonly string[]
  readonly sort: readonly string[]
  /** Both, in this order. */
  readonly order: readonly string[]
  /** A global index, which lags behind the table and can never be read consistently. */
  readonly isGlobal: boolean
  /** The columns that the index holds. */
  readonly columns: 'all' | ReadonlySet<string>
}

/** The letters that a column's type has on the wire. */
export type WireType = 'S' | 'N' | 'B' | 'BOOL'

/** What planning needs to know of a table. */
export interface Table {
  readonly key: readonly string[]
  /** The table first. */
  readonly paths: readonly [AccessPath, ...AccessPath[]]
  /** All columns, as far as they are known. */
  readonly columns: readonly string[] | undefined
  /** The type of a column, as far as it is known. */
  readonly typeOf: (column: string) => WireType | undefined
  /** Whether an item may be without a value in a column, as far as that is known: an index leaves it out then. */
  readonly mayLack: (column: string) => boolean
}

const attributeTypes: Readonly<Record<ColumnKind, WireType | undefined>> = {
  string: 'S',
  number: 'N',
  bigint: 'N',
  bytes: 'B',
  date: undefined, // As the backend's option says.
  boolean: 'BOOL',
  decimal: 'N',
  array: undefined,
  set: undefined,
  null: undefined,
  undefined: undefined,
  object: undefined,
  json: undefined,
}

function typeIn(model: Pick<Model, 'kind'>, column: string): WireType | undefined {
  const kind = model.kind(column)
  return kind && attributeTypes[kind]
}

/** A table as its model says. */
export function tableOf(model: Model): Table {
  const [partition, ...sort] = model.key
  if (partition === undefined) throw new TypeError('The model has no key')
  const projected = (project: readonly string[], keys: readonly string[]): ReadonlySet<string> =>
    new Set([...model.key, ...keys, ...project])
  const indexes = Object.entries(model.indexes).map(([name, index]): AccessPath => {
    const keys = orderedKeys([index.partition].flat(), [index.sort ?? []].flat())
    const { project = 'all', local = keys.partition.length === 1 && keys.partition[0] === partition } = index
    return {
      name,
      ...keys,
      isGlobal: !local,
      columns: project === 'all' ? 'all' : projected(project === 'keys' ? [] : project, keys.order),
    }
  })
  return {
    key: model.key,
    paths: [
      { name: undefined, ...orderedKeys([partition], sort), isGlobal: false, columns: 'all' },
      ...indexes,
    ],
    columns: model.columns,
    typeOf: (column) => typeIn(model, column),
    mayLack: (column) => model.mayLack(column),
  }
}

/** A table as DynamoDB describes it; what it does not know of, as the model says. */
export function tableFrom(
  {
    KeySchema,
    AttributeDefinitions = [],
    LocalSecondaryIndexes = [],
    GlobalSecondaryIndexes = [],
  }: TableDescription,
  model: Pick<Model, 'columns' | 'kind' | 'mayLack'>,
): Table {
  const table = describedKeys(KeySchema)
  const key = table.order
  const indexes = [
    ...LocalSecondaryIndexes.map((index) => ({ ...index, isGlobal: false })),
    ...GlobalSecondaryIndexes.map((index) => ({ ...index, isGlobal: true })),
  ].map(({ IndexName, KeySchema: schema, Projection, isGlobal }): AccessPath => {
    const keys = describedKeys(schema)
    const projected = new Set([...key, ...keys.order, ...(Projection?.NonKeyAttributes ?? [])])
    return {
      name: IndexName,
      ...keys,
      isGlobal,
      columns: Projection?.ProjectionType === 'ALL' ? 'all' : projected,
    }
  })
  const known = new Map(
    AttributeDefinitions.map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType]),
  )
  return {
    key,
    paths: [{ name: undefined, ...table, isGlobal: false, columns: 'all' }, ...indexes],
    columns: model.columns,
    typeOf: (column) => known.get(column) ?? typeIn(model, column),
    mayLack: (column) => model.mayLack(column),
  }
}

type Keys = Pick<AccessPath, 'partition' | 'sort' | 'order'>

function orderedKeys(partition: readonly string[], sort: readonly string[]): Keys {
  return { partition, sort, order: [...partition, ...sort] }
}

function describedKeys(schema: TableDescription['KeySchema'] = []): Keys {
  const named = (kind: string): string[] =>
    schema.filter(({ KeyType }) => KeyType === kind).map(({ AttributeName }) => AttributeName as string)
  return orderedKeys(named('HASH'), named('RANGE'))
}
