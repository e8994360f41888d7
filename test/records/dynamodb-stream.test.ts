// Streams of DynamoDB: dynamodbStream() with eachRecord(), cases E33 to E39 and E17.
import middy from '@middy/core'
import {
  type DynamoDbStreamOptions,
  type DynamoDbStreamRequest,
  InvalidDataError,
  InvalidEventError,
  dynamodbStream,
  eachRecord,
  model,
} from 'clearskies-middy'
import { type DescribedChange, dynamodbStreamEvent, invoke } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { failureOf } from '../support/failure-of.ts'

const quiet = { error() {}, warn() {} }

interface Work {
  readonly fn?: (request: DynamoDbStreamRequest) => unknown
  readonly options?: DynamoDbStreamOptions
}

/** A batch that was worked: its answer, and the requests of the records whose function was called. */
async function work(event: unknown, { fn = () => undefined, options }: Work = {}) {
  const called: DynamoDbStreamRequest[] = []
  const skipped: string[] = []
  const handler = middy()
    .use(dynamodbStream({ logger: quiet, ...options }))
    .handler(
      eachRecord(
        (request) => {
          called.push(request)
          return fn(request)
        },
        { logger: quiet, onSkip: ({ sequenceNumber }) => skipped.push(sequenceNumber) },
      ),
    )
  const answer = await invoke<{ batchItemFailures: { itemIdentifier: string }[] }>(handler, event)
  return { answer: answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), called, skipped }
}

async function requestOf(change: DescribedChange, options: Parameters<typeof dynamodbStreamEvent>[1] = {}) {
  const { called } = await work(dynamodbStreamEvent([change], options))
  return called[0]!
}

const keys = { shelf: 'A', slot: 3 }
const oldItem = { ...keys, fill: 1 }
const newItem = { ...keys, fill: 2 }

