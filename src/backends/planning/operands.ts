import type { Comparison, Condition } from './query-state.ts'
import type { DateMode } from '../../wire/attribute-value.ts'
import { type CheckedColumns, checkComparison } from './check-type.ts'

/** What the database makes of values: text becomes a number where the column has them. */
export interface StoredForm extends CheckedColumns {
  /** What dates become; without it they stay dates. */
  readonly dates?: DateMode | undefined
}

/**
 * The same conditions with their values as they are stored, so that they are compared as the database compares them.
 *
 * @throws TypeMismatchError for an operator or a value that the column's kind has no meaning for
 */
export function storedConditions(conditions: readonly Condition[], form: StoredForm): readonly Condition[] {
  return conditions.map((condition) =>
    'or' in condition
      ? { or: condition.or.map((group) => storedConditions(group, form)) }
      : storedComparison(condition, form),
  )
}

function storedComparison(comparison: Comparison, form: StoredForm): Comparison {
  checkComparison(comparison, form)
  const stored = storedOperation(comparison, form)
  const { path } = comparison
  return path === undefined ? stored : { ...stored, path }
}

function storedOperation(comparison: Comparison, { dates, typed }: StoredForm): Comparison {
  const { column, path = [column], operator, value } = comparison
  const place = operator === 'contains' ? [...path, 0] : path
  const stored = (operand: unknown): unknown =>
    operand instanceof Date ? storedDate(operand, dates) : (typed?.(place, operand) ?? operand)
  const isStored = (operand: unknown): boolean => !(operand instanceof Date) || isExactly(operand, dates)
  switch (operator) {
    case 'is-null':
    case 'is-not-null':
    case 'like':
      return comparison
    case 'in':
    case 'not-in':
      return { column, operator, value: value.filter(isStored).map(stored) }
    case 'between':
      return { column, operator, value: [stored(roundedUp(value[0], dates)), stored(value[1])] }
    case '!=':
      return isStored(value)
        ? { column, operator, value: stored(value) }
        : { column, operator: 'not-in', value: [] }
    case '<':
    case '>=':
      return { column, operator, value: stored(roundedUp(value, dates)) }
    case '=':
    case 'contains':
      return isStored(value)
        ? { column, operator, value: stored(value) }
        : { column, operator: 'in', value: [] }
    default:
      return { column, operator, value: Array.isArray(value) ? value.map(stored) : stored(value) }
  }
}

function storedDate(date: Date, dates: DateMode | undefined): Date | string | number {
  if (dates === undefined) return date
  if (dates === 'iso') return date.toISOString()
  return dates === 'seconds' ? Math.floor(date.getTime() / 1000) : date.getTime()
}

/** Whether a date is stored as it is. */
function isExactly(date: Date, dates: DateMode | undefined): boolean {
  return dates !== 'seconds' || date.getTime() % 1000 === 0
}

/** The first stored date that is not before another one. */
function roundedUp(value: unknown, dates: DateMode | undefined): unknown {
  if (!(value instanceof Date) || isExactly(value, dates)) return value
  return new Date(Math.ceil(value.getTime() / 1000) * 1000)
}
