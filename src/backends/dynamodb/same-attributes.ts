import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { numberId } from '../../wire/number-text.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'

/** Whether two items are the same, whatever order sets have and however numbers are written. */
export function sameAttributes(a: AttributeItem, b: AttributeItem): boolean {
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameDefined(a[key], b[key]))
  )
}

/** The same of two values. */
export function sameValue(a: AttributeValue, b: AttributeValue): boolean {
  if (a.N !== undefined) return b.N !== undefined && numberId(a.N) === numberId(b.N)
  if (a.M !== undefined) return b.M !== undefined && sameAttributes(a.M, b.M)
  if (a.L !== undefined) {
    const { L: list } = b
    return list?.length === a.L.length && a.L.every((element, index) => sameDefined(element, list[index]))
  }
  if (a.B !== undefined) return b.B !== undefined && Buffer.compare(a.B, b.B) === 0
  if (a.SS !== undefined) return sameMembers(a.SS, b.SS)
  if (a.NS !== undefined) return sameMembers(a.NS.map(numberId), b.NS?.map(numberId))
  if (a.BS !== undefined) return sameMembers(a.BS.map(base64), b.BS?.map(base64))
  return a.S === b.S && a.BOOL === b.BOOL && a.NULL === b.NULL
}

function sameDefined(a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  return a !== undefined && b !== undefined && sameValue(a, b)
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function sameMembers(a: readonly unknown[], b: readonly unknown[] | undefined): boolean {
  const others = new Set(b)
  return others.size === a.length && a.every((member) => others.has(member))
}
