/**
 * Readers for fields of an event. AWS leaves a field out or sends null, test tools send what they like: anything but
 * the type that belongs there counts as absent.
 */
export type Fields = Readonly<Record<string, unknown>>

export function fields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A map of one value per name. */
export function textMap(value: unknown): Readonly<Record<string, string>> | undefined {
  return fields(value) as Readonly<Record<string, string>> | undefined
}

/** A map of several values per name. */
export function listMap(value: unknown): Readonly<Record<string, readonly string[]>> | undefined {
  return fields(value) as Readonly<Record<string, readonly string[]>> | undefined
}

/** The pairs of a query that comes in one map or the other; the one with lists has every value and goes first. */
export function queryPairs(single: unknown, lists: unknown): [name: string, value: string][] {
  const pairs: [string, string][] = []
  const many = fields(lists)
  for (const [name, values] of Object.entries(many ?? fields(single) ?? {})) {
    for (const value of Array.isArray(values) ? values : [values]) {
      if (typeof value === 'string') pairs.push([name, value])
    }
  }
  return pairs
}
