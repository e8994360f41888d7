import type { Comparison, Condition } from './query-state.ts'
import { marshall } from '../../wire/marshall.ts'
import type { DateMode } from '../../wire/attribute-value.ts'

/** The same conditions with dates as they are stored, so that they are compared as the database compares them. */
export function normalizedConditions(
  conditions: readonly Condition[],
  dates: DateMode = 'iso',
): readonly Condition[] {
  return conditions.map((condition) =>
    'or' in condition
      ? { or: condition.or.map((group) => normalizedConditions(group, dates)) }
      : normalizedComparison(condition, dates),
  )
}

function normalizedComparison(comparison: Comparison, dates: DateMode): Comparison {
  const { column, operator, value } = comparison
  if (Array.isArray(value) ? !value.some(isDate) : !isDate(value)) return comparison
  const stored = (operand: unknown): unknown => (isDate(operand) ? storedDate(operand, dates) : operand)
  switch (operator) {
    case 'in':
    case 'not-in':
      return { column, operator, value: value.map(stored) }
    case 'between':
      return { column, operator, value: [stored(value[0]), stored(value[1])] }
    case 'is-null':
    case 'is-not-null':
    case 'like':
      return comparison
    default:
      return { column, operator, value: Array.isArray(value) ? value.map(stored) : stored(value) }
  }
}

function isDate(value: unknown): value is Date {
  return value instanceof Date
}

function storedDate(date: Date, dates: DateMode): string | number {
  const { S: text, N: number } = marshall(date, 'The date', dates)
  return text ?? Number(number)
}
