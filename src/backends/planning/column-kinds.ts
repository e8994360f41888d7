import { asRecord } from '../../core/record.ts'

/** What a column holds, where that makes a difference to a database. */
export type ColumnKind = 'string' | 'number' | 'bigint' | 'boolean' | 'date' | 'bytes' | 'array' | 'object'

const kinds: Readonly<Record<string, ColumnKind>> = {
  string: 'string',
  enum: 'string',
  number: 'number',
  int: 'number',
  bigint: 'bigint',
  boolean: 'boolean',
  date: 'date',
  array: 'array',
  tuple: 'array',
  object: 'object',
  strict_object: 'object',
  loose_object: 'object',
  record: 'object',
}

/** What makes a column one that may be left out. */
const optionals = new Set(['optional', 'nullish', 'exact_optional', 'undefinedable', 'default', 'prefault'])
/** Of these, what is filled in by no default of its own. */
const absent = new Set(['optional', 'nullish', 'exact_optional', 'undefinedable'])

interface SchemaPart {
  readonly type?: unknown
  readonly def?: { readonly type?: unknown; readonly innerType?: unknown }
  readonly wrapped?: unknown
  readonly options?: unknown
  /** Of an instance: valibot's, and zod's. */
  readonly class?: unknown
  readonly _zod?: { readonly bag?: { readonly Class?: unknown } }
}

/** What a schema tells of a column. */
export interface ColumnFacts {
  readonly kind: ColumnKind | undefined
  /** Whether `null` says that there is no value: it is one, and the column cannot be left out instead. */
  readonly isNullable: boolean
  /** Whether an item may be without a value here. */
  readonly mayLack: boolean
}

/**
 * The columns that a schema's own object tells, and what they hold. There is no standard for it yet, so the two usual ways
 * are tried: zod's `shape` and valibot's `entries`. A kind that is not clear is `undefined`.
 */
export function columnFacts(schema: object): Map<string, ColumnFacts> | undefined {
  const { shape, entries } = asRecord(schema)
  const parts = typeof shape === 'object' && shape !== null ? shape : entries
  if (typeof parts !== 'object' || parts === null || Array.isArray(parts)) return undefined
  return new Map(Object.entries(parts).map(([column, part]) => [column, factsOf(part)]))
}

function factsOf(schema: unknown): ColumnFacts {
  let part = schema
  let isNullable = false
  let isOptional = false
  let mayLack = false
  // What is optional, nullable or has a default wraps what it is.
  for (let depth = 0; depth < 8 && typeof part === 'object' && part !== null; depth++) {
    const { type, def, wrapped, _zod: zod, class: bytes = zod?.bag?.Class, options } = part as SchemaPart
    const { default: byDefault } = def === undefined ? asRecord(part) : {}
    const name = String(type ?? def?.type)
    const inner = wrapped ?? def?.innerType
    isNullable ||= name === 'nullable' || name === 'nullish'
    mayLack ||= isNullable || (absent.has(name) && !isOptional && byDefault === undefined)
    isOptional ||= optionals.has(name)
    if (inner === undefined) {
      const kind = name === 'enum' && !isTextList(options) ? undefined : kinds[name]
      return {
        kind: bytes === Uint8Array ? 'bytes' : kind,
        isNullable: isNullable && !isOptional,
        mayLack,
      }
    }
    part = inner
  }
  return { kind: undefined, isNullable, mayLack }
}

/** Enumerations of TypeScript may be of numbers. */
function isTextList(options: unknown): boolean {
  return Array.isArray(options) && options.every((option) => typeof option === 'string')
}
