/** An object of unknown members: an event, an item, a part of one. */
export type UnknownRecord = Readonly<Record<string, unknown>>

/** A value as an object; anything else counts as absent. AWS leaves a field out or sends null. */
export function asRecord(value: unknown): UnknownRecord | undefined {
  return typeof value === 'object' && value !== null ? (value as UnknownRecord) : undefined
}

/** A value as text; anything else counts as absent. */
export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A map for names that a client chooses: without a prototype, because one may be called `__proto__`. */
export function emptyMap<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>
}
