// What no emulator does: shards that split while they are read, iterators that expire, reads that find nothing yet.
// Beside moto and DynamoDB Local the pollers are tested in test/e2e/emulators.
import { GetRecordsCommand, GetShardIteratorCommand, ListShardsCommand } from '@aws-sdk/client-kinesis'
import {
  GetRecordsCommand as GetChangesCommand,
  GetShardIteratorCommand as GetChangesIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams'
import type { DynamoDBStreamEvent, KinesisStreamEvent } from 'aws-lambda'
import { ConfigurationError } from 'clearskies-middy/errors'
import {
  type AnyHandler,
  type StreamInvocation,
  dynamodbStreamPoller,
  kinesisPoller,
} from 'clearskies-middy/testing'
import { expect, it, vi } from 'vitest'

interface ModelShard {
  readonly numbers: number[]
  readonly parents?: readonly string[]
  isClosed?: boolean
}

/** Shards of a stream behind the SDK's commands; an iterator is the shard's id and a position. */
function stream(shards: Record<string, ModelShard>) {
  const state = {
    shards,
    expired: new Set<string>(),
    emptyReads: 0,
    calls: [] as string[],
    failure: undefined as Error | undefined,
  }
  const client = {
    send(command: object): Promise<unknown> {
      if (state.failure !== undefined) return Promise.reject(state.failure)
      if (command instanceof ListShardsCommand) {
        // Two pages, where there are two shards.
        const { NextToken } = command.input
        const all = Object.entries(state.shards).map(([ShardId, { parents = [] }]) => ({
          ShardId,
          ParentShardId: parents[0],
          AdjacentParentShardId: parents[1],
        }))
        return Promise.resolve(
          NextToken === undefined
            ? { Shards: all.slice(0, 1), NextToken: all[1] && 'rest' }
            : { Shards: all.slice(1) },
        )
      }
      if (command instanceof GetShardIteratorCommand) {
        const { ShardId = '', ShardIteratorType = '', StartingSequenceNumber } = command.input
        state.calls.push(`${ShardId} ${ShardIteratorType} ${StartingSequenceNumber ?? ''}`.trim())
        const { numbers = [] } = state.shards[ShardId] ?? {}
        const at =
          StartingSequenceNumber === undefined
            ? ShardIteratorType === 'LATEST'
              ? numbers.length
              : 0
            : numbers.indexOf(Number(StartingSequenceNumber)) + 1
        return Promise.resolve({ ShardIterator: `${ShardId}@${at}` })
      }
      if (!(command instanceof GetRecordsCommand)) throw new TypeError('not expected')
      const { ShardIterator = '', Limit = 0 } = command.input
      if (state.expired.delete(ShardIterator))
        return Promise.reject(
          Object.assign(new Error('Iterator expired'), { name: 'ExpiredIteratorException' }),
        )
      if (state.emptyReads > 0) {
        state.emptyReads--
        return Promise.resolve({ Records: [], NextShardIterator: ShardIterator, MillisBehindLatest: 1000 })
      }
      const [id = '', at = ''] = ShardIterator.split('@')
      const { numbers = [], isClosed } = state.shards[id] ?? {}
      const end = Number(at) + Limit
      return Promise.resolve({
        Records: numbers.slice(Number(at), end).map((n) => ({
          SequenceNumber: String(n),
          PartitionKey: 'k',
          Data: Buffer.from(String(n)),
          ApproximateArrivalTimestamp: new Date(n),
        })),
        NextShardIterator:
          isClosed === true && end >= numbers.length ? undefined : `${id}@${Math.min(end, numbers.length)}`,
        MillisBehindLatest: 0,
      })
    },
  }
  return { state, client }
}

const arn = 'arn:aws:kinesis:eu-central-1:000000000000:stream/clicks'

const numbersIn = ({ Records }: KinesisStreamEvent): number[] =>
  Records.map(({ kinesis: { sequenceNumber } }) => Number(sequenceNumber))

/** Collects the numbers of each event. */
function collecting(answer: (numbers: readonly number[]) => unknown = () => undefined) {
  const batches: number[][] = []
  const handler: AnyHandler = (event: KinesisStreamEvent) => {
    const numbers = numbersIn(event)
    batches.push(numbers)
    return answer(numbers)
  }
  return { batches, handler }
}

it('kinesisPoller() reads a shard after those that it goes on from', async () => {
  const { state, client } = stream({
    child: { numbers: [10, 11], parents: ['left', 'right'] },
    left: { numbers: [1, 2, 3], isClosed: true },
    right: { numbers: [4], isClosed: true },
  })
  const { batches, handler } = collecting()
  await kinesisPoller(arn, handler, { client, batchSize: 2 }).drain()
  expect(batches.at(-1)).toEqual([10, 11])
  expect(batches.flat().toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 10, 11])
  expect(state.calls.toSorted()).toEqual(['child TRIM_HORIZON', 'left TRIM_HORIZON', 'right TRIM_HORIZON'])
})

