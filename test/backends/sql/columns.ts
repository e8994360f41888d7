import { InvalidDataError, NotFoundError, model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { type Kysely, sql } from 'kysely'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { counterModel, uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import { createSqlTable } from '../../support/sql-tables.ts'
import type { TestedSql } from './contract.ts'

/** What the table fills in, columns of every kind, and Kysely itself. */
export function sqlColumns({ engine, pool, kysely }: TestedSql): void {
  const open = async () => {
    const definition = counterModel()
    await createSqlTable(kysely(), engine, definition)
    return new SqlBackend(definition, { db: pool() })
  }

  it('what the table fills in is given back, and what the model does not have is not', async () => {
    const notes = model({
      name: uniqueName('notes'),
      key: ['id'],
      schema: z.object({ id: z.number().optional(), text: z.string(), state: z.string().optional() }),
    })
    const number = sql.raw(engine === 'mysql' ? 'integer auto_increment' : 'serial')
    await sql`create table ${sql.table(notes.name)}
      (id ${number} primary key, text varchar(20), state varchar(20) default 'new', secret varchar(20) default 'x')`.execute(
      kysely(),
    )
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
      expect(await backend.update({ id: 0n }, { ...items[0], id: 0n } as never)).toStrictEqual({
        ...items[0],
        id: 0n,
      })
    })

    it('are compared as what they are', async () => {
      const backend = await create(kinds())
      await backend.createMany(items)
      const [first] = items as unknown as [{ at: Date; bytes: Uint8Array<ArrayBuffer> }]
      const count = (query: { count(): Promise<number> }) => query.count()
      expect(await count(backend.where('id', '>', 9_007_199_254_740_992n))).toBe(1)
      expect(await count(backend.where('at', '=', first.at))).toBe(1)
      expect(
        await count(backend.where('at', 'between', [new Date('2024-01-01'), new Date('2025-01-01')])),
      ).toBe(1)
      expect(await count(backend.where('is', '=', false))).toBe(1)
      expect(await count(backend.where('is', '!=', true))).toBe(2)
      expect(await count(backend.where('bytes', '=', first.bytes))).toBe(1)
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
      const rows = await sql<{ two: unknown }>`select 1 + 1 as two`.execute(await one.kysely)
      expect(Number(rows.rows[0]?.two)).toBe(2)
    })

    it('is made of what a function gives, when it is first needed, and again if that fails', async () => {
      let calls = 0
      const definition = counterModel()
      await createSqlTable(kysely(), engine, definition)
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
