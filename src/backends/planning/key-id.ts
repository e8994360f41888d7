import type { AttributeItem } from '../../wire/attribute-value.ts'
import { numberId } from '../../wire/number-text.ts'

/** One text per key, whatever its types and bytes: two keys never have the same. */
export function keyId(key: AttributeItem, columns: readonly string[]): string {
  return JSON.stringify(
    columns.map((column) => {
      const { S: text, N: number, B: bytes } = key[column] ?? {}
      if (bytes !== undefined) return { B: Buffer.from(bytes).toString('base64') }
      return number === undefined ? { S: text } : { N: numberId(number) }
    }),
  )
}
