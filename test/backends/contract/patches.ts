import { type Model, ValidationError, model } from 'clearskies-middy'
import * as v from 'valibot'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase, TableBackend } from './contract.ts'

interface Book {
  id: string
  price: number
  title: string
  genre?: string | undefined
  note: string | null
  state: string
}

const zodBooks = (): Model<Book, Partial<Book>, 'id'> =>
  model({
    name: uniqueName('zod-books'),
    key: ['id'],
    schema: z.object({
      id: z.string(),
      price: z.number().min(0),
      title: z.string().trim().min(3),
      genre: z.string().optional(),
      note: z.string().nullable(),
      state: z.string().default('new'),
    }),
  }) as never

const valibotBooks = (): Model<Book, Partial<Book>, 'id'> =>
  model({
    name: uniqueName('valibot-books'),
    key: ['id'],
    schema: v.objectAsync({
      id: v.string(),
      price: v.pipe(v.number(), v.minValue(0)),
      title: v.pipeAsync(
        v.string(),
        v.trim(),
        v.checkAsync(async (text) => text.length >= 3),
      ),
      genre: v.exactOptional(v.string()),
      note: v.nullable(v.string()),
      state: v.optional(v.string(), 'new'),
    }),
  }) as never

const key = { id: 'a' }
const book = { ...key, price: 5, title: 'Kindred', genre: 'sf', note: 'x', state: 'new' }