it('kinesisPoller() finds the shards that come while others are read', async () => {
  const { state, client } = stream({ old: { numbers: [1] } })
  const { batches, handler } = collecting(() => {
    const { old } = state.shards
    if (old !== undefined) old.isClosed = true
    state.shards['new'] ??= { numbers: [2, 3], parents: ['old'] }
  })
  await kinesisPoller(arn, handler, { client, startingPosition: 'TRIM_HORIZON' }).drain()
  expect(batches).toEqual([[1], [2, 3]])
})

it('kinesisPoller() from LATEST on reads a shard that comes later from its beginning', async () => {
  const { state, client } = stream({ old: { numbers: [1] } })
  const { batches, handler } = collecting()
  const poller = kinesisPoller(arn, handler, { client, startingPosition: 'LATEST' })
  await poller.drain()
  Object.assign(state.shards, {
    old: { numbers: [1, 2], isClosed: true },
    new: { numbers: [3], parents: ['old'] },
  })
  await poller.drain()
  expect(batches).toEqual([[2], [3]])
})

it('kinesisPoller() goes on behind the last record when an iterator has expired', async () => {
  const { state, client } = stream({ a: { numbers: [1, 2, 3] } })
  const { batches, handler } = collecting()
  state.expired.add('a@0').add('a@2')
  await kinesisPoller(arn, handler, { client, batchSize: 2 }).drain()
  expect(batches).toEqual([[1, 2], [3]])
  expect(state.calls).toEqual(['a TRIM_HORIZON', 'a TRIM_HORIZON', 'a AFTER_SEQUENCE_NUMBER 2'])
})

it('kinesisPoller() reads on where a read gives nothing in front of more', async () => {
  const { state, client } = stream({ a: { numbers: [1] } })
  state.emptyReads = 3
  const { batches, handler } = collecting()
  await kinesisPoller(arn, handler, { client }).drain()
  expect(batches).toEqual([[1]])
})

const failures = (...numbers: readonly unknown[]): object => ({
  batchItemFailures: numbers.map((itemIdentifier) => ({ itemIdentifier })),
})

it.each<[string, unknown, readonly number[][]]>([
  [
    'several numbers, the lowest not in front',
    failures('3', '2'),
    [
      [1, 2, 3],
      [2, 3],
    ],
  ],
  [
    'a number that is not of the batch',
    failures('2', '9'),
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  ],
  [
    'an empty number',
    failures(''),
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  ],
  [
    'no number',
    failures(null),
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  ],
  [
    'a wrong name',
    { batchItemFailures: [{ id: '2' }] },
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  ],
  ['nothing', {}, [[1, 2, 3]]],
  ['null for a list', { batchItemFailures: null }, [[1, 2, 3]]],
])('kinesisPoller() reads an answer that lists %s as Lambda does', async (_, answer, expected) => {
  const { client } = stream({ a: { numbers: [1, 2, 3] } })
  let calls = 0
  const { batches, handler } = collecting(() => (calls++ === 0 ? answer : undefined))
  await kinesisPoller(arn, handler, { client }).drain()
  expect(batches).toEqual(expected)
})

