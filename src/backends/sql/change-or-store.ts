import type { UnknownRecord } from '../../core/record.ts'
import { missingPlace } from '../planning/actions.ts'
import { meetsNothing } from './row-conditions.ts'
import type { SqlAccess } from './sql-access.ts'
import type { RowChange } from './sql-writer.ts'

/** A change of a row, and the row to store where there is none, if one may be. */
interface Change extends RowChange {
  readonly fresh: object | undefined
}

/** Changes a row, or stores a new one if it may; twice, where another one was faster. */
export async function changeOrStore(
  { writer, kysely }: Pick<SqlAccess, 'writer' | 'kysely'>,
  key: object,
  { fresh, ...change }: Change,
): Promise<UnknownRecord> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const row = await writer.change(kysely, key, change)
    if (row !== undefined) return row
    if (fresh === undefined || !meetsNothing(change.precondition)) break
    if (change.additions?.some(({ place }) => place.length > 1) === true)
      throw missingPlace(writer.finder.title)
    const stored = await writer.insertIfNew(kysely, fresh)
    if (stored !== undefined) return stored
  }
  return writer.refuse(kysely, key)
}
