import { expect } from 'vitest'
import { seededRandom } from './seeded-random.ts'

/** A record of a soak. */
interface Numbered {
  readonly n: number
  readonly key: string
}

/** Work that fails at random, and what it has done. */
export function flakyWork(seed: number, failing: number) {
  const random = seededRandom(seed)
  const isDone = new Set<number>()
  const doneOfKey = new Map<string, number[]>()
  return {
    /** Works a record, or throws. */
    async work({ n, key }: Numbered): Promise<void> {
      for (let turns = Math.floor(random() * 3); turns > 0; turns--)
        await new Promise((resolve) => setImmediate(resolve))
      if (random() < failing) throw new Error(`record ${n}`)
      if (!isDone.has(n)) doneOfKey.set(key, [...(doneOfKey.get(key) ?? []), n])
      isDone.add(n)
    },
    /** Every record was done, for the first time in the order of its key. */
    check(records: readonly Numbered[]): void {
      expect(isDone.size, `seed ${seed}`).toBe(records.length)
      for (const [key, numbers] of doneOfKey)
        expect(numbers, `key ${key}, seed ${seed}`).toEqual(
          records.filter((record) => record.key === key).map(({ n }) => n),
        )
    },
  }
}

/** Records in several keys. */
export function numbered(count: number, keys: number, seed: number): Numbered[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, n) => ({ n, key: `k${Math.floor(random() * keys)}` }))
}
