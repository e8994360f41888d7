import { asRecord } from '../core/record.ts'
import type { UnknownRecord } from '../core/record.ts'
import { Unstorable, explainedUnstorable, withPlace } from './unstorable.ts'
import { type ValueShape, shapeAt } from './value-shape.ts'

/** Deeper than any value that a schema describes, and within what both databases read. */
const maxJsonDepth = 100

/**
 * A value as JSON. Where the schema tells of them, dates, bigints and bytes become text and sets lists; {@link fromJson} makes
 * them what they were. Dates become text in any case.
 *
 * @param path - The column
 * @throws InvalidDataError with the path of what JSON would leave out or change: infinite numbers, functions, classes, …
 */
export function toJson(value: unknown, shape: ValueShape | undefined, path: string): string {
  try {
    return JSON.stringify(jsonValue(value, shape, 0))
  } catch (error) {
    throw explainedUnstorable(withPlace(error, path))
  }
}

/** An element as it stands in a list: whole numbers of either type are the same where the schema has numbers. */
export function elementJson(element: unknown, list: ValueShape | undefined, path: string): string {
  const shape = shapeAt(list, 0)
  if (typeof element === 'bigint' && shape?.kind !== 'bigint') return element.toString()
  if (typeof element === 'number' && shape?.kind === 'bigint') return JSON.stringify(String(element))
  return toJson(element, shape, path)
}

function jsonValue(value: unknown, shape: ValueShape | undefined, depth: number): unknown {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw new Unstorable(`is ${value}, which JSON cannot hold`)
      return value
    case 'bigint':
      if (shape?.kind === 'bigint') return value.toString()
      throw new Unstorable('is a bigint, of which JSON would make another type: declare it in the schema')
    case 'string':
      if (!value.isWellFormed()) throw new Unstorable('has half of a character')
      return value
    case 'boolean':
      return value
    case 'object':
      return value === null ? null : jsonObject(value, shape, depth + 1)
    default:
      throw new Unstorable(`is ${typeof value}, which JSON cannot hold`)
  }
}

function jsonObject(value: object, shape: ValueShape | undefined, depth: number): unknown {
  if (depth > maxJsonDepth) throw new Unstorable(`is nested deeper than ${maxJsonDepth} levels`)
  if (Array.isArray(value)) return jsonList(value, shape, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return jsonMembers(value, shape, depth)
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
  if (value instanceof Uint8Array && shape?.kind === 'bytes') return Buffer.from(value).toString('base64')
  if (value instanceof Set && shape?.kind === 'set') return jsonList([...value], shape, depth)
  const { name } = value.constructor
  throw new Unstorable(`is a ${name}, of which JSON would make another type: declare it in the schema`)
}

function jsonList(list: readonly unknown[], shape: ValueShape | undefined, depth: number): unknown[] {
  return Array.from(list, (element, index) => {
    try {
      return jsonValue(element, shapeAt(shape, index), depth)
    } catch (error) {
      throw withPlace(error, index)
    }
  })
}

function jsonMembers(value: object, shape: ValueShape | undefined, depth: number): UnknownRecord {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
      if (member === undefined) return []
      try {
        return [[name, jsonValue(member, shapeAt(shape, name), depth)]]
      } catch (error) {
        throw withPlace(error, name)
      }
    }),
  )
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
