import {
  ConditionError,
  ConflictError,
  InvalidDataError,
  InvalidTokenError,
  MemoryBackend,
  NoIndexError,
  NotFoundError,
  SortError,
  ValidationError,
  model,
} from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useDynamoDb } from '../support/engines.ts'

const dynamoDb = useDynamoDb()

let table = 0
const Product = () =>
  model({
    name: `products-${++table}`,
    key: ['author', 'title'],
    indexes: { byGenre: { partition: 'genre', sort: 'price' } },
    schema: z.object({
      author: z.string(),
      title: z.string(),
      genre: z.string().optional(),
      price: z.number().optional(),
      tags: z.array(z.string()).optional(),
    }),
  })

const backends = [
  {
    name: 'DynamoDbBackend',
    async make(options: { tokenSecret?: string; scan?: 'allow' } = {}) {
      const definition = Product()
      await dynamoDb.createTable(definition.name, {
        columns: { author: 'S', title: 'S', genre: 'S', price: 'N' },
        key: ['author', 'title'],
        indexes: { byGenre: ['genre', 'price'] },
      })
      return new DynamoDbBackend(definition, { client: dynamoDb.client, ...options })
    },
  },
  {
    name: 'MemoryBackend',
    make: async (options: { tokenSecret?: string; scan?: 'allow' } = {}) =>
      new MemoryBackend(Product(), options),
  },
]

