import { ColumnError, ConditionError, ConflictError, type Query, model } from 'clearskies-middy'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase, TableBackend } from './contract.ts'

const schema = z.object({
  id: z.string(),
  address: z
    .object({
      city: z.string().nullish(),
      zip: z.number().optional(),
      since: z.date().optional(),
      big: z.bigint().optional(),
      main: z.boolean().optional(),
      tags: z.array(z.string()).optional(),
      geo: z.object({ lat: z.number(), lon: z.number() }).optional(),
      'it\'s "odd"': z.string().optional(),
    })
    .nullish(),
  meta: z.record(z.string(), z.any()).optional(),
  'dotted.name': z.string().optional(),
  dotted: z.object({ name: z.string(), other: z.string() }).optional(),
  list: z.array(z.object({ a: z.number() })).optional(),
  count: z.number().optional(),
})
type Place = z.output<typeof schema>

const day = (date: number) => new Date(Date.UTC(2026, 1, date))
const places: readonly Place[] = [
  {
    id: 'a',
    address: {
      city: 'Rome',
      zip: 100,
      since: day(1),
      big: 5n,
      main: true,
      tags: ['x', 'y'],
      geo: { lat: 41.9, lon: 12.5 },
      'it\'s "odd"': 'yes',
    },
  },
  { id: 'b', address: { city: 'rome', zip: 20, since: day(2), big: 10n, main: false, tags: [] } },
  { id: 'c', address: { city: null, zip: -1.5 } },
  { id: 'd', address: {} },
  { id: 'e', address: null },
  { id: 'f', meta: { city: 'Rome', n: 5, 'a.b': 1, deep: { er: 'x' } } },
  { id: 'g', meta: { city: 7, n: '5' }, 'dotted.name': 'column', dotted: { name: 'member', other: 'o' } },
  { id: 'h', address: { city: '100% _!', zip: 1000 } },
]
const all = places.map(({ id }) => id)
const but = (...ids: string[]) => all.filter((id) => !ids.includes(id))

type Asked = (query: Query<Place>) => Query<Place, unknown>
const questions: readonly (readonly [question: string, ask: Asked, ids: readonly string[]])[] = [
  ['= a text', (q) => q.where('address.city', '=', 'Rome'), ['a']],
  ['= a number', (q) => q.where('address.zip', '=', 100), ['a']],
  ['= a bigint', (q) => q.where('address.big', '=', 10n), ['b']],
  ['> a bigint', (q) => q.where('address.big', '>', 5n), ['b']],
  ['= a date', (q) => q.where('address.since', '=', day(1)), ['a']],
  ['>= a date', (q) => q.where('address.since', '>=', day(2)), ['b']],
  ['= true', (q) => q.where('address.main', '=', true), ['a']],
  ['= an object', (q) => q.where('address.geo', '=', { lat: 41.9, lon: 12.5 }), ['a']],
  ['!=', (q) => q.where('address.city', '!=', 'Rome'), but('a')],
  ['in', (q) => q.where('address.zip', 'in', [100, 20, 7]), ['a', 'b']],
  ['in nothing', (q) => q.where('address.zip', 'in', []), []],
  ['not-in', (q) => q.where('address.zip', 'not-in', [100, 20]), but('a', 'b')],
  ['<', (q) => q.where('address.zip', '<', 100), ['b', 'c']],
  ['between', (q) => q.where('address.zip', 'between', [20, 100]), ['a', 'b']],
  ['< of text goes by bytes', (q) => q.where('address.city', '<', 'a'), ['a', 'h']],
  ['begins-with', (q) => q.where('address.city', 'begins-with', 'R'), ['a']],
  ['begins-with a sign of patterns', (q) => q.where('address.city', 'begins-with', '100% _'), ['h']],
  ['contains in a text', (q) => q.where('address.city', 'contains', '% _!'), ['h']],
  ['contains in a list', (q) => q.where('address.tags', 'contains', 'x'), ['a']],
  ['like', (q) => q.where('address.city', 'like', '%om%'), ['a', 'b']],
  ['is-null', (q) => q.where('address.city', 'is-null'), ['c', 'd', 'e', 'f', 'g']],
  ['is-not-null', (q) => q.where('address.city', 'is-not-null'), ['a', 'b', 'h']],
  ['is-null of a missing object', (q) => q.where('address.geo', 'is-null'), but('a')],
  ['a name with quotes', (q) => q.where('address.it\'s "odd"', '=', 'yes'), ['a']],
  ['a value of another type', (q) => q.where('meta.city', '=', 'Rome'), ['f']],
  ['a number is not its text', (q) => q.where('meta.n', '=', 5), ['f']],
  ['a text is not its number', (q) => q.where('meta.n', '=', '5'), ['g']],
  ['!= of another type', (q) => q.where('meta.n', '!=', 5), but('f')],
  ["a record's own name with a dot", (q) => q.where('meta.a.b' as 'meta.n', 'is-null'), all],
  ['three levels', (q) => q.where('address.geo.lat' as 'address.zip', '>', 41), ['a']],
  ["a record's inner object", (q) => q.where('meta.deep.er' as 'meta.n', '=', 'x'), ['f']],
  ['a column whose name has a dot', (q) => q.where('dotted.name', '=', 'column'), ['g']],
  ['a member beside that column', (q) => q.where('dotted.other', '=', 'o'), ['g']],
  ['alternatives', (q) => q.or({ id: 'c' }, (or) => or.where('address.city', '=', 'Rome')), ['a', 'c']],
  ['several', (q) => q.where('address.zip', '>', 0).where('address.city', '!=', 'Rome'), ['b', 'h']],
]

