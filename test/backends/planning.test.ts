// What a query is read by (M23, M24, M26), the same for DynamoDB and for memory, which have one planner.
import { type Index, MemoryBackend, type Query, model } from 'clearskies-middy'
import { NoIndexError, SortError } from 'clearskies-middy/errors'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { useTables } from '../support/dynamodb-cases.ts'

const tables = useTables()

interface Options {
  readonly scan?: 'allow' | 'error'
}
const schema = z.object({
  id: z.string(),
  a: z.string(),
  b: z.string().optional(),
  c: z.string().nullish(),
  d: z.string().default('d'),
  text: z.string().optional(),
})
type Item = z.input<typeof schema>
const items: readonly Item[] = [
  { id: '1', a: 'x', b: 'q' },
  { id: '2', a: 'x' },
  { id: '3', a: 'y', b: 'z' },
]

type Indexes = Readonly<Record<string, Index<keyof Item>>>

const backends = {
  DynamoDbBackend: async (indexes: Indexes, options: Options = {}) =>
    (await tables.open({ key: ['id'], schema, indexes }, options)).backend,
  MemoryBackend: async (indexes: Indexes, options: Options = {}) =>
    new MemoryBackend(model({ name: 'items', key: ['id'], schema, indexes }), options),
}

async function stored(name: keyof typeof backends, indexes: Indexes, options?: Options) {
  const backend = await backends[name](indexes, options)
  await backend.createMany(items)
  return backend
}

const ids = async (query: Query<z.output<typeof schema>, { id: string }>): Promise<string> =>
  (await query.all())
    .map(({ id }) => id)
    .toSorted()
    .join('')

const byAB = { partition: 'a', sort: 'b' } as const
const byA = { partition: 'a' } as const

