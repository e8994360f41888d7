import middy from '@middy/core'
import type { Middleware } from 'clearskies-middy'
import { iamDbAuth } from 'clearskies-middy/middleware/iam-db-auth'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke } from 'clearskies-middy/testing'
import { embeddedDatabase } from './local/embedded-database.ts'

/** Anything that runs SQL: a pool of `pg`, or the embedded PostgreSQL. */
export interface Database {
  query(sql: string): Promise<unknown>
}

/**
 * Where orders are kept: in the PostgreSQL that `db_endpoint` names, with a token in place of a password; without it, in an
 * embedded one.
 */
export const ordersDatabase = (
  process.env['db_endpoint'] ? iamDbAuth({ engine: 'postgres' }) : embeddedDatabase()
) as Middleware<unknown, { readonly db: Database }>

const table = `create table if not exists orders (
  id text primary key,
  author text not null,
  title text not null,
  quantity integer not null,
  state text not null,
  "placedAt" text not null
)`

const catalogue = `create table if not exists catalogue (
  author text not null,
  title text not null,
  price double precision not null,
  primary key (author, title)
)`

/** Makes the tables of the orders and of the catalogue, where there are none. */
export async function createOrdersTable(): Promise<void> {
  const run = middy()
    .use(invocation())
    .use(ordersDatabase)
    .handler(async (_, { db }) => {
      await db.query(table)
      await db.query(catalogue)
    })
  await invoke(run, undefined)
}
