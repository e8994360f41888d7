import type { Choice, Condition } from './query-state.ts'

/** The columns that conditions are on. */
export function conditionColumns(conditions: readonly Condition[]): string[] {
  return conditions.flatMap((condition) =>
    'or' in condition
      ? condition.or.flatMap((group) => conditionColumns(group))
      : [condition.path?.[0] ?? condition.column],
  )
}

/** Whether a condition is on one of the columns. */
export function touches(condition: Condition, columns: readonly string[]): boolean {
  return conditionColumns([condition]).some((column) => columns.includes(column))
}

/** What a column without a value meets. */
const metByAbsence: ReadonlySet<string> = new Set(['is-null', '!=', 'not-in'])

/** Whether only items that have a value in a column can meet the conditions. */
export function impliesValue(conditions: readonly Condition[], column: string): boolean {
  return conditions.some((condition) =>
    'or' in condition
      ? condition.or.every((group) => impliesValue(group, column))
      : condition.column === column && !metByAbsence.has(condition.operator),
  )
}

/** Whether a condition is a choice of several. */
export function isChoice(condition: Condition): condition is Choice {
  return 'or' in condition
}

/** Whether each group gives one of the columns a value, or a choice in it does. */
export function fixesOneOf({ or }: Choice, columns: ReadonlySet<string>): boolean {
  return or.every((group) =>
    group.some((condition) =>
      isChoice(condition)
        ? fixesOneOf(condition, columns)
        : columns.has(condition.column) && ['=', 'in'].includes(condition.operator),
    ),
  )
}
