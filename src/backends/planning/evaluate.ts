import { ConditionError } from '../../errors/index.ts'
import type { Comparison, Condition } from './query-state.ts'

type Item = Readonly<Record<string, unknown>>

/** Whether an item meets a condition, as DynamoDB would say. */
export function meets(item: Item, condition: Condition): boolean {
  return 'or' in condition
    ? condition.or.some((group) => group.every((one) => meets(item, one)))
    : compare(Object.hasOwn(item, condition.column) ? item[condition.column] : undefined, condition)
}

function compare(held: unknown, { operator, value }: Comparison): boolean {
  switch (operator) {
    case '=':
      return equals(held, value)
    case '!=':
      return !equals(held, value)
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
      const [above, below] = [order(held, low), order(held, high)]
      return above !== undefined && below !== undefined && above >= 0 && below <= 0
    }
    case 'in':
      return (value as unknown[]).some((one) => equals(held, one))
    case 'not-in':
      return !(value as unknown[]).some((one) => equals(held, one))
    case 'begins-with':
      return beginsWith(held, value)
    case 'contains':
      if (typeof held === 'string') return typeof value === 'string' && held.includes(value)
      return (
        (Array.isArray(held) || held instanceof Set) &&
        [...(held as Iterable<unknown>)].some((one) => equals(one, value))
      )
    case 'is-null':
      return held === undefined || held === null
    case 'is-not-null':
      return held !== undefined && held !== null
    case 'like':
      return compare(held, { column: '', ...likeOperation(String(value)) })
  }
}

/**
 * The operation that a pattern stands for. DynamoDB has one for a beginning, for a part and for the whole.
 *
 * @throws ConditionError for any other pattern
 */
export function likeOperation(pattern: string): Pick<Comparison, 'operator' | 'value'> {
  const [, before, value, after] = /^(%?)([^%_]+)(%?)$/.exec(pattern) ?? []
  if (value === undefined || (before === '%' && after === ''))
    throw new ConditionError('The patterns are "a", "a%" and "%a%": there is no operation for others')
  if (after === '') return { operator: '=', value }
  return { operator: before === '' ? 'begins-with' : 'contains', value }
}

function beginsWith(held: unknown, value: unknown): boolean {
  if (typeof held === 'string') return typeof value === 'string' && held.startsWith(value)
  if (!(held instanceof Uint8Array) || !(value instanceof Uint8Array)) return false
  return held.length >= value.length && Buffer.compare(held.subarray(0, value.length), value) === 0
}

function isBelow(a: unknown, b: unknown): boolean {
  const compared = order(a, b)
  return compared !== undefined && compared < 0
}

/** Whether two values are the same, members and elements included. */
export function equals(a: unknown, b: unknown): boolean {
  if (
    typeof a !== 'object' ||
    typeof b !== 'object' ||
    a === null ||
    b === null ||
    isScalar(a) ||
    isScalar(b)
  )
    return order(a, b) === 0
  if (a instanceof Set || b instanceof Set)
    return (
      a instanceof Set &&
      b instanceof Set &&
      a.size === b.size &&
      [...a].every((one) => [...b].some((other) => equals(one, other)))
    )
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equals((a as Item)[key], (b as Item)[key]))
  )
}

function isScalar(value: object): boolean {
  return value instanceof Uint8Array || value instanceof Date
}

/** The order of two values of one type: numbers by size, text and bytes by their bytes; `undefined` for others. */
export function order(a: unknown, b: unknown): number | undefined {
  if ((typeof a === 'number' || typeof a === 'bigint') && (typeof b === 'number' || typeof b === 'bigint'))
    return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string')
    return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime()
  return a === b ? 0 : undefined
}
