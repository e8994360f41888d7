import { ConditionError } from '../../errors/index.ts'
import type { UnknownRecord } from '../../core/record.ts'
import { Decimal } from '../../wire/decimal.ts'
import { valueAt } from './places.ts'
import type { Condition, Operation, ValueOperator } from './query-state.ts'

/** Whether an item meets a condition, as DynamoDB would say. */
export function meets(item: UnknownRecord, condition: Condition): boolean {
  return 'or' in condition
    ? condition.or.some((group) => group.every((inner) => meets(item, inner)))
    : compare(valueAt(item, condition.path ?? [condition.column]), condition)
}

function compare(actual: unknown, { operator, value }: Operation): boolean {
  switch (operator) {
    case '=':
      return equals(actual, value)
    case '!=':
      return !equals(actual, value)
    case '<':
      return isOrderedBelow(actual, value)
    case '<=':
      return isOrderedBelow(actual, value) || order(actual, value) === 0
    case '>':
      return isOrderedBelow(value, actual)
    case '>=':
      return isOrderedBelow(value, actual) || order(actual, value) === 0
    case 'between': {
      const [above, below] = [order(actual, value[0]), order(actual, value[1])]
      return above !== undefined && below !== undefined && above >= 0 && below <= 0
    }
    case 'in':
      return value.some((element) => equals(actual, element))
    case 'not-in':
      return !value.some((element) => equals(actual, element))
    case 'begins-with':
      return beginsWith(actual, value)
    case 'contains':
      if (typeof actual === 'string') return typeof value === 'string' && actual.includes(value)
      return elementsOf(actual).some((element) => equals(element, value))
    case 'is-null':
      return actual === undefined || actual === null
    case 'is-not-null':
      return actual !== undefined && actual !== null
    case 'like':
      return compare(actual, likeOperation(value))
  }
}

function elementsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return value instanceof Set ? [...value] : []
}

/**
 * The operation that a pattern stands for. DynamoDB has one for a beginning, for a part and for the whole.
 *
 * @throws ConditionError for any other pattern
 */
export function likeOperation(pattern: string): { operator: ValueOperator; value: string } {
  const [, before, value, after] = /^(%?)([^%_]+)(%?)$/.exec(pattern) ?? []
  if (value === undefined || (before === '%' && after === ''))
    throw new ConditionError('The patterns are "a", "a%" and "%a%": there is no operation for others')
  if (after === '') return { operator: '=', value }
  return { operator: before === '' ? 'begins-with' : 'contains', value }
}

function beginsWith(actual: unknown, value: unknown): boolean {
  if (typeof actual === 'string') return typeof value === 'string' && actual.startsWith(value)
  if (!(actual instanceof Uint8Array) || !(value instanceof Uint8Array)) return false
  return actual.length >= value.length && Buffer.compare(actual.subarray(0, value.length), value) === 0
}

function isOrderedBelow(a: unknown, b: unknown): boolean {
  const compared = order(a, b)
  return compared !== undefined && compared < 0
}

/** Whether two values are the same, members and elements included. */
export function equals(a: unknown, b: unknown): boolean {
  if (!isStructure(a) || !isStructure(b)) return order(a, b) === 0
  if (a instanceof Set || b instanceof Set)
    return (
      a instanceof Set &&
      b instanceof Set &&
      a.size === b.size &&
      [...a].every((element) => [...b].some((other) => equals(element, other)))
    )
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equals(a[key], b[key]))
  )
}

/** Whether a value is made of others. */
function isStructure(value: unknown): value is UnknownRecord {
  if (value instanceof Uint8Array || value instanceof Date || value instanceof Decimal) return false
  return typeof value === 'object' && value !== null
}

/** The order of two values of one type: numbers by size, text and bytes by their bytes; `undefined` for others. */
export function order(a: unknown, b: unknown): number | undefined {
  if ((typeof a === 'number' || typeof a === 'bigint') && (typeof b === 'number' || typeof b === 'bigint'))
    return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string')
    return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime()
  if (a instanceof Decimal || b instanceof Decimal) return orderOfDecimals(a, b)
  return a === b ? 0 : undefined
}

/** Text is no number here, whatever it spells. */
function orderOfDecimals(a: unknown, b: unknown): number | undefined {
  if (typeof a === 'string' || typeof b === 'string') return undefined
  const [left, right] = [Decimal.of(a), Decimal.of(b)]
  return left && right && left.compare(right)
}
