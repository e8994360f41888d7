import { ConditionError, TypeMismatchError } from '../../errors/index.ts'
import { Decimal } from '../../wire/decimal.ts'
import { touches } from './condition-columns.ts'
import { likeOperation, order } from './evaluate.ts'
import type { Choice, Comparison, Condition } from './query-state.ts'
import type { Table, WireType } from './table.ts'

/**
 * The same conditions in fewer words: a list of one value is that value, a pattern the operation that it stands for; what
 * always holds is left out. `undefined` if they can never hold.
 */
export function simplified(conditions: readonly Condition[]): Condition[] | undefined {
  const simple: Condition[] = []
  for (const condition of conditions) {
    const fewer = 'or' in condition ? simplifiedChoice(condition) : simplifiedComparison(condition)
    if (fewer === 'never') return undefined
    if (fewer === 'always') continue
    if (Array.isArray(fewer)) simple.push(...fewer)
    else simple.push(fewer)
  }
  return simple
}

function simplifiedChoice({ or }: Choice): Choice | Condition[] | 'always' | 'never' {
  const groups = or.map(simplified).filter((group) => group !== undefined)
  const [first, ...others] = groups
  if (first === undefined) return 'never'
  if (groups.some((group) => group.length === 0)) return 'always'
  return others.length === 0 ? first : { or: groups }
}

function simplifiedComparison(comparison: Comparison): Comparison | 'always' | 'never' {
  const simple = simplifiedOperation(comparison)
  const { path } = comparison
  return typeof simple === 'string' || path === undefined ? simple : { ...simple, path }
}

function simplifiedOperation(comparison: Comparison): Comparison | 'always' | 'never' {
  const { column, operator, value } = comparison
  switch (operator) {
    case 'in':
    case 'not-in': {
      const values = distinctValues(value)
      if (values.length === 0) return operator === 'in' ? 'never' : 'always'
      return values.length === 1
        ? { column, operator: operator === 'in' ? '=' : '!=', value: values[0] }
        : { column, operator, value: values }
    }
    case 'between':
      return (order(value[0], value[1]) ?? 0) > 0 ? 'never' : comparison
    case 'like':
      return { column, ...likeOperation(value) }
    default:
      return comparison
  }
}

/** Each value once: what is read for each of them would come twice. */
function distinctValues(values: readonly unknown[]): unknown[] {
  const seen = new Set<unknown>()
  return values.filter((value) => {
    const id = valueIdentity(value)
    return !seen.has(id) && seen.add(id)
  })
}

function valueIdentity(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`
  if (typeof value === 'string') return `text ${value}`
  const number = Number.isSafeInteger(value) ? { text: value } : Decimal.of(value)
  return number === undefined ? value : `number ${String(number.text)}`
}

/**
 * The same conditions without empty values for columns of keys: no item has one there, and DynamoDB refuses to be asked
 * for it. `undefined` if they can never hold.
 */
export function withoutEmptyKeys(
  conditions: readonly Condition[],
  { paths }: Table,
): Condition[] | undefined {
  const filled: Condition[] = []
  for (const condition of conditions) {
    const kept = 'or' in condition ? condition : filledComparison(condition)
    const isMeant = kept === condition || paths.some(({ order: columns }) => touches(condition, columns))
    if (!isMeant) filled.push(condition)
    else if (kept === undefined) return undefined
    else filled.push(kept)
  }
  return filled
}

function filledComparison(comparison: Comparison): Comparison | undefined {
  const { column, operator, value } = comparison
  switch (operator) {
    case '=':
    case '<':
    case '<=':
      return isEmpty(value) ? undefined : comparison
    case '>':
    case '>=':
    case 'begins-with':
      return isEmpty(value) ? { column, operator: 'is-not-null', value: undefined } : comparison
    case 'between': {
      const [low, high] = value
      if (isEmpty(high)) return undefined
      return isEmpty(low) ? { column, operator: '<=', value: high } : comparison
    }
    case 'in': {
      if (!value.some(isEmpty)) return comparison
      const values = value.filter((element) => !isEmpty(element))
      if (values.length < 2)
        return values.length === 0 ? undefined : { column, operator: '=', value: values[0] }
      return { column, operator, value: values }
    }
    default:
      return comparison
  }
}

/** Whether a value is a text or bytes without any. */
export function isEmpty(value: unknown): boolean {
  return value === '' || (value instanceof Uint8Array && value.length === 0)
}

const wireTypeNames: Readonly<Record<WireType, string>> = {
  S: 'a string',
  N: 'a number',
  B: 'bytes',
  BOOL: 'a boolean',
}

/**
 * Refuses values of another type than a key's: DynamoDB answers them with an error, or, beside the keys, with no item.
 * It has no infinite numbers.
 *
 * @throws TypeMismatchError, ConditionError
 */
export function refuseTypes(conditions: readonly Condition[], table: Table): void {
  for (const condition of conditions) {
    if ('or' in condition) {
      for (const group of condition.or) refuseTypes(group, table)
      continue
    }
    const { column, operator, value } = condition
    const expected = table.typeOf(column)
    if (operator === 'begins-with' && expected === 'N')
      throw new TypeMismatchError(column, 'no beginning, being a number', 'one')
    const type = operator === 'contains' ? undefined : expected
    if (operator === 'in' || operator === 'not-in' || operator === 'between')
      for (const element of value) refuseValue(column, element, type)
    else refuseValue(column, value, type)
  }
}

function refuseValue(column: string, value: unknown, expected: WireType | undefined): void {
  if (value === Infinity || value === -Infinity)
    throw new ConditionError(`The condition on "${column}" has a value without an end`, { statusCode: 400 })
  if (expected === undefined) return
  const seen = wireTypeOf(value)
  if (seen !== undefined && seen !== expected)
    throw new TypeMismatchError(
      column,
      wireTypeNames[expected],
      isWireType(seen) ? wireTypeNames[seen] : seen,
    )
}

function isWireType(name: string): name is WireType {
  return Object.hasOwn(wireTypeNames, name)
}

function wireTypeOf(value: unknown): string | undefined {
  if (typeof value === 'string') return 'S'
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal) return 'N'
  if (value instanceof Uint8Array) return 'B'
  if (typeof value === 'boolean') return 'BOOL'
  if (Array.isArray(value)) return 'a list'
  if (value === undefined || value === null) return undefined
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
