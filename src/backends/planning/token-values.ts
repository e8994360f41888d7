import { InvalidTokenError } from '../../errors/index.ts'
import { asRecord } from '../../core/record.ts'
import { Decimal } from '../../wire/decimal.ts'

/** Values as JSON, from which they can be told and made again. */
export function toTokenValues(values: readonly unknown[]): unknown[] {
  return values.map((value) => {
    if (value instanceof Date) return { date: value.toISOString() }
    if (value instanceof Uint8Array) return { bytes: tokenText(value) }
    if (value instanceof Decimal) return { decimal: value.text }
    if (typeof value === 'bigint') return { bigint: value.toString() }
    if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) }
    return value ?? null
  })
}

/** The values of a token. @throws InvalidTokenError for what {@link toTokenValues} does not write */
export function fromTokenValues(values: unknown): unknown[] {
  if (!Array.isArray(values)) throw new InvalidTokenError()
  return values.map((value: unknown) => {
    const form = asRecord(value)
    if (form === undefined) return value
    const [[kind, text] = [], ...others] = Object.entries(form)
    if (typeof text !== 'string' || others.length > 0) throw new InvalidTokenError()
    if (kind === 'date' && !Number.isNaN(Date.parse(text))) return new Date(text)
    if (kind === 'bytes') return fromText(text)
    const decimal = kind === 'decimal' ? Decimal.of(text) : undefined
    if (decimal !== undefined) return decimal
    if (kind === 'bigint' && /^-?\d{1,400}$/.test(text)) return BigInt(text)
    if (kind === 'number' && /^(?:NaN|-?Infinity)$/.test(text)) return Number(text)
    throw new InvalidTokenError()
  })
}

/** Bytes as the text that a token has for them. */
export function tokenText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** The bytes that a token's text stands for. */
export function fromText(text: string): Uint8Array {
  return Buffer.from(text, 'base64')
}
