import { ConflictError, NotFoundError } from 'clearskies-middy'
import { beforeEach, describe, expect, it } from 'vitest'
import { counterModel } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase, TableBackend } from './contract.ts'

interface Counter {
  id: string
  count: number
  note?: string | undefined
  version?: number | undefined
  expires?: number | undefined
}

const key = { id: 'a' }
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

/** Versions, and items that expire. */
export function lockingContract({ open, flags }: ContractCase): void {
  let counters: TableBackend<Counter, Counter, { id: string }>

  describe('with a version', () => {
    beforeEach(async () => {
      counters = await open(counterModel(), { version: 'version' })
    })

    it('counts from 1, and on with each change', async () => {
      expect(await counters.create({ id: 'a', count: 0 })).toEqual({ id: 'a', count: 0, version: 1 })
      expect(await counters.update(key, { count: 1 })).toEqual({ id: 'a', count: 1, version: 2 })
      expect(await counters.update(key, { count: 2, version: 2 })).toEqual({ id: 'a', count: 2, version: 3 })
      expect(await counters.update(key, { count: 3 }, { expect: 3 })).toEqual({
        id: 'a',
        count: 3,
        version: 4,
      })
      expect(await counters.find(key)).toEqual({ id: 'a', count: 3, version: 4 })
    })

    it('starts at 1 whatever a new item says', async () => {
      expect(await counters.create({ id: 'a', count: 0, version: 7 })).toMatchObject({ version: 1 })
      expect(await counters.update({ id: 'b' }, { count: 1 }, { upsert: true })).toEqual({
        id: 'b',
        count: 1,
        version: 1,
      })
      expect(await counters.put({ id: 'c', count: 0 })).toMatchObject({ version: 1 })
    })

    it('does not count what changes nothing', async () => {
      await counters.create({ id: 'a', count: 0 })
      expect(await counters.update(key, {})).toMatchObject({ version: 1 })
      expect(await counters.update(key, { version: 1 })).toMatchObject({ version: 1 })
    })

    it('refuses a write over a newer item, with that item', async () => {
      await counters.create({ id: 'a', count: 0 })
      const current = await counters.update(key, { count: 1 })
      for (const run of [
        () => counters.update(key, { count: 5, version: 1 }),
        () => counters.update(key, { count: 5 }, { expect: 1 }),
        () => counters.update(key, { version: 1 }),
        () => counters.put({ id: 'a', count: 5, version: 1 }),
        () => counters.put({ id: 'a', count: 5 }, { expect: 1 }),
        () => counters.put({ id: 'a', count: 5 }),
        () => counters.delete(key, { expect: 1 }),
      ]) {
        const error = await rejection(run(), ConflictError)
        expect(error).toMatchObject({ statusCode: 409, ambiguous: false })
        expect(error.current).toEqual(current)
      }
      expect(await counters.find(key)).toEqual(current)
    })

    it('takes the version that is expected before the one of the patch', async () => {
      await counters.create({ id: 'a', count: 0 })
      expect(await counters.update(key, { count: 1, version: 9 }, { expect: 1 })).toMatchObject({
        version: 2,
      })
    })

    it('replaces and deletes what was seen last', async () => {
      const made = await counters.create({ id: 'a', count: 0, note: 'x' })
      expect(await counters.put({ id: 'a', count: 1, version: made.version })).toEqual({
        id: 'a',
        count: 1,
        version: 2,
      })
      expect(await counters.delete(key, { expect: 2 })).toEqual({ id: 'a', count: 1, version: 2 })
    })

    it('finds no item where a version of one is expected', async () => {
      await rejection(counters.update(key, { count: 1 }, { expect: 1 }), NotFoundError)
      await rejection(counters.put({ id: 'a', count: 1, version: 1 }), NotFoundError)
      await rejection(counters.delete(key, { expect: 1 }), NotFoundError)
    })

    it('lets one of ten racers win', async () => {
      await counters.create({ id: 'a', count: 0 })
      const races = await Promise.allSettled(
        Array.from({ length: 10 }, (_, count) => counters.update(key, { count, version: 1 })),
      )
      const won = races.filter((race) => race.status === 'fulfilled')
      expect(won).toHaveLength(1)
      expect(await counters.find(key)).toEqual(won[0]?.value)
      for (const race of races)
        if (race.status === 'rejected') expect(race.reason).toBeInstanceOf(ConflictError)
    })

    it.runIf(flags.isWhole)('loses no increment of writers that try again', async () => {
      await counters.create({ id: 'a', count: 0 })
      const increment = async (): Promise<void> => {
        const { count = 0, version } = (await counters.find(key)) ?? {}
        await counters.update(key, { count: count + 1, version }).catch(async (error: unknown) => {
          if (!(error instanceof ConflictError)) throw error
          await increment()
        })
      }
      await Promise.all(Array.from({ length: 5 }, increment))
      expect(await counters.find(key)).toEqual({ id: 'a', count: 5, version: 6 })
    })
  })

  describe.runIf(flags.expires)('with a time to expire', () => {
    beforeEach(async () => {
      counters = await open(counterModel(), { ttl: 'expires', scan: 'allow' })
    })

    it('takes an item whose time is up for none', async () => {
      const old = { id: 'a', count: 1, expires: inSeconds(-5) }
      const fresh = { id: 'b', count: 2, expires: inSeconds(500) }
      const lasting = { id: 'c', count: 3 }
      await counters.createMany([old, fresh, lasting])
      expect(await counters.find(key)).toBeUndefined()
      expect(await counters.findMany([key, { id: 'b' }, { id: 'c' }])).toEqual([undefined, fresh, lasting])
      expect(await counters.where('id', '=', 'a').all()).toEqual([])
      expect(await counters.where('id', 'in', ['a', 'b']).all()).toEqual([fresh])
      expect(await counters.query().count()).toBe(2)
      expect((await counters.query().all()).map(({ id }) => id).toSorted()).toEqual(['b', 'c'])
    })

    it('lets a new one take its place', async () => {
      await counters.create({ id: 'a', count: 1, note: 'old', expires: inSeconds(-5) })
      await rejection(counters.update(key, { count: 2 }), NotFoundError)
      await rejection(counters.delete(key, { mustExist: true }), NotFoundError)
      expect(await counters.create({ id: 'a', count: 2 })).toEqual({ id: 'a', count: 2 })
      expect(await counters.find(key)).toEqual({ id: 'a', count: 2 })
    })

    it('makes a new one with upsert, in which nothing of it remains', async () => {
      await counters.create({ id: 'a', count: 1, note: 'old', expires: inSeconds(-5) })
      expect(await counters.update(key, { count: 2 }, { upsert: true })).toEqual({ id: 'a', count: 2 })
      expect(await counters.find(key)).toEqual({ id: 'a', count: 2 })
      expect(await counters.update(key, { count: 3 }, { upsert: true })).toEqual({ id: 'a', count: 3 })
    })

    it('gives nothing for an expired one that is deleted', async () => {
      await counters.create({ id: 'a', count: 1, expires: inSeconds(-5) })
      expect(await counters.delete(key)).toBeUndefined()
    })
  })
}
