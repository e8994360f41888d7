import type { Comparison, Condition } from './query.ts'

type Item = Readonly<Record<string, unknown>>

/** Whether an item meets a condition, as DynamoDB would say. */
export function meets(item: Item, condition: Condition): boolean {
  return 'or' in condition
    ? condition.or.some((group) => group.every((one) => meets(item, one)))
    : compare(item, condition)
}

function compare(item: Item, { column, operator, value }: Comparison): boolean {
  const held = item[column]
  switch (operator) {
    case '=':
      return order(held, value) === 0
    case '!=':
      return order(held, value) !== 0
    case '<':
      return isBelow(held, value)
    case '<=':
      return isBelow(held, value) || order(held, value) === 0
    case '>':
      return isBelow(value, held)
    case '>=':
      return isBelow(value, held) || order(held, value) === 0
    case 'between': {
      const [low, high] = value as [unknown, unknown]
      return !isBelow(held, low) && !isBelow(high, held) && order(held, low) !== undefined
    }
    case 'in':
      return (value as unknown[]).some((one) => order(held, one) === 0)
    case 'not-in':
      return !(value as unknown[]).some((one) => order(held, one) === 0)
    case 'begins-with':
      return typeof held === 'string' && typeof value === 'string' && held.startsWith(value)
    case 'contains':
      if (typeof held === 'string') return typeof value === 'string' && held.includes(value)
      return (
        (Array.isArray(held) || held instanceof Set) &&
        [...(held as Iterable<unknown>)].some((one) => order(one, value) === 0)
      )
    case 'is-null':
      return held === undefined || held === null
    case 'is-not-null':
      return held !== undefined && held !== null
    case 'like':
      return typeof held === 'string' && likePattern(String(value)).test(held)
  }
}

function likePattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replaceAll('%', '[^]*')
    .replaceAll('_', '[^]')
  return new RegExp(`^${source}$`, 'u')
}

function isBelow(a: unknown, b: unknown): boolean {
  const compared = order(a, b)
  return compared !== undefined && compared < 0
}

/** The order of two values of one type: numbers by size, text and bytes by their bytes; `undefined` for others. */
export function order(a: unknown, b: unknown): number | undefined {
  if ((typeof a === 'number' || typeof a === 'bigint') && (typeof b === 'number' || typeof b === 'bigint'))
    return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime()
  return a === b ? 0 : undefined
}
