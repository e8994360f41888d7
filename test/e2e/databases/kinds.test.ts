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
})
