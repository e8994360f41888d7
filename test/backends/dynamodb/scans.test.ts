// The catalogue of reading: indexes, expiry and scans (D15 to D17).
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'

const tables = useTables()

const schema = z.object({
  group: z.string(),
  id: z.number(),
  kind: z.string(),
  rank: z.number(),
  text: z.string().optional(),
  until: z.number().optional(),
})
const definition = {
  key: ['group', 'id'],
  schema,
  indexes: {
    byRank: { partition: 'group', sort: 'rank' },
    byKind: { partition: 'kind', sort: 'rank', project: 'keys' },
  },
} as const

/** Items 0 to `count` - 1 of one group, of which every tenth is rare. */
const items = (count: number, fields: Partial<z.infer<typeof schema>> = {}) =>
  Array.from({ length: count }, (_, id) => ({
    group: 'g',
    id,
    kind: id % 10 === 9 ? 'rare' : 'usual',
    rank: count - id,
    ...fields,
  }))

const ids = (found: readonly { id: number }[]) => found.map(({ id }) => id)

async function open(count: number, fields: Partial<z.infer<typeof schema>> = {}, options = {}) {
  const opened = await tables.open(definition, options)
  await opened.reopen({}).batch({ put: items(count, fields) })
  opened.sent.length = 0
  return opened
}

