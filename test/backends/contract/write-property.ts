import fc from 'fast-check'
import { expect } from 'vitest'
import { type AnyCase, type AnyItem, cases } from '../../support/random-tables.ts'
import { type AnyWrite, WriteOracle, type Written, writesOf, written } from '../../support/random-writes.ts'

interface WriteProperty {
  readonly seed: number
  readonly numRuns: number
  /** Whether the backend has changes on what is there: `add`, `append`, `remove`. */
  readonly hasChanges: boolean
  open(one: AnyCase): Promise<Written>
}

/** A table whose indexes are left out, since their columns are never without a value, and writes to it. */
const writeCases = cases.chain(({ shape: { key }, items, scan }) =>
  fc.record({
    one: fc.constant<AnyCase>({ shape: { key, indexes: {} }, items, scan, queries: [] }),
    writes: writesOf(items.length),
  }),
)

/** Random writes come to what an oracle says, each and all together. Gives how many there were. */
export async function writesAreMeant({ seed, numRuns, hasChanges, open }: WriteProperty): Promise<number> {
  let count = 0
  const property = fc.asyncProperty(writeCases, async ({ one, writes }) => {
    const tables = await open(one)
    const oracle = new WriteOracle(one.items)
    for (const write of writes) {
      count++
      const { changes, ...plain } = write
      const asked: AnyWrite = { ...plain, changes: hasChanges ? changes : {} }
      const expected = oracle.apply(asked)
      const outcome = await written(tables, asked, { items: one.items, key: one.shape.key })
      if (typeof expected === 'string' || typeof outcome === 'string') expect(outcome).toBe(expected)
      else expect(outcome && withoutNulls(outcome)).toEqual(expected && withoutNulls(expected))
    }
    for (const [place, item] of one.items.entries()) {
      const key = Object.fromEntries(one.shape.key.map((column) => [column, item[column]]))
      const [found, stored] = [await tables.find(key), oracle.stored(place)]
      expect(found && withoutNulls(found)).toEqual(stored && withoutNulls(stored))
    }
  })
  await fc.assert(property, { seed, numRuns })
  return count
}

/** A column without a value, whether it is null or left out. */
export function withoutNulls(item: AnyItem): AnyItem {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null))
}
