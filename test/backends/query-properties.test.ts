// What a query gives is what a filter over all items would, whatever the table, its indexes and the pages.
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { useDynamoDb } from '../support/engines.ts'
import { type AnyQuery, cases, memoryOf } from '../support/random-tables.ts'
import { runs } from '../support/runs.ts'
import { sameAsMemory } from './dynamodb/query-property.ts'
import { checkedQuery } from './contract/query-property.ts'

const seed = 20_260_729
const dynamoDb = useDynamoDb()

/** dynalite finds no boolean in a list. */
const isUnlike = ({ where, or }: AnyQuery): boolean =>
  [...where, ...or.flat()].some(([column, operator]) => column === 'f' && operator.endsWith('in'))

describe('any query on any table', () => {
  it('gives from memory what a filter over all items gives, in pages of every size', async () => {
    const property = fc.asyncProperty(cases, async (one) => {
      const tables = memoryOf(one)
      await tables.createMany(one.items)
      const limits = Array.from({ length: one.items.length + 1 }, (_, index) => index + 1)
      for (const query of one.queries) await checkedQuery(tables, one, query, limits)
    })
    await fc.assert(property, { seed, numRuns: runs(400) })
  })

  it('gives the same from DynamoDB, or the same error', async () => {
    await sameAsMemory(dynamoDb.client, { seed, numRuns: runs(60), isUnlike })
  })
})