describe.each(backends)('$name', ({ make }) => {
  let products: Awaited<ReturnType<typeof make>>
  beforeEach(async () => {
    products = await make()
  })

  const kindred = { author: 'Butler', title: 'Kindred', genre: 'sf', price: 10 }

  it('creates, finds, updates, replaces and deletes', async () => {
    expect(await products.create(kindred)).toEqual(kindred)
    expect(await products.find({ author: 'Butler', title: 'Kindred' })).toEqual(kindred)
    expect(
      await products.update(
        { author: 'Butler', title: 'Kindred' },
        { price: 12, genre: null, tags: undefined },
      ),
    ).toEqual({ author: 'Butler', title: 'Kindred', price: 12 })
    expect(await products.put({ author: 'Butler', title: 'Kindred', tags: ['a'] })).toEqual({
      author: 'Butler',
      title: 'Kindred',
      tags: ['a'],
    })
    expect(await products.delete({ author: 'Butler', title: 'Kindred' })).toEqual({
      author: 'Butler',
      title: 'Kindred',
      tags: ['a'],
    })
    expect(await products.find({ author: 'Butler', title: 'Kindred' })).toBeUndefined()
    expect(await products.delete({ author: 'Butler', title: 'Kindred' })).toBeUndefined()
  })

  it('refuses a second item with the same key, and an update of none', async () => {
    await products.create(kindred)
    await expect(products.create({ ...kindred, price: 1 })).rejects.toThrow(ConflictError)
    await expect(products.update({ author: 'Butler', title: 'None' }, { price: 1 })).rejects.toThrow(
      NotFoundError,
    )
    expect(await products.find({ author: 'Butler', title: 'Kindred' })).toEqual(kindred)
  })

  it('refuses data that does not fit the schema, and keys without a value', async () => {
    await expect(products.create({ author: 'Butler' } as never)).rejects.toThrow(ValidationError)
    await expect(products.find({ author: 'Butler' } as never)).rejects.toThrow(InvalidDataError)
    await expect(products.find({ author: 'Butler', title: '' })).rejects.toThrow(InvalidDataError)
    await expect(products.update(kindred, { title: 'Wild Seed' })).rejects.toThrow(ConditionError)
    await expect(products.update(kindred, { colour: 'red' } as never)).rejects.toThrow(/"colour"|no item/)
  })

  describe('queries', () => {
    beforeEach(async () => {
      await products.createMany([
        { author: 'Le Guin', title: 'C', genre: 'sf', price: 3 },
        { author: 'Le Guin', title: 'A', genre: 'fantasy', price: 2 },
        { author: 'Le Guin', title: 'B', genre: 'sf', price: 1, tags: ['new', 'old'] },
        { author: 'Le Guin', title: 'D' },
        { author: 'Lem', title: 'A', genre: 'sf', price: 5 },
      ])
    })

    const titles = (items: readonly { title: string }[]) => items.map(({ title }) => title).join('')

    it('come in the order of the key, or in the other', async () => {
      expect(titles(await products.where('author', '=', 'Le Guin').all())).toBe('ABCD')
      expect(titles(await products.where('author', '=', 'Le Guin').sortBy('title', 'desc').all())).toBe(
        'DCBA',
      )
    })

    it.each([
      [
        'a range of the key',
        () => products.where('author', '=', 'Le Guin').where('title', 'between', ['B', 'C']),
        'BC',
      ],
      ['a beginning', () => products.where('author', '=', 'Le Guin').where('title', 'begins-with', 'A'), 'A'],
      ['an index', () => products.where('genre', '=', 'sf').where('price', '>', 1).sortBy('price'), 'CA'],
      ['equal columns of an object', () => products.where({ author: 'Le Guin', genre: 'sf' }), 'BC'],
      ['another column', () => products.where('author', '=', 'Le Guin').where('price', '!=', 3), 'ABD'],
      ['a list of values', () => products.where('author', '=', 'Le Guin').where('price', 'in', [1, 2]), 'AB'],
      ['no value', () => products.where('author', '=', 'Le Guin').where('genre', 'is-null'), 'D'],
      [
        'null, which is no value',
        () => products.where('author', '=', 'Le Guin').where('genre', '=', null),
        'D',
      ],
      ['any value', () => products.where('author', '=', 'Le Guin').where('genre', 'is-not-null'), 'ABC'],
      ['an element', () => products.where('author', '=', 'Le Guin').where('tags', 'contains', 'old'), 'B'],
      ['a pattern', () => products.where('author', '=', 'Le Guin').where('genre', 'like', 'fan%'), 'A'],
    ])('by %s', async (_, query, expected) => {
      expect(titles(await query().all())).toBe(expected)
    })

    it('give first, count and exists', async () => {
      const query = products.where('author', '=', 'Le Guin').where('genre', '=', 'sf')
      expect(await query.first()).toMatchObject({ title: 'B' })
      expect([await query.count(), await query.limit(1).count(), await query.exists()]).toEqual([2, 1, true])
      expect(await products.where('author', '=', 'None').exists()).toBe(false)
    })

    it.each([1, 2, 3, 4, 5])('give every item once in pages of %i', async (limit) => {
      const seen: string[] = []
      let after: string | undefined
      do {
        const page = await products
          .where('author', '=', 'Le Guin')
          .where('price', '>', 0)
          .limit(limit)
          .after(after)
          .page()
        expect(page.items.length).toBeLessThanOrEqual(limit)
        seen.push(titles(page.items))
        after = page.next
      } while (after !== undefined)
      expect(seen.join('')).toBe('ABC')
    })

    it('have no next page when the last one is full', async () => {
      expect(await products.where('author', '=', 'Le Guin').limit(4).page()).not.toHaveProperty('next')
    })

    it('iterate as they are read, up to the limit', async () => {
      const seen: string[] = []
      for await (const { title } of products.where('author', '=', 'Le Guin').limit(3)) seen.push(title)
      expect(seen.join('')).toBe('ABC')
    })

    it('read some columns only', async () => {
      expect(await products.where('author', '=', 'Le Guin').select('title', 'price').first()).toEqual({
        title: 'A',
        price: 2,
      })
    })

    it('are values: narrowing one down leaves it as it was', async () => {
      const all = products.where('author', '=', 'Le Guin')
      all.where('title', '=', 'A').limit(1).sortBy('title', 'desc')
      expect(titles(await all.all())).toBe('ABCD')
    })

    it('refuse what would read more than was meant', async () => {
      expect(() => products.where('author', '=', undefined as never)).toThrow(ConditionError)
      expect(() => products.where('colour' as 'author', '=', 'x')).toThrow(ConditionError)
      expect(() => products.where('author', 'is' as '=', 'x')).toThrow(ConditionError)
      await expect(products.where('price', '>', 1).page()).rejects.toThrow(NoIndexError)
      await expect(products.query().page()).rejects.toThrow(NoIndexError)
      await expect(products.where('author', '=', 'Lem').sortBy('price').page()).rejects.toThrow(SortError)
    })

    it('scan where that is allowed', async () => {
      const scanning = await make({ scan: 'allow' })
      await scanning.create(kindred)
      expect(await scanning.where('price', '>', 1).all()).toEqual([kindred])
    })

    it('refuse a token that was changed, or is of another query', async () => {
      const query = products.where('author', '=', 'Le Guin').limit(1)
      const { next = '' } = await query.page()
      const other = products.where('author', '=', 'Lem')
      await expect(other.after(next).page()).rejects.toThrow(InvalidTokenError)
      await expect(query.sortBy('title', 'desc').after(next).page()).rejects.toThrow(InvalidTokenError)
      for (const forged of [
        '',
        'x',
        `A${next}`,
        `${next}A`,
        next.slice(1),
        next.replace('.', ''),
        Buffer.from('null').toString('base64url'),
      ]) {
        await expect(query.after(forged).page(), forged).rejects.toThrow(InvalidTokenError)
      }
    })

    it('sign tokens with a secret', async () => {
      const [one, two] = [await make({ tokenSecret: 'one' }), await make({ tokenSecret: 'one' })]
      for (const backend of [one, two])
        await backend.createMany([kindred, { ...kindred, title: 'Wild Seed' }])
      const { next = '' } = await one.where('author', '=', 'Butler').limit(1).page()
      expect(titles((await one.where('author', '=', 'Butler').after(next).page()).items)).toBe('Wild Seed')
      const plain = await products.where('author', '=', 'Le Guin').limit(1).page()
      expect(plain.next).not.toBe(next)
    })

    it('explain themselves', () => {
      expect(products.where('genre', '=', 'sf').where('price', '<', 3).explain()).toMatchObject({
        plan: {
          operation: 'Query',
          index: 'byGenre',
          why: '"genre" is fixed and "price" narrowed in the index byGenre',
        },
      })
    })
  })
})
