import { PGlite } from '@electric-sql/pglite'
import middy from '@middy/core'
import { ConfigurationError, MemoryBackend, backends, invocation, model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { invoke } from 'clearskies-middy/testing'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'

const Row = (name: string) => model({ name, key: ['id'], schema: z.object({ id: z.string() }) })

describe('backends().transaction', () => {
  const db = new PGlite()
  afterAll(() => db.close())
  beforeEach(async () => {
    await db.exec(
      'drop table if exists orders, lines; create table orders (id text primary key); create table lines (id text primary key)',
    )
  })

  function handlerOf(work: 'both' | 'fails') {
    return middy()
      .use(invocation())
      .use(
        backends({
          orders: new SqlBackend(Row('orders'), { db }),
          lines: () => new SqlBackend(Row('lines'), { db: () => db }),
          log: new MemoryBackend(Row('log')),
        }),
      )
      .handler(async (_, { backends: all }) =>
        all.transaction(async ({ orders, lines, log }) => {
          await orders.create({ id: '1' })
          await lines.create({ id: '1' })
          await log.create({ id: '1' })
          if (work === 'fails') throw new Error('no')
          return 'done'
        }),
      )
  }

  const rows = async () => {
    const { rows: found } = await db.query('select id from orders union all select id from lines')
    return found.length
  }

  it('makes the writes of all SQL backends of one database together', async () => {
    expect(await invoke(handlerOf('both'), {})).toBe('done')
    expect(await rows()).toBe(2)
  })

  it('undoes them all when the function throws', async () => {
    await expect(invoke(handlerOf('fails'), {})).rejects.toThrow('no')
    expect(await rows()).toBe(0)
  })

  it('leaves a backend of another database out of it', async () => {
    const other = new PGlite()
    await other.exec('create table lines (id text primary key)')
    const handler = middy()
      .use(invocation())
      .use(
        backends({
          orders: new SqlBackend(Row('orders'), { db }),
          lines: new SqlBackend(Row('lines'), { db: other }),
        }),
      )
      .handler(async (_, { backends: all }) =>
        all.transaction(async ({ orders, lines }) => {
          await lines.create({ id: '1' })
          await orders.create({ id: '1' })
          throw new Error('no')
        }),
      )
    await expect(invoke(handler, {})).rejects.toThrow('no')
    expect(await rows()).toBe(0)
    expect((await other.query('select * from lines')).rows).toHaveLength(1)
    await other.close()
  })

  it('says that it needs a backend with transactions', async () => {
    const handler = middy()
      .use(invocation())
      .use(backends({ log: new MemoryBackend(Row('log')) }))
      .handler((_, { backends: all }) => all.transaction(async () => 1))
    await expect(invoke(handler, {})).rejects.toThrow(ConfigurationError)
  })

  it('refuses a backend of that name', () => {
    expect(() => backends({ transaction: new MemoryBackend(Row('log')) })).toThrow(TypeError)
  })
})
