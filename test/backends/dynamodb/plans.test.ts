// The catalogue of plans: which request a query becomes, without a server.
import {
  ColumnError,
  ConditionError,
  NoIndexError,
  SortError,
  TypeMismatchError,
  model,
} from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { A, explained, open, request, text, things, unused } from '../../support/explained.ts'

describe('planner vectors', () => {
  it('the whole key is a GetItem, also when it is to be consistent', () => {
    for (const query of [A.where('sk', '=', 'B'), A.where('sk', '=', 'B').consistent()]) {
      expect(explained(query).plan.operation).toBe('GetItem')
      expect(request(query)).toMatchObject({ TableName: 'things', Key: { id: { S: 'A' }, sk: { S: 'B' } } })
    }
  })

  it('the whole key and more is a GetItem whose item is checked here', () => {
    const { plan: chosen } = explained(A.where('sk', '=', 'B').where('note', '=', 'x'))
    expect(chosen).toMatchObject({
      operation: 'GetItem',
      check: [{ column: 'note', operator: '=', value: 'x' }],
    })
  })

  it('the partition alone is a Query of the table', () => {
    expect(request(A)).not.toHaveProperty('IndexName')
    expect(text(request(A), 'KeyConditionExpression')).toBe('id = A')
  })

  it("another order is a Query of the local index that has it, backwards for 'desc', consistent where asked", () => {
    const input = request(A.sortBy('age', 'desc').consistent())
    expect(input).toMatchObject({ IndexName: 'l', ScanIndexForward: false, ConsistentRead: true })
  })

  it('M26: a range by one index and an order by another is a Query in that order with a filter', () => {
    const { plan, requests } = explained(A.where('age', '>', 5).sortBy('sk'))
    expect(plan).toMatchObject({ index: undefined, why: expect.stringContaining('using("l")') })
    expect(text(requests[0] ?? {}, 'FilterExpression')).toBe('age > 5')
  })

  it('two bounds are one BETWEEN', () => {
    const input = request(A.where('age', '>=', 5).where('age', '<=', 9))
    expect(input).toMatchObject({ IndexName: 'l' })
    expect(text(input, 'KeyConditionExpression')).toBe('id = A AND age BETWEEN 5 AND 9')
    expect(input).not.toHaveProperty('FilterExpression')
  })

  it('two open bounds are one BETWEEN whose ends are removed here', () => {
    const query = A.where('age', '>', 5).where('age', '<', 9)
    expect(text(request(query), 'KeyConditionExpression')).toBe('id = A AND age BETWEEN 5 AND 9')
    expect(explained(query).plan.check).toEqual([
      { column: 'age', operator: '>', value: 5 },
      { column: 'age', operator: '<', value: 9 },
    ])
  })

  it('bounds that leave no value need no request', () => {
    for (const [low, high] of [
      ['>', '<='],
      ['>=', '<'],
      ['>', '<'],
    ] as const)
      expect(explained(A.where('age', low, 5).where('age', high, 5)).plan.operation).toBe('None')
    expect(explained(A.where('age', '>', 6).where('age', '<', 5))).toMatchObject({ requests: [] })
    expect(explained(A.where('age', '>=', 5).where('age', '<=', 5)).plan.operation).toBe('Query')
  })

  it('an inequality is a filter of the table, where the column is no key', () => {
    const input = request(A.where('age', '!=', 5))
    expect(input).not.toHaveProperty('IndexName')
    expect(text(input, 'FilterExpression')).toBe('age <> 5')
  })

  it('an inequality of the sort key is checked here, for DynamoDB filters no key', () => {
    const query = A.where('sk', '!=', 'B')
    expect(request(query)).not.toHaveProperty('FilterExpression')
    expect(explained(query).plan.check).toEqual([{ column: 'sk', operator: '!=', value: 'B' }])
  })

  it('a list for the sort key is its span, checked here', () => {
    const query = things.where('cat', '=', 'c').where('age', 'in', [2, 1])
    expect(text(request(query), 'KeyConditionExpression')).toBe('cat = c AND age BETWEEN 1 AND 2')
    expect(explained(query).plan).toMatchObject({
      index: 'c',
      check: [{ column: 'age', operator: 'in', value: [2, 1] }],
    })
  })

  it('the table goes before a global index', () => {
    const input = request(things.where('cat', '=', 'c').where('id', '=', 'A'))
    expect(input).not.toHaveProperty('IndexName')
    expect(text(input, 'FilterExpression')).toBe('cat = c')
  })

  it('the inverted index is used, and refused by name where it is to be consistent', () => {
    const query = things.where('sk', '=', 'B')
    expect(request(query)).toMatchObject({ IndexName: 'inv' })
    expect(() => query.consistent().explain()).toThrow(/"inv".*consistently/)
    expect(() => open({ consistent: true }).where('sk', '=', 'B').explain()).toThrow(/"inv".*consistently/)
  })

  it('an index of keys only is refused with the columns that it lacks', () => {
    const query = things.where('note', '=', 'x')
    expect(() => query.explain()).toThrow(ConditionError)
    expect(() => query.explain()).toThrow(/"k".*age, cat/)
    const hydrated = explained(open({ hydrate: true }).where('note', '=', 'x'))
    expect(hydrated.plan).toMatchObject({ operation: 'Query', index: 'k', hydrate: true })
    expect(hydrated.requests[0]?.['ProjectionExpression']).toBe('#1, #2, #0')
  })

  it('an index of keys only is read where it holds what is selected', () => {
    const { plan: chosen, requests } = explained(things.where('note', '=', 'x').select('id', 'note'))
    expect(chosen).toMatchObject({ index: 'k', hydrate: false })
    expect(requests).toHaveLength(1)
  })

  it('several keys are a BatchGetItem, in their order', () => {
    const { plan: chosen, requests } = explained(things.where('id', 'in', ['B', 'A']).where('sk', '=', 'C'))
    expect(chosen.operation).toBe('BatchGetItem')
    const Keys = [
      { id: { S: 'B' }, sk: { S: 'C' } },
      { id: { S: 'A' }, sk: { S: 'C' } },
    ]
    expect(requests).toEqual([{ RequestItems: { things: { Keys } } }])
  })

  it('alternatives that each have a key are a Query each, and have no order', () => {
    const query = things.query().or({ id: 'A' }, { cat: 'c' })
    const { plan: chosen, requests } = explained(query)
    expect(chosen.operation).toBe('Union')
    expect(requests.map(({ IndexName }) => IndexName)).toEqual([undefined, 'c'])
    expect(() => query.sortBy('age').explain()).toThrow(SortError)
  })

  it('no key is an error that names those there are, and a scan where that is allowed', () => {
    const query = things.where('age', '>', 5)
    expect(() => query.explain()).toThrow(NoIndexError)
    expect(() => query.explain()).toThrow(/id, id \(l\), cat \(c\), sk \(inv\), note \(k\)/)
    const scan = open({ scan: 'allow' }).where('age', '>', 5)
    expect(explained(scan).plan.operation).toBe('Scan')
    expect(text(request(scan), 'FilterExpression')).toBe('age > 5')
  })

  it('an undefined value is an error', () => {
    expect(() => A.where('tenant', '=', undefined as never)).toThrow(ConditionError)
    expect(() => A.where({ tenant: undefined })).toThrow(ConditionError)
  })
})

