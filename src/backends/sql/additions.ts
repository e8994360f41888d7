import type { RawBuilder, SqlBool } from 'kysely'
import type { UnknownRecord } from '../../core/record.ts'
import type { InvalidDataError } from '../../errors/index.ts'
import { toJson } from '../../wire/json-column.ts'
import { missingPlace, unfitPlace } from '../planning/actions.ts'
import type { Addition } from '../planning/additions.ts'
import { isObject, shapeOfPlace, valueAt } from '../planning/places.ts'
import { JsonValues, mysqlPath } from './json-values.ts'
import type { TableWords } from './row-finder.ts'

type Value = RawBuilder<unknown>

/** Says what is added to columns, and to places inside of them. */
export class AdditionWriter {
  readonly #words: Pick<TableWords, 'rows' | 'engine' | 'sql'>
  readonly #json: JsonValues

  constructor(words: Pick<TableWords, 'rows' | 'engine' | 'sql'>) {
    this.#words = words
    this.#json = new JsonValues(words.sql, words.engine)
  }

  /** What the columns become. */
  columns(additions: readonly Addition[]): Record<string, Value> {
    const columns: Record<string, Value> = {}
    for (const addition of additions) {
      const [column = '', ...names] = addition.place
      columns[column] =
        names.length === 0 ? this.#whole(addition, column) : this.#inside(addition, columns[column])
    }
    return columns
  }

  /** What has to be there for them: no engine refuses to add to what is not there. */
  conditions(additions: readonly Addition[]): RawBuilder<SqlBool>[] {
    return additions.flatMap((addition) => {
      const { place } = addition
      if (place.length === 1) return []
      return [this.#isObject(place.slice(0, -1)), this.#fits(addition)]
    })
  }

  /** Why a row that is there was not added to. */
  refusal(additions: readonly Addition[], item: UnknownRecord): InvalidDataError {
    const { name } = this.#words.rows.model
    const isThere = additions.every(
      ({ place }) => place.length === 1 || isObject(valueAt(item, place.slice(0, -1))),
    )
    return isThere ? unfitPlace(name) : missingPlace(name)
  }

  #whole({ kind, value }: Addition, column: string): Value {
    const { sql, engine, rows } = this.#words
    const ref = sql.id(column)
    if (kind === 'add') {
      const isText = typeof value === 'string' && engine === 'mysql'
      return sql`coalesce(${ref}, 0) + ${isText ? sql`cast(${value} as decimal(65, 30))` : this.#number(value)}`
    }
    if (rows.isArray(column))
      return sql`array_cat(coalesce(${ref}, '{}'), ${rows.toColumn(column, [...value])})`
    const json = toJson([...value], rows.model.shape(column), column)
    return engine === 'mysql'
      ? sql`json_merge_preserve(coalesce(${ref}, '[]'), ${json})`
      : sql`coalesce(cast(${ref} as jsonb), '[]') || cast(${json} as jsonb)`
  }

  /** @param around - The column as another addition has made it */
  #inside({ kind, place, value }: Addition, around: Value | undefined): Value {
    const { sql, engine, rows } = this.#words
    const [column = '', ...names] = place
    const old = this.#json.value(place)
    const shape = shapeOfPlace(rows.model, place)
    const next =
      kind === 'add'
        ? this.#sum(old, value, this.#isText(place))
        : this.#list(old, toJson([...value], shape, column))
    if (engine === 'mysql') return sql`json_set(${around ?? sql.id(column)}, ${mysqlPath(names)}, ${next})`
    const path = sql`cast(array[${sql.join(names)}] as text[])`
    return sql`jsonb_set(${around ?? sql`cast(${sql.id(column)} as jsonb)`}, ${path}, ${next})`
  }

  #sum(old: Value, value: number | bigint | string, isText: boolean): Value {
    const { sql, engine } = this.#words
    const type = sql.raw(engine === 'mysql' ? (isText ? 'decimal(65, 0)' : 'double') : 'numeric')
    const sum = sql`(coalesce(cast(${this.#json.text(old)} as ${type}), 0) + cast(${String(value)} as ${type}))`
    if (engine === 'mysql') return isText ? sql`cast(${sum} as char)` : sum
    return isText ? sql`to_jsonb(cast(${sum} as text))` : sql`to_jsonb(${sum})`
  }

  #list(old: Value, json: string): Value {
    const { sql, engine } = this.#words
    return engine === 'mysql'
      ? sql`json_merge_preserve(case when json_type(${old}) = 'ARRAY' then ${old} else '[]' end, ${json})`
      : sql`(case when jsonb_typeof(${old}) = 'array' then ${old} else '[]' end || cast(${json} as jsonb))`
  }

  #isObject(place: readonly string[]): RawBuilder<SqlBool> {
    const { sql, engine } = this.#words
    const value = this.#json.value(place)
    return engine === 'mysql' ? sql`json_type(${value}) = 'OBJECT'` : sql`jsonb_typeof(${value}) = 'object'`
  }

  #fits({ kind, place }: Addition): RawBuilder<SqlBool> {
    const value = this.#json.value(place)
    const type = kind === 'append' ? 'array' : this.#isText(place) ? 'string' : 'number'
    return this.#words.sql`(${this.#json.text(value)} is null or ${this.#json.is(value, type)})`
  }

  #isText(place: readonly string[]): boolean {
    return ['bigint', 'decimal'].includes(shapeOfPlace(this.#words.rows.model, place)?.kind ?? '')
  }

  #number(value: number | bigint | string): unknown {
    return typeof value === 'bigint' ? value.toString() : value
  }
}
