import type { Expression, RawBuilder, SqlBool } from 'kysely'
import { Decimal } from '../../wire/decimal.ts'
import { elementJson, toJson } from '../../wire/json-column.ts'
import type { ValueShape } from '../../wire/value-shape.ts'
import type { Model } from '../model.ts'
import type { Comparison, Operation } from '../planning/query-state.ts'
import { shapeOfPlace } from '../planning/places.ts'
import type { Engine, SqlTag } from './database.ts'
import { JsonValues } from './json-values.ts'

type SqlCondition = RawBuilder<SqlBool>
type Order = '=' | '<' | '<=' | '>' | '>='

/** What conditions are said with. */
interface JsonWords {
  readonly sql: SqlTag
  readonly engine: Engine
}

/** A comparison of a value inside of a column. */
export type InnerComparison = Comparison & { readonly path: readonly string[] }

/**
 * Says conditions on values inside of JSON. A value is compared with one of its own type, by size or by bytes, as DynamoDB
 * does; what is not there, `null`, and what is of another type, is only met by negations and `is-null`.
 */
export class JsonConditions {
  readonly #sql: SqlTag
  readonly #model: Model
  readonly #engine: Engine
  readonly #json: JsonValues
  readonly #words: JsonWords

  constructor(sql: SqlTag, model: Model, engine: Engine) {
    this.#words = { sql, engine }
    this.#sql = sql
    this.#model = model
    this.#engine = engine
    this.#json = new JsonValues(sql, engine)
  }

  /** @param comparison - Of a place inside of a column, or of a whole column that is JSON */
  condition({ path, ...operation }: InnerComparison): SqlCondition {
    return this.#said(this.#json.value(path), operation, shapeOfPlace(this.#model, path))
  }