describe('further plans', () => {
  it('a scan of an index of keys only has whole items, or is refused', () => {
    expect(() => open({ scan: 'allow' }).query().using('k').explain()).toThrow(/"k".*does not hold/)
    const { plan: chosen, requests } = explained(
      open({ scan: 'allow', hydrate: true }).where('age', '>', 5).using('k'),
    )
    expect(chosen).toMatchObject({ operation: 'Scan', index: 'k', hydrate: true })
    expect(requests[0]).not.toHaveProperty('FilterExpression')
  })

  it('an index that does not hold the expiry is read only where whole items are fetched', () => {
    const Expiring = model({
      name: 'expiring',
      key: ['id'],
      indexes: { k: { partition: 'note', project: 'keys' } },
      schema: z.object({ id: z.string(), note: z.string(), until: z.number() }),
    })
    const query = (hydrate: boolean) =>
      new DynamoDbBackend(Expiring, { client: unused, ttl: 'until', hydrate })
        .where('note', '=', 'x')
        .select('id')
    expect(() => query(false).explain()).toThrow(/"k".*until/)
    expect(explained(query(true)).plan).toMatchObject({ hydrate: true })
  })

  it('a list with one value twice is read once', () => {
    expect(explained(things.where('id', 'in', ['A', 'B', 'A'])).requests).toHaveLength(2)
    expect(explained(things.where('id', 'in', ['A', 'A'])).plan.operation).toBe('Query')
  })

  it('the named index is used, or refused', () => {
    expect(request(A.using('l'))).toMatchObject({ IndexName: 'l' })
    expect(request(A.where('age', '>', 5).using('table'))).not.toHaveProperty('IndexName')
    expect(() => A.using('other').explain()).toThrow(/no index "other"; it has l, c, inv, k/)
    expect(() => A.using('c').explain()).toThrow(NoIndexError)
  })
})

describe('dynamodb D34: limits of expressions', () => {
  const scanning = open({ scan: 'allow' })
  const notes = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`)

  it('a list of more than 100 values is split', () => {
    const { FilterExpression: filter } = request(A.where('note', 'in', notes(250)))
    const lists = String(filter).match(/IN \([^)]*\)/g) ?? []
    expect(lists.map((list) => list.split(',').length)).toEqual([100, 100, 50])
    expect(String(filter)).toMatch(/^\(#1 IN .* OR #1 IN .*\)$/)
    expect(request(A.where('note', 'not-in', notes(101)))['FilterExpression']).toMatch(/^NOT \(#1 IN/)
  })

  it('an expression of more than 4 KB is refused with its size', () => {
    expect(() => A.where('note', 'in', notes(1000)).explain()).toThrow(/\d{4} bytes.*4096/)
  })

  it('an expression of more than 300 operators is refused with their number', () => {
    const many = (count: number) => scanning.query().or(...notes(count).map((note) => ({ tenant: note })))
    // 150 comparisons, and an OR between each two.
    expect(request(many(150))).toHaveProperty('FilterExpression')
    expect(() => many(151).explain()).toThrow(/301 operators.*300/)
    // 295 of the alternatives, four that say it is there, and an AND.
    expect(request(many(148).where('cat', 'is-not-null'))).toHaveProperty('FilterExpression')
  })

  it('more than 100 keys or partitions are not read one by one', () => {
    expect(() => things.where('id', 'in', notes(101)).explain()).toThrow(NoIndexError)
    expect(() => things.where('id', 'in', notes(51)).where('sk', 'in', ['a', 'b']).explain()).not.toThrow()
  })
})

describe('what is refused before it is planned', () => {
  it('an unknown column, operator or type', () => {
    expect(() => things.where('colour' as 'id', '=', 'x')).toThrow(ColumnError)
    expect(() => things.where('id', '==' as '=', 'x')).toThrow(/no.* operator|not an operator/)
    expect(() => things.where('age', '=', '5' as never).explain()).toThrow(TypeMismatchError)
    expect(() => A.where('active', '=', 'true' as never).explain()).toThrow(TypeMismatchError)
  })
})
