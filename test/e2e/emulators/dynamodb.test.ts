// The contract of every backend, transactions and failed conditions, against DynamoDB Local or moto. Where they are not
// like AWS, contributing/emulators.md says so.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ConflictError, NotFoundError, TransactionError, model } from 'clearskies-middy'
import { DynamoDbBackend, type DynamoDbOptions, transact } from 'clearskies-middy/backends/dynamodb'
import { light } from 'clearskies-middy/clients/light'
import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { backendContract } from '../../backends/contract/contract.ts'
import { comeBack, sameAsMemory, writesToDynamoDb } from '../../backends/dynamodb/query-property.ts'
import { createTableOf } from '../../support/dynamodb-tables.ts'
import type { AnyQuery } from '../../support/random-tables.ts'
import { rejection } from '../../support/rejection.ts'
import { runs } from '../../support/runs.ts'

const { DYNAMODB_LOCAL_ENDPOINT: local, MOTO_ENDPOINT: moto } = process.env
const client = new DynamoDBClient({ endpoint: (local ?? moto) as string })
/** The suite runs once with each client. */
const tested = process.env['AWS_CLIENT'] === 'light' ? light({ endpoint: (local ?? moto) as string }) : client
const isLocal = local !== undefined
/** What is asked by AWS's client in any case is asked once. */
const isFirst = tested === client

const made = new Set<string>()

backendContract(
  'DynamoDbBackend',
  async (definition, options) => {
    if (!made.has(definition.name)) {
      made.add(definition.name)
      await createTableOf(client, definition)
    }
    return new DynamoDbBackend(definition, { client: tested, ...options })
  },
  { encryptsTokens: true, isWhole: isLocal },
)

/** moto finds no beginning of bytes, and misses items whose object lacks the member that a condition names. */
const isUnlike = ({ where, or }: AnyQuery): boolean =>
  !isLocal &&
  [...where, ...or.flat()].some(
    ([column, operator]) => column.startsWith('o.') || (column === 'x' && operator === 'begins-with'),
  )

const slow = 600_000

it.runIf(isFirst)(
  'gives any query on any table what memory gives',
  () => sameAsMemory(client, { seed: 42, numRuns: runs(600), isUnlike }),
  slow,
)

it.runIf(isLocal && isFirst)(
  'makes any writes to any table come to what is meant',
  async () => {
    expect(await writesToDynamoDb(client, { seed: 42, numRuns: runs(400) })).toBeGreaterThan(5 * runs(400))
  },
  slow,
)

it('gives any item back as it was given', () => comeBack(client, { seed: 42, numRuns: 100 }))

const accountModel = () =>
  model({
    name: `accounts-${randomUUID().slice(0, 13)}`,
    key: ['id'],
    schema: z.object({ id: z.string(), balance: z.number(), version: z.number().optional() }),
  })

async function openAccounts(options: DynamoDbOptions = {}) {
  const definition = accountModel()
  await createTableOf(client, definition)
  return new DynamoDbBackend(definition, { client: tested, ...options })
}

type Accounts = Awaited<ReturnType<typeof openAccounts>>

describe('a transaction', () => {
  let accounts: Accounts
  beforeEach(async () => {
    accounts = await openAccounts()
    await accounts.createMany([
      { id: 'a', balance: 10 },
      { id: 'b', balance: 0 },
    ])
  })
  const transfer = (amount: number) => [
    accounts.prepare.update(
      { id: 'a' },
      {},
      { add: { balance: -amount }, when: (query) => query.where('balance', '>=', amount) },
    ),
    accounts.prepare.update({ id: 'b' }, {}, { add: { balance: amount } }),
  ]
  const balances = async () =>
    (await accounts.findMany([{ id: 'a' }, { id: 'b' }])).map((account) => account?.balance)

  it('makes all writes', async () => {
    await transact([...transfer(7), accounts.prepare.create({ id: 'c', balance: 1 })])
    expect(await balances()).toEqual([3, 7])
    expect(await accounts.find({ id: 'c' })).toEqual({ id: 'c', balance: 1 })
  })

  it('makes none where one of them cannot be made, and says which', async () => {
    const error = await rejection(
      transact([accounts.prepare.create({ id: 'c', balance: 1 }), ...transfer(11)]),
      TransactionError,
    )
    expect(error.reasons).toEqual([{ index: 1, code: 'ConditionalCheckFailed' }])
    expect(error.statusCode).toBe(409)
    expect(await balances()).toEqual([10, 0])
    expect(await accounts.find({ id: 'c' })).toBeUndefined()
  })

  it('names each write that stands against it', async () => {
    const error = await rejection(
      transact([
        accounts.prepare.create({ id: 'a', balance: 1 }),
        accounts.prepare.check({ id: 'b' }),
        accounts.prepare.delete({ id: 'none' }, { mustExist: true }),
      ]),
      TransactionError,
    )
    expect(error.reasons.map(({ index }) => index)).toEqual([0, 2])
  })

  it('writes to several tables', async () => {
    const others = await openAccounts()
    await transact([
      accounts.prepare.delete({ id: 'a' }),
      others.prepare.put({ id: 'a', balance: 10 }),
      accounts.prepare.check({ id: 'b' }, { when: (query) => query.where('balance', '=', 0) }),
    ])
    expect(await accounts.find({ id: 'a' })).toBeUndefined()
    expect(await others.find({ id: 'a' })).toEqual({ id: 'a', balance: 10 })
  })

  it.runIf(isLocal)('is made once with one token', async () => {
    const token = randomUUID()
    await transact(transfer(2), { token })
    await transact(transfer(2), { token })
    expect(await balances()).toEqual([8, 2])
  })

  it('counts versions', async () => {
    const versioned = await openAccounts({ version: 'version' })
    await transact([versioned.prepare.create({ id: 'a', balance: 1 })])
    await transact([versioned.prepare.update({ id: 'a' }, { balance: 2, version: 1 })])
    expect(await versioned.find({ id: 'a' })).toEqual({ id: 'a', balance: 2, version: 2 })
    const late = versioned.prepare.update({ id: 'a' }, { balance: 3, version: 1 })
    await rejection(transact([late]), TransactionError)
  })
})

describe('a failed condition', () => {
  it('brings the item along, so that none is read for it', async () => {
    const sent: string[] = []
    const counting = {
      send: (command: object, ...rest: unknown[]) => {
        sent.push(command.constructor.name)
        return client.send(command as never, ...(rest as []))
      },
    }
    const accounts = await openAccounts({ client: counting as never })
    await accounts.create({ id: 'a', balance: 1 })
    const rich = { when: (query: ReturnType<typeof accounts.query>) => query.where('balance', '>', 5) }
    for (const run of [
      () => accounts.create({ id: 'a', balance: 2 }),
      () => accounts.put({ id: 'a', balance: 2 }, rich),
      () => accounts.update({ id: 'a' }, { balance: 2 }, rich),
      () => accounts.delete({ id: 'a' }, rich),
    ]) {
      const { current } = await rejection(run(), ConflictError)
      expect(current).toEqual({ id: 'a', balance: 1 })
    }
    expect(sent).not.toContain('GetItemCommand')
    await rejection(accounts.update({ id: 'none' }, { balance: 2 }), NotFoundError)
  })
})
