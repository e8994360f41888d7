// What MySQL compares where the kind of a column is not known (M15): it takes a text for the number at its beginning.
import { model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { createPool } from 'mysql2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { databases } from '../../support/database-servers.ts'

describe.each(databases.filter(({ engine }) => engine === 'mysql'))('$title', ({ port }) => {
  const pool = createPool({ host: '127.0.0.1', user: 'owner', database: 'shop', port })
  const name = uniqueName('sessions').replaceAll('-', '_')
  const sessions = new SqlBackend(
    model({
      name,
      key: ['token'],
      // Schemas that do not tell their kind.
      schema: z.custom<{ token: unknown; level: unknown }>((value) => typeof value === 'object'),
    }),
    { db: pool },
  )
  beforeAll(async () => {
    await pool.promise().query(`create table ${name} (token varchar(64) primary key, level int)`)
    await pool.promise().query(`insert into ${name} values ('abc', 1), ('1abc', 2), ('7', 3)`)
  })
  afterAll(() => pool.promise().end())

  /** What comes of it: what was found, or the name of the error. */
  const outcome = async (work: () => Promise<unknown>): Promise<unknown> => {
    try {
      return await work()
    } catch (error) {
      return (error as Error).name
    }
  }

  it.each([0, 1, false, true])('M15: %j in place of a text finds and removes nothing', async (token) => {
    const found = await outcome(() => sessions.find({ token }))
    expect([undefined, 'TypeMismatchError']).toContain(found)
    const removed = await outcome(() => sessions.delete({ token }))
    expect([undefined, 'TypeMismatchError']).toContain(removed)
    expect(await sessions.query().count()).toBe(3)
  })

  it('M15: a number finds the text that spells it', async () => {
    expect([{ token: '7', level: 3 }, 'TypeMismatchError']).toContainEqual(
      await outcome(() => sessions.find({ token: 7 })),
    )
  })

  it.each(['1abc', '1.5.2', 'abc', ''])('M15: the text %j finds no number', async (level) => {
    const found = await outcome(() => sessions.where('level', '=', level).all({ max: 10 }))
    expect([[], 'TypeMismatchError', 'ConditionError']).toContainEqual(found)
  })

  it('M15: a number and its text find the number', async () => {
    for (const level of [2, '2'])
      expect(await sessions.where('level', '=', level).all({ max: 10 })).toEqual([
        { token: '1abc', level: 2 },
      ])
  })

  it('M15: a text that begins as a number finds itself in a column of text, and in a list', async () => {
    expect(await sessions.where('token', '=', '1abc').count()).toBe(1)
    expect(await sessions.where('token', 'in', ['1abc', 'abc', 'none']).count()).toBe(2)
    expect(await sessions.where('level', 'in', ['1abc', '3']).count()).toBe(1)
  })

  it('M15: a text that begins as a number is another value than a number, also where it is excluded', async () => {
    expect(await sessions.where('level', '!=', '1abc').count()).toBe(3)
    expect(await sessions.where('level', 'not-in', ['1abc', '2x', '3']).count()).toBe(2)
    expect(await sessions.where('token', '!=', '1abc').count()).toBe(2)
    expect(await sessions.where('token', 'not-in', ['1abc', '7up']).count()).toBe(2)
    await pool.promise().query(`insert into ${name} values ('none', null)`)
    expect(await sessions.where('level', '!=', '1abc').count()).toBe(4)
    expect(await sessions.where('level', 'not-in', ['1abc', '9x']).count()).toBe(4)
    await pool.promise().query(`delete from ${name} where token = 'none'`)
  })

  describe('a number with a fraction', () => {
    const types = ['double', 'decimal(10, 2)', 'decimal(40, 20)']
    const opened = async (type: string, schema: z.ZodType, values: readonly string[]) => {
      const table = uniqueName('fractions').replaceAll('-', '_')
      await pool.promise().query(`create table ${table} (id varchar(9) primary key, n ${type})`)
      for (const [id, value] of values.entries())
        await pool.promise().query(`insert into ${table} values ('${id}', ${value})`)
      return new SqlBackend(
        model({ name: table, key: ['id'], schema: z.object({ id: z.string(), n: schema.optional() }) }),
        { db: pool },
      )
    }
    it.each(types)(
      'M15: in a column of the type %s is equal to itself alone, and != gives all others',
      async (type) => {
        for (const schema of [z.number(), z.any()]) {
          const rows = await opened(type, schema, ['0.1', '0.2', '1', 'null'])
          const ids = async (operator: '=' | '!=', value: number) =>
            (await rows.where('n', operator, value).all()).map(({ id }) => id)
          expect(await ids('=', 0.1)).toEqual(['0'])
          expect(await ids('!=', 0.1)).toEqual(['1', '2', '3'])
          expect(await ids('=', 0.3)).toEqual([])
          expect(await ids('!=', 0.1 + 0.2)).toEqual(['0', '1', '2', '3'])
          expect(await rows.where('n', 'not-in', [0.1, 1]).count()).toBe(2)
          expect(await rows.where('n', 'in', [0.1, 0.2, 7.5]).count()).toBe(2)
        }
      },
    )

    it('M15: in a FLOAT is compared as a double, so that != gives the row as well', async () => {
      const rows = await opened('float', z.number(), ['0.1', '0.5'])
      expect(await rows.find({ id: '0' })).toEqual({ id: '0', n: 0.1 })
      expect(await rows.where('n', '=', 0.1).count()).toBe(0)
      expect(await rows.where('n', '!=', 0.1).count()).toBe(2)
      expect(await rows.where('n', '!=', 0.5).count()).toBe(1)
    })
  })

  it('M14: a number that is not finite is refused before a row is written', async () => {
    const table = uniqueName('finite').replaceAll('-', '_')
    await pool.promise().query(`create table ${table} (id varchar(9) primary key, n double)`)
    const rows = new SqlBackend(
      model({ name: table, key: ['id'], schema: z.object({ id: z.string(), n: z.any() }) }),
      { db: pool },
    )
    await rows.create({ id: '1', n: 1 })
    for (const n of [Number.NaN, Infinity, -Infinity]) {
      const error = { name: 'InvalidDataError', message: 'n is no finite number, and MySQL has no others' }
      await expect(rows.create({ id: '2', n })).rejects.toMatchObject(error)
      await expect(
        rows.createMany([
          { id: '3', n: 3 },
          { id: '2', n },
        ]),
      ).rejects.toMatchObject(error)
      await expect(rows.put({ id: '1', n })).rejects.toMatchObject(error)
      await expect(rows.update({ id: '1' }, { n })).rejects.toMatchObject(error)
    }
    expect(await rows.query().all()).toEqual([{ id: '1', n: 1 }])
  })
})
