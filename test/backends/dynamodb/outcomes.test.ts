// Who stores many knows which ones are stored, whatever became of requests and answers.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ConflictError, PartialBatchError, outcomeOf, model } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'
import type { Fault } from '../../support/dynamodb-fault-proxy.ts'
import { freshOptions } from '../../support/light-server.ts'
import { light } from 'clearskies-middy/clients/light'
import { rejection } from '../../support/rejection.ts'

const tables = useTables()
const definition = {
  key: ['id'],
  schema: z.object({ id: z.string(), secret: z.string().default('s3cr3t') }),
} as const
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: String(index).padStart(3, '0') }))

const clients = {
  sdk: (endpoint: string) => new DynamoDBClient({ endpoint, maxAttempts: 3 }),
  light: (endpoint: string) => light({ ...freshOptions(), endpoint, maxAttempts: 3 }),
  'send-only': (endpoint: string) => {
    const client = new DynamoDBClient({ endpoint, maxAttempts: 1 })
    // Commands of its own: nobody is told of its attempts.
    return {
      send: async (command: { readonly input: object; readonly constructor: unknown }) => {
        const Command = command.constructor as new (input: object) => never
        return client.send(new Command(command.input))
      },
    }
  },
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

type ClientName = keyof typeof clients
async function open(kind: ClientName) {
  const { proxy, calm, name } = await tables.openFaulty(definition)
  const client = clients[kind](proxy.url)
  if (client instanceof DynamoDBClient) closing.push(() => client.destroy())
  const backend = new DynamoDbBackend(model({ name, ...definition }), { client: client as never })
  /** Checks what an error tells against the table itself. */
  async function expectTruth(
    error: unknown,
    list: readonly { readonly id: string }[],
    before: readonly string[] = [],
  ) {
    const outcome = outcomeOf(error)
    expect(outcome, 'an outcome').toBeDefined()
    const { done, failed, unknown } = outcome!
    expect([...done, ...failed, ...unknown].sort((a, b) => a - b)).toEqual([...list.keys()])
    const stored = await calm.findMany(list)
    for (const index of done) expect(stored[index], `${index} is done`).toBeDefined()
    for (const index of failed)
      expect(stored[index] === undefined || before.includes(list[index]!.id), `${index} has failed`).toBe(
        true,
      )
    expect((error as Error).message).not.toContain('s3cr3t')
    expect((error as Error).message.length).toBeLessThan(300)
    return outcome!
  }
  return { backend, calm, proxy, expectTruth }
}

const fates: Readonly<Record<Exclude<Fault, 'unprocessed'>, 'failed' | 'unknown'>> = {
  throttle: 'failed',
  conflict: 'failed',
  internal: 'unknown',
  'reset-before': 'unknown',
  'reset-after': 'unknown',
}

describe.each(Object.keys(clients) as ClientName[])('M1: createMany() with the %s client', (kind) => {
  // Of a client that tells nothing of its attempts, a second one is enough not to know.
  const expected = Object.entries({ ...fates, ...(kind === 'send-only' && { conflict: 'unknown' }) })
  it.each(expected)('tells after %s to the end that the item is %s', async (fault, fate) => {
    const { backend, calm, proxy, expectTruth } = await open(kind)
    const list = many(30)
    await calm.create(list[20]!)
    proxy.plan = ({ action, input }) =>
      action === 'PutItem' && JSON.stringify(input).includes('"003"') ? (fault as Fault) : undefined
    const error = await rejection(backend.createMany(list), Error)
    const outcome = await expectTruth(error, list, ['020'])
    expect(outcome).toEqual({
      done: [...list.keys()].filter((index) => index !== 3 && index !== 20),
      failed: [3, 20].filter((index) => index === 20 || fate === 'failed'),
      unknown: [3].filter(() => fate === 'unknown'),
    })
    expect(JSON.stringify(error), 'positions are in no log').not.toContain('"done"')
  })

  it('tells what is stored by chance, and batch() does', async () => {
    for (const seed of [1, 2, 3, 4]) {
      const { backend, proxy, expectTruth } = await open(kind)
      proxy.seed(seed, 0.3, ['throttle', 'conflict', 'internal', 'reset-before', 'reset-after'])
      const list = many(60)
      const created: unknown = await backend.createMany(list).catch((error: unknown) => error)
      if (created instanceof Error) await expectTruth(created, list)
      proxy.seed(seed, 0.5, ['throttle', 'internal', 'reset-before', 'reset-after', 'unprocessed'])
      const put = Array.from({ length: 120 }, (_, index) => ({ id: `b${index}` }))
      const written: unknown = await backend.batch({ put }).catch((error: unknown) => error)
      if (written !== undefined) await expectTruth(written, put)
      proxy.plan = undefined
    }
  })

  it.each(expected)('batch() tells after %s to the end that its items are %s', async (fault, fate) => {
    const { backend, proxy, expectTruth } = await open(kind)
    const put = many(60)
    proxy.plan = ({ action, input }) =>
      action === 'BatchWriteItem' && JSON.stringify(input).includes('"030"') ? (fault as Fault) : undefined
    const error = await rejection(backend.batch({ put }), Error)
    const outcome = await expectTruth(error, put)
    const piece = Array.from({ length: 25 }, (_, index) => 25 + index)
    expect(outcome[fate as 'failed' | 'unknown']).toEqual(expect.arrayContaining(piece))
    if (fault === 'conflict') return
    expect(error).toBeInstanceOf(PartialBatchError)
    expect(error).toMatchObject({ done: outcome.done, unprocessed: piece })
  })
})

describe('M1: what became of the items of a list', () => {
  it('createMany() throws the first error of the list, whichever came first', async () => {
    const { backend, expectTruth } = await open('sdk')
    const list = many(4)
    await backend.createMany([list[1]!, list[3]!])
    const data = [list[0]!, list[1]!, { id: 7 } as never, list[3]!]
    const error = await rejection(backend.createMany(data), ConflictError)
    expect(error.current).toMatchObject(list[1]!)
    expect(outcomeOf(error)).toEqual({ done: [0], failed: [1, 2, 3], unknown: [] })
    await expectTruth(error, list, ['001', '003'])
  })

  it('what is refused before anything is sent is not done', async () => {
    const { backend, proxy } = await open('sdk')
    const twice = await rejection(
      backend.batch({ put: [{ id: 'a' }], delete: [{ id: 'b' }, { id: 'a' }] }),
      Error,
    )
    expect(outcomeOf(twice)).toEqual({ done: [], failed: [0, 1, 2], unknown: [] })
    const wrong = await rejection(backend.batch({ put: [{ id: 'a' }, { id: 7 } as never] }), Error)
    expect(outcomeOf(wrong)).toEqual({ done: [], failed: [0, 1], unknown: [] })
    const large = [{ id: 'a', secret: 'x'.repeat(409_600) }]
    expect(outcomeOf(await rejection(backend.createMany(large), Error))).toEqual({
      done: [],
      failed: [0],
      unknown: [],
    })
    expect(proxy.actions.filter((action) => action !== 'DescribeTable')).toEqual([])
  })

  it('a table that is not there leaves all undone', async () => {
    const { client } = await tables.openFaulty(definition)
    const missing = new DynamoDbBackend(model({ ...definition, name: 'missing-table' }), { client })
    const all = [...many(200).keys()]
    for (const run of [() => missing.createMany(many(200)), () => missing.batch({ put: many(200) })]) {
      const error = await rejection(run(), Error)
      expect(error.name).toBe('ResourceNotFoundException')
      expect(outcomeOf(error)).toEqual({ done: [], failed: all, unknown: [] })
    }
  })

  it('findMany() tells which ones were read', async () => {
    const { backend, calm, proxy } = await open('sdk')
    await calm.batch({ put: many(4) })
    proxy.plan = () => 'unprocessed'
    const error = await rejection(backend.findMany(many(4)), PartialBatchError)
    expect(outcomeOf(error)).toEqual({ done: [0, 1, 2], failed: [3], unknown: [] })
  })

  it('an error that calls share, or that is frozen or none at all, becomes the cause of one for each', async () => {
    const Thing = model({ name: 'things', ...definition })
    const shared = new Error('Closed')
    for (const thrown of [shared, Object.freeze(new Error('Frozen')), 'text', undefined]) {
      const backend = new DynamoDbBackend(Thing, { client: { send: () => Promise.reject(thrown) } as never })
      const calls = [1, 2, 3].map((count) => backend.createMany(many(count)).catch((error: unknown) => error))
      for (const [index, error] of (await Promise.all(calls)).entries())
        expect(outcomeOf(error)).toEqual({ done: [], failed: [], unknown: [...many(index + 1).keys()] })
    }
    expect(outcomeOf(new Error('Another'))).toBeUndefined()
    expect(outcomeOf(undefined)).toBeUndefined()
  })

  it('a failed condition is told where the item cannot be read then', async () => {
    const { backend, calm, proxy } = await open('sdk')
    await calm.create({ id: 'a' })
    proxy.givesItems = false
    proxy.plan = ({ action }) => (action === 'GetItem' ? 'throttle' : undefined)
    const error = await rejection(backend.createMany([{ id: 'a' }, { id: 'b' }]), ConflictError)
    expect(error).toMatchObject({ statusCode: 409, ambiguous: false })
    expect(outcomeOf(error)).toEqual({ done: [1], failed: [0], unknown: [] })
  })
})
