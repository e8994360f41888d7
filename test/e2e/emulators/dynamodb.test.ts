// The contract of every backend, transactions and failed conditions, against DynamoDB Local or moto. Where they are not
// like AWS, contributing/emulators.md says so.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ConflictError, InvalidDataError, NotFoundError, TransactionError, model } from 'clearskies-middy'
import {
  DynamoDbBackend,
  type DynamoDbOptions,
  transact,
  transactFind,
} from 'clearskies-middy/backends/dynamodb'
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

// AWS's own engine is asked everything, and moto a tenth of it.
it.runIf(isFirst)(
  'gives any query on any table what memory gives',
  () => sameAsMemory(client, { seed: 42, numRuns: isLocal ? runs(600) : 60, isUnlike }),
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

describe('transact and transactFind()', () => {
  async function openThings(options: DynamoDbOptions = {}) {
    const made = model({
      name: `things-${randomUUID()}`,
      key: ['group', 'n'],
      schema: z.object({
        group: z.string(),
        n: z.number(),
        at: z.date().optional(),
        big: z.bigint().optional(),
        bytes: z.instanceof(Uint8Array).optional(),
        tags: z.set(z.string()).optional(),
        text: z.string().optional(),
        expires: z.number().optional(),
      }),
    })
    await createTableOf(client, made)
    return new DynamoDbBackend(made, { client: tested, ...options })
  }

  it('items of several tables are found as find() reads them, in the order of the reads', async () => {
    const [accounts, things] = await Promise.all([openAccounts(), openThings()])
    const thing = {
      group: 'g',
      n: 0.1,
      at: new Date('2026-01-02T03:04:05.678Z'),
      big: 12345678901234567890n,
      bytes: Uint8Array.from([0, 255]),
      tags: new Set(['a', 'b']),
    }
    await things.create(thing)
    await accounts.create({ id: 'a', balance: 10 })
    const missing = things.prepare.find({ group: 'g', n: 7 })
    expect(
      await transactFind([
        accounts.prepare.find({ id: 'a' }),
        missing,
        things.prepare.find({ group: 'g', n: 0.1 }),
        accounts.prepare.find({ id: 'none' }),
        accounts.prepare.find({ id: 'a' }),
      ]),
    ).toEqual([{ id: 'a', balance: 10 }, undefined, thing, undefined, { id: 'a', balance: 10 }])
    expect(await transactFind([missing])).toEqual([undefined])
  })

  it('a snapshot has a hundred items (in moto 25), and one that has expired is none', async () => {
    const count = isLocal ? 100 : 25
    const expires = Math.floor(Date.now() / 1000)
    const things = await openThings({ ttl: 'expires' })
    const list = Array.from({ length: count - 1 }, (_, n) => ({ group: 'g', n, expires: expires + 600 }))
    await things.batch({ put: [...list, { group: 'g', n: count - 1, expires: expires - 1 }] })
    const reads = Array.from({ length: count }, (_, n) => things.prepare.find({ group: 'g', n }))
    expect(await transactFind(reads)).toEqual([...list, undefined])
  })

  // moto answers in threads, and a transaction takes no turn of its own there.
  it.runIf(isLocal)('sums stay the same in every snapshot while transactions move them', async () => {
    const accounts = await openAccounts()
    await accounts.createMany([
      { id: 'a', balance: 100 },
      { id: 'b', balance: 0 },
    ])
    const move = async () => {
      for (let step = 0; step < 20; step++)
        await transact([
          accounts.prepare.update({ id: 'a' }, {}, { add: { balance: -1 } }),
          accounts.prepare.update({ id: 'b' }, {}, { add: { balance: 1 } }),
        ])
    }
    const sums = new Set<number>()
    const look = async () => {
      for (let step = 0; step < 20; step++) {
        const [a, b] = await transactFind([
          accounts.prepare.find({ id: 'a' }),
          accounts.prepare.find({ id: 'b' }),
        ])
        sums.add((a?.balance ?? 0) + (b?.balance ?? 0))
      }
    }
    await Promise.all([move(), look(), look()])
    expect([...sums]).toEqual([100])
    expect(await accounts.find({ id: 'b' })).toMatchObject({ balance: 20 })
  })

  it.runIf(isLocal)('items of more than 4 MB together are refused, and fewer of them are found', async () => {
    const things = await openThings()
    const list = Array.from({ length: 11 }, (_, n) => ({ group: 'g', n, text: 'x'.repeat(399_000) }))
    await things.createMany(list)
    const reads = list.map(({ group, n }) => things.prepare.find({ group, n }))
    await rejection(transactFind(reads), InvalidDataError)
    expect(await transactFind(reads.slice(1))).toEqual(list.slice(1))
  })

  it.runIf(isLocal)('each backend is told what its own table consumes', async () => {
    const told: Record<string, (number | undefined)[]> = { things: [], accounts: [] }
    const things = await openThings({
      onCapacity: ({ CapacityUnits: units }) => void told['things']?.push(units),
    })
    const accounts = await openAccounts({
      onCapacity: ({ CapacityUnits: units }) => void told['accounts']?.push(units),
    })
    await transact([
      things.prepare.create({ group: 'g', n: 1 }),
      accounts.prepare.create({ id: 'a', balance: 1 }),
    ])
    const reads = [1, 2].map((n) => things.prepare.find({ group: 'g', n }))
    await transactFind([...reads, accounts.prepare.find({ id: 'a' })])
    expect(told).toEqual({ things: [2, 4], accounts: [2, 2] })
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
