import type { ExpressionBuilder, Expression, SelectQueryBuilder, SqlBool } from 'kysely'
import type { QueryState } from '../planning/query-state.ts'
import { type AnyTables, type Engine, reference } from './database.ts'
import { toColumn } from './rows.ts'

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

/** Puts a query into its order, in words that leave the most to the indexes. */
export function orderedByKeys<TRow>(
  query: KeysetSelect<TRow>,
  order: readonly OrderColumn[],
  engine: Engine,
): KeysetSelect<TRow> {
  let result = query
  for (const { column, direction, isOptional } of order) {
    // For MySQL no value is the least, so that it is last in this direction; for PostgreSQL it is the greatest.
    const comesFirst = isOptional && direction === (engine === 'mysql' ? 'asc' : 'desc')
    if (comesFirst && engine === 'mysql')
      result = result.orderBy((builder) => builder(reference(builder, column), 'is', null) as never, 'asc')
    result = result.orderBy(column as never, (by) => {
      const directed = direction === 'asc' ? by.asc() : by.desc()
      return comesFirst && engine === 'postgres' ? directed.nullsLast() : directed
    })
  }
  return result
}

/**
 * What comes behind a row, told by the values of its order: no offset, so that the tenth page costs what the first does,
 * and nothing is missed or doubled where rows come and go.
 */
export function behind(
  builder: ExpressionBuilder<AnyTables, string>,
  order: readonly OrderColumn[],
  values: readonly unknown[],
): Expression<SqlBool> {
  const alternatives = order.flatMap((one, index) => {
    const further = beyond(builder, one, values[index])
    if (further === undefined) return []
    const same = order.slice(0, index).map(({ column }, at) => equal(builder, column, values[at]))
    return [builder.and([...same, further])]
  })
  return builder.or(alternatives)
}

function equal(
  builder: ExpressionBuilder<AnyTables, string>,
  column: string,
  value: unknown,
): Expression<SqlBool> {
  const ref = reference(builder, column)
  return value === null ? builder(ref, 'is', null) : builder(ref, '=', toColumn(value))
}

/** Rows without a value come last: nothing is behind them. */
function beyond(
  builder: ExpressionBuilder<AnyTables, string>,
  { column, direction, isOptional }: OrderColumn,
  value: unknown,
): Expression<SqlBool> | undefined {
  if (value === null) return undefined
  const ref = reference(builder, column)
  const further = builder(ref, direction === 'asc' ? '>' : '<', toColumn(value))
  return isOptional ? builder.or([further, builder(ref, 'is', null)]) : further
}
