import { ConditionError } from '../../errors/index.ts'
import { asRecord } from '../../core/record.ts'
import type { Comparison, Operator } from './query-state.ts'

/** All of them. */
export const comparisonOperators: ReadonlySet<unknown> = new Set<Operator>([
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  'not-in',
  'between',
  'begins-with',
  'contains',
  'is-null',
  'is-not-null',
  'like',
])

/** Whether somebody means an operator by this. */
export function isOperator(value: unknown): value is Operator {
  return comparisonOperators.has(value)
}

/**
 * One condition, checked.
 *
 * @throws ConditionError (400) for an operand that the operator does not take
 */
export function comparisonOf(column: string, operator: Operator, value: unknown): Comparison {
  switch (operator) {
    case 'is-null':
    case 'is-not-null':
      return { column, operator, value: undefined }
    case 'in':
    case 'not-in':
      return { column, operator, value: operands(value, column, operator) }
    case 'between': {
      const values = operands(value, column, operator)
      return { column, operator, value: [values[0], values[1]] }
    }
    case 'like':
      operands([value], column, operator)
      return { column, operator, value: String(value) }
    default:
  }
  operands([value], column, operator)
  return { column, operator, value }
}

function operands(values: unknown, column: string, operator: Operator): readonly unknown[] {
  if (!Array.isArray(values)) throw refusedCondition(column, `takes a list with ${operator}`)
  const list: readonly unknown[] = values
  if (operator === 'between' && list.length !== 2)
    throw refusedCondition(column, 'takes a list of two values with between')
  for (const operand of list) {
    if (operand === undefined) throw refusedCondition(column, 'has the value undefined')
    // A list may have an element that is null. Everywhere else null says that a parameter was missing.
    if (operand === null && operator !== 'contains')
      throw refusedCondition(column, 'has the value null: is-null and is-not-null ask for what has no value')
    refuseUncomparable(operand, column)
  }
  return list
}

/** Documents of DynamoDB are at most so deep: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const maxConditionDepth = 32

/** Refuses what no value can be compared with: databases take NaN for the greatest number, or for any. */
function refuseUncomparable(operand: unknown, column: string, depth = 0): void {
  if (Number.isNaN(operand)) throw refusedCondition(column, 'has the value NaN')
  const inner = asRecord(operand)
  if (inner === undefined || operand instanceof Uint8Array) return
  if (operand instanceof Date) {
    if (Number.isNaN(operand.getTime())) throw refusedCondition(column, 'has an invalid date')
    return
  }
  if (depth === maxConditionDepth)
    throw refusedCondition(column, `has a value that is deeper than ${maxConditionDepth} levels`)
  const members: readonly unknown[] = operand instanceof Set ? [...operand] : Object.values(inner)
  for (const member of members) refuseUncomparable(member, column, depth + 1)
}

/** The value comes from the caller as a rule, so the error is the caller's. */
function refusedCondition(column: string, why: string): ConditionError {
  return new ConditionError(`The condition on "${column}" ${why}`, { statusCode: 400 })
}
