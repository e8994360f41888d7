import { optionalImport } from '../../core/optional-import.ts'
import { ConditionWriter } from './conditions.ts'
import type { KyselyDatabase, SqlTag } from './database.ts'
import { RowFinder } from './row-finder.ts'
import type { RowMapper } from './rows.ts'
import { SqlWriter } from './sql-writer.ts'

/** A database along with what reads and writes one model's table in it. */
export interface SqlAccess extends KyselyDatabase {
  readonly conditions: ConditionWriter
  readonly finder: RowFinder
  readonly writer: SqlWriter
  readonly sql: SqlTag
}

/** Made once per backend. @throws MissingDependencyError */
export async function sqlAccess(
  database: KyselyDatabase,
  rows: RowMapper,
  version: string | undefined,
): Promise<SqlAccess> {
  const { sql } = await optionalImport('kysely', () => import('kysely'))
  const { engine } = database
  const conditions = new ConditionWriter(sql, rows, engine)
  const words = { rows, engine, version, conditions, sql }
  const finder = new RowFinder(words)
  return { ...database, sql, conditions, finder, writer: new SqlWriter(words, finder) }
}
