// What docs/iam-db-auth.md says to work on context.db, with the real packages: X22.
import { PrismaPg } from '@prisma/adapter-pg'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { model } from 'clearskies-middy'
import { type DatabasePool, type IamDbAuth, iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { eq } from 'drizzle-orm'
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2'
import * as my from 'drizzle-orm/mysql-core'
import { drizzle } from 'drizzle-orm/node-postgres'
import * as pgCore from 'drizzle-orm/pg-core'
import { Kysely, MysqlDialect, PostgresDialect } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { databases, endpoint, setServerClock } from '../../support/database-servers.ts'
import { work } from '../../support/iam-databases.ts'

interface Tables {
  builders: { id: number; state: string }
}

describe.each(databases)('$title', ({ engine, port, ca }) => {
  let database: IamDbAuth<'postgres' | 'mysql'>
  let db: DatabasePool<'postgres' | 'mysql'>
  const query = (sql: string) => work(database, (context) => context.db.query(sql))
  beforeAll(async () => {
    setServerClock(0)
    const options = { endpoint, host: '127.0.0.1', port, ca, username: 'app', database: 'shop', max: 3 }
    database = iamDbAuth<'postgres' | 'mysql'>({ engine, ...options })
    db = (await work(database, (context) => context.db)) as typeof db
    await query('drop table if exists builders')
    await query('create table builders (id integer primary key, state varchar(20) not null)')
  })
  afterAll(async () => {
    await query('drop table builders')
    await database.end()
  })

  it('X22: Kysely reads, writes and rolls back on context.db as it is', async () => {
    const dialect =
      engine === 'postgres'
        ? new PostgresDialect({ pool: db as DatabasePool<'postgres'> })
        : new MysqlDialect({ pool: db as DatabasePool<'mysql'> })
    const kysely = new Kysely<Tables>({ dialect })
    await work(database, async () => {
      await kysely.insertInto('builders').values({ id: 1, state: 'open' }).execute()
      await kysely
        .transaction()
        .execute(async (transaction) => {
          await transaction.updateTable('builders').set({ state: 'lost' }).where('id', '=', 1).execute()
          throw new Error('rolled back')
        })
        .catch(() => undefined)
    })
    const rows = await work(database, () =>
      kysely.selectFrom('builders').selectAll().where('id', '=', 1).execute(),
    )
    expect(rows).toEqual([{ id: 1, state: 'open' }])
  })

  it.runIf(engine === 'mysql')('X22: Kysely takes the pool inside, too', async () => {
    const { pool } = db as unknown as { readonly pool: never }
    const kysely = new Kysely<Tables>({ dialect: new MysqlDialect({ pool }) })
    expect(await work(database, () => kysely.selectFrom('builders').select('id').execute())).toEqual([
      { id: 1 },
    ])
  })

  it('X22: SqlBackend takes context.db as it is', async () => {
    const Builder = model({
      name: 'builders',
      key: ['id'],
      schema: z.object({ id: z.number(), state: z.string() }),
    })
    await work(database, async (context) => {
      const backend = new SqlBackend(Builder, { db: context.db })
      await backend.create({ id: 2, state: 'open' })
      expect(await backend.find({ id: 2 })).toEqual({ id: 2, state: 'open' })
    })
  })

  it('X22: Drizzle reads, writes and rolls back on context.db as it is', async () => {
    await work(database, async () => {
      if (engine === 'postgres') {
        const builders = pgCore.pgTable('builders', {
          id: pgCore.integer().primaryKey(),
          state: pgCore.text().notNull(),
        })
        const orm = drizzle({ client: db as DatabasePool<'postgres'> })
        await orm.insert(builders).values({ id: 3, state: 'open' })
        const failed = orm.transaction(async (transaction) => {
          await transaction.update(builders).set({ state: 'lost' }).where(eq(builders.id, 3))
          throw new Error('rolled back')
        })
        await expect(failed).rejects.toThrow('rolled back')
        expect(await orm.select().from(builders).where(eq(builders.id, 3))).toEqual([
          { id: 3, state: 'open' },
        ])
      } else {
        const builders = my.mysqlTable('builders', {
          id: my.int().primaryKey(),
          state: my.varchar({ length: 20 }).notNull(),
        })
        const orm = drizzleMysql({ client: db as DatabasePool<'mysql'> })
        await orm.insert(builders).values({ id: 3, state: 'open' })
        const failed = orm.transaction(async (transaction) => {
          await transaction.update(builders).set({ state: 'lost' }).where(eq(builders.id, 3))
          throw new Error('rolled back')
        })
        await expect(failed).rejects.toThrow('rolled back')
        expect(await orm.select().from(builders).where(eq(builders.id, 3))).toEqual([
          { id: 3, state: 'open' },
        ])
      }
    })
  })

  // The client that Prisma generates is not tested: its generator downloads an engine.
  it.runIf(engine === 'postgres')('X22: Prisma’s driver adapter works on context.db as it is', async () => {
    await work(database, async () => {
      const adapter = await new PrismaPg(db as DatabasePool<'postgres'>).connect()
      const argTypes = [{ scalarType: 'int', arity: 'scalar' } as const]
      await adapter.executeRaw({ sql: "insert into builders values ($1, 'open')", args: [4], argTypes })
      const transaction = await adapter.startTransaction()
      await transaction.executeRaw({
        sql: "update builders set state = 'lost' where id = $1",
        args: [4],
        argTypes,
      })
      // Prisma itself sends the statement, and then calls this.
      await transaction.executeRaw({ sql: 'rollback', args: [], argTypes: [] })
      await transaction.rollback()
      const { columnNames, rows } = await adapter.queryRaw({
        sql: 'select * from builders where id = $1',
        args: [4],
        argTypes,
      })
      expect([columnNames, rows]).toEqual([['id', 'state'], [[4, 'open']]])
      await adapter.dispose()
    })
    expect(await work(database, (context) => context.db.query('select 1'))).toBeDefined()
  })
})
