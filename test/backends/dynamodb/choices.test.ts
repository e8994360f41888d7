// Which key or index a query is read from where several could give it, and what is said about it.
import { NoIndexError, SortError, TypeMismatchError, model } from 'clearskies-middy'
import { DynamoDbBackend, type DynamoDbOptions } from 'clearskies-middy/backends/dynamodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { A, explained, open, request, text, things, unused } from '../../support/explained.ts'

/** Three paths by one partition: the table, a global index in front of a local one, and an index by two columns. */
const Post = model({
  name: 'posts',
  key: ['id', 'sk'],
  indexes: {
    global: { partition: 'id', sort: 'score', local: false },
    local: { partition: 'id', sort: 'age' },
    tagged: { partition: 'id', sort: 'tag' },
    keys: { partition: 'id', sort: 'rank', project: 'keys' },
    wide: { partition: ['cat', 'kind'], sort: ['score', 'age'] },
  },
  schema: z.object({
    id: z.string(),
    sk: z.string(),
    age: z.number(),
    score: z.number(),
    rank: z.number(),
    tag: z.string(),
    cat: z.string(),
    kind: z.string(),
    big: z.bigint(),
    raw: z.instanceof(Uint8Array),
  }),
})
const openPosts = (options: DynamoDbOptions = {}) => new DynamoDbBackend(Post, { client: unused, ...options })
const posts = openPosts()
const mine = posts.where('id', '=', 'A')
const indexOf = (query: { explain(): unknown }): string => explained(query).plan.index ?? 'table'
const messageOf = (query: { explain(): unknown }): string => {
  try {
    query.explain()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('It was planned')
}

describe('of several paths the narrowest is read', () => {
  it.each([
    ['table', mine],
    ['local', mine.where('age', '>', 5)],
    ['local', mine.where('age', '=', 5).where('sk', 'between', ['a', 'b'])],
    ['local', mine.where('age', 'between', [1, 5]).where('sk', '>', 'a')],
    ['local', mine.where('age', '>', 1).where('age', '<', 5).where('sk', '>', 'a')],
    ['table', mine.where('age', '>', 5).where('sk', '>', 'a')],
    ['table', mine.where('age', '>', 5).where('sk', 'begins-with', 'a')],
    ['table', mine.where('age', '>', 5).where('sk', 'between', ['a', 'b'])],
    ['global', mine.where('score', '>', 5)],
    ['global', mine.where('score', '=', 5).where('age', '>', 5)],
    ['local', mine.where('score', '>', 5).where('age', '>', 5)],
    ['local', mine.where('score', '=', 5).where('age', '=', 5)],
    ['local', mine.where('score', '>', 5).where('age', '=', 5)],
    ['tagged', mine.where('tag', 'begins-with', 'a').where('sk', '>', 'b')],
    ['table', mine.where('tag', '>', 'a').where('sk', 'begins-with', 'b')],
    ['table', mine.where('score', '!=', 5)],
    ['table', mine.where('rank', '>', 5)],
    ['keys', mine.where('rank', '>', 5).select('id', 'sk')],
    ['keys', mine.where('rank', '>', 5).using('keys').select('rank')],
  ])('%s', (index, query) => {
    expect(indexOf(query)).toBe(index)
  })

  it('an index of two columns takes what its keys can say, up to the first that is no value', () => {
    const wide = posts.where('cat', '=', 'c').where('kind', '=', 'k')
    const key = (query: typeof wide) => text(request(query), 'KeyConditionExpression')
    expect(key(wide)).toBe('cat = c AND kind = k')
    expect(key(wide.where('score', '=', 1))).toBe('cat = c AND kind = k AND score = 1')
    expect(key(wide.where('score', '=', 1).where('age', '>', 2))).toBe(
      'cat = c AND kind = k AND score = 1 AND age > 2',
    )
    expect(key(wide.where('score', '>', 1).where('age', '=', 2))).toBe('cat = c AND kind = k AND score > 1')
    expect(key(wide.where('age', '=', 2))).toBe('cat = c AND kind = k')
    expect(key(wide.where('score', '!=', 1).where('age', '=', 2))).toBe('cat = c AND kind = k')
  })

  it('half of a partition is none, but for a list of values of the other half', () => {
    expect(() => posts.where('cat', '=', 'c').explain()).toThrow(NoIndexError)
    expect(() => posts.where('cat', 'in', ['c', 'd']).where('kind', 'in', ['k', 'l']).explain()).toThrow(
      NoIndexError,
    )
    const { plan, requests } = explained(posts.where('cat', 'in', ['c', 'd']).where('kind', '=', 'k'))
    expect([plan.operation, plan.why]).toEqual(['Union', '"cat" is one of 2 values'])
    expect(requests.map((input) => text(input, 'KeyConditionExpression'))).toEqual([
      'cat = c AND kind = k',
      'cat = d AND kind = k',
    ])
    expect(messageOf(posts.where('cat', '=', 'c'))).toContain('cat and kind (wide)')
  })
})

describe('an order', () => {
  it.each([
    ['table', mine.sortBy('sk')],
    ['local', mine.sortBy('age', 'desc')],
    ['local', mine.where('age', '>', 5).sortBy('age')],
    ['global', mine.where('score', '>', 5).sortBy('score')],
    ['table', mine.sortBy('id')],
    ['local', mine.where('age', '=', 5).sortBy('age')],
    ['table', mine.where('sk', '>', 'a').where('age', '>', 5).sortBy('sk')],
    ['table', mine.where('age', '>', 5).sortBy('sk').using('table')],
  ])('is that of a path: %s', (index, query) => {
    expect(indexOf(query)).toBe(index)
  })

  it('that no path has is refused with those there are', () => {
    expect(messageOf(mine.sortBy('kind'))).toBe(
      'No key or index of posts with this partition is sorted by "kind"; they are sorted by sk, score, age, tag',
    )
    const Plain = model({ name: 'plain', key: ['id'], schema: z.object({ id: z.string(), age: z.number() }) })
    const plain = new DynamoDbBackend(Plain, { client: unused, scan: 'allow' })
    expect(() => plain.where('id', '=', 'A').sortBy('age').explain()).not.toThrow()
    expect(messageOf(plain.query().sortBy('age'))).toBe(
      'Without a fixed partition the items of plain have no order to sort by "age"',
    )
  })

  it('M26: by one path and a range by another is read by its order, and says which index would narrow it', () => {
    const byTable = explained(mine.where('age', '>', 5).sortBy('sk'))
    expect(byTable.plan).toMatchObject({ operation: 'Query', index: undefined })
    expect(byTable.plan.why).toContain('using("local")')
    expect(text(byTable.requests[0] ?? {}, 'FilterExpression')).toBe('age > 5')
    const byIndex = explained(mine.where('sk', '>', 'a').sortBy('age'))
    expect(byIndex.plan).toMatchObject({ index: 'local', filter: [{ column: 'sk' }] })
    expect(() => mine.where('age', '=', 5).sortBy('score').explain()).not.toThrow()
  })

  it('is none where a query is read in parts', () => {
    const query = things.where('cat', 'in', ['c', 'd']).sortBy('age')
    expect(() => query.explain()).toThrow(SortError)
    expect(messageOf(query)).toBe('things is read in 2 parts here, which have no order by "age" together')
  })

  it('is none of several whole keys, and of no matter for one', () => {
    const keys = A.where('sk', 'in', ['a', 'b']).sortBy('sk')
    expect([explained(keys).plan.operation, text(request(keys), 'KeyConditionExpression')]).toEqual([
      'Query',
      'id = A AND sk BETWEEN a AND b',
    ])
    expect(explained(A.where('sk', '=', 'a').sortBy('sk')).plan.operation).toBe('GetItem')
  })
})

describe('whole keys', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, index) => `i${index}`)

  it('are at most 100, and of no other index', () => {
    expect(explained(A.where('sk', 'in', ids(100))).plan.operation).toBe('BatchGetItem')
    expect(explained(A.where('sk', 'in', ids(101))).plan.operation).toBe('Query')
    const product = things.where('id', 'in', ids(10)).where('sk', 'in', ids(10))
    expect(explained(product).requests).toMatchObject([
      { RequestItems: { things: { Keys: { length: 100 } } } },
    ])
    expect(explained(A.where('sk', '=', 'B').using('table')).plan.operation).toBe('GetItem')
    expect(explained(A.where('sk', '=', 'B').using('l'))).toMatchObject({
      plan: { operation: 'Query', index: 'l' },
    })
  })
})

