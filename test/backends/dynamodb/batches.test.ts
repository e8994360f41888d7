// The catalogue of throttling and batches (D55 to D59), in the order of its numbers.
import { ConditionError, PartialBatchError, ThrottledError, model } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'

const tables = useTables()

const definition = {
  key: ['group', 'id'],
  schema: z.object({
    group: z.string(),
    id: z.string(),
    text: z.string().optional(),
    count: z.number().optional(),
    rev: z.number().optional(),
  }),
} as const
const key = { group: 'g', id: 'a' }
const many = (count: number, text = 'x') =>
  Array.from({ length: count }, (_, index) => ({ group: 'g', id: String(index).padStart(3, '0'), text }))
const keysOf = (items: readonly { group: string; id: string }[]) =>
  items.map(({ group, id }) => ({ group, id }))

describe('dynamodb D55: throttling', () => {
  it('that does not end is an error of its own', async () => {
    const { backend, proxy } = await tables.openFaulty(definition)
    proxy.plan = () => 'throttle'
    for (const done of [
      () => backend.find(key),
      () => backend.create(key),
      () => backend.update(key, { text: 'x' }),
      () => backend.where('group', '=', 'g').count(),
    ]) {
      const error: unknown = await done().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ThrottledError)
      expect(error).toMatchObject({
        statusCode: 429,
        headers: { 'retry-after': '1' },
        cause: { name: 'ProvisionedThroughputExceededException' },
      })
    }
    expect(proxy.requests).toHaveLength(4 * 3)
  })

  it('in the middle of a page leaves what was read, and the token for the rest', async () => {
    const { backend, calm, proxy } = await tables.openFaulty(definition, {}, 1)
    await calm.batch({ put: many(200) })
    proxy.queue('Query', undefined, 'throttle')
    const query = backend.where('group', '=', 'g').where('text', '!=', 'none').limit(150)
    const narrow = query.where('id', '!=', '000').where('id', '!=', '001')
    const page = await narrow.page()
    expect([page.items.length, page.complete]).toEqual([149, false])
    const rest = await narrow.after(page.next).page()
    expect([...page.items, ...rest.items].map(({ id }) => id)).toEqual(
      keysOf(many(200))
        .slice(2)
        .map(({ id }) => id),
    )
  })

  it('before the first item is an error with the token to go on with', async () => {
    const { backend, calm, proxy } = await tables.openFaulty(definition, {}, 1)
    await calm.batch({ put: [...many(60), { group: 'g', id: 'z', text: 'rare' }] })
    proxy.queue('Query', undefined, 'throttle')
    const query = backend.where('group', '=', 'g').where('text', '=', 'rare').limit(1)
    const error = (await query.page().catch((thrown: unknown) => thrown)) as ThrottledError
    expect(error).toBeInstanceOf(ThrottledError)
    proxy.requests.length = 0
    expect((await query.after(error.next).page()).items).toMatchObject([{ id: 'z' }])
    expect(proxy.requests[0]?.input['ExclusiveStartKey']).toEqual({ group: { S: 'g' }, id: { S: '024' } })
  })

  it('while all are read is that error, and not one of time', async () => {
    const { backend, calm, proxy } = await tables.openFaulty(definition, {}, 1)
    await calm.batch({ put: many(30, 'x'.repeat(90_000)) })
    for (const read of [
      () => backend.where('group', '=', 'g').all(),
      () => backend.where('group', '=', 'g').limit(29).all(),
      () => backend.where('group', '=', 'g').count(),
      () => backend.where('group', '=', 'g').where('id', '!=', 'x').count(),
    ]) {
      let queries = 0
      proxy.plan = () => (queries++ > 0 ? 'throttle' : undefined)
      await expect(read()).rejects.toThrow(ThrottledError)
    }
  })

  it('by another transaction is tried again here, for the client does not', async () => {
    const { backend, proxy } = await tables.openFaulty(definition)
    proxy.queue('PutItem', 'conflict', 'conflict')
    expect(await backend.create(key)).toEqual(key)
    expect(proxy.actions).toEqual(['PutItem', 'PutItem', 'PutItem'])
    proxy.plan = () => 'conflict'
    await expect(backend.update(key, { text: 'x' })).rejects.toMatchObject({
      name: 'ConflictError',
      statusCode: 409,
      ambiguous: false,
    })
    expect(proxy.requests).toHaveLength(3 + 6)
  })
})

