// The catalogue of transactions (D60). The embedded engine has none: what is sent is checked, and what is answered made.
import {
  ConditionError,
  InvalidDataError,
  MemoryBackend,
  ThrottledError,
  TransactionError,
  TypeMismatchError,
  UnavailableError,
  model,
} from 'clearskies-middy'
import { DynamoDbBackend, transact, transactFind } from 'clearskies-middy/backends/dynamodb'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { recording } from '../../support/dynamodb-cases.ts'
import {
  type Respond,
  inTurn,
  json,
  reset,
  testCredentials,
  useLightServer,
  withoutWaits,
} from '../../support/light-server.ts'
import { rejection } from '../../support/rejection.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const server = useLightServer()

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

describe('dynamodb D60: transactions', () => {
  const Thing = model({ name: 'things', ...definition })
  /** A service that answers so, since the embedded one has no transactions. */
  function answering(...answers: (Error | object)[]) {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const { client, sent } = recording({
      send: async () => {
        const answer = answers.shift() ?? {}
        if (answer instanceof Error) throw answer
        return answer
      },
    })
    return { sent, backend: new DynamoDbBackend(Thing, { client, version: 'rev' }) }
  }
  const cancelled = (...codes: string[]) =>
    Object.assign(new Error('Transaction cancelled'), {
      name: 'TransactionCanceledException',
      CancellationReasons: codes.map((Code) => ({ Code })),
    })

  it('hold every kind of write, with its conditions', async () => {
    const { backend, sent } = answering()
    const { prepare } = backend
    await transact([
      prepare.create({ ...key, id: 'create' }),
      prepare.put({ ...key, id: 'new' }),
      prepare.put({ ...key, id: 'put', rev: 3 }),
      prepare.update(
        { ...key, id: 'update' },
        { text: 'x' },
        { add: { count: -1 }, when: (query) => query.where('count', '>', 0) },
      ),
      prepare.delete({ ...key, id: 'delete' }, { expect: 2 }),
      prepare.check({ ...key, id: 'check' }),
    ])
    expect(sent.map(({ name }) => name)).toEqual(['TransactWriteItems'])
    const { TransactItems: writes, ClientRequestToken: token } = sent[0]?.input as {
      TransactItems: Record<
        string,
        { ConditionExpression: string; Item?: { rev: object }; UpdateExpression?: string }
      >[]
      ClientRequestToken: string
    }
    expect(writes.map((write) => Object.keys(write)[0])).toEqual([
      'Put',
      'Put',
      'Put',
      'Update',
      'Delete',
      'ConditionCheck',
    ])
    expect(writes.slice(0, 3).map((write) => write['Put']?.Item?.rev)).toEqual([
      { N: '1' },
      { N: '1' },
      { N: '4' },
    ])
    expect(writes.map((write) => Object.values(write)[0]?.ConditionExpression)).toEqual([
      'attribute_not_exists(#0)',
      'attribute_not_exists(#0)',
      '#0 = :0',
      'attribute_exists(#3) AND #1 > :3',
      '#0 = :0',
      'attribute_exists(#0)',
    ])
    expect(writes[3]?.['Update']?.UpdateExpression).toBe('SET #0 = :0 ADD #1 :1, #2 :2')
    expect(writes[3]?.['Update']).not.toHaveProperty('ReturnValues')
    expect(token).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('that are too large, or write an item twice, are refused and never split', async () => {
    const { backend, sent } = answering()
    const creates = (items: readonly { group: string; id: string }[]) =>
      items.map((item) => backend.prepare.create(item))
    await expect(transact(creates(many(101)))).rejects.toThrow(/at most 100 writes.*101/)
    await expect(transact(creates(many(11, 'x'.repeat(390_000))))).rejects.toThrow(InvalidDataError)
    await expect(transact([...creates([key]), backend.prepare.delete(key)])).rejects.toThrow(/twice/)
    await transact([])
    expect(sent).toEqual([])
  })

  it('tell which write stood against them', async () => {
    const { backend, sent } = answering(
      cancelled('None', 'ConditionalCheckFailed', 'None', 'TransactionConflict'),
    )
    const error: unknown = await transact(many(4).map((item) => backend.prepare.create(item))).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(TransactionError)
    expect(error).toMatchObject({
      statusCode: 409,
      reasons: [
        { index: 1, code: 'ConditionalCheckFailed' },
        { index: 3, code: 'TransactionConflict' },
      ],
    })
    expect(sent).toHaveLength(1)
  })

  it('that only met another are the same transaction again', async () => {
    const { backend, sent } = answering(
      cancelled('TransactionConflict', 'None'),
      cancelled('None', 'TransactionConflict'),
    )
    await transact(many(2).map((item) => backend.prepare.create(item)))
    expect(sent).toHaveLength(3)
    expect(new Set(sent.map(({ input }) => input['ClientRequestToken'])).size).toBe(1)
  })
})

const Thing = model({ name: 'things', ...definition })
const Other = model({
  name: 'others',
  key: ['id'],
  schema: z.object({ id: z.number(), at: z.date().optional(), expires: z.number().optional() }),
})

/** One client of each kind, for a server that answers as a test says. */
const clients = {
  sdk: () =>
    new DynamoDBClient({
      endpoint: server.url,
      region: 'eu-central-1',
      credentials: testCredentials,
      maxAttempts: 3,
    }),
  light: () => server.client({ maxAttempts: 3 }),
}

describe.each(Object.entries(clients))('dynamodb D60: transactFind() with the %s client', (_, open) => {
  const found = (...items: (object | undefined)[]): Respond =>
    json(200, { Responses: items.map((Item) => (Item === undefined ? {} : { Item })) })
  const refused = (name: string, more: object = {}): Respond =>
    json(400, { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'By chance', ...more })
  const cancelled = (...codes: string[]): Respond =>
    refused('TransactionCanceledException', { CancellationReasons: codes.map((Code) => ({ Code })) })
  const bodies = () => server.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
  function backends(options: { ttl?: 'expires' } = {}) {
    withoutWaits()
    const client = open()
    return {
      things: new DynamoDbBackend(Thing, { client }),
      others: new DynamoDbBackend(Other, { client, ...options }),
    }
  }
  const itemA = { group: { S: 'g' }, id: { S: 'a' }, count: { N: '1.5' } }

  it('items of several tables are read in one request, each once, and given in the order of the reads', async () => {
    const { things, others } = backends({ ttl: 'expires' })
    server.respond = found(itemA, { id: { N: '7' }, at: { S: '2026-01-02T00:00:00.000Z' } }, undefined, {
      id: { N: '9' },
      expires: { N: '1' },
    })
    const result = await transactFind([
      things.prepare.find(key),
      others.prepare.find({ id: 7 }),
      things.prepare.find({ id: 'a', group: 'g' }),
      others.prepare.find({ id: 8 }),
      others.prepare.find({ id: 9 }),
    ])
    const thing = { ...key, count: 1.5 }
    expect(result).toEqual([thing, { id: 7, at: new Date('2026-01-02') }, thing, undefined, undefined])
    expect(result[0]).not.toBe(result[2])
    expect(bodies()).toEqual([
      {
        TransactItems: [
          { Get: { TableName: 'things', Key: { group: { S: 'g' }, id: { S: 'a' } } } },
          { Get: { TableName: 'others', Key: { id: { N: '7' } } } },
          { Get: { TableName: 'others', Key: { id: { N: '8' } } } },
          { Get: { TableName: 'others', Key: { id: { N: '9' } } } },
        ],
      },
    ])
  })

  it('what cannot be read together is refused before anything is sent', async () => {
    const { things, others } = backends()
    const elsewhere = new DynamoDbBackend(Other, { client: { send: async () => ({}) } })
    const memory = new MemoryBackend(Other)
    const reads = (count: number) => many(count).map(({ group, id }) => things.prepare.find({ group, id }))
    await rejection(transactFind(reads(101)), ConditionError)
    await rejection(
      transactFind([others.prepare.find({ id: 1 }), elsewhere.prepare.find({ id: 1 })]),
      ConditionError,
    )
    await rejection(
      transactFind([others.prepare.find({ id: 1 }), memory.prepare.find({ id: 1 })]),
      ConditionError,
    )
    await rejection(
      transactFind([memory.prepare.find({ id: 1 }), others.prepare.find({ id: 1 })]),
      ConditionError,
    )
    await rejection(transactFind([others.prepare.find({ id: '1' } as never)]), TypeMismatchError)
    await rejection(transactFind([others.prepare.find({} as never)]), InvalidDataError)
    await rejection(transactFind([things.prepare.delete(key) as never]), TypeError)
    await rejection(transactFind([others.find({ id: 1 }) as never, null as never]), TypeError)
    await rejection(transactFind([], { sginal: undefined } as never), TypeError)
    const reason = new Error('Enough')
    const stopped = { signal: AbortSignal.abort(reason) }
    await expect(transactFind(reads(1), stopped)).rejects.toBe(reason)
    expect(await transactFind([])).toEqual([])
    expect(bodies().filter((body) => 'TransactItems' in body)).toEqual([])
    server.respond = found()
    expect(await transactFind(reads(100))).toHaveLength(100)
  })

  it('a conflict or a throttle is met by another try', async () => {
    const { things } = backends()
    server.respond = inTurn(
      cancelled('TransactionConflict'),
      refused('ProvisionedThroughputExceededException'),
      cancelled('ThrottlingError'),
      reset,
      json(500, { __type: 'InternalServerError' }),
      found(itemA),
    )
    expect(await transactFind([things.prepare.find(key)])).toMatchObject([{ id: 'a' }])
    expect(server.requests).toHaveLength(6)
    expect(new Set(server.requests.map(({ body }) => body)).size).toBe(1)
  })

  it('a conflict that stays tells the reads that it stood against, by their places in the list', async () => {
    const { things, others } = backends()
    server.respond = cancelled('None', 'TransactionConflict')
    const twice = things.prepare.find(key)
    const error = await rejection(
      transactFind([twice, twice, others.prepare.find({ id: 7 })]),
      TransactionError,
    )
    expect(error).toMatchObject({
      statusCode: 409,
      ambiguous: false,
      table: 'things, others',
      reasons: [{ index: 2, code: 'TransactionConflict' }],
    })
    expect(server.requests).toHaveLength(6)
  })

  it.each([
    ['throttles', refused('ProvisionedThroughputExceededException'), ThrottledError, 429],
    ['cancels for lack of capacity', cancelled('ProvisionedThroughputExceeded'), ThrottledError, 429],
    ['fails', json(500, { __type: 'InternalServerError' }), UnavailableError, 503],
    ['cancels what is not valid', cancelled('ValidationError'), InvalidDataError, undefined],
  ])('a service that %s to the end is an error of its own', async (_title, respond, kind, status) => {
    const { things } = backends()
    server.respond = respond
    const error: Error = await rejection<Error>(transactFind([things.prepare.find(key)]), kind)
    expect((error as { statusCode?: number }).statusCode).toBe(status)
    expect(error.message).not.toMatch(/things|By chance/)
    expect(error).not.toMatchObject({ ambiguous: true })
  })

  it('prepared reads may be sent again, beside each other, and frozen', async () => {
    const { things } = backends()
    server.respond = found(itemA)
    const reads = Object.freeze([things.prepare.find(Object.freeze({ ...key }))] as const)
    const results = await Promise.all(Array.from({ length: 20 }, () => transactFind(reads)))
    expect(results).toEqual(Array.from({ length: 20 }, () => [{ ...key, count: 1.5 }]))
  })

  it('each backend is told what its own table consumed, by reads and by writes', async () => {
    const client = open()
    const told: string[] = []
    const tell = (name: string) => (consumed: { CapacityUnits?: number | undefined }) =>
      void told.push(`${name} ${consumed.CapacityUnits}`)
    const onThing = tell('things')
    const things = new DynamoDbBackend(Thing, { client, onCapacity: onThing })
    const same = new DynamoDbBackend(Thing, { client, onCapacity: onThing })
    const others = new DynamoDbBackend(Other, { client })
    server.respond = json(200, {
      Responses: [{}, {}, {}],
      ConsumedCapacity: [
        { TableName: 'things', CapacityUnits: 4 },
        { TableName: 'others', CapacityUnits: 2 },
      ],
    })
    await transactFind([
      others.prepare.find({ id: 1 }),
      things.prepare.find(key),
      same.prepare.find({ ...key, id: 'b' }),
    ])
    await transact([others.prepare.delete({ id: 1 }), things.prepare.delete(key)])
    await transactFind([others.prepare.find({ id: 1 })])
    expect(told).toEqual(['things 4', 'things 4'])
    expect(bodies().map((body) => body['ReturnConsumedCapacity'])).toEqual(['INDEXES', 'INDEXES', undefined])
  })
})
