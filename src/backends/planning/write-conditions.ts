import type { WriteConditions } from '../capabilities.ts'
import { Query } from '../query.ts'
import type { Condition, QueryRunner } from './query-state.ts'

/** Conditions are only collected here; which columns there are is checked when they are written. */
const collecting = { checkColumn() {} } as unknown as QueryRunner

/** The conditions that `when` adds to a query. */
export function conditionsOf<TItem>(when: WriteConditions<TItem>['when']): readonly Condition[] {
  return when === undefined ? [] : Query.conditionsOf(when(Query.of<TItem>(collecting)))
}
