import { InvalidDataError } from '../../errors/index.ts'
import { type UnknownRecord, asRecord } from '../../core/record.ts'
import type { ColumnKind } from '../planning/column-kinds.ts'
import type { Model } from '../model.ts'
import type { Engine } from './database.ts'
import { equals } from '../planning/evaluate.ts'
import { jsonKinds } from '../planning/places.ts'
import { refuseHalves } from '../planning/readable-text.ts'
import { setOwn } from '../../wire/attribute-value.ts'
import { Decimal } from '../../wire/decimal.ts'
import { digitsOf } from '../../wire/number-text.ts'
import { fromJson, toJson } from '../../wire/json-column.ts'

/** A value that is no structure, as drivers take it: bytes as a `Buffer`. */
export function toDriver(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** Items of a model as rows of its table, and the other way round. */
export class RowMapper {
  readonly model: Model
  readonly #arrays: ReadonlySet<string>

  /** @param arrays - Columns of PostgreSQL's own array types */
  constructor(model: Model, arrays: readonly string[] = []) {
    this.model = model
    this.#arrays = new Set(arrays)
  }

  /** Whether a column is of one of PostgreSQL's own array types, and not JSON. */
  isArray(column: string): boolean {
    return this.#arrays.has(column)
  }

  /** A value as drivers take it. @throws InvalidDataError for what the column would hold in part or not at all */
  toColumn(column: string, value: unknown): unknown {
    if (value === undefined || value === null) return value
    const shape = this.model.shape(column)
    if (this.isArray(column)) return Array.isArray(value) ? value.map(toDriver) : value
    if (shape?.kind === 'json') return toJson(value, undefined, column)
    refuseHalves(column, value)
    if (typeof value !== 'object' || value instanceof Date || value instanceof Uint8Array)
      return toDriver(value)
    return toJson(value, shape, column)
  }

  /**
   * An item as a row: what is `undefined` is left to the table.
   *
   * @throws InvalidDataError for what a column would hold in part or not at all
   */
  toRow(item: object, engine: Engine): Record<string, unknown> {
    const row: Record<string, unknown> = {}
    for (const [column, value] of Object.entries(item)) {
      if (value === undefined) continue
      if (engine === 'mysql' && typeof value === 'number' && !Number.isFinite(value))
        throw new InvalidDataError(`${column} is no finite number, and MySQL has no others`)
      setOwn(row, column, this.toColumn(column, value))
    }
    return row
  }

  /**
   * A row as an item. Drivers give 64-bit numbers as text, MySQL booleans as numbers; what the schema declares is what
   * comes out. A column without a value is left out, unless the schema has only `null` for that.
   *
   * @throws InvalidDataError for a number that JavaScript rounds
   */
  toItem(row: UnknownRecord): Record<string, unknown> {
    const item: Record<string, unknown> = {}
    for (const column of Object.keys(row)) {
      const value = row[column]
      if (value !== null) setOwn(item, column, this.#fromColumn(column, value))
      else if (this.model.isNullable(column)) setOwn(item, column, null)
    }
    return item
  }

  /** A row as far as it can be read: a write that is done must not fail over it. */
  readableItem(row: UnknownRecord): Record<string, unknown> {
    const canRead = ([column, value]: readonly [string, unknown]): boolean => {
      try {
        this.toItem({ [column]: value })
        return true
      } catch {
        return false
      }
    }
    return this.toItem(Object.fromEntries(Object.entries(row).filter(canRead)))
  }

  #fromColumn(column: string, value: unknown): unknown {
    const shape = this.model.shape(column)
    if (jsonKinds.has(shape?.kind) && shape?.kind !== 'json') {
      const list: unknown = typeof value === 'string' ? JSON.parse(value) : value
      if (this.isArray(column) && Array.isArray(list))
        return list.map((element: unknown) =>
          element === null ? null : fromDriver(shape?.element?.kind, column, element),
        )
      return fromJson(list, shape)
    }
    return fromDriver(shape?.kind, column, value)
  }

  /** Whether two values of a column are the same to the database. */
  isSame(column: string, a: unknown, b: unknown): boolean {
    const isDecimal = this.model.kind(column) === 'decimal'
    const typed = (value: unknown): unknown => (isDecimal ? Decimal.of(value) : undefined) ?? value
    return equals(typed(a), typed(b))
  }

  /** Tells a row from every other one by the values of its key. */
  idOf(item: object): string {
    return JSON.stringify(
      this.model.key.map((column) => {
        const value = asRecord(item)[column]
        if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
        return value instanceof Date ? value.toISOString() : String(value)
      }),
    )
  }
}

function fromDriver(kind: ColumnKind | undefined, column: string, value: unknown): unknown {
  switch (kind) {
    case 'number':
      return typeof value === 'string' || typeof value === 'bigint' ? exactNumber(column, value) : value
    case 'bigint':
      return typeof value === 'bigint' ? value : BigInt(exactly(column, value as string | number))
    case 'boolean':
      return toBoolean(value)
    case 'date':
      return typeof value === 'string' || typeof value === 'number' ? new Date(value) : value
    case 'bytes':
      return value instanceof Buffer ? new Uint8Array(value) : value
    case 'decimal':
      return decimalText(column, value)
    default:
      return value
  }
}

/** MySQL has numbers and bits for booleans. */
export function toBoolean(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.some((byte) => byte !== 0)
  return typeof value === 'number' ? value !== 0 : value
}

/** mysql2 rounds what is beyond 2^53, unless it is told not to. */
function exactly(column: string, value: string | number): string | number {
  if (typeof value === 'string' || Number.isSafeInteger(value)) return value
  throw new InvalidDataError(
    `${column} holds a number beyond 2^53, which mysql2 has rounded: give its pool supportBigNumbers`,
  )
}

/** A driver that was told to give numbers has rounded what has more digits than a double keeps. */
function decimalText(column: string, value: unknown): string {
  const text = String(value)
  if (typeof value === 'number' && digitsOf(text) > 15)
    throw new InvalidDataError(
      `${column} holds a decimal, which the driver has rounded: have it give decimals as text`,
    )
  return Decimal.of(text)?.text ?? text
}

function exactNumber(column: string, value: string | bigint): number {
  const number = Number(value)
  if (Number.isInteger(number) && !Number.isSafeInteger(number))
    throw new InvalidDataError(
      `${column} holds a number beyond 2^53, which JavaScript would round: declare it as bigint`,
    )
  return number
}

/** Of one statement; PostgreSQL takes 65,535. */
export const maxParameters = 30_000

/** How many rows one statement takes. */
export function partSize(items: readonly object[]): number {
  const columns = items.reduce((most, item) => Math.max(most, Object.keys(item).length), 1)
  return Math.max(1, Math.floor(maxParameters / columns))
}
