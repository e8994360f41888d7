import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { InvalidDataError, ItemTooLargeError } from '../../errors.ts'
import { numberId, wholeNumber } from './number-text.ts'

/** An item as it goes over the wire. */
export type WireItem = Record<string, AttributeValue>

/** How dates are stored: as ISO 8601 text, or as a number since 1970. */
export type DateMode = 'iso' | 'seconds' | 'milliseconds'

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const maxBytes = 409_600
const maxDepth = 32

/**
 * Turns an item into DynamoDB's typed form. A column that is `undefined`, or an empty set, is left out; anything that
 * DynamoDB cannot hold exactly is an error that names the path.
 *
 * @throws InvalidDataError, ItemTooLargeError
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
 */
export function marshallItem(item: object, dates: DateMode = 'iso'): WireItem {
  const wire = marshallMap(item as Record<string, unknown>, '', dates, 0)
  const size = sizeOf(wire)
  if (size > maxBytes) throw new ItemTooLargeError(size, maxBytes)
  return wire
}

/** Turns one value into DynamoDB's typed form. */
export function marshall(value: unknown, path: string, dates: DateMode = 'iso', depth = 0): AttributeValue {
  switch (typeof value) {
    case 'string':
      return { S: value }
    case 'number':
      return { N: numberText(value, path) }
    case 'bigint':
      return { N: bigintText(value, path) }
    case 'boolean':
      return { BOOL: value }
    case 'object':
      return value === null ? { NULL: true } : marshallObject(value, path, dates, depth + 1)
    default:
      throw new InvalidDataError(`${path} is ${typeof value}, which DynamoDB cannot hold`)
  }
}

function marshallObject(value: object, path: string, dates: DateMode, depth: number): AttributeValue {
  if (depth > maxDepth) throw new InvalidDataError(`${path} is nested deeper than ${maxDepth} levels`)
  if (Array.isArray(value)) {
    const list = new Array<AttributeValue>(value.length)
    for (let index = 0; index < value.length; index++)
      list[index] = marshall(value[index], `${path}[${index}]`, dates, depth)
    return { L: list }
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null)
    return { M: marshallMap(value as Record<string, unknown>, path, dates, depth) }
  if (value instanceof Uint8Array) return { B: value }
  if (value instanceof Set) return marshallSet(value, path)
  if (value instanceof Date) return marshallDate(value, path, dates)
  throw new InvalidDataError(
    `${path} is a ${(value.constructor as { name?: string } | undefined)?.name ?? 'thing'}: DynamoDB holds plain objects, arrays, sets, dates and bytes`,
  )
}

function marshallMap(map: Record<string, unknown>, path: string, dates: DateMode, depth: number): WireItem {
  const wire: WireItem = {}
  for (const key of Object.keys(map)) {
    const value = map[key]
    if (value === undefined || (value instanceof Set && value.size === 0)) continue
    const attribute = marshall(value, path === '' ? key : `${path}.${key}`, dates, depth)
    put(wire, key, attribute)
  }
  return wire
}

/** An own property, also by the one name that assignment takes for something else. */
function put<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}

function marshallSet(set: ReadonlySet<unknown>, path: string): AttributeValue {
  const members = [...set]
  if (members.length === 0) throw new InvalidDataError(`${path} is an empty set, which DynamoDB cannot hold`)
  if (members.every((member) => typeof member === 'string')) return { SS: members }
  if (members.every((member) => member instanceof Uint8Array)) return { BS: distinct(members, base64) }
  if (members.every((member) => typeof member === 'number' || typeof member === 'bigint')) {
    const texts = members.map((member) =>
      typeof member === 'bigint' ? bigintText(member, path) : numberText(member, path),
    )
    return { NS: distinct(texts, numberId) }
  }
  throw new InvalidDataError(
    `${path} is a set of several types: DynamoDB holds sets of strings, of numbers or of bytes`,
  )
}

const outOfRange = "is out of the range of DynamoDB's numbers, 1E-130 to 9.9E+125"

