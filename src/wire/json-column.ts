import { asRecord } from '../core/record.ts'
import type { UnknownRecord } from '../core/record.ts'
import { InvalidDataError } from '../errors/index.ts'
import { type ValueShape, shapeAt } from './value-shape.ts'

/**
 * A list, an object or a set as JSON. Bigints and bytes become text and sets become lists; {@link fromJson} makes them
 * what they were, where the schema tells of them.
 *
 * @throws InvalidDataError for a number that JSON does not have
 */
export function toJson(value: object): string {
  return JSON.stringify(value, function (this: UnknownRecord, key, written: unknown) {
    // A Buffer has a form of its own, and is bytes here.
    const raw = this[key]
    if (raw instanceof Uint8Array) return Buffer.from(raw).toString('base64')
    if (raw instanceof Set) return Array.from<unknown>(raw)
    if (typeof raw === 'bigint') return raw.toString()
    if (typeof raw === 'number' && !Number.isFinite(raw))
      throw new InvalidDataError(`A list or an object holds ${raw}, which JSON cannot hold`)
    return written
  })
}

/** A value of JSON as its schema has it. */
export function fromJson(value: unknown, shape: ValueShape | undefined): unknown {
  if (shape === undefined || value === null) return value
  if (Array.isArray(value)) {
    const list = value.map((element: unknown, index) => fromJson(element, shapeAt(shape, index)))
    return shape.kind === 'set' ? new Set(list) : list
  }
  const members = asRecord(value)
  if (members !== undefined)
    return Object.fromEntries(
      Object.entries(members).map(([name, member]) => [name, fromJson(member, shapeAt(shape, name))]),
    )
  if (shape.kind === 'bigint' && isWhole(value)) return BigInt(value)
  if (typeof value !== 'string') return value
  if (shape.kind === 'date') return new Date(value)
  return shape.kind === 'bytes' ? new Uint8Array(Buffer.from(value, 'base64')) : value
}

function isWhole(value: unknown): value is string | number {
  return typeof value === 'string' ? /^-?\d+$/.test(value) : Number.isSafeInteger(value)
}
