import { ColumnError, ConditionError, NoIndexError, type Query, SortError } from 'clearskies-middy'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Product, productModel } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase, TableBackend } from './contract.ts'

const list: Product[] = [
  { author: 'Le Guin', title: 'C', genre: 'sf', price: 3, stock: null, available: true },
  { author: 'Le Guin', title: 'A', genre: 'fantasy', price: 2, stock: 0, available: false },
  { author: 'Le Guin', title: 'B', genre: 'sf', price: 1, tags: ['new', 'old'] },
  { author: 'Le Guin', title: 'D' },
  { author: 'Lem', title: 'A', genre: 'sf', price: 5, tags: ['new'] },
  { author: 'Lem', title: 'B', genre: 'essay', price: 0.5, stock: 3 },
]

/** Titles, sorted: where no order is asked for, not every backend has one. */
const titles = (items: readonly { author: string; title: string }[]): string =>
  items
    .map(({ author, title }) => (author === 'Lem' ? title.toLowerCase() : title))
    .sort()
    .join('')

/** Which items a query means. */
export function conditionContract({ open, flags }: ContractCase): void {
  describe('conditions', () => {
    let products: TableBackend<Product, Product, Pick<Product, 'author' | 'title'>>
    let scanning: typeof products
    beforeAll(async () => {
      products = await open(productModel(), {})
      scanning = await open(productModel(), flags.refusesScans ? { scan: 'allow' } : {})
      await Promise.all([products.createMany(list), scanning.createMany(list)])
    })
    const stored = flags.holdsNulls
      ? list
      : list.map((book) => ({ ...book, stock: book.stock === null ? undefined : book.stock }))
    type Books = Query<Product>
    const leGuin = (): Books => products.where('author', '=', 'Le Guin')

    const meanings: readonly (readonly [string, () => Query<Product, unknown>, string])[] = [
      ['the key', () => leGuin().where('title', '=', 'B'), 'B'],
      ['a key that is not there', () => leGuin().where('title', '=', 'X'), ''],
      ['an object of equal columns', () => products.where({ author: 'Le Guin', genre: 'sf' }), 'BC'],
      ['below', () => leGuin().where('title', '<', 'C'), 'AB'],
      ['at most', () => leGuin().where('title', '<=', 'C'), 'ABC'],
      ['above', () => leGuin().where('title', '>', 'B'), 'CD'],
      ['at least', () => leGuin().where('title', '>=', 'B'), 'BCD'],
      ['between, with both ends', () => leGuin().where('title', 'between', ['B', 'C']), 'BC'],
      ['between two that are the wrong way round', () => leGuin().where('title', 'between', ['C', 'B']), ''],
      ['two bounds', () => leGuin().where('title', '>', 'A').where('title', '<', 'D'), 'BC'],
      ['two bounds that leave nothing', () => leGuin().where('title', '>', 'B').where('title', '<', 'B'), ''],
      ['two values of one column', () => leGuin().where('title', '=', 'A').where('title', '=', 'B'), ''],
      ['not equal in the key', () => leGuin().where('title', '!=', 'B'), 'ACD'],
      ['a list in the key', () => leGuin().where('title', 'in', ['B', 'D', 'X', 'B']), 'BD'],
      ['not in a list, in the key', () => leGuin().where('title', 'not-in', ['B', 'D']), 'AC'],
      ['a beginning of the key', () => leGuin().where('title', 'begins-with', 'A'), 'A'],
      ['another column below', () => leGuin().where('price', '<', 3), 'AB'],
      ['another column between', () => leGuin().where('price', 'between', [2, 3]), 'AC'],
      ['another column in a list', () => leGuin().where('price', 'in', [1, 2, 9]), 'AB'],
      ['an empty list', () => leGuin().where('price', 'in', []), ''],
      ['not in an empty list', () => leGuin().where('price', 'not-in', []), 'ABCD'],
      [
        'a long list',
        () =>
          leGuin().where(
            'price',
            'in',
            Array.from({ length: 150 }, (_, n) => n),
          ),
        'ABC',
      ],
      ['not equal, or without a value', () => leGuin().where('price', '!=', 3), 'ABD'],
      ['not in a list, or without a value', () => leGuin().where('price', 'not-in', [1, 3]), 'AD'],
      ['true', () => leGuin().where('available', '=', true), 'C'],
      ['false', () => leGuin().where('available', '=', false), 'A'],
      ['zero', () => leGuin().where('stock', '=', 0), 'A'],
      ['no value', () => leGuin().where('stock', 'is-null'), 'BCD'],
      ['any value', () => leGuin().where('stock', 'is-not-null'), 'A'],
      ['a part of a text', () => leGuin().where('genre', 'contains', 'ant'), 'A'],
      ['an element of a list', () => leGuin().where('tags', 'contains', 'old'), 'B'],
      ['no part of an element', () => leGuin().where('tags', 'contains', 'ol'), ''],
      ['a beginning', () => leGuin().where('genre', 'begins-with', 'fan'), 'A'],
      ['like a beginning', () => leGuin().where('genre', 'like', 'fan%'), 'A'],
      ['like a part', () => leGuin().where('genre', 'like', '%f%'), 'ABC'],
      ['like the whole', () => leGuin().where('genre', 'like', 'sf'), 'BC'],
      ['an index', () => products.where('genre', '=', 'sf').using('byGenre'), 'BCa'],
      ['an index and its range', () => products.where('genre', '=', 'sf').where('price', '>', 1), 'Ca'],
      ['an index and the key', () => products.where('genre', '=', 'sf').where('author', '=', 'Lem'), 'a'],
      [
        'several partitions',
        () => products.where('author', 'in', ['Lem', 'None', 'Le Guin', 'Lem']),
        'ABCDab',
      ],
      [
        'several whole keys',
        () => products.where('author', 'in', ['Lem', 'Le Guin']).where('title', 'in', ['B', 'A']),
        'ABab',
      ],
      ['all items', () => scanning.query(), 'ABCDab'],
      ['a column that is no key', () => scanning.where('price', '>', 1), 'ACa'],
    ]
    it.each(meanings)('mean %s', async (_, query, expected) => {
      const found = (await query().all()) as Product[]
      expect(titles(found)).toBe(expected)
      expect(found).toEqual(
        expect.arrayContaining(stored.filter((book) => expected.includes(titles([book])))),
      )
      expect(await query().count()).toBe(expected.length)
      expect(await query().exists()).toBe(expected.length > 0)
    })

    /** What the index of genres holds: books that have a price. */
    const priced = (genre: string) => products.where('genre', '=', genre).where('price', 'is-not-null')
    const choices: readonly (readonly [string, () => Query<Product, unknown>, string])[] = [
      ['objects', () => products.query().or({ author: 'Lem' }, priced('fantasy')), 'Aab'],
      [
        'functions',
        () =>
          leGuin().or(
            (query) => query.where('price', '<', 2),
            (query) => query.where('stock', '=', 0),
          ),
        'AB',
      ],
      ['queries', () => products.query().or(products.where('author', '=', 'Lem'), leGuin()), 'ABCDab'],
      [
        'all three',
        () =>
          leGuin().or(
            { title: 'D' },
            (query) => query.where('price', '=', 3),
            leGuin().where('title', '=', 'A'),
          ),
        'ACD',
      ],
      ['one, which must hold', () => leGuin().or({ title: 'D' }), 'D'],
      ['two that both hold, once', () => products.query().or({ author: 'Lem' }, priced('sf')), 'BCab'],
      [
        'each of two or()',
        () => leGuin().or({ price: 1 }, { price: 2 }).or({ genre: 'sf' }, { title: 'D' }),
        'B',
      ],
      [
        'one inside another',
        () =>
          leGuin().or({ title: 'D' }, (query) =>
            query.where('genre', '=', 'sf').or({ price: 1 }, { price: 9 }),
          ),
        'BD',
      ],
      [
        'several columns of one alternative',
        () => leGuin().or({ genre: 'sf', price: 3 }, { title: 'A' }),
        'AC',
      ],
      [
        'an alternative that never holds',
        () => leGuin().or({ title: 'A' }, (query) => query.where('price', 'in', [])),
        'A',
      ],
      ['only alternatives that never hold', () => leGuin().or((query) => query.where('price', 'in', [])), ''],
      ['no value', () => leGuin().or((query) => query.where('genre', 'is-null'), { price: 1 }), 'BD'],
      ['alternatives without any key', () => scanning.query().or({ price: 1 }, { stock: 3 }), 'Bb'],
    ]
    it.each(choices)('take alternatives: %s', async (_, query, expected) => {
      expect(titles((await query().all()) as Product[])).toBe(expected)
      expect(await query().count()).toBe(expected.length)
      const pages: Product[] = []
      for await (const item of query().limit(100)) pages.push(item as Product)
      expect(titles(pages)).toBe(expected)
    })

    it.runIf(!flags.hasSparseIndexes)('find by an index also what lacks its other columns', async () => {
      await scanning.put({ author: 'Lem', title: 'Z', genre: 'late' })
      expect(await scanning.where('genre', '=', 'late').count()).toBe(1)
      await scanning.delete({ author: 'Lem', title: 'Z' })
    })

    it('are refused with a value of undefined, whatever the operator', () => {
      for (const operator of ['=', '!=', '<', 'in', 'between', 'begins-with', 'contains', 'like'] as const) {
        expect(() => products.where('genre', operator as '=', undefined as never)).toThrow(ConditionError)
      }
      for (const operator of ['in', 'not-in', 'between'] as const)
        expect(() => products.where('genre', operator as 'in', ['x', undefined] as never)).toThrow(
          ConditionError,
        )
      expect(() => products.where({ author: 'Lem', genre: undefined })).toThrow(ConditionError)
      expect(() => leGuin().or({ genre: undefined })).toThrow(ConditionError)
      expect(() => leGuin().or((query) => query.where('genre', '=', undefined as never))).toThrow(
        ConditionError,
      )
    })

    it('are refused on a column that the model does not have', () => {
      expect(() => products.where('colour' as 'genre', '=', 'secret')).toThrow(ColumnError)
      expect(() => products.where({ colour: 'secret' } as never)).toThrow(ColumnError)
      expect(() => leGuin().or({ colour: 'secret' } as never)).toThrow(ColumnError)
      expect(() => leGuin().or((query) => query.where('colour' as 'genre', 'is-null'))).toThrow(ColumnError)
      expect(() => leGuin().sortBy('colour' as 'genre')).toThrow(ColumnError)
      expect(() => leGuin().select('colour' as 'genre')).toThrow(ColumnError)
      for (const column of ['__proto__', 'constructor', 'toString'])
        expect(() => products.where(column as 'genre', '=', 'x')).toThrow(ColumnError)
    })

    it('are refused with an operator that there is not, or an operand that it does not take', () => {
      for (const operator of ['is', '==', '<>', 'LIKE', '', 'toString', undefined])
        expect(() => products.where('genre', operator as '=', 'secret')).toThrow(ConditionError)
      expect(() => products.where('genre', 'in', 'secret' as never)).toThrow(ConditionError)
      expect(() => products.where('price', 'between', [1] as never)).toThrow(ConditionError)
      expect(() => products.where('price', 'between', [1, 2, 3] as never)).toThrow(ConditionError)
      expect(() => products.where('price', '<', null as never)).toThrow(ConditionError)
      expect(() => products.where('price', 'in', [1, null] as never)).toThrow(ConditionError)
      expect(() => leGuin().or()).toThrow(ConditionError)
      expect(() => leGuin().or({})).toThrow(ConditionError)
      expect(() => leGuin().or((query) => query)).toThrow(ConditionError)
    })

    it('are refused with a limit, an order or a choice of columns that makes no sense', () => {
      for (const limit of [0, -1, 1.5, NaN, Infinity, '5', undefined])
        expect(() => leGuin().limit(limit as number)).toThrow(ConditionError)
      expect(() => leGuin().sortBy('title', 'down' as 'desc')).toThrow(ConditionError)
      expect(() => leGuin().select()).toThrow(ConditionError)
    })

    it('are refused with a value of another type than the key, which is not named', async () => {
      const error = await rejection(products.where('author', '=', 12_345 as never).page(), ConditionError)
      expect(error.message).not.toContain('12345')
      await rejection(
        leGuin()
          .where('title', 'begins-with', 5 as never)
          .page(),
        ConditionError,
      )
      await rejection(
        leGuin()
          .or({ title: 5 } as never)
          .count(),
        ConditionError,
      )
    })

    it.runIf(flags.hasFewPatterns)('are refused with another pattern', async () => {
      for (const pattern of ['%a', 'a%b', 'a_b', '%', '', '%%'])
        await rejection(leGuin().where('genre', 'like', pattern).page(), ConditionError)
    })

    it.runIf(flags.refusesScans)('are refused where they would read all items', async () => {
      const error = await rejection(products.where('price', '>', 1_234_567).page(), NoIndexError)
      expect(error.message).not.toContain('1234567')
      await rejection(products.query().page(), NoIndexError)
      await rejection(products.query().count(), NoIndexError)
      await rejection(products.query().or({ author: 'Lem' }, { price: 1 }).all(), NoIndexError)
      await rejection(products.where('author', '>', 'A').first(), NoIndexError)
    })

    it.runIf(flags.refusesScans)('are refused in an order that nothing gives', async () => {
      await rejection(leGuin().sortBy('price').page(), SortError)
      await rejection(scanning.query().sortBy('title').page(), SortError)
      await rejection(products.where('author', 'in', ['Lem', 'Le Guin']).sortBy('title').page(), SortError)
    })

    it.runIf(flags.refusesEmptyKeys)('find nothing by an empty key, which no item has', async () => {
      expect(await products.where('author', '=', '').all()).toEqual([])
      expect(await products.where({ author: '', title: '' }).all()).toEqual([])
      expect(await products.where('genre', '=', '').count()).toBe(0)
      expect(titles(await products.where('author', 'in', ['', 'Lem']).all())).toBe('ab')
      expect(await leGuin().where('title', '=', '').all()).toEqual([])
      expect(titles(await leGuin().where('title', '>', '').all())).toBe('ABCD')
      expect(titles(await leGuin().where('title', 'begins-with', '').all())).toBe('ABCD')
      expect(titles(await leGuin().where('title', 'between', ['', 'B']).all())).toBe('AB')
    })

    it('say how they are read', async () => {
      const { plan } = await products.where('genre', '=', 'sf').where('price', '<', 3).explain()
      expect(plan.why).toEqual(expect.any(String))
      if (flags.refusesScans) expect(plan).toMatchObject({ operation: 'Query', index: 'byGenre' })
    })
  })
}
