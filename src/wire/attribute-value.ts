import type { AttributeValue } from '@aws-sdk/client-dynamodb'

/** An item in DynamoDB's typed form. */
export type AttributeItem = Record<string, AttributeValue>

/** How dates are stored: as ISO 8601 text, or as a number since 1970. */
export type DateMode = 'iso' | 'seconds' | 'milliseconds'

/** Sets an own property. An assignment to `__proto__` would set the prototype instead. */
export function setOwn<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}
