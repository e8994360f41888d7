// Conflicts of snapshot isolation (M9), as the engine itself reports them.
import { PGlite } from '@electric-sql/pglite'
import middy from '@middy/core'
import { ConflictError, backends, model } from 'clearskies-middy'
import { invoke } from 'clearskies-middy/testing'
import { Kysely, type LogEvent, PGliteDialect } from 'kysely'
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
    create function collide_now(n int) returns int language plpgsql as $$
      begin raise exception 'collision' using errcode = '40001'; end $$;
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

  it('within a transaction of the caller is tried again as often as "retries" says', async () => {
    const runsOf = async (collisions: number, retries: number) => {
      await restart()
      let runs = 0
      const write = async (within: Pick<typeof rows, 'update'>) => {
        runs++
        await within.update({ id: 'a' }, { n: collisions })
      }
      const result = await rows.transaction(write, { retries }).then(
        () => 'done',
        (error: unknown) => error,
      )
      return { runs, result }
    }
    expect(await runsOf(2, 2)).toEqual({ runs: 3, result: 'done' })
    expect((await rows.find({ id: 'a' }))?.n).toBe(2)
    const stays = await runsOf(1000, 3)
    expect(stays.runs).toBe(4)
    expect(stays.result).toBeInstanceOf(ConflictError)
    for (const retries of [-1, 1.5, Number.NaN, '2' as never])
      await rejection(
        rows.transaction(() => Promise.resolve(), { retries }),
        TypeError,
      )
    await rejection(
      rows.transaction(() => Promise.resolve(), { retry: 2 } as never),
      TypeError,
    )
  })

  it('within a transaction of several backends is tried again as often as "retries" says', async () => {
    await restart()
    let runs = 0
    const handler = middy()
      .use(backends({ rows }))
      .handler((_: unknown, context) =>
        context.backends.transaction(
          async (within) => {
            runs++
            await within.rows.update({ id: 'a' }, { n: 2 })
          },
          { retries: 2 },
        ),
      )
    await invoke(handler, {})
    expect(runs).toBe(3)
  })

  it('of a read is tried again', async () => {
    await pglite.exec(`create view failing as
      select id, case when nextval('attempts') <= 2 then collide_now(n) else n end as n from rows`)
    const failing = new SqlBackend(
      model({ name: 'failing', key: ['id'], schema: z.object({ id: z.string(), n: z.number() }) }),
      { db: pglite },
    )
    await restart()
    expect(await failing.find({ id: 'a' })).toEqual(await rows.find({ id: 'a' }))
    await restart()
    expect(await failing.query().all()).toEqual([await rows.find({ id: 'a' })])
  })
})

describe('Aurora DSQL, which takes no locks, savepoints, isolation levels and types of JSON', () => {
  it('M9: is sent none of them by the backend itself', async () => {
    // https://docs.aws.amazon.com/aurora-dsql/latest/userguide/working-with-postgresql-compatibility-unsupported-features.html
    const sent: string[] = []
    const log = (event: LogEvent) => void sent.push(event.query.sql)
    const kysely = new Kysely<Record<string, Record<string, unknown>>>({
      dialect: new PGliteDialect({ pglite }),
      log,
    })
    await pglite.exec('create table distributed (id text primary key, list text, data text, rev int)')
    const schema = z.object({
      id: z.string(),
      list: z.array(z.string()).optional(),
      data: z.object({ a: z.number() }).optional(),
      rev: z.number().optional(),
    })
    const backend = new SqlBackend(model({ name: 'distributed', key: ['id'], schema }), {
      db: kysely,
      version: 'rev',
    })
    const item = { id: 'a', list: ['x'], data: { a: 1 }, rev: 1 }
    expect(await backend.create(item)).toEqual(item)
    expect(await backend.where('list', 'contains', 'x').all()).toEqual([item])
    await backend.createMany(Array.from({ length: 20_000 }, (_, id) => ({ id: `n${id}`, list: [] })))
    await backend.update({ id: 'a' }, { list: [] }, { upsert: true })
    await backend.put({ ...item, rev: 2 })
    await backend.findMany([{ id: 'a' }, { id: 'b' }])
    await backend.transaction(async (inside) => {
      await inside.create({ id: 'b' })
      await rejection(inside.create({ id: 'b' }), ConflictError)
      await inside.delete({ id: 'b' })
    })
    expect(sent.length).toBeGreaterThan(8)
    for (const statement of sent)
      expect(statement).not.toMatch(/savepoint|isolation|lock|for update|truncate|temp|::json|as json\b/i)
  })
})
