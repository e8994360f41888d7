import { ConflictError, InvalidDataError, NotFoundError, model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { Kysely, sql } from 'kysely'
import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { counterModel, uniqueName } from '../support/contract-models.ts'
import { rejection } from '../support/rejection.ts'
import { type AnyKysely, createSqlTable } from '../support/sql-tables.ts'
import type { TestedSql } from './sql-contract.ts'

/** Transactions, many rows, columns of every kind, and Kysely itself. */
export function sqlWrites({ engine, pool, kysely }: TestedSql): void {
  const open = async (options: { version?: string } = {}) => {
    const definition = counterModel()
    await createSqlTable(kysely(), engine, definition as never)
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

    it('are found by keys of two columns, however many', async () => {
      const pairs = model({
        name: uniqueName('pairs'),
        key: ['a', 'b'],
        schema: z.object({ a: z.string(), b: z.number(), c: z.string().optional() }),
      })
      await createSqlTable(kysely(), engine, pairs as never)
      const backend = new SqlBackend(pairs, { db: pool() })
      const list = Array.from({ length: 5000 }, (_, b) => ({ a: `a${b % 7}`, b, ...(b % 2 === 0 && { c: 'c' }) }))
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
      await sql`create table ${sql.table(name)} (id integer primary key, mail varchar(99) unique)`.execute(kysely())
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
    for (const race of races) if (race.status === 'rejected') expect(race.reason).toBeInstanceOf(ConflictError)
  })

  it('what the table fills in is given back, and what the model does not have is not', async () => {
    const notes = model({
      name: uniqueName('notes'),
      key: ['id'],
      schema: z.object({ id: z.number().optional(), text: z.string(), state: z.string().optional() }),
    })
    const number = sql.raw(engine === 'mysql' ? 'integer auto_increment' : 'serial')
    await sql`create table ${sql.table(notes.name)}
      (id ${number} primary key, text varchar(20), state varchar(20) default 'new', secret varchar(20) default 'x')`.execute(kysely())
    const backend = new SqlBackend(notes, { db: pool() })
    const first = { id: 1, text: 'a', state: 'new' }
    expect(await backend.create({ text: 'a' })).toEqual(first)
    expect(await backend.createMany([{ text: 'b', state: 'old' }, { text: 'c' }])).toEqual([
      { id: 2, text: 'b', state: 'old' },
      { id: 3, text: 'c', state: 'new' },
    ])
    expect(await backend.find({ id: 1 })).toEqual(first)
    expect(await backend.query().first()).toEqual(first)
    expect(await backend.update({ id: 1 }, { text: 'z' })).toEqual({ ...first, text: 'z' })
    expect(await backend.delete({ id: 1 })).toEqual({ ...first, text: 'z' })
    await rejection(backend.update({ id: 1 }, { text: 'z' }), NotFoundError)
  })

  describe('columns', () => {
    const kinds = () =>
      model({
        name: uniqueName('kinds'),
        key: ['id'],
        schema: z.object({
          id: z.bigint(),
          amount: z.string().optional(),
          at: z.date().optional(),
          is: z.boolean().optional(),
          bytes: z.instanceof(Uint8Array).optional(),
          list: z.array(z.unknown()).optional(),
          data: z.object({}).loose().optional(),
          none: z.string().nullable().optional(),
          nil: z.number().nullable(),
          whole: z.number().optional(),
        }),
      })
    const create = async (definition: ReturnType<typeof kinds>) => {
      const [numeric, json, time, bytes] =
        engine === 'mysql'
          ? ['decimal(30,10)', 'json', 'datetime(3)', 'blob']
          : ['numeric(30,10)', 'jsonb', 'timestamptz', 'bytea']
      const raw = (type: string | undefined) => sql.raw(String(type))
      await sql`create table ${sql.table(definition.name)} (id bigint primary key, amount ${raw(numeric)},
        at ${raw(time)}, ${sql.ref('is')} boolean, bytes ${raw(bytes)}, list ${raw(json)}, data ${raw(json)},
        none varchar(9), nil integer, whole bigint)`.execute(kysely())
      return new SqlBackend(definition, { db: pool() })
    }
    const items = [
      {
        id: 9_007_199_254_740_993n,
        amount: '12345678901234567890.0123456789',
        at: new Date('2024-02-29T23:59:59.123Z'),
        is: true,
        bytes: new Uint8Array([0, 1, 127, 128, 255]),
        list: [1, 'a', null, { b: [true] }],
        data: { a: { b: 'ü😀"\\' }, c: null },
        none: '',
        nil: 0,
        whole: Number.MAX_SAFE_INTEGER,
      },
      { id: -9_223_372_036_854_775_808n, is: false, nil: null, list: [], data: {}, bytes: new Uint8Array() },
      { id: 0n, nil: null },
    ]

    it('come back as they were given', async () => {
      const backend = await create(kinds())
      expect(await backend.createMany(items)).toStrictEqual(items)
      for (const item of items) expect(await backend.find({ id: item.id })).toStrictEqual(item)
      expect(await backend.findMany(items)).toStrictEqual(items)
      const seen = []
      for await (const item of backend.query().sortBy('id', 'desc').limit(3)) seen.push(item)
      expect(seen).toStrictEqual([items[0], items[2], items[1]])
      for (const item of items) expect(await backend.put(item)).toStrictEqual(item)
      expect(await backend.update({ id: 0n }, { ...items[0], id: 0n })).toStrictEqual({ ...items[0], id: 0n })
    })

    it('are compared as what they are', async () => {
      const backend = await create(kinds())
      await backend.createMany(items)
      const [first] = items as [Required<(typeof items)[0]>]
      const count = (query: { count(): Promise<number> }) => query.count()
      expect(await count(backend.where('id', '>', 9_007_199_254_740_992n))).toBe(1)
      expect(await count(backend.where('at', '=', first.at as Date))).toBe(1)
      expect(await count(backend.where('at', 'between', [new Date('2024-01-01'), new Date('2025-01-01')]))).toBe(1)
      expect(await count(backend.where('is', '=', false))).toBe(1)
      expect(await count(backend.where('is', '!=', true))).toBe(2)
      expect(await count(backend.where('bytes', '=', first.bytes as Uint8Array))).toBe(1)
      expect(await count(backend.where('list', 'contains', 'a'))).toBe(1)
      expect(await count(backend.where('list', 'contains', 'b'))).toBe(0)
      expect(await count(backend.where('none', '=', ''))).toBe(1)
    })

    it('with numbers that JavaScript would round are an error, and not another number', async () => {
      const definition = kinds()
      const backend = await create(definition)
      await backend.create({ id: 1n, nil: null })
      await sql`update ${sql.table(definition.name)} set whole = 9007199254740993`.execute(kysely())
      const error = await rejection(backend.find({ id: 1n }), InvalidDataError)
      expect(error.message).toMatch(/whole holds a number beyond 2\^53/)
    })
  })

  describe('kysely', () => {
    it('is the instance that was given, with its types', async () => {
      interface Tables {
        counters: { id: string }
      }
      const db = kysely() as unknown as Kysely<Tables>
      const backend = new SqlBackend(counterModel(), { db })
      expect(backend.kysely).toBe(db)
      expectTypeOf(backend.kysely).toEqualTypeOf<Kysely<Tables>>()
    })

    it('is made of a pool, once for all backends on it', async () => {
      const [one, two] = [await open(), await open()]
      expect(await one.kysely).toBe(await two.kysely)
      const rows = await sql<{ two: unknown }>`select 1 + 1 as two`.execute(await one.kysely as AnyKysely)
      expect(Number(rows.rows[0]?.two)).toBe(2)
    })

    it('is made of what a function gives, when it is first needed, and again if that fails', async () => {
      let calls = 0
      const definition = counterModel()
      await createSqlTable(kysely(), engine, definition as never)
      const backend = new SqlBackend(definition, {
        db: async () => {
          if (calls++ === 0) throw new Error('not yet')
          return pool()
        },
      })
      expect(calls).toBe(0)
      await expect(backend.query().count()).rejects.toThrow('not yet')
      expect(await Promise.all([backend.query().count(), backend.query().count()])).toEqual([0, 0])
      expect(calls).toBe(2)
    })
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
