import type { Expression, ExpressionBuilder, ExpressionWrapper, RawBuilder, SqlBool } from 'kysely'
import { ColumnError, ConditionError } from '../../errors/index.ts'
import { Decimal } from '../../wire/decimal.ts'
import type { Model } from '../model.ts'
import type { ColumnKind } from '../planning/column-kinds.ts'
import type { Comparison, Condition } from '../planning/query-state.ts'
import type { AnyTables, Engine, SqlTag } from './database.ts'
import { checkType } from '../planning/check-type.ts'
import { toColumn } from './rows.ts'

type Builder = ExpressionBuilder<AnyTables, string>
type SqlCondition = Expression<SqlBool>

/** Says conditions in SQL, with the meaning that they have on every backend. */
export class ConditionWriter {
  readonly #sql: SqlTag
  readonly #model: Model
  readonly #engine: Engine

  constructor(sql: SqlTag, model: Model, engine: Engine) {
    this.#sql = sql
    this.#model = model
    this.#engine = engine
  }

  /** All of them. */
  all(builder: Builder, conditions: readonly Condition[]): ExpressionWrapper<AnyTables, string, SqlBool> {
    return builder.and(conditions.map((condition) => this.#condition(builder, condition)))
  }

  #condition(builder: Builder, condition: Condition): SqlCondition {
    return 'or' in condition
      ? builder.or(condition.or.map((group) => this.all(builder, group)))
      : this.#comparison(builder, condition)
  }

  #comparison(builder: Builder, { column, operator, value }: Comparison): SqlCondition {
    if (!this.#model.has(column)) throw new ColumnError(column)
    const ref = this.#sql.id(column)
    const put = (operand: unknown): unknown => this.#operand(column, operand)
    switch (operator) {
      case '=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return builder(ref, operator, put(value))
      case '!=':
        // What has no value is not that value, either.
        return builder.or([builder(ref, '!=', put(value)), builder(ref, 'is', null)])
      case 'in':
        return value.length === 0 ? builder.lit(false) : builder(ref, 'in', value.map(put))
      case 'not-in':
        if (value.length === 0) return builder.lit(true)
        return builder.or([builder(ref, 'not in', value.map(put)), builder(ref, 'is', null)])
      case 'between':
        return builder.between(ref, put(value[0]), put(value[1]))
      case 'begins-with':
        if (value instanceof Uint8Array)
          return this.#sql<SqlBool>`substring(${ref}, 1, ${this.#sql.lit(value.length)}) = ${toColumn(value)}`
        return this.#like(ref, `${escaped(value, column)}%`)
      case 'contains':
        return isList(this.#model.kind(column))
          ? this.#containsElement(ref, value)
          : this.#like(ref, `%${escaped(value, column)}%`)
      case 'is-null':
        return builder(ref, 'is', null)
      case 'is-not-null':
        return builder(ref, 'is not', null)
      case 'like':
        // With another escape than theirs, a backslash stands for itself on both engines; MariaDB ignores an empty one.
        return this.#like(ref, value.replaceAll('!', '!!'))
    }
  }

  #operand(column: string, operand: unknown): unknown {
    checkType(this.#model, column, operand)
    if (this.#engine === 'postgres') return toColumn(operand)
    if (operand === Infinity || operand === -Infinity)
      throw new ConditionError(`The condition on "${column}" has a value without an end`, { statusCode: 400 })
    // MySQL compares a decimal with text as doubles.
    const decimal = this.#model.kind(column) === 'decimal' ? Decimal.of(operand) : undefined
    if (decimal !== undefined) return this.#sql`cast(${decimal.text} as decimal(65, 30))`
    // MySQL reads text as a number to compare it with one: 0 would be equal to most text. A text it compares with both.
    const isLoose = typeof operand === 'number' || typeof operand === 'boolean'
    return isLoose && this.#model.kind(column) === undefined ? String(Number(operand)) : toColumn(operand)
  }

  #like(ref: Expression<unknown>, pattern: string): RawBuilder<SqlBool> {
    return this.#sql<SqlBool>`${ref} like ${pattern} escape '!'`
  }

  /** Lists are stored as JSON. */
  #containsElement(ref: Expression<unknown>, element: unknown): RawBuilder<SqlBool> {
    const json = JSON.stringify(element)
    return this.#engine === 'mysql'
      ? this.#sql<SqlBool>`json_contains(${ref}, ${json})`
      : this.#sql<SqlBool>`cast(${ref} as jsonb) @> cast(${json} as jsonb)`
  }
}

function isList(kind: ColumnKind | undefined): boolean {
  return kind === 'array' || kind === 'set'
}

/** Text that stands for itself in a pattern. */
function escaped(value: unknown, column: string): string {
  if (typeof value !== 'string') throw new ConditionError(`The condition on "${column}" takes a string`)
  return value.replace(/[!%_]/g, '!$&')
}
