// The catalogue of page tokens (D3 to D8), in the order of its numbers.
import { InvalidTokenError } from 'clearskies-middy'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'

const tables = useTables()

const definition = {
  key: ['group', 'id'],
  schema: z.object({
    group: z.string(),
    id: z.number(),
    kind: z.string(),
    rank: z.number(),
  }),
  indexes: {
    byRank: { partition: 'group', sort: 'rank' },
    byKind: { partition: 'kind', sort: 'rank' },
  },
} as const

const ids = (found: readonly { id: number }[]) => found.map(({ id }) => id)

async function open(count: number, options = {}) {
  const opened = await tables.open(definition, options)
  await opened.backend.batch({
    put: Array.from({ length: count }, (_, id) => ({ group: 'g', id, kind: 'k', rank: id % 3 })),
  })
  opened.sent.length = 0
  return opened
}

/** All items, read in pages. */
async function inPages<TItem>(query: {
  after(token: string | undefined): { page(): Promise<{ items: TItem[]; next?: string }> }
}): Promise<TItem[]> {
  const seen: TItem[] = []
  let after: string | undefined
  do {
    const page = await query.after(after).page()
    seen.push(...page.items)
    after = page.next
  } while (after !== undefined)
  return seen
}

describe('dynamodb D3: a page that is cut to its limit goes on behind its last item', () => {
  it.each([1, 2, 3, 7])('by an index with equal places, in pages of %i', async (limit) => {
    const { backend } = await open(10)
    const query = backend.where('kind', '=', 'k').sortBy('rank', 'desc')
    const seen = ids(await inPages(query.limit(limit)))
    expect(seen.map((id) => id % 3)).toEqual([2, 2, 2, 1, 1, 1, 0, 0, 0, 0])
    expect(seen, 'as in one page').toEqual(ids(await query.all()))
  })

  it('where conditions leave items out, and only columns that are no keys are read', async () => {
    const { backend } = await open(10, { scan: 'allow' })
    const query = backend.where('kind', '=', 'k').where('id', '!=', 4).select('kind').limit(2)
    expect(await inPages(query)).toEqual(Array(9).fill({ kind: 'k' }))
    expect(await inPages(backend.query().select('kind').limit(2))).toHaveLength(10)
  })

  it('where several reads are joined', async () => {
    const { backend } = await open(10)
    const query = backend.query().or({ group: 'g', rank: 1 }, { kind: 'k' }, { group: 'g', id: 3 }).limit(3)
    expect(ids(await inPages(query)).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})

it('dynamodb D4: keys that are not selected are read for the token, and not given', async () => {
  const { backend, sent } = await open(3)
  const page = await backend.where('kind', '=', 'k').select('kind').limit(1).page()
  expect(page.items).toEqual([{ kind: 'k' }])
  const { ProjectionExpression: projection, ExpressionAttributeNames: names } = sent[0]?.input ?? {}
  const read = String(projection).replace(/#\d+/g, (alias) => (names as Record<string, string>)[alias] ?? '')
  expect(read.split(', ').toSorted()).toEqual(['group', 'id', 'kind', 'rank'])
})

it('dynamodb D5: a last page that is full has no next', async () => {
  const { backend } = await open(4)
  const query = backend.where('group', '=', 'g')
  expect(await query.limit(4).page()).not.toHaveProperty('next')
  expect(await query.limit(3).page()).toHaveProperty('next')
  expect(await query.sortBy('rank').limit(4).page()).not.toHaveProperty('next')
})

describe.each([
  ['bound by a hash', {}],
  ['signed', { tokenSecret: 'secret of tokens and more' }],
  ['encrypted', { tokenSecret: 'secret of tokens and more', encryptTokens: true }],
])('tokens %s', (_, options) => {
  it('dynamodb D6: that were altered are refused before anything is sent', async () => {
    const { backend, sent } = await open(3, options)
    const query = backend.where('group', '=', 'g').limit(1)
    const { next = '' } = await query.page()
    sent.length = 0
    const middle = next.length >> 1
    const flipped = next.slice(0, middle) + (next[middle] === 'A' ? 'B' : 'A') + next.slice(middle + 1)
    for (const altered of [flipped, `${next}A`, next.slice(4), next.slice(0, -4), `${next}.x`]) {
      const error: unknown = await query
        .after(altered)
        .page()
        .catch((thrown: unknown) => thrown)
      expect(error, altered).toBeInstanceOf(InvalidTokenError)
      expect(error).toMatchObject({ statusCode: 400, expose: true })
    }
    expect(sent).toEqual([])
  })

  it('dynamodb D7: of another query, table, index, order or scope are refused', async () => {
    const { backend, sent } = await open(3, options)
    const query = backend.where('group', '=', 'g').limit(1)
    const { next } = await query.page()
    const other = await open(3, options)
    sent.length = 0
    const others = [
      backend.where('group', '=', 'h'),
      query.where('kind', '=', 'k'),
      query.sortBy('id', 'desc'),
      query.using('byRank'),
      backend.where('kind', '=', 'k'),
      other.backend.where('group', '=', 'g'),
      query.where('rank', '=', 1n as never),
    ]
    for (const one of others) await expect(one.after(next).page()).rejects.toThrow(InvalidTokenError)
    expect([...sent, ...other.sent]).toEqual([])
    expect(ids((await query.limit(2).after(next).page()).items), 'with another limit').toEqual([1, 2])
    expect((await query.select('kind').after(next).page()).items, 'with other columns').toEqual([
      { kind: 'k' },
    ])
  })

  it('dynamodb D8: that are none are refused, and never the first page', async () => {
    const { backend, sent } = await open(3, options)
    const query = backend.where('group', '=', 'g').limit(1)
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    for (const wrong of [
      '',
      '.',
      'null',
      encoded(null),
      encoded([null]),
      `${encoded([])}.`,
      'é',
      'A'.repeat(20_000),
    ])
      await expect(query.after(wrong).page(), wrong.slice(0, 20)).rejects.toThrow(InvalidTokenError)
    await expect(query.after(5 as never).page()).rejects.toThrow(InvalidTokenError)
    expect(sent).toEqual([])
  })
})

describe('dynamodb D8: keys keep their types inside of a token', () => {
  it.each([
    ['numbers beyond 2^53', z.bigint(), [9007199254740993n, 9007199254740994n, 9007199254740995n]],
    ['fractions', z.number(), [0.1, 0.25, 1e21]],
    ['bytes', z.instanceof(Uint8Array), [0, 1, 2].map((last) => new Uint8Array([255, 0, last]))],
    ['text', z.string(), ['"', 'é', '😀']],
  ] as [string, z.ZodType<string | number | bigint | Uint8Array>, (string | number)[]][])(
    '%s',
    async (_, sort, values) => {
      const { backend } = await tables.open({
        key: ['group', 'sort'],
        schema: z.object({ group: z.string(), sort }),
      })
      await backend.batch({ put: values.map((value) => ({ group: 'g', sort: value })) })
      const found = await inPages(backend.where('group', '=', 'g').limit(1))
      expect(found.map((item) => item.sort)).toEqual(values)
      const keys = values.map((value) => ({ group: 'g', sort: value }))
      expect((await backend.findMany(keys)).map((item) => item?.sort)).toEqual(values)
    },
  )

  it('and an encrypted one does not show them', async () => {
    const { backend } = await open(3, { tokenSecret: 'secret of tokens and more', encryptTokens: true })
    const { next = '' } = await backend.where('group', '=', 'g').limit(1).page()
    expect(Buffer.from(next, 'base64url').toString('latin1')).not.toMatch(/group|kind/)
    await expect(tables.open(definition, { encryptTokens: true })).rejects.toThrow(TypeError)
  })
})
