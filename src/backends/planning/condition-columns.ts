import type { Condition } from './query-state.ts'

/** The columns that conditions are on. */
export function columnsOf(conditions: readonly Condition[]): string[] {
  return conditions.flatMap((condition) =>
    'or' in condition ? condition.or.flatMap((group) => columnsOf(group)) : [condition.column],
  )
}

/** Whether a condition is on one of the columns. */
export function touches(condition: Condition, columns: readonly string[]): boolean {
  return 'or' in condition
    ? columnsOf([condition]).some((column) => columns.includes(column))
    : columns.includes(condition.column)
}
