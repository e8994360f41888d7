import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { model } from 'clearskies-middy'
import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import { uniqueName } from '../../support/contract-models.ts'
import { createTableOf } from '../../support/dynamodb-tables.ts'
import { type AnyQuery, cases, memoryOf, modelOf } from '../../support/random-tables.ts'
import { items } from '../../support/random-values.ts'
import { checkedQuery, sorted } from '../contract/query-property.ts'
import { writesAreMeant } from '../contract/write-property.ts'

/** How often, and without what. */
export interface PropertyOptions<T> {
  readonly seed: number
  readonly numRuns: number
  /** What the engine does in another way than DynamoDB. */
  readonly isUnlike?: (one: T) => boolean
}

/** Random queries on random tables give the same from DynamoDB as from memory, or the same error. */
export async function sameAsMemory(
  client: DynamoDBClient,
  { seed, numRuns, isUnlike = () => false }: PropertyOptions<AnyQuery>,
): Promise<void> {
  const property = fc.asyncProperty(cases, async (one) => {
    const random = modelOf(one.shape)
    await createTableOf(client, random, { x: 'B' })
    const tables = new DynamoDbBackend(random, { client, scan: one.scan })
    const memory = memoryOf(one)
    await Promise.all([tables.createMany(one.items), memory.createMany(one.items)])
    for (const query of one.queries) {
      if (isUnlike(query)) continue
      const found = await checkedQuery(tables, one, query, [1, 2, one.items.length + 1])
      expect(sorted(found)).toEqual(sorted(await checkedQuery(memory, one, query, [])))
    }
  })
  await fc.assert(property, { seed, numRuns })
}

/** Random writes to DynamoDB come to what is meant. Gives how many there were. */
export function writesToDynamoDb(
  client: DynamoDBClient,
  { seed, numRuns }: { readonly seed: number; readonly numRuns: number },
): Promise<number> {
  return writesAreMeant({
    seed,
    numRuns,
    hasChanges: true,
    async open(one) {
      const random = modelOf(one.shape)
      await createTableOf(client, random, { x: 'B' })
      return new DynamoDbBackend(random, { client, consistent: true })
    },
  })
}

interface Holder {
  readonly id: string
  readonly value?: object
}

/** Takes everything as it is: schemas mostly drop a member named `__proto__`. */
const schema: StandardSchemaV1<Holder> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) => ({ value: value as Holder }),
  },
}

/** Random items come back from DynamoDB as they were given, stored whole or by an update. */
export async function comeBack(
  client: DynamoDBClient,
  { seed, numRuns, isUnlike = () => false }: PropertyOptions<object>,
): Promise<void> {
  const definition = model({
    name: uniqueName('values'),
    key: ['id'],
    schema,
    columns: ['id', 'value'],
  })
  await createTableOf(client, definition)
  const values = new DynamoDbBackend(definition, { client, consistent: true })
  const property = fc.asyncProperty(items, async ({ given, back }) => {
    if (isUnlike(given)) return
    await values.put({ id: 'a', value: given })
    expectSame(await values.find({ id: 'a' }), { id: 'a', value: back })
    expectSame(await values.update({ id: 'a' }, { value: given }), { id: 'a', value: back })
  })
  await fc.assert(property, { seed, numRuns })
}

/** `toEqual` takes members named `constructor` for something else. */
export function expectSame(one: unknown, other: unknown): void {
  if (!isDeepStrictEqual(one, other)) expect(one).toEqual(other)
  expect(isDeepStrictEqual(one, other)).toBe(true)
}
