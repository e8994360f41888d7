// What SqlBackend does, over PostgreSQL and MariaDB, through the pools of iamDbAuth().
import { type IamDbAuth, iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { Kysely, MysqlDialect, PostgresDialect } from 'kysely'
import { afterAll, beforeAll } from 'vitest'
import { sqlContract } from '../../backends/sql/contract.ts'
import { databases, endpoint, setServerClock } from '../../support/database-servers.ts'
import { work } from '../../support/iam-databases.ts'
import type { AnyKysely } from '../../support/sql-tables.ts'

for (const { title, engine, port, ca } of databases) {
  let database: IamDbAuth<'postgres' | 'mysql'> | undefined
  let pool: object | undefined
  let kysely: AnyKysely | undefined
  beforeAll(async () => {
    setServerClock(0)
    database = iamDbAuth<'postgres' | 'mysql'>({
      engine,
      endpoint,
      host: '127.0.0.1',
      port,
      ca,
      username: 'app',
      database: 'shop',
      max: 12,
    })
    pool = await work(database, ({ db }) => db)
    kysely = new Kysely({
      dialect:
        engine === 'postgres'
          ? new PostgresDialect({ pool: pool as never })
          : new MysqlDialect({ pool: (pool as { pool: never }).pool }),
    })
  })
  afterAll(() => database?.end())
  sqlContract({ name: title, engine, pool: () => pool as object, kysely: () => kysely as AnyKysely })
}
