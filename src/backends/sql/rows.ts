import { InvalidDataError } from '../../errors.ts'
import type { Model } from '../model.ts'

type Fields = Readonly<Record<string, unknown>>

/** A value as drivers take it: objects and arrays as JSON, bytes as a `Buffer`. */
export function toColumn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (value instanceof Set) return JSON.stringify([...(value as Set<unknown>)])
  return JSON.stringify(value)
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
 * comes out. A column without a value is left out, unless the schema has `null` for it.
 *
 * @throws InvalidDataError for a number that JavaScript would round
 */
export function toItem(model: Model, row: Fields): Record<string, unknown> {
  const item: Record<string, unknown> = {}
  for (const [column, value] of Object.entries(row)) {
    if (value === null && !model.isNullable(column)) continue
    item[column] = value === null ? null : fromColumn(model, column, value)
  }
  return item
}

function fromColumn(model: Model, column: string, value: unknown): unknown {
  switch (model.kind(column)) {
    case 'number':
      return typeof value === 'string' || typeof value === 'bigint' ? exactNumber(column, value) : value
    case 'bigint':
      return typeof value === 'string' || typeof value === 'number' ? BigInt(value) : value
    case 'boolean':
      return typeof value === 'number' ? value !== 0 : value
    case 'date':
      return typeof value === 'string' || typeof value === 'number' ? new Date(value) : value
    case 'array':
      return typeof value === 'string' ? (JSON.parse(value) as unknown) : value
    default:
      return value
  }
}

function exactNumber(column: string, value: string | bigint): number {
  const number = Number(value)
  if (Number.isInteger(number) && !Number.isSafeInteger(number))
    throw new InvalidDataError(
      `${column} holds a number beyond 2^53, which JavaScript would round: declare it as bigint`,
    )
  return number
}
