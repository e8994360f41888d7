import {
  ColumnError,
  ConditionError,
  ConflictError,
  InvalidDataError,
  NotFoundError,
  ValidationError,
  model,
} from 'clearskies-middy'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase, TableBackend } from './contract.ts'

const schema = z.object({
  id: z.string(),
  n: z.number().optional(),
  big: z.bigint().optional(),
  text: z.string().optional(),
  tags: z.array(z.string()).optional(),
  inner: z
    .object({
      n: z.number().optional(),
      big: z.bigint().optional(),
      text: z.string().optional(),
      tags: z.array(z.string()).optional(),
      deep: z.object({ n: z.number() }).optional(),
    })
    .optional(),
  rev: z.number().optional(),
})
type Counter = z.output<typeof schema>

/** `add` and `append`, in columns and in members of them. */
export function additionContract({ open, flags }: ContractCase): void {
  describe('add and append', () => {
    let counters: TableBackend<Counter, Counter, Pick<Counter, 'id'>>
    const id = { id: 'a' }
    beforeEach(async () => {
      counters = await open(model({ name: uniqueName('counters'), key: ['id'], schema }), {})
    })

    it('Y9: numbers are added to columns, which begin at 0', async () => {
      await counters.create({ ...id, n: 1 })
      expect(await counters.update(id, {}, { add: { n: 2.5 } })).toEqual({ ...id, n: 3.5 })
      expect(await counters.update(id, { text: 'x' }, { add: { n: -1, big: 7n } })).toEqual({
        ...id,
        n: 2.5,
        big: 7n,
        text: 'x',
      })
      await counters.update(id, {}, { add: { big: 2n } })
      expect(await counters.find(id)).toEqual({ ...id, n: 2.5, big: 9n, text: 'x' })
    })

    it('Y9: elements are appended to lists, which begin empty', async () => {
      await counters.create(id)
      await counters.update(id, {}, { append: { tags: ['a'] } })
      expect(await counters.update(id, {}, { append: { tags: ['b', 'a'] }, add: { n: 1 } })).toEqual({
        ...id,
        n: 1,
        tags: ['a', 'b', 'a'],
      })
    })

    it('Y9: members of columns are added and appended to', async () => {
      await counters.create({ ...id, inner: { text: 'x', deep: { n: 1 } } })
      await counters.update(
        id,
        {},
        { add: { 'inner.n': 5, 'inner.big': 1n }, append: { 'inner.tags': ['a'] } },
      )
      // Types go two levels deep, and paths as deep as the schema does.
      const deeper: object = { 'inner.deep.n': 1 }
      const changed = await counters.update(
        id,
        {},
        {
          add: { 'inner.n': 0.5, 'inner.big': 2n, ...deeper },
          append: { 'inner.tags': ['b'] },
        },
      )
      expect(changed).toEqual({
        ...id,
        inner: { text: 'x', deep: { n: 2 }, n: 5.5, big: 3n, tags: ['a', 'b'] },
      })
      expect(await counters.find(id)).toEqual(changed)
      expect(await counters.where('id', '=', 'a').where('inner.n', '=', 5.5).count()).toBe(1)
    })

    it.runIf(flags.isWhole)('Y9: of many that add at once, each counts', async () => {
      await counters.create({ ...id, inner: {} })
      await Promise.all(
        Array.from({ length: 20 }, () => counters.update(id, {}, { add: { n: 1, 'inner.n': 1 } })),
      )
      expect(await counters.find(id)).toEqual({ ...id, n: 20, inner: { n: 20 } })
    })

    it('Y9: what should be around a member has to be there', async () => {
      await counters.create({ ...id, text: 'x' })
      await rejection(counters.update(id, {}, { add: { 'inner.n': 1 } }), InvalidDataError)
      await rejection(
        counters.update(id, { text: 'y' }, { append: { 'inner.tags': ['a'] } }),
        InvalidDataError,
      )
      await rejection(
        counters.update({ id: 'b' }, {}, { add: { 'inner.n': 1 }, upsert: true }),
        InvalidDataError,
      )
      expect(await counters.find(id)).toEqual({ ...id, text: 'x' })
      expect(await counters.find({ id: 'b' })).toBeUndefined()
    })

    it('Y9: what cannot be added to is refused, and nothing changed', async () => {
      await counters.create({ ...id, n: 1, text: 'x', tags: ['a'], inner: { text: 'x' } })
      const refused = [
        [{ add: { text: 1 } }, ValidationError],
        [{ add: { 'inner.text': 1 } }, ValidationError],
        [{ append: { tags: [5] } }, ValidationError],
        [{ add: { nope: 1 } }, ColumnError],
        [{ add: { 'inner.nope': 1 } }, ColumnError],
        [{ add: { id: 1 } }, ValidationError],
        [{ add: { n: 'one' } }, ConditionError],
        [{ append: { 'tags.0': ['x'] } }, ConditionError],
        [{ add: { inner: 1 } }, ValidationError],
      ] as const
      for (const [options, kind] of refused)
        await rejection(counters.update(id, {}, options as never), kind).catch((error: unknown) => {
          throw new Error(JSON.stringify(options), { cause: error })
        })
      await rejection(counters.update(id, { n: 2 }, { add: { n: 1 } }), ConditionError)
      expect(await counters.find(id)).toEqual({ ...id, n: 1, text: 'x', tags: ['a'], inner: { text: 'x' } })
      await rejection(counters.update({ id: 'none' }, {}, { add: { n: 1 } }), NotFoundError)
    })

    it('Y9: conditions and upserts go with additions', async () => {
      expect(await counters.update(id, {}, { add: { n: 1 }, append: { tags: ['a'] }, upsert: true })).toEqual(
        {
          ...id,
          n: 1,
          tags: ['a'],
        },
      )
      const when = (query: ReturnType<typeof counters.query>) => query.where('n', '<', 2)
      expect(await counters.update(id, {}, { add: { n: 1 }, when, upsert: true })).toMatchObject({ n: 2 })
      await rejection(counters.update(id, {}, { add: { n: 1 }, when }), ConflictError)
      expect(await counters.find(id)).toMatchObject({ n: 2 })
    })

    it('Y9: a version counts additions', async () => {
      const versioned = await open(model({ name: uniqueName('counters'), key: ['id'], schema }), {
        version: 'rev',
      })
      await versioned.create(id)
      expect(await versioned.update(id, {}, { add: { n: 1 }, expect: 1 })).toEqual({ ...id, n: 1, rev: 2 })
      await rejection(versioned.update(id, {}, { add: { n: 1 }, expect: 1 }), ConflictError)
    })
  })
}