describe('parts', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, index) => `i${index}`)

  it('are at most 100', () => {
    expect(explained(things.where('cat', 'in', ids(100))).requests).toHaveLength(100)
    expect(() => things.where('cat', 'in', ids(101)).explain()).toThrow(NoIndexError)
    const either = (count: number) => things.query().or(...ids(count).map((id) => ({ cat: id })))
    expect(explained(either(100)).requests).toHaveLength(100)
    expect(() => either(101).explain()).toThrow(NoIndexError)
  })

  it('of parts are one list', () => {
    const { plan, requests } = explained(things.where('cat', 'in', ['c', 'd']).or({ age: 1 }, { age: 2 }))
    expect(plan.operation).toBe('Union')
    expect(requests.map((input) => text(input, 'KeyConditionExpression'))).toEqual(['cat = c', 'cat = d'])
    const nested = explained(things.query().or({ id: 'A' }, (query) => query.where('cat', 'in', ['c', 'd'])))
    expect(nested.requests).toHaveLength(3)
  })

  it('that none can meet are left out, and a query of only such ones sends nothing', () => {
    const some = things.query().or({ id: 'A' }, { id: '' })
    expect(explained(some).requests).toHaveLength(1)
    const none = explained(things.query().or({ id: '' }, { cat: '' }))
    expect([none.plan.operation, none.requests]).toEqual(['None', []])
  })

  it('M26: that an index cannot serve are scanned where that is allowed, and else refused for what it lacks', () => {
    const scanning = open({ scan: 'allow' })
    expect(explained(scanning.query().or({ note: 'x' }, { id: 'A' })).plan.operation).toBe('Scan')
    expect(() => things.query().or({ note: 'x' }, { id: 'A' }).explain()).toThrow(/"k" does not hold/)
    expect(explained(scanning.query().or({ age: 1 }, { id: 'A' })).plan.operation).toBe('Scan')
  })
})

