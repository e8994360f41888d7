// Who stores many rows knows whether they are stored, whatever became of the connection.
import { PGlite } from '@electric-sql/pglite'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { model, outcomeOf } from 'clearskies-middy'
import { Kysely, PGliteDialect } from 'kysely'
import { afterAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { embedded } from '../../support/postgres-fault-proxy.ts'
import { rejection } from '../../support/rejection.ts'
import { toldOnPostgres } from '../../support/told-engines.ts'
import { type ToldFault, toldWrites } from '../../support/told-writes.ts'

const pglite = new PGlite()
const kysely = new Kysely<Record<string, Record<string, unknown>>>({ dialect: new PGliteDialect({ pglite }) })
afterAll(() => pglite.close())

const engine = toldOnPostgres('PGlite', () => ({ db: pglite, kysely, open: embedded(pglite) }))
const many = (count: number) =>
  Array.from({ length: count }, (_, id) => ({ id: `${id}`, state: 'open', rev: 1 }))
const create = toldWrites['create']!
const commit = toldWrites['transact']!

type Case = readonly [fault: ToldFault['name'], fate: 'failed' | 'unknown']

async function broken(list: readonly { id: string }[], write: typeof create, fault: ToldFault['name']) {
  const table = await engine.open(undefined)
  table.break(
    write,
    engine.faults.find(({ name }) => name === fault)!,
    true,
  )
  const error = await rejection(table.faulty.jobs.createMany(list), Error)
  // What a server does when a connection ends; the embedded one has a single session that never does.
  await pglite.exec('rollback')
  expect(new Set(table.faults())).toEqual(new Set([fault]))
  return { error, outcome: outcomeOf(error), stored: await table.calm.jobs.query().count() }
}

describe('M1: createMany() of SqlBackend', () => {
  const statement: readonly Case[] = [
    ['throttle', 'failed'],
    ['conflict', 'failed'],
    ['internal', 'unknown'],
    ['reset-before', 'unknown'],
    ['reset-after', 'unknown'],
  ]
  it.each(statement)(
    'tells of one statement after %s to the end that its rows are %s',
    async (fault, fate) => {
      const list = many(3)
      const { error, outcome, stored } = await broken(list, create, fault)
      expect(outcome).toEqual({ done: [], failed: [], unknown: [], [fate]: [0, 1, 2] })
      expect(stored).toBe(fault === 'reset-after' ? 3 : 0)
      expect(error).toMatchObject(fate === 'unknown' ? { name: 'UnavailableError', ambiguous: true } : {})
    },
  )

  const parts: readonly Case[] = [
    ['throttle', 'failed'],
    ['reset-after', 'failed'],
  ]
  const ends: readonly Case[] = [
    ['conflict', 'failed'],
    ['reset-before', 'unknown'],
    ['reset-after', 'unknown'],
  ]
  it.each([
    ...parts.map(([fault, fate]) => ['insert', fault, fate, create] as const),
    ...ends.map(([fault, fate]) => ['commit', fault, fate, commit] as const),
  ])(
    'tells of several statements whose %s meets %s that their rows are %s',
    async (_, fault, fate, write) => {
      const list = many(10_001)
      const { outcome, stored } = await broken(list, write, fault)
      expect(outcome?.[fate]).toHaveLength(10_001)
      expect(stored).toBe(write === commit && fault === 'reset-after' ? 10_001 : 0)
    },
  )

  it('tells that nothing is stored where there is no table, no database or no valid item', async () => {
    const definition = { key: ['id'], schema: z.object({ id: z.string(), secret: z.string() }) } as const
    const list = [1, 2].map((id) => ({ id: String(id), secret: 's3cr3t' }))
    const missing = new SqlBackend(model({ name: 'missing', ...definition }), { db: pglite })
    const none = new SqlBackend(model({ name: 'missing', ...definition }), {
      db: () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })),
    })
    for (const backend of [missing, none]) {
      const error = await rejection(backend.createMany(list), Error)
      expect(outcomeOf(error)).toEqual({ done: [], failed: [0, 1], unknown: [] })
      expect(error.message).not.toContain('s3cr3t')
    }
    const invalid = await rejection(missing.createMany([list[0]!, { id: '3' } as never]), Error)
    expect(outcomeOf(invalid)).toEqual({ done: [], failed: [0, 1], unknown: [] })
    expect(await missing.createMany([])).toEqual([])
  })
})
