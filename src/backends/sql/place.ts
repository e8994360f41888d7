import type { RawBuilder } from 'kysely'
import { InvalidDataError, InvalidTokenError } from '../../errors/index.ts'
import { isNumeric } from '../../core/is-numeric.ts'
import type { UnknownRecord } from '../../core/record.ts'
import type { Model } from '../model.ts'
import type { ColumnKind } from '../planning/column-kinds.ts'
import { fromTokenValues, toTokenValues } from '../planning/token-values.ts'
import type { Engine, SqlTag } from './database.ts'
import type { Keyset } from './keyset.ts'
import { toBoolean, toDriver } from './rows.ts'

/** Kinds whose values drivers give as they are. */
const exactKinds: Readonly<Record<Engine, ReadonlySet<ColumnKind | undefined>>> = {
  postgres: new Set(['string', 'number', 'bigint', 'decimal', 'boolean', 'bytes']),
  mysql: new Set(['string', 'boolean', 'bytes']),
}

/** A number as databases write it. */
const numeral = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i

/** Tells where a page of one model's rows ends, exactly: the next page begins behind that row. */
export class PlaceWriter {
  readonly #model: Pick<Model, 'kind' | 'shape'>
  readonly #keyset: Keyset
  /** What is read beside the columns: drivers round dates to milliseconds, and MySQL rounds what it gives of a FLOAT. */
  readonly columns: readonly { readonly name: string; readonly value: RawBuilder<unknown> }[]

  constructor(model: Pick<Model, 'kind' | 'shape'>, keyset: Keyset) {
    this.#model = model
    this.#keyset = keyset
    const { sql, engine, order } = keyset
    this.columns = order.flatMap(({ column }, at) =>
      this.#isEnum(column)
        ? [{ name: exactName(at), value: enumPlace(sql, column) }]
        : exactKinds[engine].has(this.#model.kind(column))
          ? []
          : [{ name: exactName(at), value: exactText(sql, engine, column) }],
    )
  }

  /** The place of a row, as a token holds it. @throws InvalidDataError where the driver gives no value that tells it */
  of(row: UnknownRecord): unknown[] {
    const values = this.#keyset.order.map(({ column }, at) =>
      this.#model.kind(column) === 'boolean'
        ? toBoolean(row[column])
        : this.#exactValue(row[column], row[exactName(at)]),
    )
    for (const [at, { column }] of this.#keyset.order.entries())
      if (!this.#isPlace(column, values[at]))
        throw new InvalidDataError(
          `A page cannot end at a value of "${column}": the driver gives another type than the model has`,
        )
    return toTokenValues(values)
  }

  /** The values of a place, as they are compared with columns. @throws InvalidTokenError */
  read(place: unknown): unknown[] {
    const values = fromTokenValues(place)
    const { sql, engine, order } = this.#keyset
    if (values.length !== order.length) throw new InvalidTokenError()
    return order.map(({ column, isOptional }, at) => {
      const value = values[at]
      if (value === null ? !isOptional : !this.#isPlace(column, value)) throw new InvalidTokenError()
      // MySQL compares a text with a DECIMAL by their roundings.
      const isNumeral = engine === 'mysql' && typeof value === 'string' && this.#isNumber(column)
      return isNumeral ? sql.raw(value) : toDriver(value)
    })
  }

  /** Whether it may be an ENUM of MySQL. */
  #isEnum(column: string): boolean {
    return this.#keyset.engine === 'mysql' && this.#model.shape(column)?.isChoice === true
  }

  /** A text that is exact, in MySQL as the type that the driver gives. */
  #exactValue(raw: unknown, text: unknown): unknown {
    if (isNumeric(text)) return text
    if (typeof text !== 'string' || raw instanceof Uint8Array) return raw
    if (this.#keyset.engine === 'postgres' || !isNumeric(raw)) return text
    const number = Number(text)
    const isRounded = Number.isInteger(number) && !Number.isSafeInteger(number) && /^-?\d+$/.test(text)
    return isRounded ? BigInt(text) : number
  }

  #isNumber(column: string): boolean {
    const kind = this.#model.kind(column)
    return kind === 'number' || kind === 'bigint' || kind === 'decimal'
  }

  /** Whether a value can be one of the column: a database refuses others with errors of its own. */
  #isPlace(column: string, value: unknown): boolean {
    if (value === null || value === undefined) return true
    if (this.#isNumber(column)) return isNumeric(value) || this.#isNumeral(value)
    switch (this.#model.kind(column)) {
      case 'string':
        return typeof value === 'string' || (this.#isEnum(column) && typeof value === 'number')
      case 'date':
        return typeof value === 'string' && /^(?:-?infinity|[\d :.+-]+(?: BC)?)$/.test(value)
      case 'boolean':
        return typeof value === 'boolean'
      case 'bytes':
        return value instanceof Uint8Array
      default:
        return typeof value !== 'object' || value instanceof Uint8Array
    }
  }

  #isNumeral(value: unknown): boolean {
    if (typeof value !== 'string') return false
    return numeral.test(value) || (this.#keyset.engine === 'postgres' && /^(?:NaN|-?Infinity)$/.test(value))
  }
}

function exactName(at: number): string {
  return `exactly ${at}`
}

/** The text of a value. That of a FLOAT is rounded in MySQL, and compared unrounded. */
function exactText(sql: SqlTag, engine: Engine, column: string): RawBuilder<unknown> {
  const name = sql.id(column)
  if (engine === 'postgres') return sql`cast(${name} as text)`
  const text = sql`cast(${name} as char)`
  const isRounded = sql`${text} regexp '^-?[0-9.]+(e[+-]?[0-9]+)?$' and ${text} + 0e0 <> ${name}`
  return sql`case when ${isRounded} then cast(${name} + 0e0 as char) else ${text} end`
}

/** MySQL sorts an ENUM by its numbers, and compares it with text as text. A text that is none has no number of its own. */
function enumPlace(sql: SqlTag, column: string): RawBuilder<unknown> {
  const name = sql.id(column)
  return sql`nullif(${name} + 0, concat(${name}, '') + 0)`
}
