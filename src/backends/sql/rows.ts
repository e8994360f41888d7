import { InvalidDataError } from '../../errors/index.ts'
import { asRecord } from '../../core/record.ts'
import type { Model } from '../model.ts'
import { Decimal } from '../../wire/decimal.ts'
import { digitsOf } from '../../wire/number-text.ts'
import { fromJson, toJson } from '../../wire/json-column.ts'

type Fields = Readonly<Record<string, unknown>>

/** A value as drivers take it: objects and arrays as JSON, bytes as a `Buffer`. */
export function toColumn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return toJson(value)
}

/** An item as a row: what is `undefined` is left to the table. */
export function toRow(item: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).flatMap(([column, value]: [string, unknown]) =>
      value === undefined ? [] : [[column, toColumn(value)]],
    ),
  )
}

/**
 * A row as an item. Drivers give 64-bit numbers as text, MySQL booleans as numbers; what the schema declares is what
 * comes out. A column without a value is left out, unless the schema has only `null` for that.
 *
 * @throws InvalidDataError for a number that JavaScript rounds
 */
export function toItem(model: Model, row: Fields): Record<string, unknown> {
  const item: Record<string, unknown> = {}
  for (const [column, value] of Object.entries(row)) {
    if (value === null && !model.isNullable(column)) continue
    item[column] = value === null ? null : fromColumn(model, column, value)
  }
  return item
}

/** A row as far as it can be read: a write that is done must not fail over it. */
export function readableItem(model: Model, row: Fields): Record<string, unknown> {
  const canRead = ([column, value]: readonly [string, unknown]): boolean => {
    try {
      toItem(model, { [column]: value })
      return true
    } catch {
      return false
    }
  }
  return toItem(model, Object.fromEntries(Object.entries(row).filter(canRead)))
}

function fromColumn(model: Model, column: string, value: unknown): unknown {
  switch (model.kind(column)) {
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
    case 'array':
    case 'object':
    case 'set':
      return fromJson(typeof value === 'string' ? JSON.parse(value) : value, model.shape(column))
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

/** Tells a row from every other one by the values of its key. */
export function rowId(model: Model, item: object): string {
  return JSON.stringify(
    model.key.map((column) => {
      const value = asRecord(item)[column]
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
      return value instanceof Date ? value.toISOString() : String(value)
    }),
  )
}

/** Of one statement; PostgreSQL takes 65,535. */
export const maxParameters = 30_000

/** How many rows one statement takes. */
export function partSize(items: readonly object[]): number {
  const columns = items.reduce((most, item) => Math.max(most, Object.keys(item).length), 1)
  return Math.max(1, Math.floor(maxParameters / columns))
}
