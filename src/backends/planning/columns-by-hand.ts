import { asRecord } from '../../core/record.ts'
import { type NamedKind, namedKinds } from './column-kinds.ts'
import { type SchemaShape, unknownShape } from './schema-shape.ts'

/** The names of columns, or their kinds. */
export type ColumnsByHand<TColumn extends string> =
  readonly TColumn[] | { readonly [K in TColumn]?: NamedKind }

/** Whether a value of the option `columns` is one. */
export function isColumns(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((column) => typeof column === 'string')
  return Object.values(asRecord(value) ?? { none: undefined }).every((kind) => namedKinds.has(kind))
}

/** Their names. */
export function namesOf(columns: ColumnsByHand<string> = []): readonly string[] {
  return isNames(columns) ? columns : Object.keys(columns)
}

function isNames(columns: ColumnsByHand<string>): columns is readonly string[] {
  return Array.isArray(columns)
}

/** A list of names takes the place of the schema's columns; kinds are added to them. */
export function columnsOf(
  told: ReadonlyMap<string, SchemaShape> | undefined,
  byHand: ColumnsByHand<string> | undefined,
  key: readonly string[],
): ReadonlyMap<string, SchemaShape> | undefined {
  if (told === undefined && byHand === undefined) return undefined
  const isList = byHand !== undefined && isNames(byHand)
  const names = isList ? [...byHand, ...key] : [...(told?.keys() ?? []), ...namesOf(byHand), ...key]
  const kinds: Readonly<Record<string, NamedKind | undefined>> =
    byHand === undefined || isNames(byHand) ? {} : byHand
  return new Map(
    names.map((name) => {
      const shape = told?.get(name) ?? unknownShape
      const kind = kinds[name]
      return [name, kind === undefined ? shape : { ...shape, kind, isAmbiguous: false }]
    }),
  )
}
