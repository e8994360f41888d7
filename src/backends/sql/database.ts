import type { AliasedRawBuilder, Kysely, RawBuilder } from 'kysely'
import type * as kyselyModule from 'kysely'
import { ConfigurationError } from '../../errors/index.ts'
import { asRecord } from '../../core/record.ts'
import { lazyImport } from '../../core/optional-import.ts'

/** Any tables with any columns: which there are, the model says. */
export type AnyTables = Record<string, Record<string, unknown>>
export type AnyKysely = Kysely<AnyTables>

/** A `pg` pool, a `mysql2` pool (of `mysql2` or `mysql2/promise`), a PGlite, or a Kysely instance. */
export type Database = object

/** A database, or a function that gives one when it is first needed. */
export type DatabaseOption = Database | (() => Database | Promise<Database>)

/** What SQL says in different words from engine to engine. */
export type Engine = 'postgres' | 'mysql'

/** Kysely's `sql`, of whichever copy of the package is loaded. */
export type SqlTag = typeof kyselyModule.sql

/** What Kysely takes for nothing but a name: dots and spaces are syntax of its own, and a column may have both. */
const word = /^\w+$/

/** A column to read. */
export function selected(sql: SqlTag, column: string): string | AliasedRawBuilder<unknown, string> {
  return word.test(column) ? column : sql.id(column).as(column)
}

/** A column to compare or sort by. A text costs Kysely less than an expression. */
export function named(sql: SqlTag, column: string): string | RawBuilder<unknown> {
  return word.test(column) ? column : sql.id(column)
}

/** A database as the backend uses it. */
export interface KyselyDatabase {
  readonly kysely: AnyKysely
  readonly engine: Engine
}

const loadKysely: () => Promise<typeof kyselyModule> = lazyImport('kysely', () => import('kysely'))

/** One Kysely instance per pool, for all backends on it. */
const openedDatabases = new WeakMap<object, Promise<KyselyDatabase>>()

/**
 * Makes a Kysely instance of what was given.
 *
 * @throws ConfigurationError if it is none of what is supported
 */
export async function kyselyDatabase(option: DatabaseOption): Promise<KyselyDatabase> {
  const database: unknown = await (typeof option === 'function' ? (option as () => unknown)() : option)
  if (typeof database !== 'object' || database === null)
    throw new ConfigurationError('SqlBackend: the option "db" gave no pool and no Kysely instance')
  if (isKysely(database)) return { kysely: database, engine: engineOf(database) }
  let open = openedDatabases.get(database)
  if (open === undefined) {
    open = fromPool(database)
    openedDatabases.set(database, open)
    open.catch(() => openedDatabases.delete(database))
  }
  return open
}

/** Whether it is a Kysely instance, or a transaction of one, of whichever copy of the package. */
export function isKysely(database: object): database is AnyKysely {
  return 'selectFrom' in database && 'getExecutor' in database
}

function engineOf(kysely: AnyKysely): Engine {
  // Of the engines here, MySQL alone has no RETURNING.
  return kysely.getExecutor().adapter.supportsReturning ? 'postgres' : 'mysql'
}

async function fromPool(database: object): Promise<KyselyDatabase> {
  const { Kysely: KyselyClass, MysqlDialect, PGliteDialect, PostgresDialect } = await loadKysely()
  const make = (dialect: kyselyModule.Dialect, engine: Engine): KyselyDatabase => ({
    kysely: new KyselyClass<AnyTables>({ dialect }),
    engine,
  })
  if ('waitReady' in database) return make(new PGliteDialect({ pglite: database as never }), 'postgres')
  // The pool of mysql2/promise wraps the one that Kysely takes.
  const inner = asRecord(asRecord(database)['pool']) ?? database
  if ('getConnection' in inner) return make(new MysqlDialect({ pool: inner as never }), 'mysql')
  if ('connect' in database && 'query' in database)
    return make(new PostgresDialect({ pool: database as never }), 'postgres')
  throw new ConfigurationError(
    'SqlBackend: the option "db" is neither a pool of pg or mysql2, nor a PGlite, nor a Kysely instance',
  )
}
