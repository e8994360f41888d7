import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { InvalidDataError } from '../../errors.ts'

/** An item as it goes over the wire. */
export type WireItem = Record<string, AttributeValue>

/**
 * Turns an item into DynamoDB's typed form. A column that is `undefined`, or an empty set, is left out; anything that
 * DynamoDB cannot hold exactly is an error that names the path.
 *
 * @throws InvalidDataError
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
 */
export function marshallItem(item: object): WireItem {
  return marshallMap(item as Record<string, unknown>, '')
}

/** Turns one value into DynamoDB's typed form. */
export function marshall(value: unknown, path: string): AttributeValue {
  switch (typeof value) {
    case 'string':
      return { S: value }
    case 'number':
      return { N: numberText(value, path) }
    case 'bigint':
      return { N: value.toString() }
    case 'boolean':
      return { BOOL: value }
    case 'object':
      return value === null ? { NULL: true } : marshallObject(value, path)
    default:
      throw new InvalidDataError(`${path} is ${typeof value}, which DynamoDB cannot hold`)
  }
}

function marshallObject(value: object, path: string): AttributeValue {
  if (Array.isArray(value))
    return { L: value.map((element, index) => marshall(element, `${path}[${index}]`)) }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null)
    return { M: marshallMap(value as Record<string, unknown>, `${path}.`) }
  if (value instanceof Uint8Array) return { B: value }
  if (value instanceof Set) return marshallSet(value, path)
  if (value instanceof Date) return { S: isoText(value, path) }
  throw new InvalidDataError(
    `${path} is a ${value.constructor.name}: give plain objects, lists, sets, bytes, dates and single values`,
  )
}

function marshallMap(map: Readonly<Record<string, unknown>>, prefix: string): WireItem {
  const wire: WireItem = {}
  for (const key of Object.keys(map)) {
    const value = map[key]
    if (value === undefined || (value instanceof Set && value.size === 0)) continue
    const attribute = marshall(value, prefix + key)
    if (key === '__proto__')
      Object.defineProperty(wire, key, {
        value: attribute,
        enumerable: true,
        configurable: true,
        writable: true,
      })
    else wire[key] = attribute
  }
  return wire
}

function marshallSet(set: ReadonlySet<unknown>, path: string): AttributeValue {
  const members = [...set]
  if (members.length === 0) throw new InvalidDataError(`${path} is an empty set, which DynamoDB cannot hold`)
  if (members.every((member) => typeof member === 'string')) return { SS: members }
  if (members.every((member) => member instanceof Uint8Array)) return { BS: members }
  if (members.every((member) => typeof member === 'number' || typeof member === 'bigint')) {
    return {
      NS: members.map((member) =>
        typeof member === 'bigint' ? member.toString() : numberText(member, path),
      ),
    }
  }
  throw new InvalidDataError(
    `${path} is a set of several types: DynamoDB holds sets of strings, of numbers or of bytes`,
  )
}

function numberText(value: number, path: string): string {
  if (!Number.isFinite(value))
    throw new InvalidDataError(`${path} is ${value}, which is no number for DynamoDB`)
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new InvalidDataError(`${path} is beyond 2^53, where a number is not exact: give a bigint`)
  return value === 0 ? '0' : String(value)
}

function isoText(date: Date, path: string): string {
  if (Number.isNaN(date.getTime())) throw new InvalidDataError(`${path} is an invalid date`)
  return date.toISOString()
}

/** What becomes of numbers on reading. `safe` refuses one that JavaScript cannot hold exactly. */
export type NumberMode = 'safe' | 'bigint' | 'string'

/** Turns DynamoDB's typed form into an item. @throws InvalidDataError for a number that `numbers` does not allow */
export function unmarshallItem(wire: WireItem, numbers: NumberMode = 'safe'): Record<string, unknown> {
  const item: Record<string, unknown> = {}
  for (const key of Object.keys(wire)) {
    const value = unmarshall(wire[key] as AttributeValue, numbers, key)
    if (key === '__proto__')
      Object.defineProperty(item, key, { value, enumerable: true, configurable: true, writable: true })
    else item[key] = value
  }
  return item
}

function unmarshall(wire: AttributeValue, numbers: NumberMode, path: string): unknown {
  if (wire.S !== undefined) return wire.S
  if (wire.N !== undefined) return parseNumber(wire.N, numbers, path)
  if (wire.BOOL !== undefined) return wire.BOOL
  if (wire.M !== undefined) return unmarshallItem(wire.M, numbers)
  if (wire.L !== undefined) return wire.L.map((element) => unmarshall(element, numbers, path))
  if (wire.NULL !== undefined) return null
  if (wire.B !== undefined) return wire.B
  if (wire.SS !== undefined) return new Set(wire.SS)
  if (wire.NS !== undefined) return new Set(wire.NS.map((text) => parseNumber(text, numbers, path)))
  return new Set(wire.BS)
}

function parseNumber(text: string, numbers: NumberMode, path: string): number | bigint | string {
  if (numbers === 'string') return text
  const number = Number(text)
  if (numbers === 'bigint' && /^-?\d+$/.test(text)) return BigInt(text)
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    throw new InvalidDataError(
      `${path} holds a number beyond 2^53, which JavaScript would round: read it with numbers: 'bigint' or 'string'`,
    )
  }
  return number
}
