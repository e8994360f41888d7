import { ConditionError } from '../../errors/index.ts'
import type { WriteConditions } from '../capabilities.ts'
import type { Condition } from '../planning/query-state.ts'
import { conditionsOf } from '../planning/write-conditions.ts'

/** The precondition of a write: what the row must be like. */
export interface RowPrecondition {
  readonly when: readonly Condition[]
  /** The version that was seen, and its column. */
  readonly version: { readonly column: string; readonly seen: number } | undefined
}

/**
 * The precondition that the options of a write make.
 *
 * @param carried - The version that the item or the patch has
 * @throws ConditionError
 */
export function preconditionOf<TItem>(
  { when, expect }: WriteConditions<TItem>,
  column: string | undefined,
  carried: unknown,
): RowPrecondition {
  if (expect !== undefined && column === undefined)
    throw new ConditionError('To expect a version, the backend needs the option "version"')
  const seen = expect ?? (typeof carried === 'number' ? carried : undefined)
  return {
    when: conditionsOf(when),
    version: column === undefined || !seen ? undefined : { column, seen },
  }
}

export function isNoPrecondition({ when, version }: RowPrecondition): boolean {
  return when.length === 0 && version === undefined
}

/** Whether a precondition holds where there is no row at all. */
export function meetsNothing({ when, version }: RowPrecondition): boolean {
  return version === undefined && when.every(holdsOfNothing)
}

function holdsOfNothing(condition: Condition): boolean {
  return 'or' in condition
    ? condition.or.some((group) => group.every(holdsOfNothing))
    : ['is-null', '!=', 'not-in'].includes(condition.operator)
}

/** As conditions on the row. */
export function preconditions({ when, version }: RowPrecondition): readonly Condition[] {
  return version === undefined
    ? when
    : [...when, { column: version.column, operator: '=', value: version.seen }]
}
