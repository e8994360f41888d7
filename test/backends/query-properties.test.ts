// What a query gives is what a filter over all items would, whatever the table, its indexes and the pages.
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { PGlite } from '@electric-sql/pglite'
import { MemoryBackend } from 'clearskies-middy/backends/memory'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { useDynamoDb } from '../support/engines.ts'
import { meant } from '../support/query-oracle.ts'
import { createSqlTable } from '../support/sql-tables.ts'
import {
  type AnyCase,
  type AnyItem,
  type AnyQuery,
  asked,
  cases,
  memoryOf,
  modelOf,
} from '../support/random-tables.ts'
import { runs } from '../support/runs.ts'
import { sameAsMemory, writesToDynamoDb } from './dynamodb/query-property.ts'
import { withoutNulls, writesAreMeant } from './contract/write-property.ts'
import { type Queried, chain, checkedQuery, sorted } from './contract/query-property.ts'

const seed = 20_260_729
/** All of them are many thousands of queries. */
const timeout = 1_800_000
const dynamoDb = useDynamoDb()
const pglite = new PGlite()
afterAll(() => pglite.close())

/** dynalite finds no boolean in a list. */
const isUnlike = ({ where, or }: AnyQuery): boolean =>
  [...where, ...or.flat()].some(
    ([column, operator]) => ['f', 'o.f'].includes(column) && operator.endsWith('in'),
  )

interface Rows extends Queried {
  createMany(items: readonly AnyItem[]): Promise<unknown>
}

/** Queries of a database that needs no index give what a filter over all items gives, whole and in pages. */
async function givesWhatIsMeant(whole: number, open: (one: AnyCase) => Promise<Rows>): Promise<void> {
  const property = fc.asyncProperty(cases, async (one) => {
    const rows = await open(one)
    await rows.createMany(one.items)
    for (const query of one.queries) {
      const { index: _, select: __, ...all } = query
      const made = asked(rows.query(), all)
      const found = await made.all()
      expect(sorted(found.map(withoutNulls))).toEqual(sorted(meant(one, all).map(withoutNulls)))
      expect(await made.count()).toBe(found.length)
      expect(await chain(made, 2)).toEqual(found)
    }
  })
  await fc.assert(property, { seed, numRuns: runs(whole) })
}

describe('any query on any table', () => {
  it(
    'gives from memory what a filter over all items gives, in pages of every size',
    async () => {
      const property = fc.asyncProperty(cases, async (one) => {
        const tables = memoryOf(one)
        await tables.createMany(one.items)
        const limits = [1, 2, 5, one.items.length + 1]
        for (const query of one.queries) await checkedQuery(tables, one, query, limits)
      })
      await fc.assert(property, { seed, numRuns: runs(2500) })
    },
    timeout,
  )

  it(
    'gives the same from PostgreSQL, which needs no index',
    () =>
      givesWhatIsMeant(1000, async (one) => {
        const random = modelOf(one.shape)
        const rows = new SqlBackend(random, { db: pglite })
        await createSqlTable(await rows.kysely, 'postgres', random)
        return rows
      }),
    timeout,
  )

  it(
    'gives the same from memory that stands for a SQL database',
    () =>
      givesWhatIsMeant(2500, (one) =>
        Promise.resolve(new MemoryBackend(modelOf(one.shape), { like: 'sql' })),
      ),
    timeout,
  )

  it(
    'gives the same from DynamoDB, or the same error',
    async () => {
      await sameAsMemory(dynamoDb.client, { seed, numRuns: runs(60), isUnlike })
    },
    timeout,
  )
})

describe('any writes to any table come to what is meant', () => {
  it(
    'in memory',
    () =>
      writesAreMeant({
        seed,
        numRuns: runs(1000),
        hasChanges: true,
        open: (one) => Promise.resolve(memoryOf(one)),
      }).then(atLeast(runs(1000))),
    timeout,
  )

  it(
    'in PostgreSQL',
    () =>
      writesAreMeant({
        seed,
        numRuns: runs(200),
        hasChanges: false,
        async open(one) {
          const random = modelOf(one.shape)
          const rows = new SqlBackend(random, { db: pglite })
          await createSqlTable(await rows.kysely, 'postgres', random)
          return rows
        },
      }).then(atLeast(runs(200))),
    timeout,
  )

  it(
    'in DynamoDB',
    () => writesToDynamoDb(dynamoDb.client, { seed, numRuns: runs(200) }).then(atLeast(runs(200))),
    timeout,
  )
})

const atLeast = (least: number) => (count: number) => {
  expect(count).toBeGreaterThan(5 * least)
}
