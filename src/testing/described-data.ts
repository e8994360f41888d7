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