/** Conditions on members of columns, and selections of them. */
export function pathContract({ open, flags }: ContractCase): void {
  describe('paths into columns', () => {
    let tables: TableBackend<Place, Place, Pick<Place, 'id'>>
    beforeEach(async () => {
      tables = await open(model({ name: uniqueName('places'), key: ['id'], schema }), { scan: 'allow' })
      await tables.createMany(places)
    })

    it('Y9: a condition is met by what is at the place', async () => {
      for (const [question, ask, ids] of questions) {
        if (question === '= an object' && !flags.comparesObjects) continue
        const made = ask(tables.query())
        const found = (await made.all()) as Place[]
        expect(found.map(({ id }) => id).toSorted(), question).toEqual(ids)
        expect(await made.count(), question).toBe(ids.length)
      }
    })

    it('Y9: a condition inside goes with the key, with pages and with loops', async () => {
      expect(await tables.where('id', '=', 'a').where('address.city', '=', 'Rome').first()).toEqual(places[0])
      expect(await tables.where('id', '=', 'a').where('address.city', '=', 'Oslo').exists()).toBe(false)
      const paged: string[] = []
      let after: string | undefined
      do {
        const page = await tables.where('address.zip', '>', -10).limit(1).after(after).page()
        paged.push(...page.items.map(({ id }) => id))
        after = page.next
      } while (after !== undefined)
      expect(paged.toSorted()).toEqual(['a', 'b', 'c', 'h'])
    })

    it.runIf(flags.isWhole)('Y9: select gives the members that are there, in their object', async () => {
      const selected = await tables.query().select('id', 'address.city', 'address.since', 'meta.n').all()
      expect(selected.toSorted((one, other) => (one.id < other.id ? -1 : 1))).toEqual([
        { id: 'a', address: { city: 'Rome', since: day(1) } },
        { id: 'b', address: { city: 'rome', since: day(2) } },
        { id: 'c', address: { city: null } },
        { id: 'd' },
        { id: 'e' },
        { id: 'f', meta: { n: 5 } },
        { id: 'g', meta: { n: '5' } },
        { id: 'h', address: { city: '100% _!' } },
      ])
    })

    it('Y9: select of a column and of its member gives the column', async () => {
      const found = await tables
        .where('id', '=', 'a')
        .select('address.city', 'address', 'address.city')
        .first()
      expect(found).toEqual({ address: places[0]?.address })
    })

    it('Y9: select beside a condition inside of the same column', async () => {
      const found = await tables.where('address.zip', '=', 100).select('address.city').all()
      expect(found).toEqual([{ address: { city: 'Rome' } }])
    })

    it('Y9: a write demands something of a member', async () => {
      const when = (query: Query<Place>) => query.where('address.zip', '=', 100)
      await tables.update({ id: 'a' }, { count: 1 }, { when })
      const error = await rejection(tables.update({ id: 'b' }, { count: 1 }, { when }), ConflictError)
      expect((error.current as Place).id).toBe('b')
      await tables.put({ id: 'd', count: 2 }, { when: (query) => query.where('address.city', 'is-null') })
      await rejection(tables.delete({ id: 'b' }, { when }), ConflictError)
      expect(await tables.delete({ id: 'a' }, { when })).toMatchObject({ id: 'a', count: 1 })
    })

    it('Y9: a place that there is not is refused', async () => {
      const query = tables.query()
      for (const place of [
        'address.town',
        'nope.city',
        'count.x',
        'id.x',
        'address.',
        '.city',
        'address..city',
      ])
        expect(() => query.where(place as 'id', '=', 'x'), place).toThrow(ColumnError)
      expect(() => query.select('address.town' as 'id')).toThrow(ColumnError)
      expect(() => query.sortBy('address.city' as 'id')).toThrow(ColumnError)
      for (const place of ['address.tags.0', 'list.0', 'list.a', 'list.0.a'])
        expect(() => query.where(place as 'id', '=', 'x'), place).toThrow('is a place in a list')
      const write = tables.update(
        { id: 'a' },
        {},
        { when: (one) => one.where('address.town' as 'id', '=', 'x') },
      )
      await rejection(write, ColumnError)
    })

    it('Y9: an operand without a value is refused as for columns', () => {
      for (const value of [null, undefined, Number.NaN])
        expect(() => tables.where('address.zip', '=', value as never)).toThrow(ConditionError)
    })
  })
}
