import { randomUUID } from 'node:crypto'
import type { AnyKysely } from './database.ts'
import { isDeadlock } from './error-codes.ts'
import type { SqlAccess } from './sql-access.ts'

/** How often a transaction of the backend's own is tried, where others stand in its way. */
const maxAttempts = 5

/** Runs several statements that must not come apart. */
export async function together<T>(kysely: AnyKysely, run: (kysely: AnyKysely) => Promise<T>): Promise<T> {
  if (kysely.isTransaction) return run(kysely)
  for (let attempt = 1; ; attempt++) {
    try {
      // Stricter ones have MySQL lock also what is not there, at which two that make the same row stop each other.
      return await kysely.transaction().setIsolationLevel('read committed').execute(run)
    } catch (error) {
      // Of those who still do, one is undone as a whole, and asked to come again.
      if (attempt === maxAttempts || !isDeadlock(error)) throw error
    }
  }
}

/** Runs a part of a transaction that is undone for itself. */
export async function withinSavepoint<T>(
  { kysely, sql }: Pick<SqlAccess, 'kysely' | 'sql'>,
  run: () => Promise<T>,
): Promise<T> {
  const savepoint = sql.id(`part_${randomUUID()}`)
  await sql`savepoint ${savepoint}`.execute(kysely)
  try {
    const result = await run()
    await sql`release savepoint ${savepoint}`.execute(kysely)
    return result
  } catch (error) {
    await sql`rollback to savepoint ${savepoint}`.execute(kysely)
    throw error
  }
}
