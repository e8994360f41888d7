import { optionalImport } from '../../core/optional-import.ts'
import type { Model } from '../model.ts'
import { ConditionWriter } from './conditions.ts'
import type { KyselyDatabase, SqlTag } from './database.ts'
import { SqlWriter } from './sql-writer.ts'

/** A database along with what reads and writes one model's table in it. */
export interface SqlAccess extends KyselyDatabase {
  readonly conditions: ConditionWriter
  readonly writer: SqlWriter
  readonly sql: SqlTag
}

/** Made once per backend. @throws MissingDependencyError */
export async function sqlAccess(
  database: KyselyDatabase,
  model: Model,
  version: string | undefined,
): Promise<SqlAccess> {
  const { sql } = await optionalImport('kysely', () => import('kysely'))
  const conditions = new ConditionWriter(sql, model, database.engine)
  const { engine } = database
  return { ...database, sql, conditions, writer: new SqlWriter({ model, engine, version, conditions, sql }) }
}
