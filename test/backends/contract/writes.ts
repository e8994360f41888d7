import {
  ColumnError,
  ConditionError,
  ConflictError,
  InvalidDataError,
  KeyChangeError,
  NotFoundError,
  outcomeOf,
  ValidationError,
} from 'clearskies-middy'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Product, productModel, recordModel } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase, TableBackend } from './contract.ts'
import { lockingContract } from './locking.ts'
import { patchContract } from './patches.ts'
import { optionContract } from './write-options.ts'

type Products = TableBackend<Product, Product, Pick<Product, 'author' | 'title'>>

const key = { author: 'Butler', title: 'Kindred' }
const kindred = { ...key, genre: 'sf', price: 10 }

/** Writes, and reads by the key. */
export function writeContract(one: ContractCase): void {
  const { open, flags } = one
  let products: Products
  beforeEach(async () => {
    products = await open(productModel(), {})
  })

  describe('create', () => {
    it('stores an item and gives it', async () => {
      expect(await products.create(kindred)).toEqual(kindred)
      expect(await products.find(key)).toEqual(kindred)
    })

    it('refuses a second item of the key, with the first one as it is', async () => {
      await products.create(kindred)
      const error = await rejection(products.create({ ...kindred, price: 77.25 }), ConflictError)
      expect(error).toMatchObject({ statusCode: 409, expose: true, ambiguous: false })
      expect(error.current).toEqual(kindred)
      expect(Object.keys(error)).not.toContain('current')
      expect(error.message).not.toMatch(/Kindred|Butler|77\.25/)
      expect(await products.find(key)).toEqual(kindred)
    })

    it('lets one of ten at once win', async () => {
      const made = await Promise.allSettled(
        Array.from({ length: 10 }, (_, price) => products.create({ ...kindred, price })),
      )
      const won = made.filter((result) => result.status === 'fulfilled')
      expect(won).toHaveLength(1)
      expect(await products.find(key)).toEqual(won[0]?.value)
      for (const result of made)
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(ConflictError)
    })

    it('refuses what the schema refuses, and says where but not what', async () => {
      const error = await rejection(
        products.create({ ...kindred, price: 'costly-secret' } as never),
        ValidationError,
      )
      expect(error).toMatchObject({ statusCode: 400, errors: [{ path: ['price'] }] })
      expect(error.message).not.toContain('costly-secret')
      expect(await products.find(key)).toBeUndefined()
    })

    it('leaves out what is undefined', async () => {
      await products.create({ ...key, genre: undefined, price: 0, tags: [] })
      expect(await products.find(key)).toStrictEqual({ ...key, price: 0, tags: [] })
    })

    it('keeps what it was given from later changes of it, and what it gives from changes of that', async () => {
      const data = { ...key, tags: ['a'], details: { pages: 1 } }
      await products.create(data)
      data.tags.push('b')
      const found = await products.find(key)
      found?.tags?.push('c')
      const listed = await products.where('author', '=', 'Butler').first()
      listed?.tags?.push('d')
      expect(await products.find(key)).toEqual({ ...key, tags: ['a'], details: { pages: 1 } })
    })
  })

  describe('createMany', () => {
    it('stores each, gives them in their order, and takes none', async () => {
      const list = Array.from({ length: 30 }, (_, price) => ({ author: 'A', title: `T${price}`, price }))
      expect(await products.createMany(list)).toEqual(list)
      expect(await products.where('author', '=', 'A').count()).toBe(30)
      expect(await products.createMany([])).toEqual([])
    })

    it('is a conflict where one of them exists', async () => {
      await products.create(kindred)
      await rejection(products.createMany([{ ...key, title: 'New' }, kindred]), ConflictError)
      expect(await products.find(key)).toEqual(kindred)
    })

    it('tells which ones are stored where one of them exists', async () => {
      await products.create(kindred)
      const list = [{ ...key, title: 'Dawn' }, kindred, { ...key, title: 'Adulthood Rites' }, kindred]
      const error = await rejection(products.createMany(list), ConflictError)
      const found = await products.findMany(list)
      const isStored = [0, 2].filter((index) => found[index] !== undefined)
      expect(outcomeOf(error)).toEqual({
        done: isStored,
        failed: [0, 1, 2, 3].filter((index) => !isStored.includes(index)),
        unknown: [],
      })
    })

    it('tells that nothing is stored of one that is not valid', async () => {
      const list = [{ ...key, title: 'Dawn' }, { ...key, price: 'x' } as never]
      const error = await rejection(products.createMany(list), ValidationError)
      const found = (await products.find({ ...key, title: 'Dawn' })) !== undefined
      expect(outcomeOf(error)).toEqual({ done: found ? [0] : [], failed: found ? [1] : [0, 1], unknown: [] })
      expect(
        outcomeOf(await rejection(products.create({ ...key, price: 'x' } as never), ValidationError)),
      ).toBe(undefined)
    })
  })

  describe('find', () => {
    it('gives the item, or undefined', async () => {
      await products.create(kindred)
      expect(await products.find(key)).toEqual(kindred)
      expect(await products.find(kindred)).toEqual(kindred)
      expect(await products.find({ ...key, title: 'kindred' })).toBeUndefined()
    })

    it('refuses a key without all its columns', async () => {
      await rejection(products.find({ author: 'Butler' } as never), InvalidDataError)
      await rejection(products.find({ author: 'Butler', title: undefined } as never), InvalidDataError)
      if (flags.refusesEmptyKeys) await rejection(products.find({ ...key, title: '' }), InvalidDataError)
    })

    it('refuses a key column of another type', async () => {
      await rejection(products.find({ author: 'Butler', title: 5 } as never), ConditionError)
    })

    it('gives many in the order of their keys, one asked for twice twice', async () => {
      await products.createMany([kindred, { ...key, title: 'Dawn' }])
      const none = { ...key, title: 'None' }
      expect(await products.findMany([none, key, { ...key, title: 'Dawn' }, key])).toEqual([
        undefined,
        kindred,
        { ...key, title: 'Dawn' },
        kindred,
      ])
      expect(await products.findMany([])).toEqual([])
    })

    it('tells keys apart whose texts are one together', async () => {
      const list = [
        { author: 'ab', title: 'c' },
        { author: 'a', title: 'bc' },
      ]
      await products.createMany(list)
      expect(await products.findMany(list)).toEqual(list)
    })

    it('gives more than a hundred at once', async () => {
      const list = Array.from({ length: 120 }, (_, index) => ({ author: 'A', title: `T${index}` }))
      await products.createMany(list)
      expect(await products.findMany(list)).toEqual(list)
    })
  })

  describe('put', () => {
    it('stores a new item, and replaces all of another', async () => {
      expect(await products.put(kindred)).toEqual(kindred)
      expect(await products.put({ ...key, tags: ['a'] })).toEqual({ ...key, tags: ['a'] })
      expect(await products.find(key)).toEqual({ ...key, tags: ['a'] })
    })

    it('is checked by the schema', async () => {
      await rejection(products.put({ ...key, price: 'x' } as never), ValidationError)
    })
  })

  describe('update', () => {
    beforeEach(() => products.create(kindred))

    it('changes what is given, leaves what is undefined, removes what is null', async () => {
      const changed = { ...key, price: 12, available: true }
      expect(
        await products.update(key, { price: 12, available: true, genre: null, tags: undefined }),
      ).toStrictEqual(changed)
      expect(await products.find(key)).toStrictEqual(changed)
    })

    it('gives the item where nothing changes', async () => {
      expect(await products.update(key, {})).toEqual(kindred)
      expect(await products.update(key, { genre: undefined })).toEqual(kindred)
      expect(await products.update(key, key as never)).toEqual(kindred)
    })

    it('refuses an item that is not there', async () => {
      const none = { ...key, title: 'None' }
      const error = await rejection(products.update(none, { price: 1 }), NotFoundError)
      expect(error).toMatchObject({ statusCode: 404, expose: true })
      expect(error.message).not.toMatch(/None|Butler/)
      await rejection(products.update(none, {}), NotFoundError)
      expect(await products.find(none)).toBeUndefined()
    })

    it('makes the item with upsert, and changes one that is there', async () => {
      const none = { ...key, title: 'None' }
      expect(await products.update(none, { price: 1 }, { upsert: true })).toEqual({ ...none, price: 1 })
      expect(await products.find(none)).toEqual({ ...none, price: 1 })
      expect(await products.update(key, { price: 2 }, { upsert: true })).toEqual({ ...kindred, price: 2 })
    })

    it('makes the item with upsert also of nothing but its key', async () => {
      const none = { ...key, title: 'None' }
      expect(await products.update(none, {}, { upsert: true })).toEqual(none)
      expect(await products.find(none)).toEqual(none)
    })

    it('refuses another key, and takes the same one', async () => {
      const error = await rejection(products.update(key, { title: 'Dawn' } as never), KeyChangeError)
      expect(error).toMatchObject({ statusCode: 409, column: 'title' })
      expect(error.message).not.toContain('Dawn')
      await rejection(products.update(key, { title: null } as never), KeyChangeError)
      expect(await products.update(key, { ...key, price: 1 } as never)).toEqual({ ...kindred, price: 1 })
    })

    it('refuses an unknown column and an incomplete key', async () => {
      await rejection(products.update(key, { colour: 'red' } as never), ColumnError)
      await rejection(products.update({ author: 'Butler' } as never, { price: 1 }), InvalidDataError)
      expect(await products.find(key)).toEqual(kindred)
    })

    it('stores text as it is: empty, long, in any script', async () => {
      for (const text of ['', 'a'.repeat(10_000), '😀 é \u0000 \uffee', '"\'`\\%_#:'])
        expect(await products.update(key, { tags: [text], details: { pages: 0, isbn: text } })).toMatchObject(
          {
            tags: [text],
            details: { isbn: text },
          },
        )
    })
  })

  describe('delete', () => {
    it('removes an item and gives what it was, or undefined', async () => {
      await products.create(kindred)
      expect(await products.delete(key)).toEqual(kindred)
      expect(await products.find(key)).toBeUndefined()
      expect(await products.delete(key)).toBeUndefined()
    })

    it('refuses an item that is not there, if it must be', async () => {
      const error = await rejection(products.delete(key, { mustExist: true }), NotFoundError)
      expect(error.statusCode).toBe(404)
      await products.create(kindred)
      expect(await products.delete(key, { mustExist: true })).toEqual(kindred)
    })

    it('refuses a key without all its columns', async () => {
      await rejection(products.delete({ author: 'Butler' } as never), InvalidDataError)
    })
  })

  describe('a condition of a write', () => {
    const inStock = { when: (query: ReturnType<Products['query']>) => query.where('stock', '>', 0) }
    const unknown = { when: (query: ReturnType<Products['query']>) => query.where('genre', 'is-null') }

    it('lets the write be made where it holds', async () => {
      await products.create({ ...kindred, stock: 1 })
      expect(await products.update(key, { price: 1 }, inStock)).toMatchObject({ price: 1 })
      expect(await products.put({ ...key, stock: 2 }, inStock)).toEqual({ ...key, stock: 2 })
      expect(await products.delete(key, inStock)).toEqual({ ...key, stock: 2 })
    })

    it('is a conflict where it does not, with the item as it is', async () => {
      const sold = { ...kindred, stock: 0 }
      await products.create(sold)
      for (const run of [
        () => products.update(key, { price: 1 }, inStock),
        () => products.update(key, {}, inStock),
        () => products.update(key, { price: 1 }, { ...inStock, upsert: true }),
        () => products.put(kindred, inStock),
        () => products.delete(key, inStock),
      ]) {
        const error = await rejection(run(), ConflictError)
        expect(error.statusCode).toBe(409)
        expect(error.current).toEqual(sold)
      }
      expect(await products.find(key)).toEqual(sold)
    })

    it('finds no item where there is none', async () => {
      await rejection(products.update(key, { price: 1 }, inStock), NotFoundError)
      await rejection(products.put(kindred, inStock), NotFoundError)
      await rejection(products.delete(key, inStock), NotFoundError)
      await rejection(products.update(key, { price: 1 }, unknown), NotFoundError)
      expect(await products.find(key)).toBeUndefined()
    })

    it('may hold where there is no item', async () => {
      expect(await products.delete(key, unknown)).toBeUndefined()
      expect(await products.update(key, { price: 1 }, { ...unknown, upsert: true })).toEqual({
        ...key,
        price: 1,
      })
      const other = { ...key, title: 'Dawn' }
      expect(await products.put(other, unknown)).toEqual(other)
    })

    it('takes several conditions, and alternatives', async () => {
      await products.create(kindred)
      const cheap = {
        when: (query: ReturnType<Products['query']>) =>
          query.where('genre', '=', 'sf').or({ price: 9 }, { price: 10 }),
      }
      expect(await products.update(key, { price: 11 }, cheap)).toMatchObject({ price: 11 })
      await rejection(products.update(key, { price: 12 }, cheap), ConflictError)
    })

    it('is refused over an unknown column or an undefined value', async () => {
      await products.create(kindred)
      const on = (column: string, value: unknown) => ({
        when: (query: ReturnType<Products['query']>) => query.where(column as 'genre', '=', value as string),
      })
      await rejection(products.update(key, { price: 1 }, on('colour', 'red')), ColumnError)
      await rejection(products.delete(key, on('genre', undefined)), ConditionError)
      expect(await products.find(key)).toEqual(kindred)
    })
  })

  describe('columns of other kinds', () => {
    it('come back as they were given', async () => {
      const records = await open(recordModel(), {})
      const record = {
        id: 'a',
        at: 1.5,
        big: 9_007_199_254_740_993n,
        day: new Date('2024-02-29T12:00:00.123Z'),
        ...(flags.holdsSets && { labels: new Set(['x', 'y']) }),
      }
      expect(await records.create(record)).toEqual(record)
      expect(await records.find({ id: 'a', at: 1.5 })).toEqual(record)
      expect(await records.where('id', '=', 'a').where('day', '=', record.day).first()).toEqual(record)
      expect(
        await records
          .where('id', '=', 'a')
          .where('big', '>', record.big - 1n)
          .count(),
      ).toBe(1)
      expect(await records.update({ id: 'a', at: 1.5 }, { big: -1n, day: null })).toMatchObject({ big: -1n })
      if (!flags.holdsSets) return
      const bare = await records.update({ id: 'a', at: 1.5 }, { labels: new Set<string>() })
      expect(bare).not.toHaveProperty('labels')
    })
  })

  lockingContract(one)
  optionContract(one)
  patchContract(one)
}
