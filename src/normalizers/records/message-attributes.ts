import { asRecord, asString, emptyMap } from '../../core/record.ts'
import { doubleOf } from '../../wire/number-text.ts'

/**
 * A message attribute's value, by its declared type. A number that JavaScript cannot hold exactly stays text, and so does
 * SNS's `String.Array`, which is JSON.
 */
export type MessageAttributeValue = string | number | Uint8Array

/** What a publisher added to an SNS message; no prototype. */
export function publishedAttributes(published: unknown): Record<string, MessageAttributeValue> {
  const values = emptyMap<MessageAttributeValue>()
  for (const [name, attribute] of Object.entries(asRecord(published) ?? {})) {
    if (attribute === null) continue
    const { Type, Value } = asRecord(attribute) ?? {}
    const text = asString(Value) ?? ''
    values[name] = typedValue(asString(Type) ?? 'String', { text, base64: text })
  }
  return values
}

/** A value by its declared type. What stands behind a dot in the type is the sender's own. */
export function typedValue(
  dataType: string,
  { text, base64 }: { readonly text: string; readonly base64: string },
): MessageAttributeValue {
  const [type] = dataType.split('.', 1)
  if (type === 'Binary') return Buffer.from(base64, 'base64')
  return (type === 'Number' ? doubleOf(text) : undefined) ?? text
}
