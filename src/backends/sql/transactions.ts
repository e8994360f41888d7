import { randomUUID } from 'node:crypto'
import type { TransactionBuilder } from 'kysely'
import type { AnyKysely, AnyTables } from './database.ts'
import { ConditionError, ConflictError, UnavailableError } from '../../errors/index.ts'
import { isContention, isRefusal, isUnanswered, isUnreadable } from './error-codes.ts'
import type { SqlAccess } from './sql-access.ts'

/** How often work of the backend's own is tried, where others stand in its way. */
const maxTransactionAttempts = 10

/** Runs several statements that must not come apart. */
export async function inTransaction<T>(
  { kysely, engine }: Pick<SqlAccess, 'kysely' | 'engine'>,
  run: (kysely: AnyKysely) => Promise<T>,
): Promise<T> {
  if (kysely.isTransaction) return run(kysely)
  const transaction = kysely.transaction()
  // Stricter ones have MySQL lock also what is not there, at which two that make the same row stop each other.
  const wanted = engine === 'mysql' ? transaction.setIsolationLevel('read committed') : transaction
  return untilDone(() => committed(wanted, run))
}

/** Runs statements that must not come apart, in a transaction if they are several. */
export function together<T>(
  access: Pick<SqlAccess, 'kysely' | 'engine'>,
  areSeveral: boolean,
  run: (kysely: AnyKysely) => Promise<T>,
): Promise<T> {
  const { kysely } = access
  if (areSeveral) return readable(() => inTransaction(access, run))
  return readable(() => (kysely.isTransaction ? run(kysely) : untilDone(() => answered(() => run(kysely)))))
}

/**
 * Runs several statements of which all or none are made, also where the caller's own transaction goes on behind an error.
 * One of PostgreSQL never does.
 */
export function wholly<T>(
  access: Pick<SqlAccess, 'kysely' | 'sql' | 'engine'>,
  run: (kysely: AnyKysely) => Promise<T>,
): Promise<T> {
  const { kysely, engine } = access
  return kysely.isTransaction && engine === 'mysql'
    ? withinSavepoint(access, () => run(kysely))
    : inTransaction(access, run)
}

/**
 * Runs a transaction to its end. What fails before the commit is undone.
 *
 * @throws UnavailableError if the answer to the commit is lost
 */
export async function committed<T>(
  transaction: TransactionBuilder<AnyTables>,
  run: (kysely: AnyKysely) => Promise<T>,
): Promise<T> {
  const progress: { isRun: boolean } = { isRun: false }
  try {
    return await transaction.execute(async (kysely) => {
      const result = await run(kysely)
      progress.isRun = true
      return result
    })
  } catch (cause) {
    throw progress.isRun && !isRefusal(cause) ? unanswered(cause) : cause
  }
}

/**
 * Runs statements whose values may come from a caller.
 *
 * @throws ConditionError (400) for one that the type of its column cannot hold
 */
export async function readable<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (!isUnreadable(cause)) throw cause
    const message = 'A value cannot be read as the type that its column has in the database'
    throw new ConditionError(message, { statusCode: 400, cause })
  }
}

/** Runs statements that only read; again where other work stands in their way. */
export function reading<T>(kysely: AnyKysely, run: () => Promise<T>): Promise<T> {
  return kysely.isTransaction ? readable(run) : untilDone(() => readable(run))
}

/** Runs a statement that stands for itself. @throws UnavailableError if its answer is lost */
export async function answered<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    throw isUnanswered(cause) ? unanswered(cause) : cause
  }
}

function unanswered(cause: unknown): UnavailableError {
  return new UnavailableError('The database gave no answer to a write', { cause, ambiguous: true })
}

/**
 * Runs work that is undone as a whole where other work stands in its way, and then asked to come again.
 *
 * @throws ConflictError if it stays in the way
 */
export async function untilDone<T>(
  run: () => Promise<T>,
  attempts: number = maxTransactionAttempts,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (cause) {
      if (!isContention(cause)) throw cause
      if (attempt >= attempts)
        throw new ConflictError('Other work on the same rows was done at the same time', { cause })
      // Full jitter: what met once shall not meet again.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(250, 4 * 2 ** attempt)))
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
    // After a deadlock of MySQL, or without a connection, there is none any more: all of it is undone.
    await sql`rollback to savepoint ${savepoint}`.execute(kysely).catch(() => undefined)
    throw error
  }
}
