import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { AttributeItem } from './attribute-value.ts'

type TextSize = (text: string) => number

/**
 * The size of an item in bytes, as DynamoDB counts it.
 *
 * @param textSize - Counts the bytes of a text
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function sizeOf(wire: AttributeItem, textSize: TextSize = Buffer.byteLength): number {
  let size = 0
  for (const key of Object.keys(wire))
    size += textSize(key) + valueSize(wire[key] as AttributeValue, textSize)
  return size
}

/**
 * Whether an item is larger than a limit. First counts three bytes, the maximum, for each character: this is fast and
 * answers for most items.
 */
export function isLarger(wire: AttributeItem, limit: number): boolean {
  return sizeOf(wire, threefold) > limit && sizeOf(wire) > limit
}

function threefold(text: string): number {
  return 3 * text.length
}

function valueSize(value: AttributeValue, textSize: TextSize): number {
  if (value.S !== undefined) return textSize(value.S)
  if (value.N !== undefined) return numberSize(value.N)
  if (value.B !== undefined) return value.B.length
  if (value.M !== undefined) return 3 + sizeOf(value.M, textSize) + Object.keys(value.M).length
  if (value.L !== undefined)
    return value.L.reduce((sum, element) => sum + 1 + valueSize(element, textSize), 3)
  if (value.SS !== undefined) return value.SS.reduce((sum, text) => sum + textSize(text), 0)
  if (value.NS !== undefined) return value.NS.reduce((sum, text) => sum + numberSize(text), 0)
  if (value.BS !== undefined) return value.BS.reduce((sum, bytes) => sum + bytes.length, 0)
  return 1
}

/** A byte holds two digits. DynamoDB adds one byte to each number. */
function numberSize(text: string): number {
  return (text.length >> 1) + 2
}