describe('dynamodbStream(): a change as a request', () => {
  it('E33: an insert has the new item alone, and it is the data', async () => {
    const request = await requestOf({ keys, newItem })
    const { kind, source, change, data } = request
    expect([kind, source, change]).toEqual(['dynamodb-stream', 'dynamodb-stream', 'insert'])
    expect([request.keys, request.newItem, request.oldItem]).toEqual([keys, newItem, undefined])
    expect(data).toEqual(newItem)
  })

  it('E33: a modification has both items, and the new one is the data', async () => {
    const request = await requestOf({ keys, newItem, oldItem })
    expect([request.change, request.newItem, request.oldItem]).toEqual(['modify', newItem, oldItem])
    expect(request.data).toBe(request.newItem)
  })

  it('E33: a removal has the old item alone, and it is the data', async () => {
    const request = await requestOf({ keys, oldItem })
    expect([request.change, request.newItem, request.oldItem]).toEqual(['remove', undefined, oldItem])
    expect(request.data).toEqual(oldItem)
  })

  it.each(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES'] as const)(
    'E33: what the view %s leaves out is not there, and no empty item stands in its place',
    async (view) => {
      const request = await requestOf({ keys, newItem, oldItem }, { view })
      expect(request.newItem).toEqual(view.startsWith('NEW') ? newItem : undefined)
      expect(request.oldItem).toEqual(view.includes('OLD') ? oldItem : undefined)
      expect(request.data).toEqual(request.newItem ?? request.oldItem ?? keys)
    },
  )

  it('E33: an image of null is none, and an empty one is an empty item', async () => {
    const event = dynamodbStreamEvent([
      { keys, newItem },
      { keys, newItem },
    ])
    Object.assign(event.Records[0]?.dynamodb ?? {}, { NewImage: null, OldImage: {} })
    const { called } = await work(event)
    expect([called[0]?.newItem, called[0]?.oldItem, called[0]?.data]).toEqual([undefined, {}, {}])
  })

  it('E34: bytes are bytes at any depth, and sets are sets', async () => {
    const bytes = new Uint8Array([0, 255, 72])
    const item = {
      id: 'a',
      bytes,
      list: [bytes, { bytes }],
      parts: new Set([bytes]),
      map: { deep: { bytes } },
    }
    const request = await requestOf({ keys: { id: 'a' }, newItem: item })
    expect(request.newItem).toStrictEqual(item)
    const event = dynamodbStreamEvent([{ keys: { id: 'a' }, newItem: {} }])
    Object.assign(event.Records[0]?.dynamodb?.NewImage ?? {}, { b: { B: 'SGk=' }, bs: { BS: ['SGk=', ''] } })
    const { called } = await work(event)
    expect(called[0]?.newItem).toEqual({
      b: new Uint8Array([72, 105]),
      bs: new Set([new Uint8Array([72, 105]), new Uint8Array()]),
    })
  })

  it('E34: other values are those that the backend gives', async () => {
    const item = {
      ...{ id: 'a', text: '', no: false, nothing: null, price: 1.5, tags: new Set(['x', 'y']) },
      ...{ counts: new Set([1, 2]), list: [1, null, { n: -0.5 }], map: {} },
    }
    expect((await requestOf({ keys: { id: 'a' }, newItem: item })).newItem).toStrictEqual(item)
  })

  it.each([
    ['a type of tomorrow', { Q: 'x' }],
    ['no type', {}],
    ['one inside a list', { L: [{ S: 'a' }, { Q: 'x' }] }],
    ['one inside a map', { M: { inner: { Q: 'x' } } }],
  ])('E39: an item with %s fails its record alone, and no value is made up', async (_, value) => {
    const event = dynamodbStreamEvent([
      { keys: { id: 'a' }, newItem: { id: 'a' }, sequenceNumber: '1' },
      { keys: { id: 'b' }, newItem: { id: 'b' }, sequenceNumber: '2' },
    ])
    Object.assign(event.Records[1]?.dynamodb?.NewImage ?? {}, { n: value })
    const { answer, called } = await work(event)
    expect([answer, called.map(({ data }) => data)]).toEqual([['2'], [{ id: 'a' }]])
  })

  it('E34, E39: a number that is not exact follows the option, and fails its record alone by default', async () => {
    const event = dynamodbStreamEvent([
      { keys: { id: 'a' }, newItem: { id: 'a', n: 9_007_199_254_740_993n }, sequenceNumber: '1' },
      { keys: { id: 'b' }, newItem: { id: 'b', n: 5 }, sequenceNumber: '2' },
    ])
    const failing = await work(event)
    expect([failing.answer, failing.called.map(({ data }) => data)]).toEqual([['1'], [{ id: 'b', n: 5 }]])
    const numbers = async (option: 'bigint' | 'string') =>
      (await work(event, { options: { numbers: option } })).called.map((request) => request.newItem?.['n'])
    expect(await numbers('bigint')).toEqual([9_007_199_254_740_993n, 5n])
    expect(await numbers('string')).toEqual(['9007199254740993', '5'])
  })

  it('E39: an old item that cannot be read fails the record of a function that looks at it', async () => {
    const large = { id: 'a', n: 9_007_199_254_740_993n }
    const event = dynamodbStreamEvent([
      { keys: { id: 'a' }, newItem: { id: 'a' }, oldItem: large, sequenceNumber: '1' },
    ])
    expect((await work(event)).answer).toEqual([])
    const errors: unknown[] = []
    const handler = middy()
      .use(dynamodbStream({ logger: quiet }))
      .handler(
        eachRecord((request) => request.oldItem, { logger: quiet, onFailure: (error) => errors.push(error) }),
      )
    expect(await invoke(handler, event)).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] })
    expect(errors).toEqual([expect.any(InvalidDataError)])
  })

  it('E34: a model gives its columns their types, as the backend does', async () => {
    const Order = model({
      name: 'orders',
      key: ['id'],
      schema: z.object({ id: z.string(), placedAt: z.date(), total: z.bigint() }),
    })
    const placedAt = new Date('2026-03-10T00:00:00.000Z')
    const seen: unknown[] = []
    const handler = middy()
      .use(dynamodbStream({ model: Order }))
      .handler(eachRecord((request) => seen.push(request.newItem, request.keys.id)))
    const item = { id: 'a', placedAt, total: 9_007_199_254_740_993n, more: 1 }
    await invoke(handler, dynamodbStreamEvent([{ keys: { id: 'a' }, newItem: item }]))
    expect(seen).toEqual([{ id: 'a', placedAt, total: 9_007_199_254_740_993n }, 'a'])
  })

  it.each([
    ['the time to live', { type: 'Service', principalId: 'dynamodb.amazonaws.com' }, true],
    ['another service', { type: 'Service', principalId: 'replication.dynamodb.amazonaws.com' }, false],
    ['a user of that name', { type: 'User', principalId: 'dynamodb.amazonaws.com' }, false],
    ['nobody', null, false],
    ['nobody that is told', undefined, false],
  ])('E35: an item that %s removed has expired, or not', async (_, userIdentity, expired) => {
    const event = dynamodbStreamEvent([
      { keys, oldItem },
      { keys, newItem, oldItem },
    ])
    for (const record of event.Records) Object.assign(record, { userIdentity })
    expect((await work(event)).called.map((request) => request.expired)).toEqual([expired, false])
  })

  it('E38: has the time, the table, the stream and the id', async () => {
    const event = dynamodbStreamEvent([{ keys, newItem }], {
      streamArn:
        'arn:aws-cn:dynamodb:cn-north-1:111122223333:table/Shelves.of_x/stream/2026-01-02T03:04:05.678',
    })
    Object.assign(event.Records[0]?.dynamodb ?? {}, { ApproximateCreationDateTime: 1_796_450_828.25 })
    const [request] = (await work(event)).called
    expect(request?.changedAt).toEqual(new Date(1_796_450_828_250))
    expect([request?.tableName, request?.streamArn, request?.id]).toEqual([
      'Shelves.of_x',
      event.Records[0]?.eventSourceARN,
      event.Records[0]?.eventID,
    ])
  })
})