describe.each(['DynamoDbBackend', 'MemoryBackend'] as const)('%s', (name) => {
  describe('an index that leaves items out', () => {
    it('M24: is passed over for one that has all items, whatever meets an absent value', async () => {
      const tabled = await stored(name, { byAB, byA })
      const x = tabled.where('a', '=', 'x')
      expect(await ids(x)).toBe('12')
      expect(await ids(x.where('b', 'is-null'))).toBe('2')
      expect(await ids(x.where('b', '!=', 'z'))).toBe('12')
      expect(await ids(x.where('b', 'not-in', ['z', 'q']))).toBe('2')
      expect(await ids(x.or({ b: 'q' }, { id: '2' }))).toBe('12')
      expect(await x.count()).toBe(2)
      expect(await x.where('b', 'is-null').first()).toMatchObject({ id: '2' })
      const looped: string[] = []
      for await (const { id } of x) looped.push(id)
      expect(looped.toSorted().join('')).toBe('12')
    })

    it('M24: is chosen where the conditions say that there is a value', async () => {
      const tabled = await stored(name, { byA, byAB })
      const x = tabled.where('a', '=', 'x')
      const saying = [
        x.where('b', '=', 'q'),
        x.where('b', '>', 'a'),
        x.where('b', 'between', ['a', 'r']),
        x.where('b', 'in', ['q', 'r']),
        x.where('b', 'begins-with', 'q'),
      ]
      for (const query of saying) {
        expect((await query.explain()).plan.index).toBe('byAB')
        expect(await ids(query)).toBe('1')
      }
    })

    it('M24: is refused alone, with the way to ask for it', async () => {
      const tabled = await stored(name, { byAB })
      const x = tabled.where('a', '=', 'x')
      await expect(x.all()).rejects.toThrow(NoIndexError)
      await expect(x.all()).rejects.toThrow(/without "b".*using\("byAB"\)/)
      await expect(x.count()).rejects.toThrow(NoIndexError)
      await expect(tabled.where('a', 'in', ['x', 'y']).all()).rejects.toThrow(NoIndexError)
      await expect(tabled.query().or({ a: 'x' }, { id: '3' }).all()).rejects.toThrow(NoIndexError)
      await expect(x.or({ b: 'q' }, { text: 't' }).all()).rejects.toThrow(NoIndexError)
      expect(await ids(x.or({ b: 'q' }, (query) => query.where('b', '>', 'y')))).toBe('1')
      expect(await ids(x.using('byAB'))).toBe('1')
      const scanning = await stored(name, { byAB }, { scan: 'allow' })
      expect(await ids(scanning.where('a', '=', 'x'))).toBe('12')
    })

    it('M24: gives no order by the column that items may lack', async () => {
      const tabled = await stored(name, { byAB, byA })
      const sorted = tabled.where('a', '=', 'x').sortBy('b')
      await expect(sorted.all()).rejects.toThrow(SortError)
      await expect(sorted.all()).rejects.toThrow(/using\("byAB"\)/)
      expect(await ids(sorted.using('byAB'))).toBe('1')
      expect(await ids(sorted.where('b', 'is-not-null'))).toBe('1')
    })

    it('M24: is also one whose partition may be null; a default makes a column one that all items have', async () => {
      const tabled = await stored(name, { byDC: { partition: 'd', sort: 'c' }, byD: { partition: 'd' } })
      expect(await ids(tabled.where('d', '=', 'd'))).toBe('123')
      expect((await tabled.where('d', '=', 'd').explain()).plan.index).toBe('byD')
      const byC = await stored(name, { byC: { partition: 'c' } })
      await expect(byC.where('c', 'is-null').all()).rejects.toThrow(NoIndexError)
    })
  })

  describe('many or()', () => {
    const words = Array.from({ length: 12 }, (_, index) => `w${index}`)

    it('M23: are filters beside the one that has keys, wherever it stands', async () => {
      const tabled = await stored(name, { byA })
      const searching = (query: Query<z.output<typeof schema>>) =>
        words.reduce(
          (all, word) =>
            all.or(
              (either) => either.where('text', 'contains', word),
              (either) => either.where('d', 'contains', word),
            ),
          query,
        )
      const last = searching(tabled.query()).or({ a: 'x' }, { a: 'y' })
      const first = searching(tabled.query().or({ a: 'x' }, { a: 'y' }))
      for (const query of [last, first]) {
        const { plan } = await query.explain()
        expect(plan).toMatchObject({ operation: 'Union', parts: { length: 2 } })
        expect(await query.all()).toEqual([])
      }
      await tabled.create({ id: '4', a: 'x', text: words.join(' ') })
      expect(await ids(last)).toBe('4')
    })

    it('M23: more than 100 requests in all are refused before anything is sent', async () => {
      const tabled = await backends[name]({ byA })
      const values = (from: number) => Array.from({ length: 60 }, (_, index) => `v${from + index}`)
      const nested = tabled.query().or(
        (query) => query.where('a', 'in', values(0)),
        (query) => query.where('a', 'in', values(60)),
      )
      await expect(nested.all()).rejects.toThrow(NoIndexError)
      await expect(nested.all()).rejects.toThrow(/more than 100 requests/)
      const some = tabled.query().or({ id: '1' }, (query) => query.where('a', 'in', values(0)))
      expect((await some.explain()).plan).toMatchObject({ parts: { length: 61 } })
      const scanning = await backends[name]({ byA }, { scan: 'allow' })
      expect((await scanning.where('a', 'in', [...values(0), ...values(60)]).explain()).plan.operation).toBe(
        'Scan',
      )
    })

    it('M23: are planned in a time that grows with their number, and not with its powers', async () => {
      const tabled = await backends[name]({ byA })
      const many = Array.from({ length: 40 }).reduce<Query<z.output<typeof schema>>>(
        (query) => query.or({ a: 'x' }, { a: 'y' }),
        tabled.query(),
      )
      expect((await many.explain()).plan).toMatchObject({ operation: 'Union', parts: { length: 2 } })
    })
  })

  describe('another index', () => {
    const queries: Readonly<
      Record<string, (query: Query<z.output<typeof schema>>) => Query<z.output<typeof schema>>>
    > = {
      'a partition of a few, and a column beside it': (query) =>
        query.where('a', 'in', ['x', 'y']).where('d', '=', 'd'),
      'alternatives with keys': (query) => query.or({ id: '1' }, { id: '2' }).where('d', '=', 'd'),
      'whole keys': (query) => query.where('id', 'in', ['1', '2']).where('d', '=', 'd'),
      'an order of the other index': (query) => query.where('a', '=', 'x').where('d', '>', 'c').sortBy('id'),
      'a scan': (query) => query.where('d', '=', 'd'),
    }
    it.each(Object.keys(queries))('M26: does not break %s', async (title) => {
      const ask = queries[title] ?? ((query) => query)
      const before = { byAId: { partition: 'a', sort: 'id' } } as const
      const beside = {
        byD: { partition: 'd', project: 'keys' },
        byAD: { partition: 'a', sort: 'd', project: 'keys' },
        byDB: { partition: 'd', sort: 'b' },
      } as const
      const options: Options = { scan: title === 'a scan' ? 'allow' : 'error' }
      const [few, many] = await Promise.all([
        stored(name, before, options),
        stored(name, { ...beside, ...before }, options),
      ])
      const expected = await ids(ask(few.query()))
      expect(expected).not.toBe('')
      expect(await ids(ask(many.query()))).toBe(expected)
    })
  })
})
