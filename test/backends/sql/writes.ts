import { ConflictError, model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { Kysely, sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { counterModel, uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import { type AnyKysely, createSqlTable } from '../../support/sql-tables.ts'
import type { TestedSql } from './contract.ts'

/** Transactions, many rows, and writers that meet. */
export function sqlWrites({ engine, pool, kysely }: TestedSql): void {
  const open = async (options: { version?: string } = {}) => {
    const definition = counterModel()
    await createSqlTable(kysely(), engine, definition)
    return new SqlBackend(definition, { db: pool(), ...options })
  }

  describe('transaction()', () => {
    let counters: Awaited<ReturnType<typeof open>>
    let others: typeof counters
    beforeEach(async () => {
      counters = await open()
      others = await open()
    })
    const ids = async (backend: typeof counters) =>
      (await backend.query().sortBy('id').all()).map(({ id }) => id).join('')

    it('keeps what it has written, and gives what the function gives', async () => {
      const result = await counters.transaction(async (inside, transaction) => {
        const other = await others.within(transaction)
        await inside.create({ id: 'a', count: 1 })
        await other.create({ id: 'b', count: 1 })
        expect([await ids(inside), await ids(other)]).toEqual(['a', 'b'])
        return 'done'
      })
      expect([result, await ids(counters), await ids(others)]).toEqual(['done', 'a', 'b'])
    })

    it('undoes what it has written when the function throws, and throws the same', async () => {
      const error = new Error('no')
      const run = counters.transaction(async (inside, transaction) => {
        await inside.create({ id: 'a', count: 1 })
        await (await others.within(transaction)).create({ id: 'b', count: 1 })
        throw error
      })
      await expect(run).rejects.toBe(error)
      expect([await ids(counters), await ids(others)]).toEqual(['', ''])
      await counters.create({ id: 'c', count: 1 })
    })

    it('undoes a part for itself, whose error was caught', async () => {
      await counters.transaction(async (inside, transaction) => {
        await inside.create({ id: 'a', count: 1 })
        const part = inside.transaction(async (deeper, same) => {
          await deeper.create({ id: 'b', count: 1 })
          await (await others.within(same)).create({ id: 'b', count: 1 })
          await deeper.create({ id: 'a', count: 1 })
        })
        await rejection(part, ConflictError)
        await inside.transaction((deeper) => deeper.create({ id: 'c', count: 1 }))
        await (await others.within(transaction)).create({ id: 'd', count: 1 })
      })
      expect([await ids(counters), await ids(others)]).toEqual(['ac', 'd'])
    })

    it('takes no part of another database', async () => {
      const [own, foreign] = [counters.kysely, others.kysely] as Promise<AnyKysely>[]
      expect(await own).toBe(await foreign)
      const db = new Kysely<Record<string, Record<string, unknown>>>({
        dialect: { ...dialectOf(await own!) },
      })
      const apart = new SqlBackend(counterModel(), { db })
      await counters.transaction(async (_, transaction) => {
        expect(await apart.within(transaction)).toBe(apart)
        expect(await others.within(transaction)).not.toBe(others)
      })
    })
  })

  describe('many rows', () => {
    it('are stored beyond the parameters of one statement, all or none', async () => {
      const counters = await open()
      const list = Array.from({ length: 20_000 }, (_, index) => ({
        id: `n${index}`,
        count: index,
        note: 'x',
        version: 1,
        expires: 1,
      }))
      expect(await counters.createMany(list)).toEqual(list)
      expect(await counters.query().count()).toBe(20_000)
      const more = [...list.map((item) => ({ ...item, id: `m${item.count}` })), list[0]!]
      await rejection(counters.createMany(more), ConflictError)
      expect(await counters.query().count()).toBe(20_000)
      const keys = list.map(({ id }) => ({ id })).reverse()
      expect((await counters.findMany(keys)).map((item) => item?.count)).toEqual(
        list.map(({ count }) => count).reverse(),
      )
    })

    it.runIf(engine === 'mysql')('are none in a transaction that goes on behind an error', async () => {
      const counters = await open()
      const list = Array.from({ length: 8000 }, (_, index) => ({
        id: `n${index}`,
        count: index,
        note: 'x',
        expires: 1,
      }))
      await counters.transaction(async (inside) => {
        await rejection(inside.createMany([...list, list[0]!]), ConflictError)
        await inside.create({ id: 'a', count: 1 })
      })
      expect((await counters.query().all()).map(({ id }) => id)).toEqual(['a'])
    })

    it('are found by keys of two columns, however many', async () => {
      const pairs = model({
        name: uniqueName('pairs'),
        key: ['a', 'b'],
        schema: z.object({ a: z.string(), b: z.number(), c: z.string().optional() }),
      })
      await createSqlTable(kysely(), engine, pairs)
      const backend = new SqlBackend(pairs, { db: pool() })
      const list = Array.from({ length: 5000 }, (_, b) => ({
        a: `a${b % 7}`,
        b,
        ...(b % 2 === 0 && { c: 'c' }),
      }))
      await backend.createMany(list)
      expect(await backend.findMany(list)).toEqual(list)
      expect(await backend.findMany([{ a: 'a1', b: 0 }])).toEqual([undefined])
    })
  })

  describe('put', () => {
    it('changes no other row that has the same unique value', async () => {
      const accounts = model({
        name: uniqueName('accounts'),
        key: ['id'],
        schema: z.object({ id: z.number(), mail: z.string() }),
      })
      const { name } = accounts
      await sql`create table ${sql.table(name)} (id integer primary key, mail varchar(99) unique)`.execute(
        kysely(),
      )
      const backend = new SqlBackend(accounts, { db: pool() })
      await backend.put({ id: 1, mail: 'a' })
      await rejection(backend.put({ id: 2, mail: 'a' }), ConflictError)
      await rejection(backend.create({ id: 2, mail: 'a' }), ConflictError)
      await rejection(backend.update({ id: 2 }, { mail: 'a' }, { upsert: true }), ConflictError)
      expect(await backend.query().all()).toEqual([{ id: 1, mail: 'a' }])
      await backend.create({ id: 2, mail: 'b' })
      await rejection(backend.update({ id: 2 }, { mail: 'a' }), ConflictError)
    })

    it('and upsert of ten at once leave one row', async () => {
      const counters = await open()
      const racers = Array.from({ length: 10 }, (_, count) =>
        count % 2 === 0
          ? counters.put({ id: 'a', count })
          : counters.update({ id: 'a' }, { count }, { upsert: true }),
      )
      for (const item of await Promise.all(racers)) expect(item.id).toBe('a')
      expect(await counters.query().count()).toBe(1)
    })
  })

  it('the version lets one of ten racers win, each of whom read the same', async () => {
    const counters = await open({ version: 'version' })
    const seen = await counters.create({ id: 'a', count: 0 })
    const races = await Promise.allSettled(
      Array.from({ length: 10 }, (_, count) => counters.put({ ...seen, count })),
    )
    const won = races.filter((race) => race.status === 'fulfilled')
    expect(won).toHaveLength(1)
    expect(await counters.find({ id: 'a' })).toEqual({ ...won[0]?.value, version: 2 })
    for (const race of races)
      if (race.status === 'rejected') expect(race.reason).toBeInstanceOf(ConflictError)
  })
}

/** The parts of a dialect that an instance was made of. */
function dialectOf(db: AnyKysely) {
  const executor = db.getExecutor()
  return {
    createAdapter: () => executor.adapter,
    createDriver: () => ({}) as never,
    createIntrospector: () => ({}) as never,
    createQueryCompiler: () => ({}) as never,
  }
}
