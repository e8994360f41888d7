import type { RawBuilder, SqlBool } from 'kysely'
import type { Engine, SqlTag } from './database.ts'

/** Says values inside of JSON. */
export class JsonValues {
  readonly #sql: SqlTag
  readonly #engine: Engine

  constructor(sql: SqlTag, engine: Engine) {
    this.#sql = sql
    this.#engine = engine
  }

  /** The value as JSON; no value where there is none. */
  value([column = '', ...names]: readonly string[]): RawBuilder<unknown> {
    const ref = this.#sql.id(column)
    if (this.#engine === 'mysql')
      return this
        .#sql`json_extract(${ref}, ${`$${names.map((name) => `.${JSON.stringify(name)}`).join('')}`})`
    let value = this.#sql`cast(${ref} as jsonb)`
    for (const name of names) value = this.#sql`${value} -> cast(${name} as text)`
    return this.#sql`(${value})`
  }

  /** The value as text, whatever it is; none for the null of JSON. */
  text(value: RawBuilder<unknown>): RawBuilder<unknown> {
    return this.#engine === 'mysql'
      ? this.#sql`(case when json_type(${value}) <> 'NULL' then json_unquote(${value}) end)`
      : this.#sql`(${value} #>> '{}')`
  }

  is(value: RawBuilder<unknown>, type: 'string' | 'number' | 'boolean' | 'array'): RawBuilder<SqlBool> {
    if (this.#engine === 'postgres') return this.#sql`jsonb_typeof(${value}) = ${type}`
    const types = {
      string: ['STRING'],
      number: ['INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL'],
      boolean: ['BOOLEAN'],
      array: ['ARRAY'],
    }[type]
    return this.#sql`json_type(${value}) in (${this.#sql.join(types)})`
  }
}

/** Members as MySQL writes their path. */
export function mysqlPath(names: readonly string[]): string {
  return `$${names.map((name) => `.${JSON.stringify(name)}`).join('')}`
}
