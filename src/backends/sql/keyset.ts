import type { RawBuilder, SelectQueryBuilder, SqlBool } from 'kysely'
import type { QueryState } from '../planning/query-state.ts'
import { type AnyTables, type Engine, type SqlTag, named } from './database.ts'

/** A column of the order, and its direction. The key's columns come last, so that no two rows are equal. */
export interface OrderColumn {
  readonly column: string
  readonly direction: 'asc' | 'desc'
  /** Whether rows may have no value there; they come last, in either direction. */
  readonly isOptional: boolean
}

/** The whole order of a query. */
export function orderOf({ sort }: QueryState, key: readonly string[]): OrderColumn[] {
  const direction = sort?.direction ?? 'asc'
  const rest = key
    .filter((column) => column !== sort?.column)
    .map((column) => ({ column, direction, isOptional: false }))
  if (sort === undefined) return rest
  return [{ column: sort.column, direction, isOptional: !key.includes(sort.column) }, ...rest]
}

type KeysetSelect<TRow> = SelectQueryBuilder<AnyTables, string, TRow>

/** What an order is written with. */
export interface Keyset {
  readonly sql: SqlTag
  readonly engine: Engine
  readonly order: readonly OrderColumn[]
}

/** Puts a query into its order, in words that leave the most to the indexes. */
export function orderedByKeys<TRow>(
  query: KeysetSelect<TRow>,
  { sql, engine, order }: Keyset,
): KeysetSelect<TRow> {
  let result = query
  for (const { column, direction, isOptional } of order) {
    // For MySQL no value is the least, so that it is last in this direction; for PostgreSQL it is the greatest.
    const comesFirst = isOptional && direction === (engine === 'mysql' ? 'asc' : 'desc')
    if (comesFirst && engine === 'mysql') result = result.orderBy(sql`${sql.id(column)} is null`, 'asc')
    const name = named(sql, column)
    result =
      comesFirst && engine === 'postgres'
        ? result.orderBy(name, (by) => (direction === 'asc' ? by.asc() : by.desc()).nullsLast())
        : result.orderBy(name, direction)
  }
  return result
}

/**
 * What comes behind a row, told by the values of its order: no offset, so that the tenth page costs what the first does,
 * and nothing is missed or doubled where rows come and go. The conditions are asked one after the other, until the page is
 * full: an index gives the rows with a value in order, and apart from them those without.
 */
export function partsBehind(keyset: Keyset, values: readonly unknown[]): RawBuilder<SqlBool>[] {
  const { sql, order } = keyset
  const [first, ...rest] = order
  const isNull = sql<SqlBool>`${sql.id(first?.column ?? '')} is null`
  // Rows without a value come last: nothing but others of them is behind one.
  if (values[0] === null)
    return [sql<SqlBool>`${isNull} and ${beyond({ ...keyset, order: rest }, values.slice(1))}`]
  return first?.isOptional === true ? [beyond(keyset, values), isNull] : [beyond(keyset, values)]
}

/** PostgreSQL finds the place of a row of values in an index, MySQL that of alternatives. */
function beyond({ sql, engine, order }: Keyset, values: readonly unknown[]): RawBuilder<SqlBool> {
  const further = sql.raw(order[0]?.direction === 'desc' ? '<' : '>')
  const names = order.map(({ column }) => sql.id(column))
  if (engine === 'postgres')
    return sql<SqlBool>`(${sql.join(names)}) ${further} (${sql.join(values.map((value) => sql`${value}`))})`
  const whole = names.reduceRight<RawBuilder<SqlBool> | undefined>((rest, name, index) => {
    const value = values[index]
    const isBeyond = sql<SqlBool>`${name} ${further} ${value}`
    return rest === undefined ? isBeyond : sql<SqlBool>`(${isBeyond} or (${name} = ${value} and ${rest}))`
  }, undefined)
  return whole ?? sql<SqlBool>`true`
}
