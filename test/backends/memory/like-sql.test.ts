// MemoryBackend stands for SqlBackend (M38): the same calls on both give the same values and errors.
import { PGlite } from '@electric-sql/pglite'
import middy from '@middy/core'
import { ConflictError, MemoryBackend, backends, invocation, model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { invoke } from 'clearskies-middy/testing'
import { afterAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import { expectSame } from '../../support/same-outcome.ts'
import { createSqlTable } from '../../support/sql-tables.ts'

const pglite = new PGlite()
afterAll(() => pglite.close())

const Order = () =>
  model({
    name: uniqueName('orders'),
    key: ['shop', 'id', 'line'],
    schema: z.object({
      shop: z.string(),
      id: z.number(),
      line: z.number().default(1),
      state: z.string().default('placed'),
      placedAt: z.date().optional(),
      note: z.string().nullish(),
      total: z.number().optional(),
      tags: z.array(z.string()).optional(),
      address: z.object({ city: z.string().optional(), since: z.date().optional() }).optional(),
      any: z.any().optional(),
      rev: z.number().optional(),
    }),
  })

async function doubles(version?: 'rev') {
  const made = Order()
  const real = new SqlBackend(made, { db: pglite, ...(version && { version }) })
  await createSqlTable(await real.kysely, 'postgres', made)
  return [real, new MemoryBackend(made, { like: 'sql', ...(version && { version }) })] as const
}

const a = { shop: 's', id: 1, line: 1 }
const b = { shop: 's', id: 2, line: 1 }
const c = { shop: 't', id: 1, line: 1 }
const at = (day: number) => new Date(Date.UTC(2026, 0, day))
const some = [
  { ...a, state: 'placed', placedAt: at(3), note: null, total: 2.5, tags: ['x', 'y'] },
  { ...b, state: 'p_aced', placedAt: at(1), note: 'a.c', total: -1 },
  { ...c, state: 'worked 100%', note: 'abc', address: { city: 'Rome', since: at(2) } },
  { shop: 't', id: 10, line: 2, state: '', placedAt: at(1), note: 'Über' },
]

describe('MemoryBackend like SQL', () => {
  it('M38: any sort, any pattern and any condition give what SQL gives', async () => {
    await expectSame(await doubles(), [
      (orders) => orders.createMany(some),
      (orders) => orders.query().all(),
      (orders) => orders.query().sortBy('placedAt', 'desc').limit(20).page(),
      (orders) => orders.query().sortBy('placedAt').all(),
      (orders) => orders.query().sortBy('total', 'desc').all(),
      (orders) => orders.query().sortBy('note').select('id', 'note').all(),
      (orders) => orders.where('state', 'like', 'p_aced').sortBy('id').all(),
      (orders) => orders.where('state', 'like', '%100%').all(),
      (orders) => orders.where('note', 'like', 'a.c').all(),
      (orders) => orders.where('note', 'like', '_b_').all(),
      (orders) => orders.where('note', 'like', '').all(),
      (orders) => orders.where('note', 'begins-with', 'Ü').count(),
      (orders) => orders.where('tags', 'contains', 'x').count(),
      (orders) => orders.where('note', 'is-null').sortBy('id').all(),
      (orders) => orders.where('note', '!=', 'abc').sortBy('id').all(),
      (orders) => orders.where('total', 'between', [-1, 2]).all(),
      (orders) => orders.where('placedAt', '<', at(2)).sortBy('id').all(),
      (orders) =>
        orders
          .query()
          .or({ id: 1 }, (query) => query.where('total', '<', 0))
          .sortBy('id')
          .all(),
      (orders) => orders.where('id', 'in', []).exists(),
      (orders) => orders.where('id', '=', 1).sortBy('shop', 'desc').first(),
    ])
  })

  it('M38: a sum is rounded in a column, and exact inside of JSON', async () => {
    await expectSame(await doubles(), [
      (orders) => orders.create({ ...a, total: 0.1, any: { n: 0.1 } }),
      (orders) => orders.update(a, {}, { add: { total: 0.2, 'any.n': 0.2 } }),
      (orders) => orders.where('total', '=', 0.3).count(),
      (orders) => orders.where('any.n', '=', 0.3).count(),
      (orders) => orders.find(a),
    ])
  })

  it('M38: what SQL refuses is refused', async () => {
    const refused = await expectSame(await doubles(), [
      (orders) => orders.where('nope' as never, '=', 1 as never).all(),
      (orders) => orders.where('id', '=', '1' as never).all(),
      (orders) => orders.where('state', '=', 1 as never).all(),
      (orders) => orders.where('state', 'contains', 1 as never).all(),
      (orders) => orders.where('placedAt', '<', '2026' as never).all(),
      (orders) => orders.query().after('forged').limit(1).page(),
      (orders) => orders.find({ shop: 's', id: 1 } as never),
      (orders) => orders.find({ shop: 's', id: 'x', line: 1 } as never),
      (orders) => orders.create({ shop: 's' } as never),
      (orders) => orders.update(a, { state: 'x' }),
      (orders) => orders.update(a, { nope: 1 } as never),
      (orders) => orders.update(a, { total: 'x' } as never),
      (orders) => orders.update(a, { id: 7 } as never),
      (orders) => orders.update(a, {}, { expect: 1 }),
      (orders) => orders.update(a, {}, { prepend: { tags: ['a'] } }),
      (orders) => orders.put({ ...a, any: [Number.NaN] }),
      (orders) => orders.put({ ...a, any: { deep: [Infinity] } }),
      (orders) => orders.delete(a, { mustExist: true }),
      (orders) => orders.delete(a, { when: (query) => query.where('state', '=', 'x') }),
    ])
    for (const [index, outcome] of refused.entries())
      expect(outcome, `refusal ${index}`).toHaveProperty('error')
  })

  it('M38: createMany stores all or none', async () => {
    for (const orders of await doubles()) {
      await orders.create(b)
      await rejection(orders.createMany([a, b, c]), ConflictError)
      await rejection(orders.createMany([a, c, a]), ConflictError)
      expect(await orders.query().count()).toBe(1)
      expect(await orders.createMany([a, c])).toHaveLength(2)
    }
  })

  it('M38: writes give what is stored, by keys of several columns', async () => {
    await expectSame(await doubles(), [
      (orders) => orders.create({ shop: 's', id: 1, note: null, any: { list: [new Date(0), null], n: 1 } }),
      (orders) => orders.find(a),
      (orders) => orders.findMany([b, a]),
      (orders) => orders.put({ ...a, state: 'put' }),
      (orders) => orders.update(a, { note: 'x', placedAt: at(5), state: undefined }),
      (orders) => orders.update(a, { note: null, placedAt: null }),
      (orders) => orders.update(a, {}),
      (orders) => orders.update(b, { state: 'new' }, { upsert: true }),
      (orders) =>
        orders.update(
          b,
          { state: 'old' },
          { upsert: true, when: (query) => query.where('state', '=', 'new') },
        ),
      (orders) =>
        orders.update(
          c,
          { state: 'old' },
          { upsert: true, when: (query) => query.where('state', '=', 'new') },
        ),
      (orders) => orders.put(c, { when: (query) => query.where('note', 'is-null') }),
      (orders) => orders.delete(c),
      (orders) => orders.delete(c),
      (orders) => orders.query().all(),
    ])
  })

  it('M38: a version is a lock, as in SQL', async () => {
    await expectSame(await doubles('rev'), [
      (orders) => orders.create(a),
      (orders) => orders.update(a, { note: 'x' }, { expect: 1 }),
      (orders) => orders.update(a, { note: 'y', rev: 2 }),
      (orders) => orders.put({ ...a, rev: 3 }),
      (orders) => orders.delete(a, { expect: 4 }),
    ])
    for (const orders of await doubles('rev')) {
      await orders.create(a)
      await rejection(orders.update(a, { note: 'x' }, { expect: 7 }), ConflictError)
      await rejection(orders.put(a), ConflictError)
      await rejection(orders.put({ ...a, rev: 7 }), ConflictError)
      await rejection(orders.delete(a, { expect: 7 }), ConflictError)
      expect((await orders.find(a))?.rev).toBe(1)
    }
  })

  it('M38: pages go on behind their place, in any order', async () => {
    const made = await doubles()
    for (const orders of made) await orders.createMany(some)
    for (const column of ['placedAt', 'note', 'total', 'state', 'id'] as const)
      for (const direction of ['asc', 'desc'] as const)
        for (const orders of made) {
          const query = orders.query().sortBy(column, direction)
          const all = await query.all()
          const paged = []
          let after: string | undefined
          do {
            const page = await query.limit(1).after(after).page()
            paged.push(...page.items)
            after = page.next
          } while (after !== undefined)
          expect(paged).toEqual(all)
        }
  })

  it('M38: options of DynamoDB are refused', () => {
    for (const options of [{ scan: 'allow' }, { ttl: 'id' }, { hydrate: true }, { dates: 'iso' }])
      expect(() => new MemoryBackend(Order(), { like: 'sql', ...options } as never)).toThrow(TypeError)
    expect(() => new MemoryBackend(Order(), { like: 'mongo' } as never)).toThrow(TypeError)
    expect(() => new MemoryBackend(Order())).toThrow('a key has one or two columns')
  })
})

describe('MemoryBackend like SQL: transactions', () => {
  const Row = (name: string) =>
    model({ name, key: ['id'], schema: z.object({ id: z.string(), n: z.number().default(0) }) })
  const open = () =>
    [
      new MemoryBackend(Row('rows'), { like: 'sql' }),
      new MemoryBackend(Row('lines'), { like: 'sql' }),
    ] as const

  it('M38: what a transaction throws undoes what it has written, in every table', async () => {
    const [rows, lines] = open()
    await rows.create({ id: 'a', n: 1 })
    await expect(
      rows.transaction(async (own, transaction) => {
        const others = await lines.within(transaction)
        await own.update({ id: 'a' }, { n: 2 })
        await own.create({ id: 'b' })
        await others.create({ id: 'a' })
        expect(await own.find({ id: 'a' })).toEqual({ id: 'a', n: 2 })
        expect(await own.query().count()).toBe(2)
        expect(await rows.query().count()).toBe(1)
        await own.delete({ id: 'a' })
        expect(await own.find({ id: 'a' })).toBeUndefined()
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    expect(await rows.query().all()).toEqual([{ id: 'a', n: 1 }])
    expect(await lines.query().count()).toBe(0)
  })

  it('M38: a transaction is seen by others at its end', async () => {
    const [rows, lines] = open()
    await rows.create({ id: 'gone' })
    const result = await rows.transaction(async (own, transaction) => {
      await own.create({ id: 'a' })
      await own.delete({ id: 'gone' })
      await (await lines.within(transaction)).create({ id: 'a' })
      expect(await rows.find({ id: 'a' })).toBeUndefined()
      return 'made'
    })
    expect(result).toBe('made')
    expect(await rows.query().all()).toEqual([{ id: 'a', n: 0 }])
    expect(await lines.query().count()).toBe(1)
  })

  it('M38: a part of a transaction is undone for itself', async () => {
    const [rows, lines] = open()
    await rows.transaction(async (own) => {
      await own.create({ id: 'a' })
      await own
        .transaction(async (part, transaction) => {
          await part.create({ id: 'b' })
          await (await lines.within(transaction)).create({ id: 'b' })
          throw new Error('undone')
        })
        .catch(() => undefined)
      await own.transaction(async (part) => part.update({ id: 'a' }, { n: 5 }))
    })
    expect(await rows.query().all()).toEqual([{ id: 'a', n: 5 }])
    expect(await lines.query().count()).toBe(0)
  })

  it('M38: of two transactions that write one row, one is a conflict and no write is lost', async () => {
    const [rows] = open()
    await rows.create({ id: 'a', n: 0 })
    const counted = () =>
      rows.transaction(async (own) => {
        const { n } = (await own.find({ id: 'a' })) ?? { n: 0 }
        await own.update({ id: 'a' }, { n: n + 1 })
      })
    const done = await Promise.allSettled([counted(), counted(), counted()])
    const won = done.filter(({ status }) => status === 'fulfilled').length
    expect(await rows.find({ id: 'a' })).toEqual({ id: 'a', n: won })
    for (const result of done)
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(ConflictError)
  })

  it('M38: backends().transaction() takes both memories, and binds the one that has transactions', async () => {
    const [rows, lines] = open()
    const log = new MemoryBackend(Row('log'))
    const handler = middy()
      .use(invocation())
      .use(backends({ log, rows, lines }))
      .handler(async (_, { backends: all }) =>
        all.transaction(async (bound) => {
          await bound.rows.create({ id: 'a' })
          await bound.lines.create({ id: 'a' })
          await bound.log.create({ id: 'a' })
          throw new Error('undone')
        }),
      )
    await expect(invoke(handler, null)).rejects.toThrow('undone')
    expect(await rows.query().count()).toBe(0)
    expect(await lines.query().count()).toBe(0)
    expect(await log.find({ id: 'a' })).toBeDefined()
  })
})
