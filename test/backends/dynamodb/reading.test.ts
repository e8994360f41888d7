// The catalogue of reading cases (D1, D2, D9 to D14), in the order of its numbers.
import { ConditionError, StoredDataError } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Sent, recording, useTables } from '../../support/dynamodb-cases.ts'

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
const limits = (sent: readonly Sent[]) => sent.map(({ input }) => input['Limit'])

async function open(count: number, fields: Partial<z.infer<typeof schema>> = {}, options = {}) {
  const opened = await tables.open(definition, options)
  await opened.reopen({}).batch({ put: items(count, fields) })
  opened.sent.length = 0
  return opened
}

describe('dynamodb D1: a limit counts items that are returned, and not items that are read', () => {
  it.each([2, 3, 5])('%i of the three in thirty', async (limit) => {
    const { backend, sent } = await open(30)
    const page = await backend.where('group', '=', 'g').where('kind', '=', 'rare').limit(limit).page()
    expect(ids(page.items)).toEqual([9, 19, 29].slice(0, limit))
    expect(sent.length).toBeLessThanOrEqual(2)
  })

  it('asks for more with each request, and never for less', async () => {
    const { backend, sent } = await open(400)
    const query = backend
      .where('group', '=', 'g')
      .where('rank', '<', 11)
      .where('kind', '=', 'rare')
      .using('table')
    expect(ids((await query.limit(5).page()).items)).toEqual([399])
    expect(limits(sent)).toEqual([25, 100, 400])
  })
})

describe('dynamodb D2: a ceiling ends a page early, and says so', () => {
  it('after so many requests', async () => {
    const { backend, sent } = await open(60)
    const query = backend.where('group', '=', 'g').where('kind', '=', 'rare').limit(5)
    const page = await query.page({ maxPages: 1 })
    expect([ids(page.items), page.complete]).toEqual([[9, 19], false])
    expect(sent).toHaveLength(1)
    expect(ids((await query.after(page.next).page()).items)).toEqual([29, 39, 49, 59])
  })

  it('after so many items that were looked at, and never more', async () => {
    const { backend, sent } = await open(60)
    const query = backend.where('group', '=', 'g').where('kind', '=', 'rare').limit(5)
    const page = await query.page({ maxScanned: 35 })
    expect([ids(page.items), page.complete]).toEqual([[9, 19, 29], false])
    expect(limits(sent)).toEqual([25, 10])
    expect(ids((await query.after(page.next).page()).items)).toEqual([39, 49, 59])
  })

  it('also where items are read by their keys', async () => {
    const { backend, sent } = await open(30)
    const query = backend.where('group', '=', 'g').where('id', 'in', [20, 3, 7, 11])
    const page = await query.page({ maxScanned: 3 })
    expect([ids(page.items), page.complete]).toEqual([[20, 3, 7], false])
    expect(sent).toHaveLength(1)
    expect(await query.after(page.next).page()).toEqual({ items: [expect.objectContaining({ id: 11 })] })
  })

  it('and a complete page does not say so', async () => {
    const { backend } = await open(30)
    const page = await backend.where('group', '=', 'g').page({ maxPages: 1, maxScanned: 100 })
    expect(page.items).toHaveLength(30)
    expect(page).not.toHaveProperty('complete')
  })
})

// Three and a half megabytes: DynamoDB gives one at a time.
const text = 'x'.repeat(100_000)

describe('dynamodb D9: count', () => {
  it('sums every page, and sends no items', async () => {
    const { backend, sent } = await open(35, { text })
    expect(await backend.where('group', '=', 'g').count()).toBe(35)
    expect(sent.length).toBeGreaterThan(2)
    expect(sent.every(({ input }) => input['Select'] === 'COUNT')).toBe(true)
  })

  it('stops at the limit', async () => {
    const { backend, sent } = await open(35, { text })
    expect(await backend.where('group', '=', 'g').limit(3).count()).toBe(3)
    expect(await backend.where('group', '=', 'g').exists()).toBe(true)
    expect(sent).toHaveLength(2)
  })

  it('counts what is checked here, too', async () => {
    const { backend } = await open(30)
    expect(await backend.where('group', '=', 'g').where('id', '!=', 3).count()).toBe(29)
    expect(await backend.where('group', '=', 'g').where('id', 'in', [1, 2, 99]).count()).toBe(2)
    expect(await backend.query().or({ group: 'g', kind: 'rare' }, { group: 'g', rank: 30 }).count()).toBe(4)
  })
})

