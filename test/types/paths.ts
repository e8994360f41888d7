// Y9: paths into columns are typed two levels deep, in conditions and selections.
import { MemoryBackend, type Query, model } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import * as v from 'valibot'
import * as z from 'zod'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_: Same<A, B>): void {}

const schema = z.object({
  id: z.string(),
  n: z.number().optional(),
  tags: z.array(z.object({ name: z.string() })),
  at: z.date(),
  bytes: z.instanceof(Uint8Array),
  address: z
    .object({ city: z.string(), zip: z.number().nullish(), geo: z.object({ lat: z.number() }) })
    .nullish(),
  shape: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('circle'), r: z.number() }),
    z.object({ kind: z.literal('square'), side: z.number() }),
  ]),
  meta: z.record(z.string(), z.number()),
  either: z.union([z.string(), z.object({ x: z.number() })]).optional(),
  any: z.any(),
  'a.b': z.boolean(),
})
const things = new MemoryBackend(model({ name: 'things', key: ['id'], schema }))
const query: Query<z.output<typeof schema>> = things.query()

query
  .where('address.city', '=', 'Rome')
  .where('address.zip', '<', 5)
  .where('address.city', 'begins-with', 'R')
query.where('shape.r', '>', 1).where('shape.side', 'between', [1, 2]).where('shape.kind', '=', 'circle')
query.where('meta.foo', '=', 5).where('either.x', 'in', [1]).where('any.thing', '=', 'x')
query.where('a.b', '=', true)
query.where('address.geo', '=', { lat: 1 })
query.or((one) => one.where('address.city', 'is-null'))
// @ts-expect-error a number for a text
query.where('address.city', '=', 5)
// @ts-expect-error null is asked for with is-null
query.where('address.zip', '=', null)
// @ts-expect-error an operator of text
query.where('address.zip', 'begins-with', 5)
// @ts-expect-error no such member
query.where('address.town', '=', 'x')
// @ts-expect-error no such column
query.where('adress.city', '=', 'x')
// @ts-expect-error an element of a list
query.where('tags.0', '=', 'x')
// @ts-expect-error a member of a date
query.where('at.getTime', 'is-null')
// @ts-expect-error a member of bytes
query.where('bytes.length', '=', 1)
// @ts-expect-error a member of a text
query.where('id.length', '=', 1)
// @ts-expect-error a third level
query.where('address.geo.lat', '=', 1)
// @ts-expect-error a boolean for the column whose name has a dot
query.where('a.b', '=', 'true')
// @ts-expect-error only columns are sorted by
query.sortBy('address.city')

export async function selections(): Promise<void> {
  const parts = await query.select('id', 'n', 'address.city', 'address.zip', 'meta.foo').all()
  const [part] = parts
  if (part === undefined) return
  same<typeof part.id, string>(true)
  same<typeof part.n, number | undefined>(true)
  same<typeof part.address, { city: string; zip?: number | null | undefined } | undefined>(true)
  same<typeof part.meta, { foo: number } | undefined>(true)
  // @ts-expect-error not selected
  void part.tags
  // @ts-expect-error a member that is not selected
  void part.address?.geo
  const [columns] = await query.select('id', 'address').all()
  same<NonNullable<typeof columns>, { id: string; address?: z.output<typeof schema>['address'] }>(true)
  // @ts-expect-error no such member
  query.select('address.town')
}

const Track = model({
  name: 'tracks',
  key: ['id'],
  schema: v.object({
    id: v.string(),
    by: v.optional(v.object({ name: v.string(), born: v.optional(v.date()) })),
  }),
})
const tracks = new MemoryBackend(Track, { like: 'sql' })
tracks.where('by.name', 'contains', 'x').where('by.born', '<', new Date(0))
// @ts-expect-error a text for a date
tracks.where('by.born', '<', '2026')
void tracks.update({ id: 'a' }, {}, { when: (one) => one.where('by.name', '=', 'x') })
// @ts-expect-error no such member
void tracks.update({ id: 'a' }, {}, { when: (one) => one.where('by.nme', '=', 'x') })

// Y9: what is added is a number for a number, and what is appended elements of the list, two levels deep.
const Cart = model({
  name: 'carts',
  key: ['id'],
  schema: z.object({
    id: z.string(),
    total: z.number(),
    points: z.bigint().optional(),
    price: z.string(),
    tags: z.array(z.string()).nullish(),
    paid: z.boolean(),
    at: z.date(),
    any: z.any(),
    unknown: z.unknown(),
    labels: z.set(z.string()).optional(),
    meta: z.record(z.string(), z.number()),
    inside: z.object({ n: z.number().optional(), list: z.array(z.number()), text: z.string() }).optional(),
  }),
})
async function changesCarts(): Promise<void> {
  const id = { id: 'a' }
  const carts = new DynamoDbBackend(Cart)
  const rows = new MemoryBackend(Cart, { like: 'sql' })
  for (const backend of [carts, rows]) {
    await backend.update(
      id,
      {},
      { add: { total: 1, points: 1n, price: '1.5', any: 1, unknown: 1, 'inside.n': 1, 'meta.x': 1 } },
    )
    await backend.update(id, {}, { append: { tags: ['a'], any: [1], unknown: ['b'], 'inside.list': [1] } })
  }
  // @ts-expect-error an addition to a list
  await carts.update(id, {}, { add: { tags: 1 } })
  // @ts-expect-error an addition to a boolean
  await carts.update(id, {}, { add: { paid: 1 } })
  // @ts-expect-error an addition to a date
  await rows.update(id, {}, { add: { at: 1 } })
  // @ts-expect-error an addition to an object
  await rows.update(id, {}, { add: { inside: 1 } })
  // @ts-expect-error an addition to a list inside
  await carts.update(id, {}, { add: { 'inside.list': 1 } })
  // @ts-expect-error a text for a number
  await carts.update(id, {}, { add: { total: '1' } })
  // @ts-expect-error a text for a number inside
  await rows.update(id, {}, { add: { 'inside.n': '1' } })
  // @ts-expect-error elements for a number
  await carts.update(id, {}, { append: { total: [1] } })
  // @ts-expect-error elements for a text
  await rows.update(id, {}, { append: { price: ['a'] } })
  // @ts-expect-error elements for a number inside
  await rows.update(id, {}, { append: { 'inside.n': [1] } })
  // @ts-expect-error elements of another type
  await carts.update(id, {}, { append: { tags: [1] } })
  // @ts-expect-error elements of another type inside
  carts.prepare.update(id, {}, { append: { 'inside.list': ['a'] } })
  // @ts-expect-error elements for a set
  carts.prepare.update(id, {}, { append: { labels: ['a'] } })
  // @ts-expect-error a place that there is not
  await carts.update(id, {}, { add: { 'inside.none': 1 } })
}
void changesCarts
