import { TypeMismatchError } from '../../errors/index.ts'
import { likeOperation, order } from './evaluate.ts'
import type { Comparison, Condition } from './query-state.ts'
import type { Table, WireType } from './table.ts'

/**
 * The same conditions in fewer words: a list of one value is that value, a pattern the operation that it stands for; what
 * always holds is left out. `undefined` if they can never hold.
 */
export function simplified(conditions: readonly Condition[]): Condition[] | undefined {
  const simple: Condition[] = []
  for (const condition of conditions) {
    const one = 'or' in condition ? simplifiedChoice(condition) : simplifiedComparison(condition)
    if (one === 'never') return undefined
    if (one !== 'always') simple.push(...(Array.isArray(one) ? one : [one]))
  }
  return simple
}

function simplifiedChoice({
  or,
}: {
  readonly or: readonly (readonly Condition[])[]
}): Condition | Condition[] | 'always' | 'never' {
  const groups = or.map(simplified).filter((group) => group !== undefined)
  if (groups.length === 0) return 'never'
  if (groups.some((group) => group.length === 0)) return 'always'
  return groups.length === 1 ? (groups[0] as Condition[]) : { or: groups }
}

function simplifiedComparison(comparison: Comparison): Comparison | 'always' | 'never' {
  const { column, operator, value } = comparison
  switch (operator) {
    case 'in':
    case 'not-in': {
      const values = distinct(value as unknown[])
      if (values.length === 0) return operator === 'in' ? 'never' : 'always'
      return values.length === 1
        ? { column, operator: operator === 'in' ? '=' : '!=', value: values[0] }
        : { column, operator, value: values }
    }
    case 'between': {
      const [low, high] = value as [unknown, unknown]
      return (order(low, high) ?? 0) > 0 ? 'never' : comparison
    }
    case 'like':
      return { column, ...likeOperation(String(value)) }
    default:
      return comparison
  }
}

/** Each value once: what is read for each of them would come twice. */
function distinct(values: readonly unknown[]): unknown[] {
  const seen = new Set<unknown>()
  return values.filter((value) => {
    const id = idOf(value)
    return !seen.has(id) && seen.add(id)
  })
}

function idOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`
  if (typeof value === 'string') return `text ${value}`
  return typeof value === 'number' || typeof value === 'bigint' ? `number ${value}` : value
}

/**
 * The same conditions without empty values for columns of keys: no item has one there, and DynamoDB refuses to be asked
 * for it. `undefined` if they can never hold.
 */
export function withoutEmptyKeys(
  conditions: readonly Condition[],
  { paths }: Table,
): Condition[] | undefined {
  const keys = new Set(paths.flatMap(({ partition, sort }) => [...partition, ...sort]))
  const filled: Condition[] = []
  for (const condition of conditions) {
    const one = 'or' in condition || !keys.has(condition.column) ? condition : filledComparison(condition)
    if (one === undefined) return undefined
    filled.push(one)
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
      const [low, high] = value as [unknown, unknown]
      if (isEmpty(high)) return undefined
      return isEmpty(low) ? { column, operator: '<=', value: high } : comparison
    }
    case 'in': {
      const values = (value as unknown[]).filter((one) => !isEmpty(one))
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

const names: Readonly<Record<WireType, string>> = {
  S: 'a string',
  N: 'a number',
  B: 'bytes',
  BOOL: 'a boolean',
}

/**
 * Refuses values of another type than a key's: DynamoDB answers them with an error, or, beside the keys, with no item.
 *
 * @throws TypeMismatchError
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
    if (expected === undefined || operator === 'contains') continue
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const seen = typeOf(one)
      if (seen !== undefined && seen !== expected)
        throw new TypeMismatchError(
          column,
          names[expected],
          (names as Readonly<Record<string, string>>)[seen] ?? seen,
        )
    }
  }
}

function typeOf(value: unknown): string | undefined {
  if (typeof value === 'string') return 'S'
  if (typeof value === 'number' || typeof value === 'bigint') return 'N'
  if (value instanceof Uint8Array) return 'B'
  if (typeof value === 'boolean') return 'BOOL'
  return value === undefined || value === null ? undefined : `a ${typeof value}`
}
