/** An object of unknown members: an event, an item, or a part of either. */
export type UnknownRecord = Readonly<Record<string, unknown>>

/** The value if it is an object, else `undefined`. AWS may send `null` for an absent field. */
export function asRecord(value: object): UnknownRecord
export function asRecord(value: unknown): UnknownRecord | undefined
export function asRecord(value: unknown): UnknownRecord | undefined {
  return typeof value === 'object' && value !== null ? (value as UnknownRecord) : undefined
}

/** The value if it is a string, else `undefined`. */
export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The strings of a value that is one string or a list; of anything else none. */
export function asStrings(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : []
}

/** The values of each name, in order. Reads each entry once. A name may be `__proto__`. */
export function listsByName<T>(entries: Iterable<readonly [string, T]>): Record<string, T[]> {
  const lists = new Map<string, T[]>()
  for (const [name, value] of entries) {
    const list = lists.get(name)
    if (list === undefined) lists.set(name, [value])
    else list.push(value)
  }
  return Object.fromEntries(lists)
}

/** The columns of a record that are wanted, where it has them. */
export function picked<T>(
  record: Readonly<Record<string, T>>,
  columns: readonly string[],
): Record<string, T> {
  const part: Record<string, T> = {}
  for (const column of columns) {
    const value = Object.hasOwn(record, column) ? record[column] : undefined
    if (value !== undefined) part[column] = value
  }
  return part
}

/** A map for names that a client chooses. It has no prototype, because a name may be `__proto__`. */
export function emptyMap<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>
}
