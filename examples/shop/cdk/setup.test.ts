import { PGlite } from '@electric-sql/pglite'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { SqlBackend } from '../../../src/backends/sql.ts'
import { CatalogueEntry, Order } from '../models.ts'
import { databaseUser } from './shop-stack.ts'

it("the database that setup.sql makes takes the shop's orders from its own user", async () => {
  await using db = await PGlite.create()
  await db.exec('create role rds_iam') // RDS has it.
  await db.exec(readFileSync(new URL('setup.sql', import.meta.url), 'utf8'))
  await db.exec(`set role ${databaseUser}`)
  const orders = new SqlBackend(Order, { db })
  const order = { id: '1', author: 'Lem', title: 'Solaris', quantity: 1, placedAt: new Date(0).toISOString() }
  expect(await orders.create(order)).toEqual({ ...order, state: 'placed' })
  expect(await orders.update({ id: '1' }, { state: 'worked' })).toMatchObject({ state: 'worked' })
  const catalogue = new SqlBackend(CatalogueEntry, { db })
  const entry = { author: 'Lem', title: 'Solaris', price: 8.5 }
  expect(await catalogue.put(entry)).toEqual(entry)
  expect(await catalogue.query().count()).toBe(1)
})
