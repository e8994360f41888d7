import type { UnknownRecord } from '../../core/record.ts'
import type { AnyKysely } from './database.ts'
import type { SqlAccess } from './sql-access.ts'
import { readable, together, wholly } from './transactions.ts'

/** Stores new rows, all or none. */
export function insertAll(access: SqlAccess, items: readonly object[]): Promise<UnknownRecord[]> {
  const { writer } = access
  const insert = (kysely: AnyKysely): Promise<UnknownRecord[]> => writer.insert(kysely, items)
  return writer.insertsInParts(items)
    ? readable(() => wholly(access, insert))
    : together(access, false, insert)
}
