import { isDeepStrictEqual } from 'node:util'
import { ConditionError, ConflictError, InvalidDataError, model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { TestedSql } from './contract.ts'

/** Keys in several forms, lists, JSON, and what the engine makes of values. */
export function sqlValues({ engine, pool, kysely }: TestedSql): void {
  const isPostgres = engine === 'postgres'
  const json = isPostgres ? 'jsonb' : 'json'
  const create = (name: string, columns: string) =>
    sql`create table ${sql.table(name)} (${sql.raw(columns)})`.execute(kysely())

  describe('M31: find and findMany give the same', () => {
    const keyed = async (type: string, kind: z.ZodType) => {
      const definition = model({
        name: uniqueName('keyed'),
        key: ['id'],
        schema: z.object({ id: kind, n: z.number() }),
      })
      await create(definition.name, `id ${type} primary key, n integer`)
      return new SqlBackend(definition, { db: pool() })
    }
    const cases: (readonly [type: string, z.ZodType, stored: unknown, asked: readonly unknown[]])[] =
      isPostgres
        ? [
            [
              'uuid',
              z.string(),
              'aaaaaaaa-0000-0000-0000-00000000000b',
              [
                'AAAAAAAA-0000-0000-0000-00000000000B',
                '{aaaaaaaa-0000-0000-0000-00000000000b}',
                'aaaaaaaa-0000-0000-0000-00000000000b',
                'aaaaaaaa-0000-0000-0000-00000000000c',
              ],
            ],
            ['char(5)', z.string(), 'ab', ['ab', 'ab   ', 'AB']],
            ['numeric(9,2)', z.string(), '1.50', ['1.5', '1.50', '01.500', '2']],
            ['numeric(9,2)', z.number(), 1.5, [1.5, 1.51]],
            ['text', z.any(), 'a', ['a', 'A', 'a ']],
          ]
        : [
            ['varchar(20)', z.string(), 'abc', ['abc', 'ABC', 'abc ', 'äbc', 'abd']],
            ['char(9)', z.string(), 'abc', ['abc', 'Abc', 'abc  ']],
            ['decimal(9,2)', z.string(), '1.50', ['1.50', '1.5', '2']],
            ['varchar(20)', z.any(), 'abc', ['ABC', 'abc', 'x']],
          ]
    it.each(cases)('of a key of type %s', async (type, kind, stored, asked) => {
      const backend = await keyed(type, kind)
      await backend.create({ id: stored, n: 1 })
      const keys = [...asked, ...asked].map((id) => ({ id }))
      const found = await Promise.all(keys.map((key) => backend.find(key)))
      expect(found[0]?.n ?? found[2]?.n).toBe(1)
      expect(await backend.findMany(keys)).toEqual(found)
    })

    it('of a key of two columns', async () => {
      const definition = model({
        name: uniqueName('pairs'),
        key: ['a', 'b'],
        schema: z.object({ a: z.string(), b: z.number(), n: z.number() }),
      })
      await create(
        definition.name,
        `a ${isPostgres ? 'char(5)' : 'varchar(9)'}, b integer, n integer, primary key (a, b)`,
      )
      const backend = new SqlBackend(definition, { db: pool() })
      await backend.createMany([1, 2, 3].map((b) => ({ a: 'x', b, n: b })))
      const keys = ['x', 'x ', 'X', 'y'].flatMap((a) => [1, 2, 9].map((b) => ({ a, b })))
      const found = await Promise.all(keys.map((key) => backend.find(key)))
      expect(found.filter((item) => item !== undefined).length).toBeGreaterThanOrEqual(4)
      expect(await backend.findMany(keys)).toEqual(found)
    })

    it('of hundreds that are not there beside one in another form', async () => {
      const backend = await keyed(isPostgres ? 'char(5)' : 'varchar(9)', z.string())
      await backend.create({ id: 'k1', n: 1 })
      const keys = Array.from({ length: 350 }, (_, index) => ({ id: `n${index}` }))
      const found = await backend.findMany([...keys, { id: 'k1 ' }, { id: 'k1' }])
      expect(found.map((item) => item?.n)).toEqual([...keys.map(() => undefined), 1, 1])
    })
  })

  describe('M32: contains', () => {
    const lists = [
      ['x', 5],
      [{ id: 7 }],
      [{ a: 1, b: 2 }],
      [['x'], null, true],
      [[1, 2], [2, 1], 1.5],
      ['%', 'é', '"', '\\', 'X'],
      [],
    ]
    const opened = async () => {
      const definition = model({
        name: uniqueName('lists'),
        key: ['id'],
        schema: z.object({ id: z.number(), list: z.array(z.any()).optional() }),
      })
      await create(definition.name, `id integer primary key, list ${json}`)
      const backend = new SqlBackend(definition, { db: pool() })
      await backend.createMany([...lists.map((list, id) => ({ id, list })), { id: 99 }])
      return backend
    }

    const sought: (readonly [element: unknown, ids: readonly number[]])[] = [
      ['x', [0]],
      [5, [0]],
      [5n, [0]],
      [[5], []],
      [{ id: 7 }, [1]],
      [{ a: 1 }, []],
      [{ b: 2, a: 1 }, [2]],
      [['x'], [3]],
      [null, [3]],
      [true, [3]],
      [1, []],
      [1.5, [4]],
      [[2, 1], [4]],
      [[1, 2, 1], []],
      [[1], []],
      ['%', [5]],
      ['é', [5]],
      ['E', []],
      ['"', [5]],
      ['\\', [5]],
      [[], []],
      [{}, []],
    ]
    it.each(
      sought.map(
        ([element, ids]) =>
          [typeof element === 'bigint' ? '5n' : JSON.stringify(element), element, ids] as const,
      ),
    )('finds lists with an element that equals %s as a whole', async (_text, element, ids) => {
      const backend = await opened()
      const found = await backend.where('list', 'contains', element).sortBy('id').all()
      expect(found.map(({ id }) => id)).toEqual(ids)
    })

    it('looks into sets, and into lists of bigints and dates', async () => {
      const definition = model({
        name: uniqueName('sets'),
        key: ['id'],
        schema: z.object({
          id: z.number(),
          set: z.set(z.string()).optional(),
          big: z.array(z.bigint()).optional(),
          at: z.array(z.date()).optional(),
        }),
      })
      await create(definition.name, `id integer primary key, x integer, big ${json}, at ${json}`)
      await sql`alter table ${sql.table(definition.name)} add ${sql.id('set')} ${sql.raw(json)}`.execute(
        kysely(),
      )
      const backend = new SqlBackend(definition, { db: pool() })
      const item = { id: 1, set: new Set(['a', 'b']), big: [1n, 2n ** 70n], at: [new Date(5)] }
      expect(await backend.create(item)).toEqual(item)
      expect(await backend.find({ id: 1 })).toEqual(item)
      expect(await backend.where('set', 'contains', 'b').count()).toBe(1)
      expect(await backend.where('set', 'contains', 'c').count()).toBe(0)
      expect(await backend.where('big', 'contains', 2n ** 70n).count()).toBe(1)
      expect(await backend.where('big', 'contains', 1 as never).count()).toBe(1)
      expect(await backend.where('at', 'contains', new Date(5)).count()).toBe(1)
      expect(await backend.where('at', 'contains', new Date(6)).count()).toBe(0)
    })
  })

  describe('M33: JSON', () => {
    const opened = async () => {
      const definition = model({
        name: uniqueName('json'),
        key: ['id'],
        schema: z.object({ id: z.number(), list: z.array(z.any()).optional(), data: z.any().optional() }),
        columns: { data: 'json' },
      })
      await create(definition.name, `id integer primary key, list ${json}, data ${json}`)
      return new SqlBackend(definition, { db: pool() })
    }
    class Money {
      readonly cents = 5
    }

    it.each<[what: string, value: unknown, path: string]>([
      ['NaN', [Number.NaN], 'list[0]'],
      ['infinity', [1, { n: -Infinity }], 'list[1].n'],
      ['a set', [new Set(['a'])], 'list[0]'],
      ['bytes', [{ b: new Uint8Array([1]) }], 'list[0].b'],
      ['a function', [() => 1], 'list[0]'],
      ['a symbol', [{ s: Symbol('s') }], 'list[0].s'],
      ['undefined in a list', [1, undefined], 'list[1]'],
      ['a hole', Array(1), 'list[0]'],
      ['a map', [new Map([['a', 1]])], 'list[0]'],
      ['an instance of a class', [new Money()], 'list[0]'],
      ['a bigint', [5n], 'list[0]'],
      ['an invalid date', [new Date('never')], 'list[0]'],
      ['half of a character', ['\ud800'], 'list[0]'],
      ['an error', [new Error('x')], 'list[0]'],
    ])('refuses %s with its path, and nothing is written', async (_what, list, path) => {
      const backend = await opened()
      const error = await rejection(backend.create({ id: 1, list: list as unknown[] }), InvalidDataError)
      expect(error.message).toContain(path)
      await rejection(backend.put({ id: 1, list: list as unknown[] }), InvalidDataError)
      expect(await backend.query().count()).toBe(0)
    })

    it('keeps everything that JSON has, members of any name too', async () => {
      const backend = await opened()
      const list = [
        1,
        -0.5,
        'ü😀"\\',
        null,
        true,
        [],
        {},
        JSON.parse('{"__proto__":{"a":1},"":2,"a.b":[{}]}'),
      ]
      expect(await backend.create({ id: 1, list })).toEqual({ id: 1, list })
      expect(isDeepStrictEqual((await backend.find({ id: 1 }))?.list, list)).toBe(true)
      expect(await backend.create({ id: 2, list: [{ a: undefined }] })).toEqual({ id: 2, list: [{}] })
      let deep: unknown = 1
      for (let level = 0; level < 200_000; level++) deep = [deep]
      await rejection(backend.create({ id: 3, list: [deep] }), InvalidDataError)
    })

    it.each([['text'], [5], [true], [{ a: [1] }], [['a']], ['5'], ['']])(
      'a column of kind json takes %j as it is',
      async (data) => {
        const backend = await opened()
        expect(await backend.create({ id: 1, data })).toEqual({ id: 1, data })
        expect(await backend.update({ id: 1 }, { data: [data] })).toEqual({ id: 1, data: [data] })
        expect(await backend.put({ id: 1, data })).toEqual({ id: 1, data })
        expect(await backend.find({ id: 1 })).toEqual({ id: 1, data })
      },
    )
  })

  it('M34: what a write gives back is what is there', async () => {
    const definition = model({
      name: uniqueName('stored'),
      key: ['id'],
      schema: z.object({ id: z.string(), at: z.date(), price: z.number(), tags: z.any(), is: z.boolean() }),
    })
    const [time, bit] = isPostgres ? ['timestamptz(0)', 'boolean'] : ['datetime', 'bit(1)']
    await create(
      definition.name,
      `id varchar(9) primary key, at ${time}, price numeric(9,2), tags ${json}, x integer`,
    )
    await sql`alter table ${sql.table(definition.name)} add ${sql.id('is')} ${sql.raw(bit)}`.execute(kysely())
    const backend = new SqlBackend(definition, { db: pool() })
    const item = { at: new Date('2026-01-01T00:00:00.444Z'), price: 1.006, tags: { a: ['b'] }, is: false }
    const stored = { at: new Date('2026-01-01T00:00:00Z'), price: 1.01, tags: { a: ['b'] }, is: false }
    const created = await backend.create({ id: 'a', ...item })
    expect(created).toEqual({ id: 'a', ...stored })
    expect(await backend.find({ id: 'a' })).toEqual(created)
    expect(await backend.createMany(['b', 'c'].map((id) => ({ id, ...item })))).toEqual([
      { id: 'b', ...stored },
      { id: 'c', ...stored },
    ])
    expect(await backend.put({ id: 'a', ...item, is: true })).toEqual({ id: 'a', ...stored, is: true })
    expect(await backend.where('is', '=', false).count()).toBe(2)
  })

  it.runIf(!isPostgres)(
    'M35: under a collation, = and begins-with look past case, and a put finds the row',
    async () => {
      const definition = model({
        name: uniqueName('collated'),
        key: ['id'],
        schema: z.object({ id: z.string(), n: z.number() }),
      })
      for (const [collation, same] of [
        ['utf8mb4_general_ci', 1],
        ['utf8mb4_bin', 0],
      ] as const) {
        await sql`drop table if exists ${sql.table(definition.name)}`.execute(kysely())
        await create(
          definition.name,
          `id varchar(9) character set utf8mb4 collate ${collation} primary key, n integer`,
        )
        const backend = new SqlBackend(definition, { db: pool() })
        await backend.create({ id: 'abc', n: 1 })
        expect(await backend.where('id', '=', 'ÄBC').count()).toBe(same)
        expect(await backend.where('id', 'begins-with', 'AB').count()).toBe(same)
        expect(await backend.where('id', 'like', '%B%').count()).toBe(same)
        expect(await backend.where('id', '=', 'abc ').count()).toBe(1)
        await backend.put({ id: 'ABC', n: 2 })
        expect(await backend.query().count()).toBe(2 - same)
      }
    },
  )

  describe('M36: a value that the engine cannot read', () => {
    const opened = async (type: string, kind: z.ZodType) => {
      const definition = model({
        name: uniqueName('strict'),
        key: ['id'],
        schema: z.object({ id: kind, note: z.string().optional() }),
      })
      await create(definition.name, `id ${type} primary key, note varchar(99)`)
      return new SqlBackend(definition, { db: pool() })
    }
    const cases: (readonly [type: string, z.ZodType, unknown])[] = [
      ...(isPostgres
        ? ([
            ['uuid', z.string(), 'abc'],
            ['integer', z.number(), 2 ** 40],
            ['integer', z.number(), 1.5],
            ['text', z.string(), 'a\0b'],
            ['timestamptz', z.string(), 'never'],
          ] as const)
        : []),
      ['varchar(9)', z.string(), '\ud800'],
    ]
    it.each(cases)(
      'of %s is a 400 or not found for each operation, and no transaction is lost',
      async (type, kind, id) => {
        const backend = await opened(type, kind)
        for (const run of [
          () => backend.find({ id }),
          () => backend.findMany([{ id }]),
          () => backend.update({ id }, { note: 'a' }),
          () => backend.delete({ id }),
          () => backend.where('id', '=', id as string).all(),
          () => backend.where('id', 'in', [id as string]).count(),
          () => backend.where('id', '!=', id as string).page(),
        ])
          expect(await rejection(run(), ConditionError)).toMatchObject({ statusCode: 400, expose: true })
      },
    )

    it('a table that is missing stays the driver’s error', async () => {
      const missing = new SqlBackend(
        model({ name: uniqueName('missing'), key: ['id'], schema: z.object({ id: z.string() }) }),
        { db: pool() },
      )
      await expect(missing.find({ id: 'a' })).rejects.toMatchObject({
        code: isPostgres ? '42P01' : 'ER_NO_SUCH_TABLE',
      })
    })
  })

  describe('M37: within a transaction', () => {
    const opened = async () => {
      const definition = model({
        name: uniqueName('within'),
        key: ['id'],
        schema: z.object({ id: z.string(), mail: z.string().optional(), n: z.number().optional() }),
      })
      await create(definition.name, 'id varchar(9) primary key, mail varchar(9) unique, n integer')
      return new SqlBackend(definition, { db: pool() })
    }

    it('a create that meets another one is a conflict with what is there, and the transaction goes on', async () => {
      const backend = await opened()
      await backend.create({ id: 'a', n: 1, mail: 'm' })
      await backend.transaction(async (inside) => {
        await inside.create({ id: 'b' })
        const error = await rejection(inside.create({ id: 'a', n: 2 }), ConflictError)
        expect(error.current).toEqual({ id: 'a', n: 1, mail: 'm' })
        await rejection(inside.create({ id: 'd', mail: 'm' }), ConflictError)
        await rejection(
          inside.put({ id: 'a', n: 3 }, { when: (query) => query.where('n', '=', 9) }),
          ConflictError,
        )
        await rejection(inside.update({ id: 'e' }, { mail: 'm' }, { upsert: true }), ConflictError)
        await inside.create({ id: 'c' })
      })
      expect((await backend.query().all()).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    })
  })

  describe.runIf(isPostgres)('arrays of PostgreSQL', () => {
    const opened = async () => {
      const definition = model({
        name: uniqueName('arrays'),
        key: ['id'],
        schema: z.object({
          id: z.number(),
          tags: z.array(z.string().nullable()).optional(),
          sizes: z.array(z.number()).optional(),
          big: z.array(z.bigint()).optional(),
          at: z.array(z.date()).optional(),
        }),
      })
      await create(
        definition.name,
        'id integer primary key, tags text[], sizes integer[], big bigint[], at timestamptz[]',
      )
      return new SqlBackend(definition, { db: pool(), arrays: ['tags', 'sizes', 'big', 'at'] })
    }

    it('are written, read, changed and looked into', async () => {
      const backend = await opened()
      const item = {
        id: 1,
        tags: ['a', '{"x"}', 'NULL', '', null, 'ü,"\\'],
        sizes: [1, 2],
        big: [2n ** 60n],
        at: [new Date(5)],
      }
      expect(await backend.create(item)).toEqual(item)
      expect(await backend.create({ id: 2, tags: [] })).toEqual({ id: 2, tags: [] })
      expect(await backend.update({ id: 2 }, { tags: ['b'] })).toEqual({ id: 2, tags: ['b'] })
      expect(await backend.put(item)).toEqual(item)
      const ids = async (column: 'tags', element: unknown) =>
        (await backend.where(column, 'contains', element as string).all()).map(({ id }) => id)
      expect(await ids('tags', '{"x"}')).toEqual([1])
      expect(await ids('tags', null)).toEqual([1])
      expect(await ids('tags', 'b')).toEqual([2])
      expect(await ids('sizes' as 'tags', 2)).toEqual([1])
      expect(await ids('big' as 'tags', 2n ** 60n)).toEqual([1])
      expect(await ids('at' as 'tags', new Date(5))).toEqual([1])
      expect(await ids('tags', 'x')).toEqual([])
    })
  })
}