describe('alternatives', () => {
  it('of which one always holds are none, and one alone is a condition', () => {
    const always = A.or((query) => query.where('age', 'not-in', []), { age: 5 })
    expect(request(always)).not.toHaveProperty('FilterExpression')
    expect(text(request(A.or({ note: 'x' })), 'FilterExpression')).toBe('note = x')
    expect(
      text(request(A.or({ note: 'x' }, (query) => query.where('age', 'in', []))), 'FilterExpression'),
    ).toBe('note = x')
  })

  it('of a type that a key has not are refused', () => {
    expect(() => A.or({ age: '5' as never }, { age: 6 }).explain()).toThrow(TypeMismatchError)
  })
})

describe('why', () => {
  it.each<[string, { explain(): unknown }]>([
    ['"id" is fixed in the table', mine],
    ['"id" is fixed and "sk" narrowed in the table', mine.where('sk', '>', 'a')],
    ['"id" is fixed and "age" narrowed in the index local', mine.where('age', '>', 5)],
    ['"cat", "kind" is fixed in the index wide', posts.where('cat', '=', 'c').where('kind', '=', 'k')],
    [
      '"cat", "kind" is fixed and "score", "age" narrowed in the index wide',
      posts.where('cat', '=', 'c').where('kind', '=', 'k').where('score', '=', 1).where('age', '>', 1),
    ],
    ['the whole key is given', mine.where('sk', '=', 'a')],
    ['no item can meet the conditions', mine.where('sk', '=', '')],
    ['no "sk" meets the conditions', mine.where('sk', '>', 'b').where('sk', '<', 'a')],
    ['each alternative has a key or index', things.query().or({ id: 'A' }, { cat: 'c' })],
    ['no partition is fixed, and scans are allowed', openPosts({ scan: 'allow' }).query()],
  ])('%s', (why, query) => {
    expect(explained(query).plan.why).toBe(why)
  })
})

