// What a write came to is told truly beside whole servers, whatever became of its connection (M1, M4).
import { model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { Kysely, MysqlDialect, PostgresDialect } from 'kysely'
import { createPool } from 'mysql2'
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { databases } from '../../support/database-servers.ts'
import { serverOn } from '../../support/postgres-fault-proxy.ts'
import { type AnyKysely, createSqlTable } from '../../support/sql-tables.ts'
import { toldOnPostgres } from '../../support/told-engines.ts'
import { toldTruly } from '../../support/told-writes.ts'

const owner = { host: '127.0.0.1', user: 'owner', database: 'shop' }

for (const { title, port } of databases.filter(({ engine }) => engine === 'postgres')) {
  const db = new pg.Pool({ ...owner, port })
  const kysely: AnyKysely = new Kysely({ dialect: new PostgresDialect({ pool: db }) })
  afterAll(() => db.end())
  toldTruly(toldOnPostgres(title, () => ({ db, kysely, open: serverOn(port), connect: owner })))
}

describe.each(databases.filter(({ engine }) => engine === 'mysql'))('$title', ({ port }) => {
  const pool = createPool({ ...owner, port })
  afterAll(() => pool.promise().end())

  it('M4: a new row that cannot be read back is stored, and given as it was sent', async () => {
    const made = model({
      name: uniqueName('notes'),
      key: ['id'],
      schema: z.object({ id: z.string(), text: z.string().optional() }),
    })
    await createSqlTable(new Kysely({ dialect: new MysqlDialect({ pool }) }), 'mysql', made)
    let isBroken = false
    const kysely: AnyKysely = new Kysely({
      dialect: new MysqlDialect({ pool }),
      log: ({ query: { sql } }) => {
        if (isBroken && sql.startsWith('select')) throw new Error('The connection was lost')
      },
    })
    const notes = new SqlBackend(made, { db: kysely })
    isBroken = true
    expect(await notes.create({ id: 'a' })).toEqual({ id: 'a' })
    isBroken = false
    expect(await notes.find({ id: 'a' })).toEqual({ id: 'a' })
  })
})