describe('dynamodb D56: what a batch leaves over', () => {
  it('is read again until nothing is', async () => {
    const { backend, calm, proxy } = await tables.openFaulty(definition)
    await calm.batch({ put: many(12, 'x'.repeat(200_000)) })
    const found = await backend.findMany(keysOf(many(12)))
    expect(found.map((item) => item?.id)).toEqual(many(12).map(({ id }) => id))
    expect(proxy.requests.length, 'a response has one megabyte').toBeGreaterThan(1)
  })

  it('and only that', async () => {
    const { backend, proxy } = await tables.openFaulty(definition)
    proxy.queue('BatchWriteItem', 'unprocessed', 'unprocessed')
    await backend.batch({ put: many(20), delete: [key] })
    const sizes = proxy.requests.map(
      ({ input }) => Object.values(input['RequestItems'] as Record<string, unknown[]>)[0]?.length,
    )
    expect(sizes).toEqual([21, 11, 6])
    expect(await backend.where('group', '=', 'g').count()).toBe(20)
  })

  it('in the end is an error that says what is done', async () => {
    const { backend, calm, proxy } = await tables.openFaulty(definition)
    await calm.batch({ put: many(4) })
    proxy.plan = ({ action }) => (action.startsWith('Batch') ? 'unprocessed' : undefined)
    for (const done of [
      () => backend.findMany(keysOf(many(4))),
      () => backend.batch({ put: many(4, 'y') }),
    ]) {
      proxy.requests.length = 0
      const error = (await done().catch((thrown: unknown) => thrown)) as PartialBatchError
      expect(error).toBeInstanceOf(PartialBatchError)
      expect(error).toMatchObject({ statusCode: 503, done: [0, 1, 2], unprocessed: [3] })
      expect(proxy.requests.length, 'some rounds without any progress').toBeLessThan(12)
    }
    expect((await calm.where('group', '=', 'g').all()).map(({ text }) => text)).toEqual(['y', 'y', 'y', 'x'])
  })

  it('for lack of capacity is the same error', async () => {
    const { backend, calm, proxy } = await tables.openFaulty(definition)
    proxy.plan = ({ input }) => (JSON.stringify(input).includes('"030"') ? 'throttle' : undefined)
    const error: unknown = await backend.batch({ put: many(60) }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(PartialBatchError)
    expect(error).toMatchObject({
      unprocessed: Array.from({ length: 25 }, (_, index) => 25 + index),
      cause: { name: 'ThrottledError' },
    })
    expect(await calm.where('group', '=', 'g').count()).toBe(35)
  })

  it('is not waited for where the request itself is wrong', async () => {
    const { client, backend, proxy } = await tables.openFaulty(definition)
    const wrong = new DynamoDbBackend(model({ ...definition, name: 'missing-table' }), { client })
    await expect(wrong.batch({ put: many(200) })).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    const sent = proxy.requests.length
    expect(sent, 'what had not begun is not begun').toBeLessThan(8)
    await backend.find(key)
    expect(proxy.requests, 'nothing goes on behind the error').toHaveLength(sent + 1)
  })
})

it('dynamodb D57: batches of any size', async () => {
  const { backend, sent } = await tables.open(definition)
  expect(await backend.findMany([])).toEqual([])
  await backend.batch({})
  expect(await backend.createMany([])).toEqual([])
  expect(sent).toEqual([])
  await backend.batch({ put: many(60) })
  expect(await backend.findMany(keysOf(many(250)))).toHaveLength(250)
  const sizes = sent.map(({ input }) => {
    const [asked] = Object.values(
      input['RequestItems'] as Record<string, { Keys?: unknown[]; length?: number }>,
    )
    return asked?.Keys?.length ?? asked?.length
  })
  expect(sizes).toEqual([25, 25, 10, 100, 100, 50])
})

describe('dynamodb D58, D59: which item is which', () => {
  it('a key that is asked for twice is read once', async () => {
    const { backend, sent } = await tables.open(definition)
    await backend.create(key)
    sent.length = 0
    expect(await backend.findMany([key, { ...key, id: 'x' }, key])).toEqual([key, undefined, key])
    expect(JSON.stringify(sent[0]?.input).match(/"S":"a"/g)).toHaveLength(1)
  })

  it('an item that is written twice is refused', async () => {
    const { backend, sent } = await tables.open(definition)
    await expect(backend.batch({ put: [key, { ...key, text: 'x' }] })).rejects.toThrow(ConditionError)
    await expect(backend.batch({ put: [key], delete: [key] })).rejects.toThrow(/twice/)
    expect(sent).toEqual([])
  })

  it('keys that read alike when joined are two', async () => {
    const { backend } = await tables.open(definition)
    const two = [
      { group: 'ab', id: 'c' },
      { group: 'a', id: 'bc' },
    ]
    await backend.batch({ put: two })
    expect(await backend.findMany(two.toReversed())).toEqual(two.toReversed())
  })

  it('numbers are the same however they are written', async () => {
    const { backend } = await tables.open({ key: ['id'], schema: z.object({ id: z.number() }) })
    const keys = [1e21, 1e-7, 0.1, -0, 100].map((id) => ({ id }))
    await backend.batch({ put: keys })
    expect(await backend.findMany(keys)).toEqual(keys.map(({ id }) => ({ id: id === 0 ? 0 : id })))
  })
})
