// Indexes whose keys are of several columns (D35), which the embedded engine does not have: their plans, without a server.
import { NoIndexError, SortError } from 'clearskies-middy'
import { describe, expect, it } from 'vitest'
import { compile } from '../../../src/backends/dynamodb/compile.ts'
import { comparisonOf } from '../../../src/backends/planning/comparison.ts'
import { plan } from '../../../src/backends/planning/plan.ts'
import type { RangeRead } from '../../../src/backends/planning/reads.ts'
import { tableFrom } from '../../../src/backends/planning/table.ts'
import type { Comparison, QueryState } from '../../../src/backends/planning/query-state.ts'

describe('dynamodb D35: indexes of several columns', () => {
  const table = tableFrom(
    {
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: ['id', 'tenant', 'region', 'year', 'month'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S' as const,
      })),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'multi',
          KeySchema: [
            { AttributeName: 'tenant', KeyType: 'HASH' },
            { AttributeName: 'region', KeyType: 'HASH' },
            { AttributeName: 'year', KeyType: 'RANGE' },
            { AttributeName: 'month', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    },
    { columns: undefined, kind: () => undefined, mayLack: () => false },
  )
  const at = (...conditions: [string, Comparison['operator'], unknown][]): QueryState => ({
    conditions: conditions.map((condition) => comparisonOf(...condition)),
  })
  const read = (state: QueryState) => plan(table, state, { scan: 'error', title: 'multi' }) as RangeRead
  const both = [
    ['tenant', '=', 't'],
    ['region', '=', 'r'],
  ] as [string, '=', string][]

  it('all partition columns have to be fixed', () => {
    expect(() => read(at(['tenant', '=', 't']))).toThrow(NoIndexError)
    expect(read(at(...both))).toMatchObject({
      index: 'multi',
      key: [{ column: 'tenant' }, { column: 'region' }],
    })
  })

  it('sort columns narrow down from the left, and only the last one by a range', () => {
    const whole = read(at(...both, ['year', '=', '2026'], ['month', '>', '03']))
    expect(compile(whole, { table: 't' })).toMatchObject({
      IndexName: 'multi',
      KeyConditionExpression: '#0 = :0 AND #1 = :1 AND #2 = :2 AND #3 > :3',
      ExpressionAttributeNames: { '#0': 'tenant', '#1': 'region', '#2': 'year', '#3': 'month' },
    })
    const ranged = read(at(...both, ['year', '>', '2020'], ['month', '=', '03']))
    expect(ranged).toMatchObject({ key: [{}, {}, { column: 'year' }], check: [{ column: 'month' }] })
  })

  it('a gap ends what narrows down, and the rest is checked here', () => {
    expect(read(at(...both, ['month', '=', '03']))).toMatchObject({
      key: [{ column: 'tenant' }, { column: 'region' }],
      filter: [],
      check: [{ column: 'month' }],
    })
  })

  it('the order is by the first column that is not fixed', () => {
    const sorted = (column: string, state: QueryState) =>
      read({ ...state, sort: { column, direction: 'desc' } })
    expect(sorted('year', at(...both))).toMatchObject({ forward: false })
    expect(sorted('month', at(...both, ['year', '=', '2026']))).toMatchObject({ forward: false })
    expect(() => sorted('month', at(...both))).toThrow(SortError)
  })
})
