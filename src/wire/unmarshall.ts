import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { InvalidDataError } from '../errors/index.ts'
import { Decimal } from './decimal.ts'
import { doubleOf, isExact, numberId, plainNumber, wholeNumber } from './number-text.ts'
import { type ValueShape, shapeAt } from './value-shape.ts'
import { type DateMode, type AttributeItem, setOwn } from './attribute-value.ts'

/** What numbers become when they are read. `safe` refuses a number that JavaScript cannot hold exactly. */
export type NumberMode = 'safe' | 'bigint' | 'string'

/** How to read items. */
export interface ReadingOptions {
  readonly numbers: NumberMode
  /** The columns in which there are bigints or dates, which DynamoDB's typed form does not tell from other values. */
  readonly shapes?: ReadonlyMap<string, ValueShape>
  /** The columns that are given; all without it. */
  readonly columns?: ReadonlySet<string> | undefined
  readonly dates?: DateMode
}

const safe: ReadingOptions = { numbers: 'safe' }

/**
 * Turns DynamoDB's typed form into an item.
 *
 * @throws InvalidDataError for a number that `numbers` does not allow, or a type that is not known
 */
export function unmarshallItem(wire: AttributeItem, options: ReadingOptions = safe): Record<string, unknown> {
  const { numbers, shapes, columns } = options
  if (shapes === undefined && columns === undefined) return unmarshallMap(wire, numbers)
  const keys = Object.keys(wire)
  const known = columns === undefined ? keys : keys.filter((key) => columns.has(key))
  // A copy has room for each value at once, which takes half the time.
  const item: Record<string, unknown> = known.length === keys.length ? { ...wire } : {}
  for (const key of known) {
    const attribute = wire[key]
    if (attribute === undefined) continue
    const shape = shapes?.get(key)
    const value =
      shape === undefined
        ? unmarshall(attribute, numbers, key)
        : unmarshallShape(attribute, { shape, path: key }, options)
    setOwn(item, key, value)
  }
  return item
}

function unmarshallMap(wire: AttributeItem, numbers: NumberMode | 'any'): Record<string, unknown> {
  // A copy has room for each value at once, which takes half the time.
  const item: Record<string, unknown> = { ...wire }
  for (const key of Object.keys(wire)) item[key] = unmarshall(wire[key] as AttributeValue, numbers, key)
  return item
}

/** The item for a check of conditions: each number is as exact as it can be, and none is refused. */
export function plainItem(wire: AttributeItem): Record<string, unknown> {
  return unmarshallMap(wire, 'any')
}

function unmarshall(wire: AttributeValue, numbers: NumberMode | 'any', path: string): unknown {
  if (wire.S !== undefined) return wire.S
  if (wire.N !== undefined) return parseNumber(wire.N, numbers, path)
  if (wire.BOOL !== undefined) return wire.BOOL
  if (wire.M !== undefined) return unmarshallMap(wire.M, numbers)
  if (wire.L !== undefined) return wire.L.map((element) => unmarshall(element, numbers, path))
  if (wire.NULL !== undefined) return null
  if (wire.B !== undefined) return bytesOf(wire.B)
  if (wire.SS !== undefined) return new Set(wire.SS)
  if (wire.NS !== undefined) return new Set(wire.NS.map((text) => parseNumber(text, numbers, path)))
  if (wire.BS !== undefined) return new Set(wire.BS.map(bytesOf))
  // An empty value in its place would be taken for what the item has.
  throw new InvalidDataError(
    `${path} has a type that this version does not know: ${Object.keys(wire).join()}`,
  )
}

/** Streams have bytes as base64, and the SDK has them as they are. */
function bytesOf(bytes: unknown): unknown {
  return typeof bytes === 'string' ? new Uint8Array(Buffer.from(bytes, 'base64')) : bytes
}

function parseNumber(
  text: string,
  numbers: NumberMode | 'any',
  path: string,
): number | bigint | string | Decimal {
  if (numbers === 'string') return text
  // Up to 15 digits fit into a double.
  if (numbers === 'any' && text.length > 15)
    return wholeNumber(text) ?? doubleOf(text) ?? Decimal.of(text) ?? text
  const number = Number(text)
  if (!Number.isInteger(number) || (Number.isSafeInteger(number) && numbers !== 'bigint')) return number
  const whole = wholeNumber(text)
  // JavaScript rounds all numbers that are not whole.
  if (whole === undefined) return number
  if (numbers !== 'safe') return whole
  // A number such as 1e100 loses no digit.
  if (isExact(number) && numberId(String(number)) === numberId(text)) return number
  throw new InvalidDataError(
    `${path} holds a number beyond 2^53, which JavaScript would round: read it with numbers: 'bigint' or 'string'`,
  )
}

interface AttributePlace {
  readonly shape: ValueShape | undefined
  readonly path: string
}

/** A value as its schema has it: bigints and dates at any depth. */
function unmarshallShape(
  attribute: AttributeValue,
  { shape, path }: AttributePlace,
  options: ReadingOptions,
): unknown {
  const { numbers, dates } = options
  if (shape === undefined) return unmarshall(attribute, numbers, path)
  const { S: text, N: number, M: map, L: list, NS: members } = attribute
  const inside = (value: AttributeValue, place: string | number): unknown =>
    unmarshallShape(value, { shape: shapeAt(shape, place), path }, options)
  if (map !== undefined) {
    const object: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(map)) setOwn(object, key, inside(value, key))
    return object
  }
  if (list !== undefined) return list.map(inside)
  if (members !== undefined) return new Set(members.map((member, index) => inside({ N: member }, index)))
  if (shape.kind === 'version') return unmarshall(attribute, 'any', path)
  if (shape.kind === 'date' && text !== undefined) return new Date(text)
  if (shape.kind === 'date' && number !== undefined)
    return new Date(Number(number) * (dates === 'seconds' ? 1000 : 1))
  if (shape.kind === 'decimal' && number !== undefined) return plainNumber(number) ?? number
  const whole = shape.kind === 'bigint' && number !== undefined ? wholeNumber(number) : undefined
  return whole ?? unmarshall(attribute, numbers, path)
}
