/** What a column holds, where that makes a difference to a database. */
export type ColumnKind = 'string' | 'number' | 'bigint' | 'boolean' | 'date' | 'bytes' | 'array'

const kinds: Readonly<Record<string, ColumnKind>> = {
  string: 'string',
  enum: 'string',
  number: 'number',
  int: 'number',
  bigint: 'bigint',
  boolean: 'boolean',
  date: 'date',
  instance: 'bytes',
  array: 'array',
}

interface SchemaPart {
  readonly type?: unknown
  readonly def?: { readonly type?: unknown; readonly innerType?: unknown }
  readonly wrapped?: unknown
  readonly class?: unknown
}

/** What a schema tells of a column. */
export interface ColumnFacts {
  readonly kind: ColumnKind | undefined
  /** Whether `null` is a value of it. */
  readonly isNullable: boolean
}

/**
 * The columns that a schema's own object tells, and what they hold. There is no standard for it yet, so the two usual ways
 * are tried: zod's `shape` and valibot's `entries`. A kind that is not clear is `undefined`.
 */
export function columnFacts(schema: object): Map<string, ColumnFacts> | undefined {
  const { shape, entries } = schema as { shape?: unknown; entries?: unknown }
  const parts = typeof shape === 'object' && shape !== null ? shape : entries
  if (typeof parts !== 'object' || parts === null || Array.isArray(parts)) return undefined
  return new Map(Object.entries(parts).map(([column, part]) => [column, factsOf(part)]))
}

function factsOf(schema: unknown): ColumnFacts {
  let part = schema
  let isNullable = false
  // What is optional, nullable or has a default wraps what it is.
  for (let depth = 0; depth < 8 && typeof part === 'object' && part !== null; depth++) {
    const { type, def, wrapped, class: held } = part as SchemaPart
    const name = String(type ?? def?.type)
    const inner = wrapped ?? def?.innerType
    isNullable ||= name === 'nullable' || name === 'nullish'
    if (inner === undefined)
      return { kind: name === 'instance' && held !== Uint8Array ? undefined : kinds[name], isNullable }
    part = inner
  }
  return { kind: undefined, isNullable }
}
