import { checkOptions } from '../../core/options.ts'
import type { Model } from '../model.ts'
import { type TokenOptions, checkTokenOptions, tokenChecks } from '../planning/token.ts'
import type { AnyKysely, DatabaseOption } from './database.ts'

/** Options of {@link SqlBackend}. */
export interface SqlBackendOptions<TDatabase extends DatabaseOption = DatabaseOption> extends TokenOptions {
  /** A pool of `pg` or `mysql2`, a Kysely instance, a PGlite, or a function that gives one when it is first needed. */
  readonly db: TDatabase
  /** A column that counts a row's changes, for optimistic locking: a write that has seen an older one is a conflict. */
  readonly version?: string
  /** Columns of PostgreSQL's own array types (`text[]`); other lists are JSON. */
  readonly arrays?: readonly string[]
}

/** A transaction, and the database that it is of. */
export interface SqlTransaction {
  readonly kysely: AnyKysely
  /** The instance that the transaction is of. */
  readonly of: AnyKysely
}

/** @throws TypeError for options that the backend does not have, or without a database or a key */
export function checkSqlOptions(model: Model | undefined, options: Partial<SqlBackendOptions> = {}): void {
  if (model === undefined) throw new TypeError('SqlBackend() needs a model')
  checkOptions('SqlBackend', options, {
    db: (value: unknown) => (typeof value === 'object' && value !== null) || typeof value === 'function',
    version: (value: unknown) => typeof value === 'string' && model.has(value),
    arrays: (value: unknown) => Array.isArray(value) && value.every((column) => model.has(String(column))),
    ...tokenChecks,
  })
  checkTokenOptions('SqlBackend', options)
  if (options.db === undefined) throw new TypeError('SqlBackend() needs the option "db"')
  if (model.key.length === 0) throw new TypeError('SqlBackend(): the model needs a key')
}
