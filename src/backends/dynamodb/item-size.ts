import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { WireItem } from './wire.ts'

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