describe('dynamodbStream(): order, and where the stream goes on', () => {
  const change = (id: unknown, number: number): DescribedChange => ({
    keys: { id },
    newItem: { id, number },
    sequenceNumber: String(number),
  })
  const throwFor =
    (...numbers: readonly number[]) =>
    ({ sequenceNumber }: DynamoDbStreamRequest): void => {
      if (numbers.includes(Number(sequenceNumber))) throw new Error('no')
    }

  it('E36: after a failure the next change of the item is not run, and another item is', async () => {
    const event = dynamodbStreamEvent([change('a', 1), change('a', 2), change('b', 3)])
    const { answer, called, skipped } = await work(event, { fn: throwFor(1) })
    expect([answer, called.map(({ sequenceNumber }) => sequenceNumber), skipped]).toEqual([
      ['1'],
      ['1', '3'],
      ['2'],
    ])
  })

  it.each([
    ['a text and a number', { id: '1' }, { id: 1 }],
    ['joined parts', { a: 'x', b: 'y,z' }, { a: 'x,y', b: 'z' }],
    ['parts with quotes', { a: '"', b: '' }, { a: '', b: '"' }],
    ['a text and bytes', { id: 'YQ==' }, { id: Buffer.from('a') }],
  ])('E36: %s are two items', async (_, one, other) => {
    const event = dynamodbStreamEvent([
      { keys: one, sequenceNumber: '1' },
      { keys: other, sequenceNumber: '2' },
    ])
    expect((await work(event, { fn: throwFor(1) })).called).toHaveLength(2)
  })

  it('E36: the order of the parts of a key does not make two items of one', async () => {
    const event = dynamodbStreamEvent([
      { keys: { a: 1, b: 2 }, sequenceNumber: '1' },
      { keys: { b: 2, a: 1 }, sequenceNumber: '2' },
    ])
    expect((await work(event, { fn: throwFor(1) })).skipped).toEqual(['2'])
  })

  it('E37: of failures at several items the lowest number alone is listed', async () => {
    const event = dynamodbStreamEvent([change('a', 100_000), change('b', 99_999), change('c', 100_001)])
    expect((await work(event, { fn: throwFor(100_000, 99_999, 100_001) })).answer).toEqual(['99999'])
  })

  it('E17: takes the list of a pipe', async () => {
    const { answer, called } = await work(dynamodbStreamEvent([change('a', 1), change('b', 2)]).Records, {
      fn: throwFor(2),
    })
    expect([answer, called.length]).toEqual([['2'], 2])
  })

  it('the event of a tumbling window is refused', async () => {
    const event = { ...dynamodbStreamEvent([change('a', 1)]), window: { start: 'x', end: 'y' } }
    expect(await failureOf(work(event))).toBeInstanceOf(InvalidEventError)
  })

  it('names such as __proto__ are columns', async () => {
    const event = dynamodbStreamEvent([
      { keys, newItem: JSON.parse('{"__proto__":{"x":1}}') as object as never },
    ])
    const [request] = (await work(event)).called
    expect(Object.keys(request?.newItem ?? {})).toEqual(['__proto__'])
    expect(request?.newItem?.['x']).toBeUndefined()
  })

  it.each([
    { numbers: 'safe' },
    { numbers: 'bigint' },
    { numbers: 'string' },
    { dates: 'iso' },
    { dates: 'seconds' },
    { dates: 'milliseconds' },
  ] as const)('the options %j are taken', (options) => {
    expect(() => dynamodbStream(options)).not.toThrow()
  })

  it.each([{ model: 5 }, { model: {} }, { numbers: 'all' }, { dates: 'x' }, { modell: 1 }])(
    'the options %j are refused',
    (options) => {
      expect(() => dynamodbStream(options as never)).toThrow(TypeError)
    },
  )
})