describe('dynamodb D15: an index that holds less than is wanted', () => {
  it('is refused without hydrate', async () => {
    const { backend, sent } = await open(3)
    await expect(backend.where('kind', '=', 'usual').page()).rejects.toThrow(/"byKind".*until/)
    expect(sent).toEqual([])
  })

  it('is read with the rest by their keys, in its order', async () => {
    const { backend, sent } = await open(12, {}, { hydrate: true })
    const query = backend.where('kind', '=', 'usual').where('text', 'is-null').sortBy('rank')
    expect(ids(await query.all())).toEqual([11, 10, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    expect(sent.map(({ name }) => name)).toEqual(['Query', 'BatchGetItem'])
    expect(await query.count()).toBe(11)
    const first = await query.limit(2).page()
    expect([...ids(first.items), ...ids((await query.limit(2).after(first.next).page()).items)]).toEqual([
      11, 10, 8, 7,
    ])
  })

  it('gives whole items in a scan, too', async () => {
    const { backend } = await open(12, {}, { hydrate: true, scan: 'allow' })
    const found = await backend.query().using('byKind').where('text', 'is-null').all()
    expect(found).toHaveLength(12)
    expect(found).toEqual(expect.arrayContaining(items(12)))
  })

  it('is read alone for what it holds', async () => {
    const { backend, sent } = await open(3)
    expect(await backend.where('kind', '=', 'usual').select('id', 'rank').all()).toEqual([
      { id: 2, rank: 1 },
      { id: 1, rank: 2 },
      { id: 0, rank: 3 },
    ])
    expect(sent.map(({ name }) => name)).toEqual(['Query'])
  })
})

describe('dynamodb D16: what has expired is absent', () => {
  const now = Math.floor(Date.now() / 1000)
  const options = { ttl: 'until' }

  it('everywhere where it could be read', async () => {
    const { backend } = await open(3, {}, { ...options, scan: 'allow', hydrate: true })
    await backend.batch({
      put: [
        { group: 'g', id: 1, kind: 'usual', rank: 2, until: now - 10 },
        { group: 'g', id: 2, kind: 'usual', rank: 1, until: now + 1000 },
      ],
    })
    const group = backend.where('group', '=', 'g')
    for (const query of [group, backend.query(), backend.where('kind', '=', 'usual'), group.sortBy('rank')])
      expect(ids(await query.all()).toSorted()).toEqual([0, 2])
    expect(ids(await group.where('id', 'in', [0, 1, 2]).all())).toEqual([0, 2])
    expect([await group.count(), await group.where({ id: 1 }).exists()]).toEqual([2, false])
    expect(await group.where({ id: 1 }).first()).toBeUndefined()
    expect(await backend.find({ group: 'g', id: 1 })).toBeUndefined()
    expect((await backend.findMany([0, 1].map((id) => ({ group: 'g', id })))).map((one) => one?.id)).toEqual([
      0,
      undefined,
    ])
    expect(await backend.delete({ group: 'g', id: 1 })).toBeUndefined()
  })

  it('also by an index that does not tell, which is then not read alone', async () => {
    const { backend } = await open(3, { until: now - 10 }, options)
    await expect(backend.where('kind', '=', 'usual').select('id').page()).rejects.toThrow(/until/)
  })

  it('and where it is written', async () => {
    const { backend } = await open(3, { until: now - 10 }, options)
    await expect(backend.update({ group: 'g', id: 1 }, { rank: 1 })).rejects.toThrow(/no item/)
    const item = { group: 'g', id: 1, kind: 'k', rank: 1 }
    expect(await backend.create({ ...item, until: now + 1000 })).toMatchObject({ id: 1 })
    await expect(backend.create(item)).rejects.toThrow(/already/)
  })
})

describe('dynamodb D17: a scan in segments', () => {
  it('gives every item once, and goes on where each segment stands', async () => {
    const { backend, sent } = await open(40, {}, { scan: 'allow' })
    await backend.batch({ put: items(40).map((item) => ({ ...item, group: `g${item.id}` })) })
    sent.length = 0
    const query = backend.where('id', '<', 30).segments(4)
    const seen: number[] = []
    let after: string | undefined
    do {
      const page = await query.limit(7).after(after).page()
      expect(page.items.length).toBeLessThanOrEqual(7)
      seen.push(...ids(page.items))
      after = page.next
    } while (after !== undefined)
    expect(seen.toSorted((a, b) => a - b)).toEqual(items(30).flatMap(({ id }) => [id, id]))
    expect(new Set(sent.map(({ input }) => input['Segment']))).toEqual(new Set([0, 1, 2, 3]))
    const atEnd = sent.flatMap(({ input }) =>
      input['ExclusiveStartKey'] === undefined ? [input['Segment']] : [],
    )
    expect(await query.all()).toHaveLength(60)
    expect(atEnd.length, 'a segment at its end is not begun again').toBeLessThan(sent.length)
  })

  it('has a token for many segments and long keys', async () => {
    const { backend } = await open(0, {}, { scan: 'allow', tokenSecret: 'secret of tokens and more' })
    await backend.batch({
      put: items(300).map((item) => ({ ...item, group: `${item.id}`.padEnd(300, 'x') })),
    })
    const query = backend.query().segments(100).limit(150)
    const first = await query.page()
    expect(first.next?.length).toBeGreaterThan(16_384)
    expect(first.items.length + (await query.limit(300).after(first.next).page()).items.length).toBe(300)
  })

  it('shares out what it reads, so that little is read twice', async () => {
    const { backend, sent } = await open(0, {}, { scan: 'allow' })
    await backend.batch({ put: items(100).map((item) => ({ ...item, group: `g${item.id}` })) })
    sent.length = 0
    expect((await backend.query().segments(4).limit(20).page()).items).toHaveLength(20)
    expect(sent.map(({ input }) => input['Limit'])).toEqual([6, 6, 6, 6])
  })

  it('keeps to the ceilings, whatever its width', async () => {
    const { backend, sent } = await open(40, {}, { scan: 'allow' })
    const page = await backend.query().segments(4).page({ maxPages: 2 })
    expect(sent).toHaveLength(2)
    expect([page.complete, page.next]).toEqual([false, expect.any(String)])
    const few = await backend.query().segments(4).page({ maxScanned: 3 })
    expect(few.items.length).toBeLessThanOrEqual(3)
    expect(await backend.query().segments(4).after(few.next).all()).toHaveLength(40 - few.items.length)
  })
})
