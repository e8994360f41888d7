import type { Model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { describe } from 'vitest'
import { type AnyKysely, type SqlEngine, createSqlTable } from '../../support/sql-tables.ts'
import { backendContract, sqlFlags } from '../contract/contract.ts'
import { sqlColumns } from './columns.ts'
import { sqlKeysets } from './keysets.ts'
import { sqlPages } from './pages.ts'
import { sqlValues } from './values.ts'
import { sqlWrites } from './writes.ts'

/** A database under test. */
export interface TestedSql {
  readonly name: string
  readonly engine: SqlEngine
  /** A pool of `pg` or `mysql2`, or a PGlite. */
  readonly pool: () => object
  readonly kysely: () => AnyKysely
}

/** What every SQL database does. */
export function sqlContract(tested: TestedSql): void {
  const { name, engine, pool, kysely } = tested
  const made = new Set<string>()
  async function table(model: Model): Promise<void> {
    if (made.has(model.name)) return
    made.add(model.name)
    await createSqlTable(kysely(), engine, model)
  }
  backendContract(
    `SqlBackend on ${name}`,
    async (model, { version, tokenSecret }) => {
      await table(model)
      return new SqlBackend(model, {
        db: pool(),
        ...(version !== undefined && { version }),
        ...(tokenSecret !== undefined && { tokenSecret }),
      })
    },
    { ...sqlFlags, hasInfinity: engine === 'postgres', holdsNul: engine === 'mysql' },
  )
  describe(`SqlBackend on ${name}, beyond the contract`, () => {
    sqlPages(tested)
    sqlKeysets(tested)
    sqlWrites(tested)
    sqlColumns(tested)
    sqlValues(tested)
  })
}
