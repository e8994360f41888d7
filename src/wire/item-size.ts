import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { AttributeItem } from './attribute-value.ts'

type TextSize = (text: string) => number

/**
 * The bytes that an item counts for.
 *
 * @param textSize - The bytes of a text
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function sizeOf(wire: AttributeItem, textSize: TextSize = Buffer.byteLength): number {
  let size = 0
  for (const key of Object.keys(wire))
    size += textSize(key) + valueSize(wire[key] as AttributeValue, textSize)
  return size
}

/** Whether an item is larger than a limit. Few are: for most it is enough that a character has three bytes at most. */
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
  if (value.L !== undefined) return value.L.reduce((sum, one) => sum + 1 + valueSize(one, textSize), 3)
  if (value.SS !== undefined) return value.SS.reduce((sum, one) => sum + textSize(one), 0)
  if (value.NS !== undefined) return value.NS.reduce((sum, one) => sum + numberSize(one), 0)
  if (value.BS !== undefined) return value.BS.reduce((sum, one) => sum + one.length, 0)
  return 1
}

/** Two digits a byte, and one. */
function numberSize(text: string): number {
  return (text.length >> 1) + 2
}
