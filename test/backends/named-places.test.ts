// What callers and operators learn of where something failed (M44, M45).
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import middy from '@middy/core'
import { PGlite } from '@electric-sql/pglite'
import { MemoryBackend, httpApi, model } from 'clearskies-middy'
import { DynamoDbBackend, transact } from 'clearskies-middy/backends/dynamodb'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { ConfigurationError } from 'clearskies-middy/errors'
import { httpApiEvent, invoke } from 'clearskies-middy/testing'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { createTableOf } from '../support/dynamodb-tables.ts'
import { useDynamoDb, useSqs } from '../support/engines.ts'

const dynamoDb = useDynamoDb()
const queues = useSqs()
const pglite = new PGlite()
afterAll(() => pglite.close())

const schema = z.object({ id: z.string(), rev: z.number().optional(), email: z.string().optional() })
const physical = 'prod-eu-billing-users-7f3a'
const Users = model({ name: physical, key: ['id'], schema })
const options = { version: 'rev' }

const open = {
  DynamoDbBackend: async () => {
    await createTableOf(dynamoDb.client, Users).catch(() => undefined)
    return new DynamoDbBackend(Users, { client: dynamoDb.client, ...options })
  },
  SqlBackend: async () => {
    await pglite.exec(
      `create table if not exists "${physical}" (id text primary key, rev int, email text unique)`,
    )
    return new SqlBackend(Users, { db: pglite, ...options })
  },
  MemoryBackend: async () => new MemoryBackend(Users, options),
}

/** What a caller is answered, and what the log says. */
async function told(run: () => unknown) {
  const lines: string[] = []
  const log = (...parts: unknown[]): void => void lines.push(inspect(parts, { depth: 10 }))
  const handler = middy()
    .use(httpApi({ logger: { error: log, warn: log } }))
    .handler(run)
  const answer = await invoke(handler, httpApiEvent({ path: '/' }))
  return { answer, log: lines.join('\n') }
}

describe.each(['DynamoDbBackend', 'SqlBackend', 'MemoryBackend'] as const)('%s', (name) => {
  it('M44: no error that a caller sees names the table, which stands beside it for logs', async () => {
    const backend = await open[name]()
    const id = `of ${name}`
    const item = await backend.create({ id, email: 'a' })
    const writes = {
      create: () => backend.create({ id }),
      update: () => backend.update({ id: 'none' }, { email: 'b' }),
      version: () => backend.update({ id }, { email: 'c' }, { expect: 7 }),
      put: () => backend.put({ ...item, rev: 9 }),
      condition: () => backend.delete({ id }, { when: (query) => query.where('email', '=', 'z') }),
      delete: () => backend.delete({ id: 'none' }, { mustExist: true }),
      patch: () => backend.update({ id }, { nope: 1 } as never),
      invalid: () => backend.create({ id: 5 as never }),
      key: () => backend.update({ id }, { id: 'other' } as never),
      ...(name === 'SqlBackend' && { unique: () => backend.create({ id: 'other', email: 'a' }) }),
    }
    for (const [title, write] of Object.entries(writes)) {
      const error = await write().then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect(error, title).toMatchObject({ expose: true })
      expect((error as Error).message, title).not.toContain(physical)
      const { answer } = await told(write)
      expect(answer).toMatchObject({ statusCode: (error as { statusCode: number }).statusCode })
      expect(JSON.stringify(answer), title).not.toContain('billing')
    }
    await expect(backend.create({ id })).rejects.toMatchObject({ table: physical })
    await expect(backend.update({ id: 'none' }, { email: 'b' })).rejects.toMatchObject({ table: physical })
  })
})

