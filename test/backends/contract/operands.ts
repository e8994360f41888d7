import { ConditionError, ConflictError, NotFoundError, TypeMismatchError } from 'clearskies-middy'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Product, productModel } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase, TableBackend } from './contract.ts'

const key = { author: 'Butler', title: 'Kindred' }
const operators = ['=', '!=', '<', '<=', '>', '>=', 'begins-with', 'like'] as const

/** What a call throws at once. */
function thrown(run: () => unknown): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error
  }
}

/** Values that no condition takes. */
export function operandContract({ open, flags }: ContractCase): void {
  let products: TableBackend<Product, Product, Pick<Product, 'author' | 'title'>>
  beforeEach(async () => {
    products = await open(productModel(), { scan: 'allow' })
  })

  /** Every place that takes a value, with the value in it. */
  function places(column: 'genre' | 'price', value: never): (() => unknown)[] {
    const query = () => products.query()
    return [
      ...operators.map((operator) => () => query().where(column, operator as '=', value)),
      () => query().where(column, 'in', ['a', value]),
      () => query().where(column, 'not-in', [value]),
      () => query().where(column, 'between', [value, 'a']),
      () => query().where(column, 'between', ['a', value]),
      () => query().where({ author: 'Butler', [column]: value }),
      () => query().or({ author: 'Butler' }, { [column]: value }),
      () => query().or((inner) => inner.where(column, '=', value)),
      () => query().or(query().where({ [column]: value })),
    ]
  }

  it.each([
    ['M13', 'null', 'genre', null],
    ['M13', 'undefined', 'genre', undefined],
    ['M14', 'NaN', 'price', Number.NaN],
    ['M14', 'an invalid date', 'price', new Date('never')],
  ] as const)("%s: a condition with %s is refused as the caller's, at once", (_id, _what, column, value) => {
    for (const place of places(column, value as never)) {
      const error = thrown(place)
      expect(error, String(place)).toBeInstanceOf(ConditionError)
      expect(error).toMatchObject({ statusCode: 400, expose: true })
    }
  })

  it('M14: NaN inside of a list, a set or an object is refused, and so is a bottomless value', () => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = [deep]
    for (const value of [[Number.NaN], new Set([Number.NaN]), { pages: Number.NaN }, deep])
      expect(thrown(() => products.where('details', '=', value as never))).toMatchObject({ statusCode: 400 })
  })

  it('M13: a write whose condition has null or NaN is refused, and nothing is written', async () => {
    await products.create({ ...key, price: 1 })
    const on = (column: 'genre' | 'price', value: unknown) => ({
      when: (query: ReturnType<(typeof products)['query']>) => query.where(column, '=', value as never),
    })
    for (const demand of [on('genre', null), on('price', Number.NaN)]) {
      for (const run of [
        () => products.update(key, { price: 2 }, demand),
        () => products.put({ ...key, price: 2 }, demand),
        () => products.delete(key, demand),
      ])
        expect(await rejection(run(), ConditionError)).toMatchObject({ statusCode: 400 })
    }
    expect(await products.find(key)).toEqual({ ...key, price: 1 })
  })

  it.runIf(!flags.hasInfinity)('M14: an infinite number is refused in a comparison', async () => {
    for (const value of [Infinity, -Infinity])
      for (const query of [
        products.where('price', '<', value),
        products.where('author', '=', 'a').where('stock', 'in', [1, value]),
        products.query().or({ author: 'a' }, { price: value }),
      ])
        expect(await rejection(query.count(), ConditionError)).toMatchObject({ statusCode: 400 })
  })

  it('M16: a list is refused where a column takes one value', async () => {
    for (const query of [
      products.where('genre', '=', ['k'] as never),
      products.where('author', '=', 'a').where('genre', '<', ['k'] as never),
      products.where('price', '=', [1] as never),
    ])
      await rejection(query.count(), TypeMismatchError)
  })

  describe('M16: a condition of a write that can never hold', () => {
    const never = {
      when: (query: ReturnType<(typeof products)['query']>) => query.where('genre', 'in', []),
    }
    it('is a conflict where the item is there', async () => {
      await products.create({ ...key, price: 1 })
      for (const run of [
        () => products.update(key, { price: 2 }, never),
        () => products.update(key, {}, never),
        () => products.put({ ...key, price: 2 }, never),
        () => products.delete(key, never),
      ])
        await rejection(run(), ConflictError)
      expect(await products.find(key)).toEqual({ ...key, price: 1 })
    })

    it('finds nothing where no item is there', async () => {
      for (const run of [
        () => products.update(key, { price: 2 }, never),
        () => products.put({ ...key, price: 2 }, never),
        () => products.delete(key, never),
      ])
        await rejection(run(), NotFoundError)
      expect(await products.find(key)).toBeUndefined()
    })
  })

  it('M16: a backslash in a pattern stands for itself', async () => {
    await products.createMany([
      { author: 'C:dir', title: 'a' },
      { author: 'C:\\dir', title: 'b' },
    ])
    const titles = await products.where('author', 'like', 'C:\\d%').all()
    expect(titles.map(({ title }) => title)).toEqual(['b'])
  })
}
