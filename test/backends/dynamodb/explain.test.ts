// What `explain()` shows is what `page()` sends first (M25).
import type { Query } from 'clearskies-middy'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'

const tables = useTables()

const schema = z.object({
  group: z.string(),
  id: z.number(),
  kind: z.string(),
  rank: z.number(),
  note: z.string().optional(),
  until: z.number().optional(),
})
type Things = Query<z.output<typeof schema>>
const definition = {
  key: ['group', 'id'],
  schema,
  indexes: {
    byRank: { partition: 'group', sort: 'rank' },
    byKind: { partition: 'kind', sort: 'rank', project: ['until'] },
  },
} as const

const queries: Readonly<
  Record<
    string,
    readonly [operation: string, ask: (query: Things) => { explain(): unknown; page(): Promise<unknown> }]
  >
> = {
  'one key': ['GetItem', (query) => query.where({ group: 'g', id: 1 })],
  'one key, consistent': ['GetItem', (query) => query.where({ group: 'g', id: 1 }).consistent()],
  'several keys': ['BatchGetItem', (query) => query.where('group', '=', 'g').where('id', 'in', [1, 2, 99])],
  'a partition': ['Query', (query) => query.where('group', '=', 'g')],
  'a range backwards with a filter': [
    'Query',
    (query) =>
      query.where('group', '=', 'g').where('rank', '>', 1).where('note', 'is-null').sortBy('rank', 'desc'),
  ],
  'a page': ['Query', (query) => query.where('group', '=', 'g').limit(2)],
  'a page of what is filtered': [
    'Query',
    (query) => query.where('group', '=', 'g').where('note', '=', 'x').limit(2),
  ],
  'some columns of an index': ['Query', (query) => query.where('kind', '=', 'k').select('rank')],
  'several partitions': ['Union', (query) => query.where('group', 'in', ['g', 'h'])],
  alternatives: [
    'Union',
    (query) =>
      query
        .or({ group: 'g' }, { group: 'h', id: 1 }, (other) =>
          other.where('kind', '=', 'k').where('id', '>', 0),
        )
        .select('id'),
  ],
  'a scan': ['Scan', (query) => query.where('note', 'is-null')],
  'a scan in segments': ['Scan', (query) => query.where('note', 'is-null').segments(3)],
  nothing: ['None', (query) => query.where('group', 'in', [])],
}

describe('explain()', () => {
  it.each(Object.entries(queries))(
    'M25: shows the very inputs that are sent for %s',
    async (_, [operation, ask]) => {
      for (const options of [{}, { ttl: 'until' }, { onCapacity: () => undefined }]) {
        const { backend, reopen, sent } = await tables.open(definition, { scan: 'allow', ...options })
        await reopen({}).batch({
          put: Array.from({ length: 6 }, (__, id) => ({
            group: id < 4 ? 'g' : 'h',
            id,
            kind: 'k',
            rank: id,
          })),
        })
        sent.length = 0
        const query = ask(backend.query())
        const { plan, requests } = await Promise.resolve(
          query.explain() as { plan: { operation: string }; requests: object[] },
        )
        expect(plan.operation).toBe(operation)
        await query.page()
        expect(sent.map(({ input }) => input).toSorted(bySegment)).toEqual(requests)
      }
    },
  )

  it('M25: shows where a page goes on', async () => {
    const { backend, reopen, sent } = await tables.open(definition, { scan: 'allow' })
    await reopen({}).batch({
      put: Array.from({ length: 6 }, (_, id) => ({ group: 'g', id, kind: 'k', rank: id })),
    })
    for (const query of [
      backend.where('group', '=', 'g').limit(2),
      backend.where('group', '=', 'g').where('id', 'in', [1, 2, 3, 4]).limit(2),
    ]) {
      const { next } = await query.page()
      sent.length = 0
      const { requests } = await query.after(next).explain()
      await query.after(next).page()
      expect(sent.map(({ input }) => input)).toEqual(requests)
    }
  })
})

function bySegment(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): number {
  return Number(a['Segment'] ?? 0) - Number(b['Segment'] ?? 0)
}
