/** Data as events have it: text and bytes as they are, anything else as JSON. */
export function toBytes(data: unknown): Buffer {
  return data instanceof Uint8Array ? Buffer.from(data) : Buffer.from(toText(data))
}

/** The same, as text. */
export function toText(data: unknown): string {
  return typeof data === 'string' ? data : JSON.stringify(data)
}

/** The same, in base64. */
export function toBase64(data: unknown): string {
  return toBytes(data).toString('base64')
}

/** The typed values of an item as streams have them: bytes in base64. */
export function withBase64(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(withBase64)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withBase64(member)]))
}
