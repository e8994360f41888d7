// The catalogue of writing cases (D46 to D50, D61 to D64), in the order of its numbers.
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { ConfigurationError, ConflictError, KeyChangeError, NotFoundError, model } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { recording, useTables } from '../../support/dynamodb-cases.ts'

const tables = useTables()

const definition = {
  key: ['group', 'id'],
  schema: z.object({
    group: z.string(),
    id: z.number(),
    text: z.string().nullish(),
    count: z.number().optional(),
    list: z.array(z.number()).optional(),
    marks: z.set(z.string()).optional(),
    deep: z.record(z.string(), z.unknown()).optional(),
    rev: z.number().optional(),
  }),
} as const
const key = { group: 'g', id: 1 }

const open = (options = {}) => tables.open(definition, options)

/** What something was refused with. */
async function refused(done: Promise<unknown>): Promise<unknown> {
  try {
    await done
  } catch (error) {
    return error
  }
  throw new Error('It was not refused')
}

it('dynamodb D46: create over an item is a conflict, with the item as it is', async () => {
  const { backend } = await tables.openFaulty(definition)
  await backend.create({ ...key, text: 'first' })
  const error = await refused(backend.create({ ...key, text: 'second' }))
  expect(error).toBeInstanceOf(ConflictError)
  expect(error).toMatchObject({ statusCode: 409, ambiguous: false, current: { ...key, text: 'first' } })
  expect(await backend.find(key)).toEqual({ ...key, text: 'first' })
})

it('dynamodb D46: the item comes with the answer, and is read where an engine does not give it', async () => {
  const { backend, proxy } = await tables.openFaulty(definition)
  await backend.create(key)
  await refused(backend.create(key))
  proxy.givesItems = false
  expect(await refused(backend.create(key))).toMatchObject({ current: key })
  expect(proxy.actions).toEqual(['PutItem', 'PutItem', 'PutItem', 'GetItem'])
})

it('dynamodb D46: an item that cannot be read is a conflict all the same', async () => {
  const { backend, store } = await open()
  await store({ group: { S: 'g' }, id: { N: '1' }, count: { N: '9007199254740993' } })
  expect(await refused(backend.create(key))).toBeInstanceOf(ConflictError)
})

it('dynamodb D47: update of no item is an error, unless it may make one', async () => {
  const { backend } = await open()
  expect(await refused(backend.update(key, { text: 'x' }))).toBeInstanceOf(NotFoundError)
  expect(await backend.find(key)).toBeUndefined()
  expect(await backend.update(key, { text: 'x' }, { upsert: true })).toEqual({ ...key, text: 'x' })
})

it('dynamodb D48: undefined leaves a column alone, null removes it, and nothing to change sends nothing', async () => {
  const { backend, sent } = await open()
  await backend.create({ ...key, text: 'x', count: 1 })
  expect(await backend.update(key, { text: undefined, count: 2 })).toEqual({ ...key, text: 'x', count: 2 })
  expect(await backend.update(key, { text: null })).toEqual({ ...key, count: 2 })
  sent.length = 0
  for (const patch of [{}, { text: undefined }, { ...key }])
    expect(await backend.update(key, patch as never)).toEqual({ ...key, count: 2 })
  expect(sent.map(({ name }) => name)).toEqual(['GetItem', 'GetItem', 'GetItem'])
  expect(await refused(backend.update({ group: 'g', id: 2 }, {}))).toBeInstanceOf(NotFoundError)
  expect(
    await refused(backend.update(key, {}, { when: (query) => query.where('count', '=', 3) })),
  ).toBeInstanceOf(ConflictError)
})

it('dynamodb D49: the key in a patch may not change', async () => {
  const { backend, sent } = await open()
  await backend.create(key)
  expect(await backend.update(key, { ...key, text: 'x' } as never)).toEqual({ ...key, text: 'x' })
  sent.length = 0
  for (const patch of [{ id: 2 }, { id: null }, { group: 'h', text: 'y' }]) {
    const error = await refused(backend.update(key, patch as never))
    expect(error).toBeInstanceOf(KeyChangeError)
    expect(error).toMatchObject({ statusCode: 409 })
  }
  expect(await refused(backend.update(key, {}, { add: { id: 1 } }))).toBeInstanceOf(KeyChangeError)
  expect(sent).toEqual([])
})

it('dynamodb D50: a key is whole, or refused', async () => {
  const { backend, sent } = await open()
  const half = { group: 'g' } as never
  for (const done of [
    backend.update(half, { text: 'x' }),
    backend.delete(half),
    backend.find(half),
    backend.findMany([half]),
  ])
    expect(await refused(done)).toMatchObject({ message: 'The key column "id" has no value' })
  expect(sent).toEqual([])
})