/** What an update may write, by the schema of each column. */
export function patchContract({ open, flags }: ContractCase): void {
  describe.each([
    ['zod', zodBooks],
    ['valibot', valibotBooks],
  ])('M2: a patch, with %s', (_vendor, books) => {
    let items: TableBackend<Book, Partial<Book>, { id: string }>
    beforeEach(async () => {
      items = await open(books(), {})
      await items.put(book)
    })

    it.each([
      ['price', 'free'],
      ['price', -5],
      ['price', null],
      ['title', 7],
      ['title', 'ab'],
      ['title', null],
      ['genre', 7],
      ['note', 7],
      ['state', null],
      ['state', []],
    ])('is refused before anything changes: %s = %j', async (column, value) => {
      for (const options of [{}, { upsert: true }]) {
        const error = await rejection(items.update(key, { [column]: value }, options), ValidationError)
        expect(error).toMatchObject({ statusCode: 400, errors: [{ path: [column] }] })
      }
      expect(await items.find(key)).toEqual(book)
    })

    it('tells every column that does not fit', async () => {
      const error = await rejection(items.update(key, { price: -1, title: 'ab' }), ValidationError)
      expect(error.errors.map(({ path }) => path[0])).toEqual(['price', 'title'])
    })

    it('is stored as the schema makes it', async () => {
      expect(await items.update(key, { title: '  Dawn  ' })).toEqual({ ...book, title: 'Dawn' })
      expect(await items.find(key)).toEqual({ ...book, title: 'Dawn' })
    })

    it('takes a value away where the column may be without one', async () => {
      const { genre: _, ...without } = book
      expect(await items.update(key, { genre: null })).toStrictEqual(without)
      expect(await items.find(key)).toStrictEqual(without)
    })

    it('M8: stores null in a column that must be there and may be null', async () => {
      expect(await items.update(key, { note: null })).toStrictEqual({ ...book, note: null })
      expect(await items.find(key)).toStrictEqual({ ...book, note: null })
      expect(
        await items.update({ id: 'b' }, { ...{ price: 1, title: 'Dawn' }, note: null }, { upsert: true }),
      ).toEqual({
        id: 'b',
        price: 1,
        title: 'Dawn',
        note: null,
        state: 'new',
      })
    })

    it('that makes a new item gives it whole, with the defaults of the schema', async () => {
      const b = { id: 'b' }
      for (const patch of [{ price: 1 }, { title: 'Dawn', note: 'x' }, {}])
        await rejection(items.update(b, patch, { upsert: true }), ValidationError)
      expect(await items.find(b)).toBeUndefined()
      const patch = { price: 1, title: ' Dawn ', note: 'x' }
      const made = { ...b, price: 1, title: 'Dawn', note: 'x', state: 'new' }
      expect(await items.update(b, patch, { upsert: true })).toEqual(made)
      expect(await items.find(b)).toEqual(made)
    })

    it('fills no default into an item that exists', async () => {
      await items.update(key, { state: 'sold' })
      expect(await items.update(key, { price: 1, title: 'Dawn', note: 'x' }, { upsert: true })).toEqual({
        ...book,
        price: 1,
        title: 'Dawn',
        state: 'sold',
      })
    })

    it('lets ten upserts at once make one item', async () => {
      const made = await Promise.all(
        Array.from({ length: 10 }, (_, price) =>
          items.update({ id: 'c' }, { price, title: 'Dawn', note: 'x' }, { upsert: true }),
        ),
      )
      expect(new Set(made.map(({ price }) => price)).size).toBe(10)
      expect(await items.find({ id: 'c' })).toMatchObject({ title: 'Dawn', state: 'new' })
    })

    it('M10: with a column that there is not is the mistake of the caller', async () => {
      for (const column of ['extra', '__proto__', 'constructor'])
        await expect(items.update(key, JSON.parse(`{"${column}":1}`) as never)).rejects.toMatchObject({
          statusCode: 400,
        })
      expect(await items.find(key)).toEqual(book)
    })
  })

  it('onWrite gives every write its columns, checked by the schema, and reads nothing', async () => {
    let time = 0
    const parts: string[] = []
    const items = await open(
      model({
        name: uniqueName('written'),
        key: ['id'],
        schema: z.object({
          id: z.string(),
          name: z.string().trim().optional(),
          search: z.string().toUpperCase().optional(),
          created: z.number().default(0),
          updated: z.number().default(0),
        }),
        onWrite: ({ name, created }, part) => {
          parts.push(part)
          return {
            updated: ++time,
            ...(part === 'item' && { created: created ?? time }),
            ...(name !== undefined && { search: name }),
          }
        },
      }),
      {},
    )
    const given = Object.freeze({ id: 'a', name: ' x ' })
    const first = { id: 'a', name: 'x', search: ' X ', created: 1, updated: 1 }
    expect(await items.create(given)).toEqual(first)
    expect(await items.find({ id: 'a' })).toEqual(first)
    expect(parts).toEqual(['item'])
    expect(await items.update({ id: 'a' }, {})).toEqual({ ...first, updated: 2 })
    const second = { ...first, name: 'y', search: 'Y', updated: 3 }
    expect(await items.update({ id: 'a' }, { name: 'y' })).toEqual(second)
    expect(await items.put({ ...second, name: 'z' })).toEqual({
      ...second,
      name: 'z',
      search: 'Z',
      updated: 4,
    })
    const fresh = await items.update({ id: 'b' }, { name: 'n' }, { upsert: true })
    expect(fresh).toMatchObject({ id: 'b', name: 'n', search: 'N', created: expect.any(Number) })
    expect(fresh.created).toBeGreaterThan(4)
    expect(await items.createMany([{ id: 'c' }, { id: 'd' }])).toMatchObject([
      { updated: expect.any(Number) },
      { updated: time },
    ])
  })

  // A table of SQL is made by the kinds that the schema tells.
  describe.runIf(flags.holdsSets)('M2: a patch of a schema that shows no columns', () => {
    const schema = z.object({ id: z.string(), price: z.number(), note: z.string().optional() })
    const opaque = { '~standard': schema['~standard'] }
    const patch = z.object({ price: z.coerce.number().optional(), note: z.string().nullish() })

    it('is checked by the schema that was given for it', async () => {
      const items = await open(
        model({
          name: uniqueName('opaque'),
          key: ['id'],
          schema: opaque as typeof schema,
          patch,
          columns: ['id', 'price', 'note'],
        }),
        {},
      )
      await items.create({ ...key, price: 1, note: 'x' })
      await rejection(items.update(key, { note: 5 } as never), ValidationError)
      expect(await items.update(key, { price: '7', note: null } as never)).toEqual({ ...key, price: 7 })
      await rejection(items.update({ id: 'b' }, { note: 'x' }, { upsert: true }), ValidationError)
    })
  })
}
