import { type ColumnKind, type SchemaShape, shapeOf } from './schema-shape.ts'

export type { ColumnKind } from './schema-shape.ts'

/** The kinds that a column can be given by hand. */
export type NamedKind = Exclude<ColumnKind, 'null' | 'undefined'>

/** All of them. */
export const namedKinds: ReadonlySet<unknown> = new Set<NamedKind>([
  'string',
  'number',
  'bigint',
  'decimal',
  'boolean',
  'date',
  'bytes',
  'array',
  'set',
  'object',
  'json',
])

/** What is known of a model's columns. */
export interface KnownColumns {
  readonly columns: ReadonlyMap<string, SchemaShape>
  /** Whether items may have columns beside these. */
  readonly isLoose: boolean
}

/** The columns that a schema tells, and what they hold; `undefined` where it tells none. */
export function columnsOfSchema(schema: unknown): KnownColumns | undefined {
  const { members, isLoose = false } = shapeOf(schema)
  return members && { columns: members, isLoose }
}

/**
 * The place of a value that may be a date or a bigint, or else something of another kind: what is stored does not tell.
 */
export function ambiguousPlace(shape: SchemaShape, path: string): string | undefined {
  if (shape.isAmbiguous === true) return path
  const { members, items = [], element } = shape
  const inner: (readonly [string, SchemaShape])[] = [
    ...[...(members ?? [])].map(([name, member]) => [`${path}.${name}`, member] as const),
    ...items.map((item, index) => [`${path}[${index}]`, item] as const),
    ...(element === undefined ? [] : [[`${path}[]`, element] as const]),
  ]
  for (const [place, member] of inner) {
    const found = ambiguousPlace(member, place)
    if (found !== undefined) return found
  }
  return undefined
}