it('dynamodb D61: delete of no item is fine, unless there must be one', async () => {
  const { backend } = await open()
  expect(await backend.delete(key)).toBeUndefined()
  expect(await refused(backend.delete(key, { mustExist: true }))).toBeInstanceOf(NotFoundError)
  await backend.create({ ...key, text: 'x' })
  expect(await backend.delete(key, { mustExist: true })).toEqual({ ...key, text: 'x' })
})

describe('dynamodb D62: a table that describes itself', () => {
  const undescribed = (name: string) => model({ name, schema: definition.schema })

  it('is asked once, by all that begin at the same time', async () => {
    const { name, store } = await open()
    await store({ group: { S: 'g' }, id: { N: '1' } })
    const { client, sent } = recording(tables.client)
    const backend = new DynamoDbBackend(undescribed(name), { client })
    const found = Promise.all([
      backend.where('group' as never, '=', 'g' as never).all(),
      backend.find(key as never),
      backend.delete({ ...key, id: 2 } as never),
    ])
    expect(await found).toEqual([[key], key, undefined])
    expect(sent.filter((command) => command.name === 'DescribeTable')).toHaveLength(1)
    expect(await backend.where('group' as never, '=', 'g' as never).explain()).toMatchObject({
      plan: { operation: 'Query' },
    })
    await expect(backend.where('count' as never, '=', 'x' as never).page()).rejects.toThrow(
      /"count" takes a number/,
    )
  })

  it('and does not say is an error that names the way out, and is asked again', async () => {
    const { name } = await open()
    let refuses = true
    const backend = new DynamoDbBackend(undescribed(name), {
      client: {
        async send(command: object) {
          if (refuses && command instanceof DescribeTableCommand) throw new Error('Not authorized')
          return tables.client.send(command as never)
        },
      },
    })
    const error = await refused(backend.find(key))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toMatch(/key and indexes.*dynamodb:DescribeTable/)
    refuses = false
    expect(await backend.find(key as never)).toBeUndefined()
  })
})

it('dynamodb D63: what is consumed is told for every request, by index', async () => {
  let units = 0
  const { backend, sent } = await open({
    onCapacity: ({ CapacityUnits = 0 }: { CapacityUnits?: number }) => (units += CapacityUnits),
  })
  await backend.batch({
    put: Array.from({ length: 30 }, (_, id) => ({ group: 'g', id, text: 'x'.repeat(50_000) })),
  })
  await backend.create({ ...key, id: 99 })
  await backend.update({ ...key, id: 99 }, { text: 'x' })
  await backend.delete({ ...key, id: 99 })
  expect(units).toBe(30 * 49 + 3)
  units = 0
  expect(await backend.where('group', '=', 'g').all()).toHaveLength(30)
  expect(units).toBeGreaterThan(180)
  await backend.where('group', '=', 'g').count()
  await backend.findMany([key, { ...key, id: 2 }])
  await backend.find(key)
  expect(sent.every(({ input }) => input['ReturnConsumedCapacity'] === 'INDEXES')).toBe(true)
})

it.each([
  [
    'at once',
    () => {
      throw Object.assign(new Error('metrics'), { name: 'ThrottlingException' })
    },
  ],
  ['later', () => Promise.reject(new Error('metrics'))],
])(
  'dynamodb D63: a listener that fails %s does not make a write fail, nor be sent again',
  async (_, fails) => {
    const { backend, sent } = await open({ onCapacity: fails })
    await backend.create({ ...key, id: 99 })
    expect(sent).toHaveLength(1)
  },
)

it('dynamodb D64: nothing is logged, and no error shows a value', async () => {
  const said = (['log', 'info', 'warn', 'error', 'debug'] as const).map((level) => vi.spyOn(console, level))
  const { backend } = await tables.openFaulty(definition, { version: 'rev' })
  const secret = 'S3CRET'
  await backend.create({ ...key, text: secret })
  const query = backend.where('group', '=', secret)
  const errors = [
    await refused(backend.create({ ...key, text: secret })),
    await refused(backend.update(key, { text: secret }, { expect: 7 })),
    await refused(backend.update({ ...key, group: secret }, { text: secret })),
    await refused(query.where('count', '=', secret as never).page()),
    await refused(query.sortBy('text').page()),
    await refused(query.after(secret).page()),
    await refused(query.where('text', 'like', `%${secret}`).page()),
    await refused(backend.where('text', '=', secret).page()),
    await refused(backend.update(key, { text: secret }, { set: [[['deep', 'a'], secret]] })),
  ]
  for (const error of errors) expect(inspect(error, { depth: 5 })).not.toContain(secret)
  for (const level of said) expect(level).not.toHaveBeenCalled()
})