it('dynamodb D10: first() by a column that is no key pages until there is one', async () => {
  const { backend, sent } = await open(35, { text })
  expect(await backend.where('group', '=', 'g').where('rank', '=', 1).using('table').first()).toMatchObject({
    id: 34,
  })
  expect(sent.length).toBeGreaterThan(1)
  expect(await backend.where('group', '=', 'g').where('kind', '=', 'none').first()).toBeUndefined()
})

it('dynamodb D11: the whole key is a GetItem, whose item is checked', async () => {
  const { backend, sent } = await open(3)
  const query = backend.where({ group: 'g', id: 1 })
  expect(await query.consistent().all()).toEqual([items(3)[1]])
  expect(await query.where('kind', '=', 'rare').all()).toEqual([])
  expect(await query.select('rank').first()).toEqual({ rank: 2 })
  expect(sent.map(({ name }) => name)).toEqual(['GetItem', 'GetItem', 'GetItem'])
  expect(sent[0]?.input).toMatchObject({ ConsistentRead: true })
})

describe('dynamodb D12: nothing is read that nobody wants', () => {
  it('break ends an iteration within the response in hand', async () => {
    const { backend, sent } = await open(35, { text })
    const seen: number[] = []
    for await (const { id } of backend.where('group', '=', 'g')) {
      seen.push(id)
      if (seen.length === 2) break
    }
    expect(seen).toEqual([0, 1])
    expect(sent).toHaveLength(1)
  })

  it('an iteration reads page by page to the end, and only to its limit', async () => {
    const { backend, sent } = await open(35, { text })
    const requests: number[] = []
    for await (const { id } of backend.where('group', '=', 'g')) requests[id] = sent.length
    expect(requests).toHaveLength(35)
    expect(new Set(requests).size).toBeGreaterThan(2)
    sent.length = 0
    expect(ids(await backend.where('group', '=', 'g').limit(3).all())).toEqual([0, 1, 2])
    expect(limits(sent)).toEqual([3])
  })

  it('a signal ends a page between its requests', async () => {
    const { model: made } = await open(60)
    const aborting = new AbortController()
    const { client, sent } = recording({
      async send(command) {
        const answer: unknown = await tables.client.send(command)
        aborting.abort(new Error('Enough'))
        return answer
      },
    })
    const group = new DynamoDbBackend(made, { client }).where('group', '=', 'g')
    const query = group.where('kind', '=', 'rare').limit(5)
    await expect(query.page({ signal: aborting.signal })).rejects.toThrow('Enough')
    await expect(query.count({ signal: aborting.signal })).rejects.toThrow('Enough')
    expect(sent).toHaveLength(1)
  })

  it('all() refuses more than it may hold', async () => {
    const { backend } = await open(5)
    await expect(backend.where('group', '=', 'g').all({ max: 4 })).rejects.toThrow(ConditionError)
    expect(await backend.where('group', '=', 'g').all({ max: 5 })).toHaveLength(5)
  })
})

it('whole items are checked by the schema where that is chosen, and parts of them are not', async () => {
  const { backend, store } = await open(1, {}, { validate: 'both' })
  const group = backend.where('group', '=', 'g')
  expect(await group.select('kind').all()).toEqual([{ kind: 'usual' }])
  await store({ group: { S: 'g' }, id: { N: '0' }, text: { N: '5' } })
  await expect(group.all()).rejects.toThrow(StoredDataError)
  await expect(backend.find({ group: 'g', id: 0 })).rejects.toThrow(StoredDataError)
})

it('dynamodb D13: a consistent read is never silently another', async () => {
  const { backend, reopen, sent } = await open(3)
  const byKind = { kind: 'usual' } as const
  await expect(backend.where(byKind).select('id').consistent().page()).rejects.toThrow(/"byKind"/)
  await expect(reopen({ consistent: true }).where(byKind).select('id').page()).rejects.toThrow(/"byKind"/)
  expect(sent).toEqual([])
  await backend.where('group', '=', 'g').sortBy('rank').consistent().page()
  await reopen({ consistent: true }).where('group', '=', 'g').count()
  await reopen({ consistent: true }).findMany([{ group: 'g', id: 1 }])
  await reopen({ consistent: true }).find({ group: 'g', id: 1 })
  expect(sent.map(({ input }) => JSON.stringify(input).includes('"ConsistentRead":true'))).toEqual(
    Array(4).fill(true),
  )
})

it('dynamodb D14: create and update give the item in hand, and read nothing again', async () => {
  const { backend, sent } = await open(0)
  const item = { group: 'g', id: 1, kind: 'k', rank: 1 }
  expect(await backend.create(item)).toEqual(item)
  expect(await backend.update({ group: 'g', id: 1 }, { rank: 2 })).toEqual({ ...item, rank: 2 })
  expect(sent.map(({ name }) => name)).toEqual(['PutItem', 'UpdateItem'])
})
