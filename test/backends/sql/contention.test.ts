// Conflicts of snapshot isolation (M9), as the engine itself reports them.
import { PGlite } from '@electric-sql/pglite'
import { ConflictError, model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rejection } from '../../support/rejection.ts'

const pglite = new PGlite()
const rows = new SqlBackend(
  model({ name: 'rows', key: ['id'], schema: z.object({ id: z.string(), n: z.number() }) }),
  { db: pglite },
)

beforeAll(async () => {
  // A sequence is not undone with its statement, so it counts the attempts.
  await pglite.exec(`
    create table rows (id text primary key, n int);
    create sequence attempts;
    create function collide() returns trigger language plpgsql as $$
      begin
        if nextval('attempts') <= new.n then raise exception 'collision' using errcode = '40001'; end if;
        return new;
      end $$;
    create trigger collides before insert or update on rows for each row execute function collide();`)
})
afterAll(() => pglite.close())

/** Lets the next write collide with others so many times as its "n" says. */
const restart = () => pglite.exec('alter sequence attempts restart')

describe('M9: a collision of snapshots', () => {
  it('is tried again for statements of the backend', async () => {
    await restart()
    expect(await rows.create({ id: 'a', n: 2 })).toEqual({ id: 'a', n: 2 })
    await restart()
    expect(await rows.update({ id: 'a' }, { n: 3 })).toEqual({ id: 'a', n: 3 })
    await restart()
    expect(await rows.put({ id: 'a', n: 1 })).toEqual({ id: 'a', n: 1 })
  })

  it('that stays is a conflict', async () => {
    await restart()
    const error = await rejection(rows.update({ id: 'a' }, { n: 1000 }), ConflictError)
    expect(error).toMatchObject({ statusCode: 409, cause: { code: '40001' } })
    expect(await rows.find({ id: 'a' })).toEqual({ id: 'a', n: 1 })
  })

  it('within a transaction of the caller is a conflict, and its function runs once', async () => {
    await restart()
    let runs = 0
    const transaction = rows.transaction(async (within) => {
      runs++
      await within.update({ id: 'a' }, { n: 2 })
    })
    await rejection(transaction, ConflictError)
    expect(runs).toBe(1)
  })
})