describe('a list', () => {
  const filter = (column: 'age' | 'big' | 'raw', values: readonly unknown[]) => {
    const input = request(mine.where(column, 'in', values as never))
    return (text(input, 'FilterExpression') ?? text(input, 'KeyConditionExpression'))?.replace(
      'id = A AND ',
      '',
    )
  }

  it('has each value once, whatever its type', () => {
    expect(filter('age', [1, 2, 1])).toBe('age BETWEEN 1 AND 2')
    expect(filter('age', [1, 1])).toBe('age = 1')
    expect(filter('big', [1n, 1n, 2n])).toBe('big IN (1, 2)')
    expect(filter('big', [1n, 1])).toBe('big = 1')
    expect(filter('raw', [new Uint8Array([1]), new Uint8Array([1]), new Uint8Array([2])])).toBe(
      'raw IN (1, 2)',
    )
  })
})

describe('a scan', () => {
  const scanning = open({ scan: 'allow' })

  it('of the table filters all; of an index it checks here what that does not hold', () => {
    expect(explained(scanning.where('age', '>', 5)).plan).toMatchObject({ operation: 'Scan', check: [] })
    const keys = open({ scan: 'allow', hydrate: true }).query().using('k')
    const both = keys.where('age', '>', 5).where('id', '!=', 'A')
    expect(explained(both).plan.check).toEqual([{ column: 'age', operator: '>', value: 5 }])
    expect(
      text(
        request({ explain: () => ({ requests: explained(both).requests.slice(0, 1) }) }),
        'FilterExpression',
      ),
    ).toBe('id <> A')
    expect(request(scanning.query())).not.toHaveProperty('ScanIndexForward')
  })

  it('counts, with the expiry beside the conditions', () => {
    const Expiring = model({
      name: 'expiring',
      key: ['id'],
      schema: z.object({ id: z.string(), age: z.number(), until: z.number() }),
    })
    const query = new DynamoDbBackend(Expiring, { client: unused, ttl: 'until', scan: 'allow' }).where(
      'age',
      '>',
      5,
    )
    expect(request(query)['FilterExpression']).toBe('#0 > :0 AND (attribute_not_exists(#1) OR #1 > :1)')
  })
})

it('an unknown index is refused with those there are, or with none', () => {
  const Plain = model({ name: 'plain', key: ['id'], schema: z.object({ id: z.string() }) })
  const plain = new DynamoDbBackend(Plain, { client: unused })
  expect(messageOf(plain.query().using('x'))).toBe('plain has no index "x"; it has none')
})

it('what a part has given by whole keys is left out of the next', () => {
  const { plan } = explained(
    things.query().or((query) => query.where('id', '=', 'A').where('sk', '=', 'B'), { id: 'A' }),
  ) as unknown as { plan: { parts: { except: unknown }[] } }
  const given = [
    { column: 'id', operator: '=', value: 'A' },
    { column: 'sk', operator: '=', value: 'B' },
  ]
  expect(plan.parts.map(({ except }) => except)).toEqual([[], [[{ or: [given] }]]])
})

it('alternatives of which an index holds a part are checked on whole items', () => {
  const query = open({ hydrate: true }).where('note', '=', 'x').or({ id: 'A' }, { age: 5 })
  expect(explained(query).plan).toMatchObject({
    index: 'k',
    filter: [],
    check: [{ or: expect.any(Array) as unknown }],
  })
})

it('what a column contains need not be of its type', () => {
  expect(() => A.where('note', 'contains', 5 as never).explain()).not.toThrow()
})
