import { ConditionError } from '../../errors/index.ts'
import type { WriteConditions } from '../capabilities.ts'
import type { Condition } from '../query.ts'
import { conditionsOf } from '../planning/write-conditions.ts'

/** What a write demands of the row as it is. */
export interface RowDemand {
  readonly when: readonly Condition[]
  /** The version that was seen, and its column. */
  readonly version: { readonly column: string; readonly seen: number } | undefined
}

/**
 * What the options of a write demand.
 *
 * @param carried - The version that the item or the patch has
 * @throws ConditionError
 */
export function demandOf<TItem>(
  { when, expect }: WriteConditions<TItem>,
  column: string | undefined,
  carried: unknown,
): RowDemand {
  if (expect !== undefined && column === undefined)
    throw new ConditionError('To expect a version, the backend needs the option "version"')
  const seen = expect ?? (typeof carried === 'number' ? carried : undefined)
  return {
    when: conditionsOf(when),
    version: column === undefined || !seen ? undefined : { column, seen },
  }
}

export function isNoDemand({ when, version }: RowDemand): boolean {
  return when.length === 0 && version === undefined
}

/** Whether a demand holds where there is no row at all. */
export function meetsNothing({ when, version }: RowDemand): boolean {
  return version === undefined && when.every(holdsOfNothing)
}

function holdsOfNothing(condition: Condition): boolean {
  return 'or' in condition
    ? condition.or.some((group) => group.every(holdsOfNothing))
    : ['is-null', '!=', 'not-in'].includes(condition.operator)
}

/** As conditions on the row. */
export function demanded({ when, version }: RowDemand): readonly Condition[] {
  return version === undefined
    ? when
    : [...when, { column: version.column, operator: '=', value: version.seen }]
}
