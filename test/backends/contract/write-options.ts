import { ConditionError, ConflictError, model } from 'clearskies-middy'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { counterModel, uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase, TableBackend } from './contract.ts'

const key = { id: 'a' }

interface Counter {
  id: string
  count: number
  note?: string | undefined
  version?: number | undefined
}

/** What the options of writes may say: versions that were seen, and nothing that would be left out in silence. */
export function optionContract({ open }: ContractCase): void {
  describe('M3: a version', () => {
    let counters: TableBackend<Counter, Counter, { id: string }>
    beforeEach(async () => {
      counters = await open(counterModel(), { version: 'version' })
      await counters.create({ ...key, count: 0 })
      await counters.update(key, { count: 1 })
    })
    const stored = { ...key, count: 1, version: 2 }

    it.each([undefined, null, Number.NaN, '1', '2', 1.5, -1, true, Infinity, 2 ** 60, {}, new Date()])(
      'that is none is refused as "expect": %s',
      async (expected) => {
        const options = { expect: expected } as never
        for (const run of [
          () => counters.update(key, { count: 5 }, options),
          () => counters.update(key, {}, options),
          () => counters.update({ id: 'new' }, { count: 5 }, Object.assign({ upsert: true }, options)),
          () => counters.put({ ...key, count: 5 }, options),
          () => counters.delete(key, options),
        ])
          expect(await rejection(run(), ConditionError)).toMatchObject({ statusCode: 400 })
        expect(await counters.find(key)).toEqual(stored)
        expect(await counters.find({ id: 'new' })).toBeUndefined()
      },
    )

    it.each([null, Number.NaN, '1', '2', 1.5, -1, true, 2 ** 60])(
      'that is none is refused in a patch: %s',
      async (version) => {
        const patch = { count: 5, version } as never
        await rejection(counters.update(key, patch), ConditionError)
        await rejection(counters.update(key, patch, { upsert: true }), ConditionError)
        expect(await counters.find(key)).toEqual(stored)
      },
    )

    it('of 0 is never any version', async () => {
      await rejection(counters.update(key, { count: 5 }, { expect: 0 }), ConflictError)
      await rejection(counters.update(key, { count: 5, version: 0 }), ConflictError)
      await rejection(counters.put({ ...key, count: 5, version: 0 }), ConflictError)
      await rejection(counters.put({ ...key, count: 5 }, { expect: 0 }), ConflictError)
      await rejection(counters.delete(key, { expect: 0 }), ConflictError)
      expect(await counters.find(key)).toEqual(stored)
      expect(await counters.put({ id: 'new', count: 5, version: 0 })).toMatchObject({ version: 1 })
    })

    it('is the same as a number and as a bigint', async () => {
      await rejection(counters.update(key, { count: 5 }, { expect: 1n }), ConflictError)
      await rejection(counters.delete(key, { expect: 1n }), ConflictError)
      expect(await counters.update(key, { count: 5 }, { expect: 2n })).toMatchObject({ version: 3 })
      expect(await counters.put({ ...key, count: 6 }, { expect: 3n })).toMatchObject({ count: 6 })
      expect(Number((await counters.find(key))?.version)).toBe(4)
    })
  })

  describe('M3: a version that the schema declares as a bigint', () => {
    const bigModel = () =>
      model({
        name: uniqueName('big-versions'),
        key: ['id'],
        schema: z.object({ id: z.string(), title: z.string(), rev: z.bigint().optional() }),
      })

    it('locks what was read', async () => {
      const items = await open(bigModel(), { version: 'rev' })
      expect(await items.create({ ...key, title: 'first' })).toEqual({ ...key, title: 'first', rev: 1n })
      const seen = await items.find(key)
      expect(seen).toEqual({ ...key, title: 'first', rev: 1n })
      const stale = { ...key, title: 'stale', rev: 1n }
      await items.update(key, { title: 'newer' })
      await rejection(items.update(key, stale as never), ConflictError)
      await rejection(items.put(stale), ConflictError)
      await rejection(items.delete(key, { expect: 1n }), ConflictError)
      expect(await items.put({ ...stale, rev: 2n })).toEqual({ ...key, title: 'stale', rev: 3n })
      expect(await items.update(key, { title: 'last', rev: 3n })).toEqual({ ...key, title: 'last', rev: 4n })
    })
  })

  it('M12: put counts in a model of key and version only', async () => {
    const pairs = await open(
      model({
        name: uniqueName('pairs'),
        key: ['id'],
        schema: z.object({ id: z.string(), version: z.number().optional() }),
      }),
      { version: 'version' },
    )
    await pairs.put(key)
    expect(await pairs.put({ ...key, version: 1 })).toEqual({ ...key, version: 2 })
    await rejection(pairs.put({ ...key, version: 1 }), ConflictError)
    expect(await pairs.find(key)).toEqual({ ...key, version: 2 })
  })

  describe('M11: options of a call', () => {
    let counters: TableBackend<Counter, Counter, { id: string }>
    beforeEach(async () => {
      counters = await open(counterModel(), { scan: 'allow' } as never)
      await counters.create({ ...key, count: 0 })
    })
    const never = (query: ReturnType<(typeof counters)['query']>) => query.where('count', '>', 5)

    it('that are misspelled are refused with those that there are, and nothing is written', async () => {
      for (const run of [
        () => counters.update(key, { count: 5 }, { whne: never } as never),
        () => counters.update(key, { count: 5 }, { ad: { count: 1 } } as never),
        () => counters.put({ ...key, count: 5 }, { upsert: true } as never),
        () => counters.delete(key, { mustexist: true } as never),
        () => counters.query().page({ maxpages: 1 } as never),
        () => counters.query().count({ limit: 1 } as never),
        () => counters.query().exists({ limit: 1 } as never),
        () => counters.query().first({ limit: 1 } as never),
        () => counters.query().all({ limit: 1 } as never),
      ])
        await expect(async () => run()).rejects.toThrow(/has no option ".+"; it has /)
      expect(await counters.find(key)).toEqual({ ...key, count: 0 })
    })

    it('that have a wrong value are refused', async () => {
      for (const run of [
        () => counters.update(key, { count: 5 }, { when: { count: 1 } } as never),
        () => counters.delete(key, { mustExist: 'yes' } as never),
        () => counters.query().all({ max: Number.NaN }),
        () => counters.query().page({ maxPages: -1 }),
      ])
        await expect(async () => run()).rejects.toThrow(/has a wrong value/)
      expect(await counters.find(key)).toEqual({ ...key, count: 0 })
    })

    it('demand nothing where "when" adds no condition, which is refused', async () => {
      const lost = (query: ReturnType<(typeof counters)['query']>) => {
        never(query)
        return query
      }
      for (const when of [lost, () => undefined as never]) {
        await rejection(counters.update(key, { count: 5 }, { when }), ConditionError)
        await rejection(counters.put({ ...key, count: 5 }, { when }), ConditionError)
        await rejection(counters.delete(key, { when }), ConditionError)
      }
      expect(await counters.find(key)).toEqual({ ...key, count: 0 })
    })
  })
}
