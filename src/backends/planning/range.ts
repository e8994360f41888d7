import { order } from './evaluate.ts'
import type { Comparison, Operator } from './query-state.ts'

/** What the conditions on one sort column come to: DynamoDB takes one of them in a key condition. */
export interface Range {
  readonly key: Comparison | undefined
  /** What the key condition does not say, to be checked on the items. */
  readonly check: readonly Comparison[]
  /** Whether no value can meet them. */
  readonly isEmpty: boolean
}

/** What a key condition can say by itself. */
const keyOperators = new Set<Operator>(['=', '<', '<=', '>', '>=', 'between', 'begins-with'])

/** Makes one key condition of several conditions on a column: two bounds become `between`, a list the span of its values. */
export function rangeOf(conditions: readonly Comparison[]): Range {
  const [only, ...others] = conditions
  if (only !== undefined && others.length === 0 && keyOperators.has(only.operator))
    return { key: only, check: [], isEmpty: false }
  const equal = conditions.find(({ operator }) => operator === '=')
  if (equal !== undefined) return { key: equal, check: withoutKey(conditions, equal), isEmpty: false }
  const bounds = conditions.flatMap(toBounds)
  const low = tightest(bounds, isLower, 1)
  const high = tightest(bounds, isUpper, -1)
  const beginning = conditions.find(({ operator }) => operator === 'begins-with')
  if (low !== undefined && high !== undefined) {
    const compared = order(low.value, high.value)
    if (compared === undefined) return { key: low, check: withoutKey(conditions, low), isEmpty: false }
    const isOpen = low.operator === '>' || high.operator === '<'
    if (compared > 0 || (compared === 0 && isOpen)) return { key: undefined, check: [], isEmpty: true }
    const key: Comparison = { column: low.column, operator: 'between', value: [low.value, high.value] }
    // The span of `between` has both ends, and may be wider than a list or a beginning.
    const check = conditions.filter(({ operator }) => !['>=', '<=', 'between'].includes(operator))
    return { key, check, isEmpty: false }
  }
  const key = beginning ?? low ?? high
  return { key, check: key === undefined ? conditions : withoutKey(conditions, key), isEmpty: false }
}

function isLower({ operator }: Comparison): boolean {
  return operator === '>' || operator === '>='
}

function isUpper({ operator }: Comparison): boolean {
  return operator === '<' || operator === '<='
}

function toBounds(comparison: Comparison): Comparison[] {
  const { column, operator, value } = comparison
  if (isLower(comparison) || isUpper(comparison)) return [comparison]
  if (operator !== 'between' && operator !== 'in') return []
  const values = value.toSorted((a, b) => order(a, b) ?? 0)
  const [low, high] = operator === 'between' ? value : [values[0], values.at(-1)]
  return [
    { column, operator: '>=', value: low },
    { column, operator: '<=', value: high },
  ]
}

function tightest(
  bounds: readonly Comparison[],
  isMeant: (bound: Comparison) => boolean,
  sign: 1 | -1,
): Comparison | undefined {
  let found: Comparison | undefined
  for (const bound of bounds) {
    if (!isMeant(bound)) continue
    const compared = found === undefined ? 1 : (order(bound.value, found.value) ?? 0) * sign
    // Of two bounds at one value, the one without it is tighter.
    if (compared > 0 || (compared === 0 && bound.operator.length < (found?.operator.length ?? 0)))
      found = bound
  }
  return found
}

/** The others: what a bound made of a list or a pair stands for is still to be checked. */
function withoutKey(conditions: readonly Comparison[], key: Comparison): Comparison[] {
  return conditions.filter(
    (other) => other !== key && !(other.operator === key.operator && order(other.value, key.value) === 0),
  )
}

/** How far a condition narrows an index down. */
export function narrowness(key: Comparison | undefined): number {
  if (key === undefined) return 0
  if (key.operator === '=') return 3
  return key.operator === 'between' || key.operator === 'begins-with' ? 2 : 1
}