/** JavaScript's sets tell apart what DynamoDB does not: `1` and `1n`, or the same bytes twice. */
function distinct<T>(members: readonly T[], idOf: (member: T) => string): T[] {
  return [...new Map(members.map((member) => [idOf(member), member])).values()]
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function numberText(value: number, path: string): string {
  if (Number.isSafeInteger(value)) return value === 0 ? '0' : String(value)
  if (!Number.isFinite(value))
    throw new InvalidDataError(`${path} is ${value}, which is no number for DynamoDB`)
  if (Number.isInteger(value) && Math.abs(value) < 1e21)
    throw new InvalidDataError(`${path} is beyond 2^53, where a number is not exact: give a bigint`)
  const size = Math.abs(value)
  if (size >= 1e126 || size < 1e-130) throw new InvalidDataError(`${path} ${outOfRange}`)
  return String(value)
}

function bigintText(value: bigint, path: string): string {
  const text = value.toString()
  const digits = text.replace('-', '').replace(/0+$/, '')
  if (digits.length > 38)
    throw new InvalidDataError(`${path} has more than 38 digits, which DynamoDB cannot hold`)
  if (text.replace('-', '').length > 126) throw new InvalidDataError(`${path} ${outOfRange}`)
  return text
}

function marshallDate(date: Date, path: string, dates: DateMode): AttributeValue {
  const time = date.getTime()
  if (Number.isNaN(time)) throw new InvalidDataError(`${path} is an invalid date`)
  if (dates === 'iso') return { S: date.toISOString() }
  return { N: String(dates === 'seconds' ? Math.floor(time / 1000) : time) }
}

/**
 * The bytes that an item counts for.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function sizeOf(wire: WireItem): number {
  let size = 0
  for (const key of Object.keys(wire)) size += Buffer.byteLength(key) + valueSize(wire[key] as AttributeValue)
  return size
}

function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S)
  if (value.N !== undefined) return numberSize(value.N)
  if (value.B !== undefined) return value.B.length
  if (value.M !== undefined) return 3 + sizeOf(value.M) + Object.keys(value.M).length
  if (value.L !== undefined) return value.L.reduce((sum, one) => sum + 1 + valueSize(one), 3)
  if (value.SS !== undefined) return value.SS.reduce((sum, one) => sum + Buffer.byteLength(one), 0)
  if (value.NS !== undefined) return value.NS.reduce((sum, one) => sum + numberSize(one), 0)
  if (value.BS !== undefined) return value.BS.reduce((sum, one) => sum + one.length, 0)
  return 1
}

/** Two digits a byte, and one. */
function numberSize(text: string): number {
  return (text.length >> 1) + 2
}

/** What numbers become on reading. `safe` refuses one that JavaScript cannot hold exactly. */
export type NumberMode = 'safe' | 'bigint' | 'string'

/** How items are read. */
export interface ReadingOptions {
  readonly numbers: NumberMode
  /** What columns hold that the wire does not tell. */
  readonly kinds?: ReadonlyMap<string, 'bigint' | 'date'>
  readonly dates?: DateMode
}

const safe: ReadingOptions = { numbers: 'safe' }

/** Turns DynamoDB's typed form into an item. @throws InvalidDataError for a number that `numbers` does not allow */
export function unmarshallItem(wire: WireItem, options: ReadingOptions = safe): Record<string, unknown> {
  const { numbers, kinds } = options
  if (kinds === undefined) return unmarshallMap(wire, numbers)
  const item: Record<string, unknown> = {}
  for (const key of Object.keys(wire)) {
    const attribute = wire[key] as AttributeValue
    const kind = kinds.get(key)
    put(
      item,
      key,
      kind === undefined
        ? unmarshall(attribute, numbers, key)
        : unmarshallKind(kind, attribute, key, options),
    )
  }
  return item
}

function unmarshallMap(wire: WireItem, numbers: NumberMode | 'any'): Record<string, unknown> {
  const item: Record<string, unknown> = {}
  for (const key of Object.keys(wire)) put(item, key, unmarshall(wire[key] as AttributeValue, numbers, key))
  return item
}

/** Values as conditions are checked on: every number as exact as it can be, and none refused. */
export function plainItem(wire: WireItem): Record<string, unknown> {
  return unmarshallMap(wire, 'any')
}

function unmarshall(wire: AttributeValue, numbers: NumberMode | 'any', path: string): unknown {
  if (wire.S !== undefined) return wire.S
  if (wire.N !== undefined) return parseNumber(wire.N, numbers, path)
  if (wire.BOOL !== undefined) return wire.BOOL
  if (wire.M !== undefined) return unmarshallMap(wire.M, numbers)
  if (wire.L !== undefined) return wire.L.map((element) => unmarshall(element, numbers, path))
  if (wire.NULL !== undefined) return null
  if (wire.B !== undefined) return wire.B
  if (wire.SS !== undefined) return new Set(wire.SS)
  if (wire.NS !== undefined) return new Set(wire.NS.map((text) => parseNumber(text, numbers, path)))
  return new Set(wire.BS)
}

function parseNumber(text: string, numbers: NumberMode | 'any', path: string): number | bigint | string {
  if (numbers === 'string') return text
  const number = Number(text)
  if (!Number.isInteger(number) || (Number.isSafeInteger(number) && numbers !== 'bigint')) return number
  const whole = wholeNumber(text)
  // What is no whole number JavaScript rounds, as it does all of them.
  if (whole === undefined) return number
  if (numbers !== 'safe') return whole
  // Such as 1e100: no digit of it is lost.
  if (numberId(String(number)) === numberId(text)) return number
  throw new InvalidDataError(
    `${path} holds a number beyond 2^53, which JavaScript would round: read it with numbers: 'bigint' or 'string'`,
  )
}

function unmarshallKind(
  kind: 'bigint' | 'date',
  attribute: AttributeValue,
  path: string,
  { numbers, dates = 'iso' }: ReadingOptions,
): unknown {
  const { S: text, N: number } = attribute
  if (kind === 'date' && text !== undefined) return new Date(text)
  if (kind === 'date' && number !== undefined)
    return new Date(Number(number) * (dates === 'seconds' ? 1000 : 1))
  const whole = kind === 'bigint' && number !== undefined ? wholeNumber(number) : undefined
  return whole ?? unmarshall(attribute, numbers, path)
}
