// What is stored already and cannot be read, or does not fit (M4, M5), and versions whatever numbers become (M3).
import { ConflictError, InvalidDataError, StoredDataError } from 'clearskies-middy'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'
import { rejection } from '../../support/rejection.ts'

const tables = useTables()
const key = { id: 'a' }
const definition = {
  key: ['id'],
  schema: z.object({
    id: z.string(),
    title: z.string().min(3),
    n: z.number().optional(),
    rev: z.number().optional(),
    other: z.number().optional(),
  }),
} as const

it.each(['safe', 'bigint', 'string'] as const)(
  'M3: a version is a number with numbers: %s',
  async (numbers) => {
    const { backend } = await tables.open(definition, { version: 'rev', numbers })
    await backend.create({ ...key, title: 'first' })
    const seen = await backend.find(key)
    expect(seen).toEqual({ ...key, title: 'first', rev: 1 })
    await backend.update(key, { title: 'newer' })
    await rejection(backend.update(key, { ...seen, title: 'stale' } as never), ConflictError)
    await rejection(backend.put({ ...key, title: 'stale', rev: 1 }), ConflictError)
    expect(await backend.where('id', '=', 'a').first()).toEqual({ ...key, title: 'newer', rev: 2 })
  },
)

describe('M4: a write that is done is not reported as failed', () => {
  const beyond = { id: { S: 'a' }, title: { S: 'old' }, n: { N: '1' }, other: { N: '9007199254740993' } }

  it('where a column cannot be read', async () => {
    const { backend, store } = await tables.open(definition)
    await store(beyond)
    await rejection(backend.find(key), InvalidDataError)
    expect(await backend.update(key, {}, { add: { n: 1 } })).toEqual({ ...key, title: 'old', n: 2 })
    expect(await rejection(backend.create({ ...key, title: 'new' }), ConflictError)).toMatchObject({
      current: { ...key, title: 'old', n: 2 },
    })
    expect(await backend.delete(key)).toEqual({ ...key, title: 'old', n: 2 })
    expect(await backend.find(key)).toBeUndefined()
  })

  it('where the item does not fit the schema', async () => {
    const { backend, store } = await tables.open(definition, { validate: 'both' })
    const legacy = { ...key, title: 'ab' }
    await store({ id: { S: 'a' }, title: { S: 'ab' } })
    expect(await backend.update(key, { n: 1 })).toEqual({ ...legacy, n: 1 })
    expect(await backend.delete(key)).toEqual({ ...legacy, n: 1 })
    expect(await backend.find(key)).toBeUndefined()
  })
})

describe('M5: a stored item that does not fit', () => {
  it('is the fault of the server, and named by its key', async () => {
    const { backend, store } = await tables.open(definition, { validate: 'both', scan: 'allow' })
    await store({ id: { S: 'a' }, title: { S: 'xy' } })
    for (const read of [
      () => backend.find(key),
      () => backend.findMany([key]),
      () => backend.where('id', '=', 'a').first(),
      () => backend.query().all(),
      () => backend.query().page(),
      () => backend.update(key, {}),
    ]) {
      const error = await rejection(read(), StoredDataError)
      expect(error).toMatchObject({ statusCode: 500, expose: false, key, errors: [{ path: ['title'] }] })
      expect(JSON.stringify([error, error.message])).not.toContain('xy')
    }
    expect(await rejection(backend.create({ ...key, title: 'other' }), ConflictError)).toMatchObject({
      current: { ...key, title: 'xy' },
    })
  })
})
