import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { ItemTooLargeError } from '../errors/index.ts'
import { isNumeric } from '../core/is-numeric.ts'
import { Decimal } from './decimal.ts'
import { isLarger, sizeOf } from './item-size.ts'
import { digitsOf, isExact, numberId } from './number-text.ts'
import { type DateMode, type AttributeItem, setOwn } from './attribute-value.ts'
import { Unstorable, explainedUnstorable, withPlace } from './unstorable.ts'

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
/** The largest item, in bytes. */
export const maxItemBytes = 409_600
const maxAttributeDepth = 32

/**
 * Turns an item into DynamoDB's typed form. Leaves out a column whose value is `undefined` or an empty set.
 *
 * @throws InvalidDataError with the path of a value that DynamoDB cannot hold exactly; ItemTooLargeError
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
 */
export function marshallItem(item: object, dates: DateMode = 'iso'): AttributeItem {
  let wire: AttributeItem
  try {
    wire = toMap(item as Record<string, unknown>, dates, 0)
  } catch (error) {
    throw explainedUnstorable(error)
  }
  if (isLarger(wire, maxItemBytes)) throw new ItemTooLargeError(sizeOf(wire), maxItemBytes)
  return wire
}

/** Turns one value into DynamoDB's typed form. */
export function marshall(value: unknown, path: string, dates: DateMode = 'iso'): AttributeValue {
  try {
    return toWire(value, dates, 0)
  } catch (error) {
    throw explainedUnstorable(withPlace(error, path))
  }
}

function toWire(value: unknown, dates: DateMode, depth: number): AttributeValue {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new Unstorable('has half of a character')
      return { S: value }
    case 'number':
      return { N: writtenNumber(value) }
    case 'bigint':
      return { N: bigintText(value) }
    case 'boolean':
      return { BOOL: value }
    case 'object':
      return value === null ? { NULL: true } : objectToWire(value, dates, depth + 1)
    default:
      throw new Unstorable(`is ${typeof value}, which DynamoDB cannot hold`)
  }
}

function objectToWire(value: object, dates: DateMode, depth: number): AttributeValue {
  if (depth > maxAttributeDepth) throw new Unstorable(`is nested deeper than ${maxAttributeDepth} levels`)
  if (Array.isArray(value)) return { L: toList(value, dates, depth) }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null)
    return { M: toMap(value as Record<string, unknown>, dates, depth) }
  if (value instanceof Uint8Array) return { B: value }
  if (value instanceof Set) return toSet(value)
  if (value instanceof Date) return dateToWire(value, dates)
  if (value instanceof Decimal) return { N: writtenDecimal(value) }
  const { name = 'thing' } = (value.constructor as { name?: string } | undefined) ?? {}
  throw new Unstorable(`is a ${name}: DynamoDB holds plain objects, arrays, sets, dates and bytes`)
}

function toList(list: readonly unknown[], dates: DateMode, depth: number): AttributeValue[] {
  const wire = new Array<AttributeValue>(list.length)
  let index = 0
  try {
    for (; index < list.length; index++) wire[index] = toWire(list[index], dates, depth)
  } catch (error) {
    throw withPlace(error, index)
  }
  return wire
}

function toMap(map: Record<string, unknown>, dates: DateMode, depth: number): AttributeItem {
  const wire: AttributeItem = {}
  let place = ''
  try {
    for (const key of Object.keys(map)) {
      const value = map[key]
      if (value === undefined || (value instanceof Set && value.size === 0)) continue
      place = key
      setOwn(wire, key, toWire(value, dates, depth))
    }
  } catch (error) {
    throw withPlace(error, place)
  }
  return wire
}

function toSet(set: ReadonlySet<unknown>): AttributeValue {
  const members = [...set]
  if (members.length === 0) throw new Unstorable('is an empty set, which DynamoDB cannot hold')
  if (members.every((member) => typeof member === 'string')) return { SS: members }
  if (members.every((member) => member instanceof Uint8Array))
    return { BS: distinctMembers(members, base64Text) }
  if (members.every(isSetNumber)) return { NS: distinctMembers(members.map(setNumber), numberId) }
  throw new Unstorable('is a set of several types: DynamoDB holds sets of strings, of numbers or of bytes')
}

function isSetNumber(member: unknown): member is number | bigint | Decimal {
  return isNumeric(member) || member instanceof Decimal
}

function setNumber(number: number | bigint | Decimal): string {
  if (number instanceof Decimal) return writtenDecimal(number)
  return typeof number === 'bigint' ? bigintText(number) : writtenNumber(number)
}

/** The members that differ for DynamoDB. A JavaScript set may hold `1` beside `1n`, or the same bytes twice. */
function distinctMembers<T>(members: readonly T[], idOf: (member: T) => string): T[] {
  return [...new Map(members.map((member) => [idOf(member), member])).values()]
}

const base64Text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const outOfRange = "is out of the range of DynamoDB's numbers, 1E-130 to 9.9E+125"

function writtenNumber(value: number): string {
  if (Number.isSafeInteger(value)) return value === 0 ? '0' : String(value)
  if (!Number.isFinite(value)) throw new Unstorable(`is ${value}, which is no number for DynamoDB`)
  const size = Math.abs(value)
  if (!isExact(value)) throw new Unstorable('is beyond 2^53, where a number is not exact: give a bigint')
  if (size >= 1e126 || size < 1e-130) throw new Unstorable(outOfRange)
  return String(value)
}

const limit = 10n ** 126n

function bigintText(value: bigint): string {
  // A comparison costs nothing, where a text of many digits takes seconds.
  if (value >= limit || value <= -limit) throw new Unstorable(outOfRange)
  return shortEnough(value.toString())
}

function writtenDecimal({ text }: Decimal): string {
  const size = Math.abs(Number(text))
  if (size !== 0 && (size >= 1e126 || size < 1e-130)) throw new Unstorable(outOfRange)
  return shortEnough(text)
}

function shortEnough(text: string): string {
  if (digitsOf(text) > 38) throw new Unstorable('has more than 38 digits, which DynamoDB cannot hold')
  return text
}

function dateToWire(date: Date, dates: DateMode): AttributeValue {
  const time = date.getTime()
  if (Number.isNaN(time)) throw new Unstorable('is an invalid date')
  if (dates === 'iso') return { S: date.toISOString() }
  return { N: String(dates === 'seconds' ? Math.floor(time / 1000) : time) }
}