  #said(
    value: RawBuilder<unknown>,
    { operator, value: operand }: Operation,
    shape: ValueShape | undefined,
  ): SqlCondition {
    const compared = (order: Order, other: unknown): SqlCondition =>
      this.#compared(value, [order, other], shape)
    const contained = (element: unknown): SqlCondition => this.#containsElement(value, element, shape)
    switch (operator) {
      case '=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return compared(operator, operand)
      case '!=':
        return this.#not(compared('=', operand))
      case 'in':
        return this.#any(operand.map((value) => compared('=', value)))
      case 'not-in':
        return this.#not(this.#any(operand.map((value) => compared('=', value))))
      case 'between':
        return this.#sql`(${compared('>=', operand[0])} and ${compared('<=', operand[1])})`
      case 'begins-with':
        return this.#like(value, `${escapedText(operand)}%`)
      case 'contains':
        return typeof operand === 'string'
          ? this.#any([this.#like(value, `%${escapedText(operand)}%`), contained(operand)])
          : contained(operand)
      case 'is-null':
        return this.#sql`${this.#json.text(value)} is null`
      case 'is-not-null':
        return this.#sql`${this.#json.text(value)} is not null`
      case 'like':
        return this.#like(value, operand.replaceAll('!', '!!'))
    }
  }

  #compared(
    value: RawBuilder<unknown>,
    [order, other]: [Order, unknown],
    shape: ValueShape | undefined,
  ): SqlCondition {
    const isText = shape?.kind === 'bigint' || shape?.kind === 'decimal'
    if (typeof other === 'number' || typeof other === 'bigint' || isText)
      return this.#comparedNumber(value, [order, String(other)], isText)
    if (other instanceof Date) return this.#comparedText(value, order, other.toISOString())
    if (typeof other === 'string') return this.#comparedText(value, order, other)
    if (typeof other === 'boolean' && order === '=')
      return this.#sql`(${this.#json.is(value, 'boolean')} and ${this.#json.text(value)} = ${String(other)})`
    if (typeof other !== 'object' || other === null || order !== '=') return this.#never()
    if (other instanceof Uint8Array)
      return this.#comparedText(value, '=', Buffer.from(other).toString('base64'))
    const json = toJson(other, shape, 'The value')
    if (other instanceof Set) return this.#sameMembers(value, json)
    return this.#engine === 'mysql'
      ? containsElement(this.#words, this.#sql`json_array(${value})`, json)
      : this.#sql`${value} = cast(${json} as jsonb)`
  }

  /** In any order: each of two lists contains the other one. */
  #sameMembers(value: RawBuilder<unknown>, json: string): SqlCondition {
    return this.#engine === 'mysql'
      ? this.#sql`(json_contains(${value}, ${json}) and json_contains(${json}, ${value}))`
      : this.#sql`(${value} @> cast(${json} as jsonb) and ${value} <@ cast(${json} as jsonb))`
  }

  #comparedNumber(
    value: RawBuilder<unknown>,
    [order, other]: [Order, string],
    isText: boolean,
  ): SqlCondition {
    const decimal = Decimal.of(other)
    if (decimal === undefined) return this.#never()
    const sign = this.#sql.raw(order)
    const type = this.#sql.raw(this.#engine === 'mysql' ? (isText ? 'decimal(65, 30)' : 'double') : 'numeric')
    const number = this.#sql`cast(${this.#json.text(value)} as ${type})`
    const kind = this.#json.is(value, isText ? 'string' : 'number')
    // A case, because "and" promises no order.
    return this
      .#sql`(case when ${kind} then ${number} ${sign} cast(${decimal.text} as ${type}) else false end)`
  }

  /** By bytes, whatever the collation of the column is. */
  #comparedText(value: RawBuilder<unknown>, order: Order, other: string): SqlCondition {
    const sign = this.#sql.raw(order)
    const compared =
      this.#engine === 'mysql'
        ? this.#sql`cast(${this.#json.text(value)} as binary) ${sign} cast(${other} as binary)`
        : this.#sql`${this.#json.text(value)} collate "C" ${sign} ${other}`
    return this.#sql`(${this.#json.is(value, 'string')} and ${compared})`
  }

  #like(value: RawBuilder<unknown>, pattern: string): SqlCondition {
    const text =
      this.#engine === 'mysql'
        ? this.#sql`convert(${this.#json.text(value)} using utf8mb4) collate utf8mb4_bin`
        : this.#json.text(value)
    return this.#sql`(${this.#json.is(value, 'string')} and ${text} like ${pattern} escape '!')`
  }

  #containsElement(value: RawBuilder<unknown>, element: unknown, list: ValueShape | undefined): SqlCondition {
    const contained = containsElement(this.#words, value, elementJson(element, list, 'The element'))
    return this.#sql`(${this.#json.is(value, 'array')} and ${contained})`
  }

  /** Also where nothing is known. */
  #not(condition: Expression<SqlBool>): SqlCondition {
    return this.#sql`(${condition}) is not true`
  }

  #any(conditions: readonly Expression<SqlBool>[]): SqlCondition {
    return conditions.length === 0
      ? this.#never()
      : this.#sql`(${this.#sql.join(conditions, this.#sql` or `)})`
  }

  #never(): SqlCondition {
    return this.#sql`1 = 0`
  }
}

/** Text that stands for itself in a pattern. */
function escapedText(value: unknown): string {
  return String(value).replace(/[!%_]/g, '!$&')
}

/**
 * One meaning on every backend: an element equals the operand as a whole. Both engines find an element by its parts, and an
 * index may serve that: what has parts is compared as a whole, too.
 *
 * @param list - In PostgreSQL of the type jsonb
 */
export function containsElement(
  { sql, engine }: JsonWords,
  list: RawBuilder<unknown>,
  json: string,
): SqlCondition {
  const hasParts = /^[[{]/.test(json)
  if (engine === 'postgres') {
    const part = sql<SqlBool>`${list} @> cast(${`[${json}]`} as jsonb)`
    if (!hasParts) return part
    const elements = sql`jsonb_array_elements(case when jsonb_typeof(${list}) = 'array' then ${list} else '[]' end)`
    return sql<SqlBool>`(${part} and exists (select 1 from ${elements} as e where e = cast(${json} as jsonb)))`
  }
  const part = sql<SqlBool>`json_contains(${list}, ${json})`
  // MariaDB alone reads the first of the two comments, and MySQL alone the second. Drivers put no value into a comment.
  const isEqual = hasParts
    ? sql<SqlBool>`/*M! json_equals(element, operand) *//*!80004 element = cast(operand as json) */`
    : sql<SqlBool>`json_contains(element, operand) and json_type(element) <> 'ARRAY'`
  const elements = sql`json_table(${list}, '$[*]' columns (element json path '$')) as elements`
  const values = sql`(select ${json} as operand) as operands`
  return sql<SqlBool>`(${part} and exists (select 1 from ${elements}, ${values} where ${isEqual}))`
}
