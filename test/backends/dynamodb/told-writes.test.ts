// What a write came to is told truly, whatever became of its attempts (M1), and of transactions (M6, M7).
import {
  ConditionError,
  ConflictError,
  InvalidDataError,
  ThrottledError,
  TransactionError,
} from 'clearskies-middy'
import { DynamoDbBackend, transact } from 'clearskies-middy/backends/dynamodb'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { recording, useTables } from '../../support/dynamodb-cases.ts'
import { rejection } from '../../support/rejection.ts'
import { toldOnDynamoDb } from '../../support/told-engines.ts'
import { jobs, toldTruly } from '../../support/told-writes.ts'
import { model } from 'clearskies-middy'

const tables = useTables()
afterEach(() => {
  vi.restoreAllMocks()
})

toldTruly(toldOnDynamoDb(() => tables.client, { name: 'dynalite', hasTransactions: false }))
toldTruly(
  toldOnDynamoDb(() => tables.client, {
    name: 'dynalite, whose failed conditions come without the item',
    hasTransactions: false,
    givesItems: false,
  }),
)

describe('M1: a client that is only a "send"', () => {
  const failed = (attempts: number) =>
    Object.assign(new Error('The conditional request failed'), {
      name: 'ConditionalCheckFailedException',
      $metadata: { httpStatusCode: 400, attempts },
      Item: { id: { S: 'job' } },
    })
  it.each([
    [1, false],
    [2, true],
  ])('has tried %i times: the conflict is ambiguous: %s', async (attempts, ambiguous) => {
    const { client } = recording({ send: () => Promise.reject(failed(attempts)) })
    const backend = new DynamoDbBackend(model({ name: 'jobs', ...jobs }), { client })
    expect(await rejection(backend.create({ id: 'job' }), ConflictError)).toMatchObject({ ambiguous })
  })

  it('tells itself that an answer was lost', async () => {
    const error = failed(1)
    Object.assign(error.$metadata, { lost: true })
    const { client } = recording({ send: () => Promise.reject(error) })
    const backend = new DynamoDbBackend(model({ name: 'jobs', ...jobs }), { client })
    expect(await rejection(backend.create({ id: 'job' }), ConflictError)).toMatchObject({ ambiguous: true })
  })
})

it('M1: a write that ends in throttles after a lost answer may be made, and says so', async () => {
  const { backend, proxy } = await tables.openFaulty(jobs)
  proxy.queue('PutItem', 'reset-after', 'throttle', 'throttle')
  await expect(backend.create({ id: 'job' })).rejects.toMatchObject({ statusCode: 503, ambiguous: true })
  proxy.queue('PutItem', 'throttle', 'throttle', 'throttle')
  await expect(backend.create({ id: 'other' })).rejects.toThrow(ThrottledError)
})

it('M1: a read that the service fails is not ambiguous', async () => {
  const { backend, proxy } = await tables.openFaulty(jobs)
  proxy.plan = () => 'internal'
  await expect(backend.find({ id: 'job' })).rejects.toMatchObject({ statusCode: 503, ambiguous: false })
  await expect(backend.put({ id: 'job' })).rejects.toMatchObject({ statusCode: 503, ambiguous: true })
})

describe('M6: a transaction', () => {
  const cancelled = (...codes: string[]) =>
    Object.assign(new Error('Transaction cancelled'), {
      name: 'TransactionCanceledException',
      $fault: 'client',
      CancellationReasons: codes.map((Code) => ({ Code })),
    })
  function answering(...answers: readonly (Error | undefined)[]) {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const left = [...answers]
    const { client, sent } = recording({
      send: async () => {
        const answer = left.length > 1 ? left.shift() : left[0]
        if (answer !== undefined) throw answer
        return {}
      },
    })
    const backend = new DynamoDbBackend(model({ name: 'jobs', ...jobs }), { client })
    const send = () => transact([backend.prepare.create({ id: 'a' }), backend.prepare.create({ id: 'b' })])
    return { sent, send }
  }
  const passing = ['ThrottlingError', 'ProvisionedThroughputExceeded', 'TransactionConflict']

  it.each(passing)('is tried again after %s, with the token that it had', async (code) => {
    const { sent, send } = answering(cancelled(code, 'None'), cancelled('None', code), undefined)
    await send()
    expect(sent).toHaveLength(3)
    expect(new Set(sent.map(({ input }) => input['ClientRequestToken'])).size).toBe(1)
  })

  it.each(['ThrottlingError', 'ProvisionedThroughputExceeded'])('is a 429 where %s stays', async (code) => {
    const { sent, send } = answering(cancelled(code, 'TransactionConflict'))
    expect(await rejection(send(), ThrottledError)).toMatchObject({ statusCode: 429 })
    expect(sent).toHaveLength(6)
  })

  it.each(passing)('is a 409 at once where a condition failed beside %s', async (code) => {
    const { sent, send } = answering(cancelled('ConditionalCheckFailed', code))
    expect(await rejection(send(), TransactionError)).toMatchObject({ statusCode: 409 })
    expect(sent).toHaveLength(1)
  })

  it('is no 409 where DynamoDB takes a write for malformed', async () => {
    const { send } = answering(cancelled('ValidationError', 'None'))
    expect(await rejection(send(), InvalidDataError)).not.toHaveProperty('statusCode', 409)
  })

  it.each([
    ['TransactionConflictException', 409],
    ['TransactionInProgressException', 409],
    ['ReplicatedWriteConflictException', 409],
    ['InternalServerError', 503],
  ] as const)('ends in a status after %s: %i', async (name, statusCode) => {
    const $fault = statusCode === 503 ? 'server' : 'client'
    const { send } = answering(Object.assign(new Error(name), { name, $fault }))
    await expect(send()).rejects.toMatchObject({ statusCode })
  })
})

describe('M7: a transaction of several backends', () => {
  const client = () => recording({ send: async () => ({}) })

  it('is refused before anything is sent where they have several clients', async () => {
    const [first, second] = [client(), client()]
    const [a, b] = [first, second].map(
      (own) => new DynamoDbBackend(model({ name: 'jobs', ...jobs }), { client: own.client }),
    )
    await rejection(
      transact([a, b].flatMap((backend) => backend?.prepare.create({ id: 'a' }) ?? [])),
      ConditionError,
    )
    expect([...first.sent, ...second.sent]).toEqual([])
  })

  it('is sent where they share a client, as it is or by a function', async () => {
    const own = client()
    const a = new DynamoDbBackend(model({ name: 'a', ...jobs }), { client: own.client })
    const b = new DynamoDbBackend(model({ name: 'b', ...jobs }), { client: () => own.client })
    await transact([a.prepare.create({ id: 'a' }), b.prepare.create({ id: 'a' })])
    expect(own.sent.map(({ name }) => name)).toEqual(['TransactWriteItems'])
  })
})