it('kinesisPoller() takes any answer for done where the mapping does not report failures', async () => {
  const { client } = stream({ a: { numbers: [1, 2] } })
  const { batches, handler } = collecting(() => failures('1'))
  await kinesisPoller(arn, handler, { client, reportBatchItemFailures: false }).drain()
  expect(batches).toEqual([[1, 2]])
})

it('kinesisPoller() counts retries anew where the first failure has moved on', async () => {
  const { client } = stream({ a: { numbers: [1, 2, 3] } })
  const givenUp: StreamInvocation[] = []
  const answers = ['1', '2', '2', '2']
  const { batches, handler } = collecting(() => {
    const number = answers.shift()
    return number === undefined ? undefined : failures(number)
  })
  const options = {
    client,
    maximumRetryAttempts: 2,
    onFailure: (given: StreamInvocation) => givenUp.push(given),
  }
  await kinesisPoller(arn, handler, options).drain()
  expect(batches).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [2, 3],
    [2, 3],
  ])
  expect(givenUp.map(({ sequenceNumbers }) => sequenceNumbers)).toEqual([['2', '3']])
})

it('kinesisPoller() splits a batch that fails to its last record before it gives that up', async () => {
  const numbers = Array.from({ length: 100 }, (_, n) => n)
  const { client } = stream({ a: { numbers } })
  const givenUp: StreamInvocation[] = []
  const done = new Set<number>()
  const { handler } = collecting((batch) => {
    if (batch.includes(41)) throw new Error('41')
    for (const n of batch) done.add(n)
  })
  await kinesisPoller(arn, handler, {
    client,
    ...{ bisectBatchOnFunctionError: true, maximumRetryAttempts: 0 },
    onFailure: (given) => givenUp.push(given),
  }).drain()
  expect(givenUp.map(({ sequenceNumbers }) => sequenceNumbers)).toEqual([['41']])
  expect([...done]).toEqual(numbers.filter((n) => n !== 41))
})

it('kinesisPoller() counts no attempt for a batch that it splits', async () => {
  const { client } = stream({ a: { numbers: [1, 2, 3, 4] } })
  const { batches, handler } = collecting((batch) => {
    if (batch.includes(3)) throw new Error('3')
  })
  const options = { client, bisectBatchOnFunctionError: true, maximumRetryAttempts: 1 }
  await kinesisPoller(arn, handler, options).drain()
  expect(batches).toEqual([[1, 2, 3, 4], [1, 2], [3, 4], [3], [3], [4]])
})

it('kinesisPoller() tells of a read that fails, and skips nothing that is written before the next', async () => {
  const { state, client } = stream({ a: { numbers: [1] } })
  const { batches, handler } = collecting()
  let fails = false
  const throttling = {
    send: (command: object): Promise<unknown> =>
      fails && command instanceof GetRecordsCommand
        ? Promise.reject(new Error('too many reads'))
        : client.send(command),
  }
  const poller = kinesisPoller(arn, handler, { client: throttling, startingPosition: 'LATEST' })
  await poller.drain()
  fails = true
  await expect(poller.once()).rejects.toThrow('too many reads')
  state.shards['a']?.numbers.push(2)
  fails = false
  await poller.drain()
  expect(batches).toEqual([[2]])
})

it('kinesisPoller() ends an invocation with its timeout', async () => {
  const { client } = stream({ a: { numbers: [1] } })
  const options = { client, timeout: 20, maximumRetryAttempts: 0 }
  const [invocation] = await kinesisPoller(arn, () => new Promise(() => undefined), options).drain()
  expect(String(invocation?.error)).toBe('Error: Task timed out after 0.02 seconds')
})

