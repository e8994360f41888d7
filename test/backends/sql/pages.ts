import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { InvalidDataError, TypeMismatchError, model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { sql } from 'kysely'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import { countRows, createNumbered, createSqlTable } from '../../support/sql-tables.ts'
import type { TableBackend } from '../contract/contract.ts'
import type { TestedSql } from './contract.ts'

const numbered = z.object({ id: z.number(), n: z.number() })
type Numbered = z.output<typeof numbered>

const taskModel = () =>
  model({
    name: uniqueName('tasks'),
    key: ['list', 'id'],
    schema: z.object({
      list: z.string(),
      id: z.number(),
      due: z.number().optional(),
      done: z.boolean().optional(),
    }),
  })

/** Orders and pages, and how conditions are put into SQL. */
export function sqlPages({ engine, pool, kysely }: TestedSql): void {
  const open = async () => {
    const definition = taskModel()
    await createSqlTable(kysely(), engine, definition)
    return new SqlBackend(definition, { db: pool() })
  }

  describe('M27: a loop over 200,000 rows', () => {
    const count = 200_000
    const numbers = model({ name: uniqueName('numbers'), key: ['id'], schema: numbered })
    /** What a loop reads at a time, and one row more, which tells that there are others. */
    const page = 501
    let counted: ReturnType<typeof countRows>
    let rows: TableBackend<Numbered, Numbered, Pick<Numbered, 'id'>>
    beforeAll(async () => {
      await createNumbered(kysely(), engine, { name: numbers.name, count })
      counted = countRows(kysely())
      rows = new SqlBackend(numbers, { db: counted.kysely })
    })
    const queries = () => [rows.query(), rows.query().sortBy('n', 'desc'), rows.where('n', '>', 2)]

    it('that breaks after the first has sent one statement, and was given one page', async () => {
      expect(await rows.query().count()).toBe(count)
      for (const query of queries()) {
        counted.rows()
        counted.statements()
        for await (const { id } of query) {
          expect(id).toBeGreaterThanOrEqual(0)
          break
        }
        expect(counted.statements()).toBe(1)
        expect(counted.rows()).toBe(page)
      }
    })

    it('never was given more than a page beyond what it has passed on', async () => {
      for (const query of queries()) {
        counted.rows()
        let [given, passed] = [0, 0]
        for await (const _item of query) {
          given += counted.rows()
          expect(given - passed).toBeLessThanOrEqual(page + Math.floor(passed / (page - 1)))
          if (++passed === 2000) break
        }
        expect(passed).toBe(2000)
      }
    })

    it('holds the items of one page', async () => {
      setFlagsFromString('--expose-gc')
      const collectGarbage = runInNewContext('gc') as () => void
      const passed: WeakRef<object>[] = []
      for await (const item of rows.query()) {
        passed.push(new WeakRef(item))
        if (passed.length <= 10 * page) continue
        // What a WeakRef was made of lives until the end of the turn.
        await setImmediate()
        collectGarbage()
        const alive = passed.filter((reference) => reference.deref() !== undefined)
        expect(alive.length).toBeLessThanOrEqual(page)
        break
      }
      expect(passed.length).toBe(10 * page + 1)
    })
  })

  describe('pages', () => {
    let tasks: Awaited<ReturnType<typeof open>>
    // Ties, and rows without a value, in no order of their own.
    const dues = [2, undefined, 1, 2, undefined, 3, 1, undefined, 2]
    beforeEach(async () => {
      tasks = await open()
      await tasks.createMany(
        dues.map((due, index) => ({ list: 'a', id: (index * 4) % 9, ...(due !== undefined && { due }) })),
      )
    })

    const expected = (direction: 'asc' | 'desc') => {
      const sign = direction === 'asc' ? 1 : -1
      return dues
        .map((due, index) => ({ due, id: (index * 4) % 9 }))
        .sort((a, b) => {
          if ((a.due === undefined) !== (b.due === undefined)) return a.due === undefined ? 1 : -1
          return sign * ((a.due ?? 0) - (b.due ?? 0) || a.id - b.id)
        })
        .map(({ id }) => id)
    }

    it.each(
      (['asc', 'desc'] as const).flatMap((direction) =>
        [1, 2, 3, 4, 8, 9, 10].map((limit) => [direction, limit] as const),
      ),
    )(
      'sorted %s by a column with ties and gaps have every row once (%i a page)',
      async (direction, limit) => {
        const query = tasks.query().sortBy('due', direction).limit(limit)
        const seen: number[] = []
        let after: string | undefined
        do {
          const page: { items: { id: number }[]; next?: string } = await query.after(after).page()
          seen.push(...page.items.map(({ id }) => id))
          after = page.next
        } while (after !== undefined)
        expect(seen).toEqual(expected(direction))
      },
    )

    it('neither double nor miss a row when others come and go between them', async () => {
      const query = tasks.query().sortBy('due').limit(3)
      const first = await query.page()
      const ids = first.items.map(({ id }) => id)
      // One that was read goes, the very last of the page; one comes in front, and one behind.
      await tasks.delete({ list: 'a', id: ids[2] as number })
      await tasks.create({ list: 'a', id: 100, due: 0 })
      await tasks.create({ list: 'a', id: 101, due: 2.5 })
      const rest: number[] = []
      for await (const { id } of query.limit(100).after(first.next)) rest.push(id)
      const left = expected('asc').filter((id) => !ids.includes(id))
      const [withDue, without] = [left.slice(0, -3), left.slice(-3)]
      expect(rest).toEqual([...withDue.slice(0, -1), 101, ...withDue.slice(-1), ...without])
    })

    it('go on exactly where times are finer than those of JavaScript', async () => {
      const definition = model({
        name: uniqueName('logs'),
        key: ['id'],
        schema: z.object({ id: z.number(), at: z.date().optional() }),
      })
      const { name } = definition
      const type = sql.raw(engine === 'mysql' ? 'datetime(6)' : 'timestamptz')
      const db = kysely()
      await sql`create table ${sql.table(name)} (id integer primary key, at ${type})`.execute(db)
      for (const id of [0, 1, 2, 3, 4, 5])
        await sql`insert into ${sql.table(name)} values (${id}, ${`2024-02-29 12:00:00.12345${9 - id}`})`.execute(
          db,
        )
      const logs = new SqlBackend(definition, { db: pool() })
      for (const direction of ['asc', 'desc'] as const) {
        const seen: number[] = []
        let after: string | undefined
        do {
          const page = await logs.query().sortBy('at', direction).limit(2).after(after).page()
          for (const item of page.items) {
            expect(Object.keys(item)).toEqual(['id', 'at'])
            seen.push(item.id)
          }
          after = page.next
        } while (after !== undefined)
        expect(seen).toEqual(direction === 'asc' ? [5, 4, 3, 2, 1, 0] : [0, 1, 2, 3, 4, 5])
      }
    })
  })

  describe('what is meant to be SQL', () => {
    let tasks: Awaited<ReturnType<typeof open>>
    beforeAll(async () => {
      tasks = await open()
      await tasks.createMany([
        { list: 'a', id: 1 },
        { list: `x' or '1'='1`, id: 2 },
        { list: '100%_!\\', id: 3 },
      ])
    })

    it.each([
      `' or '1'='1`,
      `a'; drop table tasks; --`,
      'a\\',
      '\\',
      '"',
      '`',
      '%',
      '_',
      '!',
      '$1',
      '?',
      ':id',
    ])('is nothing but text in a value: %s', async (text) => {
      const { length: count } = [`x' or '1'='1`, '100%_!\\', 'a'].filter((list) => list.includes(text))
      expect(await tasks.where('list', '=', text).all()).toEqual([])
      expect(await tasks.where('list', 'in', [text]).count()).toBe(0)
      expect(await tasks.where('list', 'contains', text).count()).toBe(count)
      expect(await tasks.find({ list: text, id: 1 })).toBeUndefined()
      await tasks.create({ list: text, id: 9 })
      expect(await tasks.delete({ list: text, id: 9 })).toEqual({ list: text, id: 9 })
      expect(await tasks.query().count()).toBe(3)
    })

    it.each(['id" = 1 or 1=1 --', 'id; drop table tasks', '*', 'list`', '1', 'id as x', 'tasks.id'])(
      'is no column: %s',
      async (column) => {
        const name = column as 'id'
        expect(() => tasks.where(name, '=', 1)).toThrow(/has no column/)
        expect(() => tasks.query().sortBy(name)).toThrow(/has no column/)
        expect(() => tasks.query().select(name)).toThrow(/has no column/)
        const key = { list: 'a', id: 1 }
        await expect(tasks.update(key, { [column]: 1 })).rejects.toThrow(/has no column/)
        await expect(
          tasks.update(key, { due: 1 }, { when: (query) => query.where(name, '=', 1) }),
        ).rejects.toThrow(/has no column/)
        expect(await tasks.find({ ...key, [column]: 2 })).toEqual(key)
      },
    )

    it('is refused in a value of another type than the column’s, which MySQL would turn into it', async () => {
      for (const value of [0, true, { list: 'a' }, ['a'], new Date()]) {
        await rejection(tasks.where('list', '=', value as never).all(), TypeMismatchError)
        await rejection(tasks.where('list', 'in', [value] as never).all(), TypeMismatchError)
        await rejection(tasks.find({ list: value, id: 1 } as never), TypeMismatchError)
        await rejection(tasks.delete({ list: value, id: 1 } as never), TypeMismatchError)
      }
      await rejection(tasks.where('id', '=', '1' as never).all(), TypeMismatchError)
      await rejection(tasks.where('done', '=', 1 as never).all(), TypeMismatchError)
      await rejection(tasks.find({ list: 'a', id: null } as never), InvalidDataError)
      expect(await tasks.query().count()).toBe(3)
    })

    it('is shown by explain(), with its parameters apart', async () => {
      const { requests } = await tasks.where('list', '=', 'a').sortBy('due', 'desc').limit(3).explain()
      expect(requests).toMatchObject([{ parameters: expect.arrayContaining(['a']) }])
      expect((requests[0] as { sql: string }).sql).toMatch(
        /^select .* where .* order by .due. desc( nulls last)?, /,
      )
    })
  })
}
