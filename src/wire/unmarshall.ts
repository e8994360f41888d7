import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { InvalidDataError } from '../errors/index.ts'
import { numberId, wholeNumber } from './number-text.ts'
import { type DateMode, type AttributeItem, setOwn } from './attribute-value.ts'

/** What numbers become when they are read. `safe` refuses a number that JavaScript cannot hold exactly. */
export type NumberMode = 'safe' | 'bigint' | 'string'

/** How to read items. */
export interface ReadingOptions {
  readonly numbers: NumberMode
  /** The columns of bigints and dates, which DynamoDB's typed form does not tell, and of numbers whatever `numbers` says. */
  readonly kinds?: ReadonlyMap<string, 'bigint' | 'date' | 'number'>
  readonly dates?: DateMode
}

const safe: ReadingOptions = { numbers: 'safe' }

/**
 * Turns DynamoDB's typed form into an item.
 *
 * @throws InvalidDataError for a number that `numbers` does not allow
 */
export function unmarshallItem(wire: AttributeItem, options: ReadingOptions = safe): Record<string, unknown> {
  const { numbers, kinds } = options
  if (kinds === undefined) return unmarshallMap(wire, numbers)
  const item: Record<string, unknown> = {}
  for (const key of Object.keys(wire)) {
    const attribute = wire[key] as AttributeValue
    const kind = kinds.get(key)
    setOwn(
      item,
      key,
      kind === undefined
        ? unmarshall(attribute, numbers, key)
        : unmarshallKind(kind, attribute, key, options),
    )
  }
  return item
}

function unmarshallMap(wire: AttributeItem, numbers: NumberMode | 'any'): Record<string, unknown> {
  const item: Record<string, unknown> = {}
  for (const key of Object.keys(wire))
    setOwn(item, key, unmarshall(wire[key] as AttributeValue, numbers, key))
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
  // JavaScript rounds all numbers that are not whole.
  if (whole === undefined) return number
  if (numbers !== 'safe') return whole
  // A number such as 1e100 loses no digit.
  if (numberId(String(number)) === numberId(text)) return number
  throw new InvalidDataError(
    `${path} holds a number beyond 2^53, which JavaScript would round: read it with numbers: 'bigint' or 'string'`,
  )
}

function unmarshallKind(
  kind: 'bigint' | 'date' | 'number',
  attribute: AttributeValue,
  path: string,
  { numbers, dates = 'iso' }: ReadingOptions,
): unknown {
  const { S: text, N: number } = attribute
  if (kind === 'number') return unmarshall(attribute, 'any', path)
  if (kind === 'date' && text !== undefined) return new Date(text)
  if (kind === 'date' && number !== undefined)
    return new Date(Number(number) * (dates === 'seconds' ? 1000 : 1))
  const whole = kind === 'bigint' && number !== undefined ? wholeNumber(number) : undefined
  return whole ?? unmarshall(attribute, numbers, path)
}
