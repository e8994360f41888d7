import type { Precondition } from '../planning/preconditions.ts'
import type { Condition } from '../planning/query-state.ts'

/** Whether a precondition asks for nothing. */
export function isNone({ when = [], version }: Precondition): boolean {
  return when.length === 0 && version === undefined
}

/** Whether a precondition holds where there is no row at all. */
export function meetsNothing({ when = [], version }: Precondition): boolean {
  return version === undefined && when.every(holdsOfNothing)
}

function holdsOfNothing(condition: Condition): boolean {
  return 'or' in condition
    ? condition.or.some((group) => group.every(holdsOfNothing))
    : ['is-null', '!=', 'not-in'].includes(condition.operator)
}

/** A precondition as conditions on the row. */
export function rowConditions(
  { when = [], version }: Precondition,
  versionColumn: string | undefined,
): readonly Condition[] {
  if (version === undefined || versionColumn === undefined) return when
  return [...when, { column: versionColumn, operator: '=', value: version }]
}
