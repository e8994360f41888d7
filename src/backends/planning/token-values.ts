import { asRecord, asString } from '../../core/record.ts'

/** Values as JSON, from which they can be told and made again. */
export function toTokenValues(values: readonly unknown[]): unknown[] {
  return values.map((value) => {
    if (value instanceof Date) return { date: value.toISOString() }
    if (value instanceof Uint8Array) return { bytes: toText(value) }
    if (typeof value === 'bigint') return { bigint: value.toString() }
    if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) }
    return value ?? null
  })
}

/** The values of a token. */
export function fromTokenValues(values: readonly unknown[]): unknown[] {
  return values.map((value) => {
    const form = asRecord(value)
    if (form === undefined) return value
    const [date, bytes, number] = [asString(form['date']), asString(form['bytes']), asString(form['number'])]
    if (date !== undefined) return new Date(date)
    if (bytes !== undefined) return fromText(bytes)
    return number === undefined ? BigInt(String(form['bigint'])) : Number(number)
  })
}

/** Bytes as the text that a token has for them. */
export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** The bytes that a token's text stands for. */
export function fromText(text: string): Uint8Array {
  return Buffer.from(text, 'base64')
}
