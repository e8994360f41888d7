import { isRecord } from './record.ts'
import type { ServiceWire } from './services.ts'

// The global `crypto` evaluates all of the Web Crypto API first.
const { randomUUID } = process.getBuiltinModule('node:crypto')

/**
 * An input with the token by which a service tells that it is asked again for what it has done already. The SDK fills it
 * in likewise, and Secrets Manager refuses a request without one. Kept by a call over all its attempts.
 */
export function withIdempotencyToken(
  { tokens }: ServiceWire,
  operation: string,
  input: object | undefined,
): object | undefined {
  const member = Object.hasOwn(tokens, operation) ? tokens[operation] : undefined
  if (member === undefined) return input
  const given = isRecord(input) ? (input[member] ?? undefined) : undefined
  return given === undefined ? { ...input, [member]: randomUUID() } : input
}
