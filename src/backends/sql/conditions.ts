import type { Expression, ExpressionBuilder, ExpressionWrapper, RawBuilder, SqlBool } from 'kysely'
import { ConditionError } from '../../errors/index.ts'
import { Decimal } from '../../wire/decimal.ts'
import type { ColumnKind } from '../planning/column-kinds.ts'
import { type Comparison, type Condition, isEquality } from '../planning/query-state.ts'
import { type AnyTables, type Engine, type SqlTag, named } from './database.ts'
import { checkJson, jsonKinds, placeOf } from '../planning/places.ts'
import { JsonConditions, containsElement } from './json-conditions.ts'
import { checkComparison } from '../planning/check-type.ts'
import { refuseText } from '../planning/readable-text.ts'
import { type RowMapper, toDriver } from './rows.ts'
import { elementJson } from '../../wire/json-column.ts'

type Builder = ExpressionBuilder<AnyTables, string>
type SqlCondition = Expression<SqlBool>

/** Says conditions in SQL, with the meaning that they have on every backend. */
export class ConditionWriter {
  readonly #sql: SqlTag
  readonly #rows: RowMapper
  readonly #engine: Engine
  readonly #inside: JsonConditions

  constructor(sql: SqlTag, rows: RowMapper, engine: Engine) {
    this.#sql = sql
    this.#rows = rows
    this.#engine = engine
    this.#inside = new JsonConditions(sql, rows.model, engine)
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

  #comparison(builder: Builder, comparison: Comparison): SqlCondition {
    const { column, operator, value } = comparison
    const path = placeOf(this.#rows.model, column)
    checkComparison({ ...comparison, path }, this.#rows.model)
    checkJson({ ...comparison, path }, this.#rows.model)
    if (path.length > 1 || this.#isJsonEquality(comparison))
      return this.#inside.condition({ ...comparison, path })
    const ref = named(this.#sql, column)
    const put = (operand: unknown): unknown => this.#operand(column, operand)
    switch (operator) {
      case '=':
        return this.#guarded(builder, column, [value]) ?? builder(ref, '=', put(value))
      case '<':
      case '<=':
      case '>':
      case '>=':
        return builder(ref, operator, put(value))
      case '!=':
        // What has no value is not that value, either.
        return (
          this.#unguarded(builder, column, [value]) ??
          builder.or([builder(ref, '!=', put(value)), builder(ref, 'is', null)])
        )
      case 'in':
        if (value.length === 0) return builder.lit(false)
        return this.#guarded(builder, column, value) ?? builder(ref, 'in', value.map(put))
      case 'not-in':
        if (value.length === 0) return builder.lit(true)
        return (
          this.#unguarded(builder, column, value) ??
          builder.or([builder(ref, 'not in', value.map(put)), builder(ref, 'is', null)])
        )
      case 'between':
        return builder.between(ref, put(value[0]), put(value[1]))
      case 'begins-with':
        if (value instanceof Uint8Array)
          return this
            .#sql<SqlBool>`substring(${this.#sql.id(column)}, 1, ${this.#sql.lit(value.length)}) = ${toDriver(value)}`
        return this.#like(column, `${escaped(value, column)}%`)
      case 'contains':
        return lists.has(this.#rows.model.kind(column))
          ? this.#containsElement(column, value)
          : this.#like(column, `%${escaped(value, column)}%`)
      case 'is-null':
        return builder(ref, 'is', null)
      case 'is-not-null':
        return builder(ref, 'is not', null)
      case 'like':
        // With another escape than theirs, a backslash stands for itself on both engines; MariaDB ignores an empty one.
        return this.#like(column, value.replaceAll('!', '!!'))
    }
  }

  /** Whether values of JSON are compared, of which one has several spellings. */
  #isJsonEquality({ column, operator }: Comparison): boolean {
    const isJson = jsonKinds.has(this.#rows.model.kind(column)) && !this.#rows.isArray(column)
    return isJson && isEquality(operator)
  }

  #operand(column: string, operand: unknown): unknown {
    refuseText(column, operand, this.#engine === 'mysql')
    if (this.#engine === 'postgres') return this.#rows.toColumn(column, operand)
    if (operand === Infinity || operand === -Infinity)
      throw new ConditionError(`The condition on "${column}" has a value without an end`, { statusCode: 400 })
    // MySQL compares a decimal with text as doubles.
    const decimal = this.#rows.model.kind(column) === 'decimal' ? Decimal.of(operand) : undefined
    if (decimal !== undefined) return this.#sql`cast(${decimal.text} as decimal(65, 30))`
    // MySQL reads text as a number to compare it with one: 0 would be equal to most text. A text it compares with both.
    const isLoose = typeof operand === 'number' || typeof operand === 'boolean'
    return isLoose && this.#rows.model.kind(column) === undefined
      ? String(Number(operand))
      : this.#rows.toColumn(column, operand)
  }

  /** For MySQL a text that begins as a number is that number, in a column of numbers: here it is itself alone. */
  #guarded(builder: Builder, column: string, values: readonly unknown[]): SqlCondition | undefined {
    const isKnown = this.#engine !== 'mysql' || this.#rows.model.kind(column) !== undefined
    if (isKnown || !values.some(isHalfNumber)) return undefined
    const ref = this.#sql.id(column)
    const operands = values.map((value) => this.#operand(column, value))
    // The second condition alone would use no index.
    return builder.and([
      builder(ref, 'in', operands),
      builder(this.#sql`concat(${ref}, '')`, 'in', values.map(String)),
    ])
  }

  /** The opposite, met also by what has no value. */
  #unguarded(builder: Builder, column: string, values: readonly unknown[]): SqlCondition | undefined {
    const guarded = this.#guarded(builder, column, values)
    return guarded && this.#sql<SqlBool>`(${guarded}) is not true`
  }

  #like(column: string, pattern: string): RawBuilder<SqlBool> {
    return this.#sql<SqlBool>`${this.#sql.id(column)} like ${pattern} escape '!'`
  }

  /** One meaning on every backend: an element equals the operand as a whole. */
  #containsElement(column: string, element: unknown): SqlCondition {
    const sql = this.#sql
    const name = sql.id(column)
    if (this.#rows.isArray(column))
      return sql<SqlBool>`array_position(${name}, ${toDriver(element)}) is not null`
    const json = elementJson(element, this.#rows.model.shape(column), column)
    const list = this.#engine === 'postgres' ? sql`cast(${name} as jsonb)` : name
    return containsElement({ sql, engine: this.#engine }, list, json)
  }
}

/** Whether a text begins as a number and is none; dates, which begin so too, have their own spelling in a text. */
function isHalfNumber(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    /^\s*[+-]?\.?\d/.test(value) &&
    !/^\d+[-:/]/.test(value) &&
    Number.isNaN(Number(value))
  )
}

const lists: ReadonlySet<ColumnKind | undefined> = new Set(['array', 'set', 'json'])

/** Text that stands for itself in a pattern. */
function escaped(value: unknown, column: string): string {
  if (typeof value !== 'string') throw new ConditionError(`The condition on "${column}" takes a string`)
  return value.replace(/[!%_]/g, '!$&')
}
