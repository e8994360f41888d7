import { ConditionError } from '../../errors/index.ts'
import type { Comparison, Operator } from './query-state.ts'

/** All of them. */
export const operators: ReadonlySet<unknown> = new Set<Operator>([
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
  return operators.has(value)
}

/**
 * One condition, checked.
 *
 * @throws ConditionError for an operand that the operator does not take
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
    case '=':
    case '!=':
      if (value === null)
        return { column, operator: operator === '=' ? 'is-null' : 'is-not-null', value: undefined }
      break
    case 'like':
      operands([value], column, operator)
      return { column, operator, value: String(value) }
    default:
  }
  operands([value], column, operator)
  return { column, operator, value }
}

function operands(values: unknown, column: string, operator: Operator): readonly unknown[] {
  const condition = `The condition on "${column}"`
  if (!Array.isArray(values)) throw new ConditionError(`${condition} with ${operator} takes a list`)
  if (operator === 'between' && values.length !== 2)
    throw new ConditionError(`${condition} with between takes a list of two values`)
  if (values.includes(undefined)) throw new ConditionError(`${condition} has the value undefined`)
  if (values.includes(null) && operator !== 'contains')
    throw new ConditionError(`${condition} has the value null, which ${operator} does not take`)
  return values
}