it('kinesisPoller() works one round after the other, whoever asks', async () => {
  const { client } = stream({ a: { numbers: [1, 2, 3, 4] } })
  let running = 0
  const { batches, handler } = collecting(async () => {
    expect(++running).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    running--
  })
  const poller = kinesisPoller(arn, handler, { client, batchSize: 1 })
  await Promise.all([poller.once(), poller.drain(), poller.once()])
  expect(batches).toEqual([[1], [2], [3], [4]])
})

it('kinesisPoller() run() goes on after errors of AWS, and ends with its signal', async () => {
  const { state, client } = stream({ a: { numbers: [1] } })
  state.failure = new Error('no connection')
  const stopping = new AbortController()
  const errors: unknown[] = []
  const invocations: StreamInvocation[] = []
  const { handler } = collecting()
  await kinesisPoller(arn, handler, {
    client,
    interval: 1,
    onError(error) {
      errors.push(error)
      if (errors.length === 2) state.failure = undefined
    },
    onInvocation(invocation) {
      invocations.push(invocation)
      stopping.abort()
    },
  }).run(stopping.signal)
  expect(errors.map(String)).toEqual(['Error: no connection', 'Error: no connection'])
  expect(invocations).toHaveLength(1)
})

it('kinesisPoller() run() ends at once while it waits', async () => {
  const { client } = stream({ a: { numbers: [] } })
  const stopping = new AbortController()
  const send = vi.spyOn(client, 'send')
  const running = kinesisPoller(arn, () => undefined, { client, interval: 3_600_000 }).run(stopping.signal)
  await vi.waitFor(() => {
    expect(send).toHaveBeenCalledTimes(3)
  })
  stopping.abort()
  await running
})

it.each([
  ['kinesisPoller()', kinesisPoller, 'arn:aws:kinesis:eu-central-1:000000000000:stream/'],
  ['kinesisPoller()', kinesisPoller, 'clicks'],
  ['dynamodbStreamPoller()', dynamodbStreamPoller, 'arn:aws:dynamodb:eu-central-1:000000000000:table/orders'],
  ['dynamodbStreamPoller()', dynamodbStreamPoller, arn],
])('%s refuses what is not the ARN of its stream', (_, poller, name) => {
  expect(() => poller(name, () => undefined)).toThrow(ConfigurationError)
})

it('dynamodbStreamPoller() tells who removed an item as Lambda does', async () => {
  const streamArn = 'arn:aws-cn:dynamodb:cn-north-1:000000000000:table/orders/stream/2026-11-27T00:00:00.000'
  const removed = {
    eventID: 'e1',
    eventName: 'REMOVE',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'cn-north-1',
    dynamodb: {
      ApproximateCreationDateTime: new Date(1_796_450_828_000),
      Keys: { id: { S: '7' } },
      SequenceNumber: '4421',
      SizeBytes: 3,
      StreamViewType: 'KEYS_ONLY',
    },
    userIdentity: { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' },
  }
  const send = (command: object): Promise<unknown> => {
    if (command instanceof GetChangesCommand)
      return Promise.resolve({
        Records: [removed, { ...removed, userIdentity: undefined, dynamodb: undefined }],
      })
    return Promise.resolve(
      command instanceof GetChangesIteratorCommand
        ? { ShardIterator: 'first' }
        : { StreamDescription: { Shards: [{ ShardId: 'a' }] } },
    )
  }
  const events: DynamoDBStreamEvent[] = []
  const handler = (event: DynamoDBStreamEvent): void => void events.push(event)
  await dynamodbStreamPoller(streamArn, handler, { client: { send } }).drain()
  const { dynamodb, userIdentity: _, ...rest } = removed
  expect(events[0]?.Records).toEqual([
    {
      ...rest,
      dynamodb: { ...dynamodb, ApproximateCreationDateTime: 1_796_450_828 },
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
      eventSourceARN: streamArn,
    },
    { ...rest, dynamodb: {}, eventSourceARN: streamArn },
  ])
})