describe('DynamoDbBackend', () => {
  const failing = (failure: object) => ({
    config: { region: () => Promise.resolve('eu-west-9') },
    send: () => Promise.reject(Object.assign(new Error('No'), failure)),
  })

  it('M44: a throttle names no table either', async () => {
    const client = failing({ name: 'ThrottlingException', $fault: 'client', $metadata: { attempts: 1 } })
    const users = new DynamoDbBackend(Users, { client, scan: 'allow' })
    for (const run of [
      () => users.find({ id: '1' }),
      () => users.query().all(),
      () => users.delete({ id: '1' }),
    ]) {
      const { answer } = await told(run)
      expect(answer).toMatchObject({ statusCode: 429 })
      expect(JSON.stringify(answer)).not.toContain(physical)
      await expect(run()).rejects.toMatchObject({ table: physical, region: 'eu-west-9' })
    }
  })

  it('M45: a missing table is named to operators, with its region, and not to callers', async () => {
    const Missing = model({ name: 'no-such-table', key: ['id'], schema })
    const { hostname = '', port = 0 } = (await dynamoDb.client.config.endpoint?.()) ?? {}
    const client = new DynamoDBClient({ region: 'eu-west-9', endpoint: `http://${hostname}:${port}` })
    const missing = new DynamoDbBackend(Missing, { client, scan: 'allow' })
    const calls = {
      find: () => missing.find({ id: '1' }),
      findMany: () => missing.findMany([{ id: '1' }, { id: '2' }]),
      query: () => missing.query().all(),
      count: () => missing.query().count(),
      create: () => missing.create({ id: '1' }),
      update: () => missing.update({ id: '1' }, { email: 'a' }),
      delete: () => missing.delete({ id: '1' }),
      batch: () => missing.batch({ put: [{ id: '1' }] }),
    }
    for (const [title, call] of Object.entries(calls)) {
      const { answer, log } = await told(call)
      expect(answer, title).toMatchObject({ statusCode: 500 })
      expect(JSON.stringify(answer), title).not.toContain('no-such-table')
      expect(log, title).toContain('no-such-table')
      expect(log, title).toContain('eu-west-9')
      await expect(call(), title).rejects.toThrow('no-such-table')
    }
    client.destroy()
  })

  it('M45: a transaction names all of its tables', async () => {
    const client = failing({ name: 'ResourceNotFoundException', $fault: 'client' })
    const users = new DynamoDbBackend(Users, { client })
    const orders = new DynamoDbBackend(model({ name: 'orders', key: ['id'], schema }), { client })
    await expect(
      transact([users.prepare.create({ id: '1' }), orders.prepare.create({ id: '1' })]),
    ).rejects.toThrow(`${physical}, orders, eu-west-9`)
  })

  it('M45: the reason of the caller’s own signal stays as it is', async () => {
    const controller = new AbortController()
    const reason = new Error('Enough')
    const client = {
      send: () => {
        controller.abort(reason)
        return Promise.reject(Object.assign(new Error('Aborted'), { name: 'AbortError' }))
      },
    }
    const users = new DynamoDbBackend(Users, { client, scan: 'allow' })
    await expect(users.query().page({ signal: controller.signal })).rejects.toBe(reason)
    expect(reason).toEqual(new Error('Enough'))
    expect(Object.keys(reason)).toEqual([])
  })
})

describe('SqlBackend', () => {
  it('M45: a missing table is named to operators, and not to callers', async () => {
    const missing = new SqlBackend(model({ name: 'no_such_table', key: ['id'], schema }), { db: pglite })
    const { answer, log } = await told(() => missing.find({ id: '1' }))
    expect(answer).toMatchObject({ statusCode: 500 })
    expect(JSON.stringify(answer)).not.toContain('no_such_table')
    expect(log).toContain('no_such_table')
  })
})

describe('SqsBackend', () => {
  it('M45: a missing queue is named to operators, and not to callers', async () => {
    const queueUrl = `${queues.server.address}/000000000000/no-such-queue`
    const missing = new SqsBackend(model({ name: queueUrl, schema }), { client: queues.client })
    const { answer, log } = await told(() => missing.create({ id: '1' }))
    expect(answer).toMatchObject({ statusCode: 500 })
    expect(JSON.stringify(answer)).not.toContain('no-such-queue')
    expect(log).toContain(queueUrl)
  })

  it.each(['orders', 'arn:aws:sqs:eu-central-1:123456789012:orders', '123456789012/orders', 'undefined'])(
    'M45: "%s" is not the URL of a queue',
    async (name) => {
      const queue = new SqsBackend(model({ name, schema }), { client: queues.client })
      await expect(queue.create({ id: '1' })).rejects.toThrow(ConfigurationError)
    },
  )
})
