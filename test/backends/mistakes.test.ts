// Mistakes of those who write a handler, told at once (M41, M42, M44 to M47, M49, M51).
import middy from '@middy/core'
import { MemoryBackend, backends, httpApi, model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { DynamoDbBackend, transact } from 'clearskies-middy/backends/dynamodb'
import { ConfigurationError, InvalidResponseError, InvalidTokenError } from 'clearskies-middy/errors'
import { httpApiEvent, invoke } from 'clearskies-middy/testing'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { writeToken } from '../../src/backends/planning/token.ts'
import { Query } from '../../src/backends/query.ts'
import { useTables } from '../support/dynamodb-cases.ts'

const tables = useTables()
const pglite = new PGlite()
beforeAll(() => pglite.exec('create table things (id text primary key, a text, n int)'))
afterAll(() => pglite.close())

const schema = z.object({ id: z.string(), a: z.string().optional(), n: z.number().optional() })
const Thing = model({ name: 'things', key: ['id'], schema })
const client = { send: () => Promise.reject(new Error('Nothing is to be sent')) }
interface Options {
  readonly tokenSecret?: string | (() => string | undefined)
  readonly encryptTokens?: boolean
}
const open = {
  DynamoDbBackend: (options: Options) => new DynamoDbBackend(Thing, { client, scan: 'allow', ...options }),
  MemoryBackend: (options: Options) => new MemoryBackend(Thing, { scan: 'allow', ...options }),
  SqlBackend: (options: Options) => new SqlBackend(Thing, { db: pglite, ...options }),
}

describe.each(['DynamoDbBackend', 'MemoryBackend', 'SqlBackend'] as const)('%s', (name) => {
  it.each(['', 'a', 'undefined', ' '.repeat(20), 'fifteen letters'])(
    'M41: refuses the secret "%s"',
    (tokenSecret) => {
      expect(() => open[name]({ tokenSecret })).toThrow(TypeError)
      expect(() => open[name]({ tokenSecret, encryptTokens: true })).toThrow(/tokenSecret/)
      expect(() => open[name]({ tokenSecret: 'sixteen letters.' })).not.toThrow()
    },
  )

  it('M43: encrypts tokens, with a secret alone', () => {
    expect(() => open[name]({ encryptTokens: true })).toThrow(/needs "tokenSecret"/)
    expect(() => open[name]({ encryptTokens: true, tokenSecret: () => undefined })).not.toThrow()
  })
})

describe.each(['table', 'memory', 'rows'] as const)('a %s', (kind) => {
  let tabled = 0
  async function stored(options: Options = {}) {
    if (kind === 'table') {
      const { backend, sent, name } = await tables.open(
        { key: ['id'], schema },
        { scan: 'allow', ...options },
      )
      await backend.createMany([
        { id: '1', n: 1 },
        { id: '2', n: 2 },
        { id: '3', n: 3 },
      ])
      return { backend, sent, name }
    }
    const rows = model({ name: `rows_${++tabled}`, key: ['id'], schema })
    if (kind === 'rows') await pglite.exec(`create table rows_${tabled} (id text primary key, a text, n int)`)
    const backend =
      kind === 'rows'
        ? new SqlBackend(rows, { db: pglite, ...options })
        : new MemoryBackend(rows, { scan: 'allow', ...options })
    await backend.createMany([
      { id: '1', n: 1 },
      { id: '2', n: 2 },
      { id: '3', n: 3 },
    ])
    return { backend, sent: [], name: rows.name }
  }

  it('M41: asks a function for the secret when it is needed, and never signs without one', async () => {
    const { backend } = await stored({ tokenSecret: () => process.env['NO_SUCH_SECRET'] })
    expect((await backend.query().page()).items).toHaveLength(3)
    await expect(backend.query().limit(1).page()).rejects.toThrow(ConfigurationError)
    const short = await stored({ tokenSecret: () => 'undefined' })
    await expect(short.backend.query().limit(1).page()).rejects.toThrow(/16 characters/)
    const late = await stored({ tokenSecret: () => 'a secret that came late' })
    const { next } = await late.backend.query().limit(1).page()
    expect((await late.backend.query().limit(1).after(next).page()).items).toHaveLength(1)
  })

  it('M43: encrypted tokens tell nothing, and go on', async () => {
    const { backend } = await stored({ tokenSecret: 'a secret of tokens', encryptTokens: true })
    const { items, next = '' } = await backend.query().limit(1).page()
    expect(items).toHaveLength(1)
    expect(Buffer.from(next, 'base64url').toString('latin1')).not.toMatch(/"(?:id|S|1)"/)
    expect((await backend.query().limit(2).after(next).page()).items).toHaveLength(2)
    for (const short of ['', next.slice(0, 20), next.slice(0, 37)])
      await expect(backend.query().after(short).page()).rejects.toThrow(InvalidTokenError)
  })

  it('M42: whatever is no place of a query is refused, though its code is right', async () => {
    const { backend, sent, name } = await stored()
    const queries = {
      all: backend.query().limit(1),
      keys: backend.query().where('id', 'in', ['1', '2', '3']).limit(1),
      parts: backend.query().or({ id: '1' }, { id: '2' }).limit(1),
    }
    const odd = [
      null,
      5,
      {},
      [],
      'end',
      [5],
      [[null]],
      [[['x', null]]],
      [-1e9],
      [1.5],
      [1e9],
      [true],
      ['a', {}],
      [{ bigint: 'x' }],
      [{ date: 'x' }],
      [[['id', { S: 5 }]]],
      [[['id', { N: 'x' }]]],
      [
        [
          ['id', { S: '1' }],
          ['b', { S: '2' }],
        ],
      ],
      [[['id', {}]]],
      [0, {}],
      [0, [{}]],
      [0, [null, null]],
      [-1, ['1']],
      [0, [[]]],
      [[]],
      [{ number: '1' }],
      [{ bytes: 5 }],
      [['1']],
    ]
    for (const query of Object.values(queries)) {
      const binding = await bindingOf(kind, name, query)
      const { next = '' } = await query.page()
      const [payload = ''] = next.split('.')
      const genuine = JSON.parse(Buffer.from(payload, 'base64url').toString()) as unknown
      expect(writeToken(genuine, binding, {}), 'the binding is right').toBe(next)
      sent.length = 0
      for (const place of odd) {
        if (JSON.stringify(place) === JSON.stringify(genuine)) continue
        const forged = writeToken(place, binding, {})
        await expect(query.after(forged).page(), JSON.stringify(place)).rejects.toThrow(InvalidTokenError)
      }
      expect(sent).toEqual([])
    }
  })
})

interface Read {
  readonly operation: string
  readonly index?: string | undefined
  readonly parts?: readonly { readonly read: Read }[]
}

/** What an unsigned token of a query is bound to, which anybody can compute. */
async function bindingOf<T>(kind: string, name: string, query: Query<T>): Promise<unknown> {
  const conditions = Query.conditionsOf(query)
  if (kind === 'rows') return [name, conditions, undefined]
  if (kind === 'memory') return [name, conditions, undefined, undefined]
  const plan: Read = (await query.explain()).plan
  const ways = (plan.parts?.map(({ read }) => read) ?? [plan]).map(({ operation, index }) =>
    operation.endsWith('GetItem') ? operation : [operation, index],
  )
  return [name, conditions, undefined, undefined, ways]
}

describe('backends()', () => {
  it.each([
    ['an empty object', {}],
    ['a model', Thing],
    ['a class', DynamoDbBackend],
    ['another class', MemoryBackend],
    ['null', null],
    ['a text', 'things'],
    ['a client', client],
  ])('M46: refuses %s at cold start', (_, value) => {
    expect(() => backends({ things: value as object })).toThrow(TypeError)
    expect(() => backends({ things: value as object })).toThrow(/"things"/)
  })

  it('M46: takes every backend, and functions that make one', () => {
    const memory = new MemoryBackend(Thing)
    const queue = new SqsBackend(model({ name: 'https://sqs.eu-central-1.amazonaws.com/1/q', schema }))
    expect(() =>
      backends({
        memory,
        queue,
        made: () => memory,
        table: new DynamoDbBackend(Thing, { client }),
        rows: new SqlBackend(Thing, { db: pglite }),
      }),
    ).not.toThrow()
  })
})

describe('a query without an end', () => {
  it.each([0, 2])('M47: is an error that is logged, with %i items', async (count) => {
    const things = new MemoryBackend(Thing, { scan: 'allow' })
    await things.createMany(Array.from({ length: count }, (_, id) => ({ id: String(id) })))
    const logged: unknown[] = []
    const logger = { error: (...parts: unknown[]) => void logged.push(...parts), warn: () => undefined }
    const handler = middy()
      .use(httpApi({ logger }))
      .handler(() => things.query())
    expect(await invoke(handler, httpApiEvent({ path: '/' }))).toMatchObject({ statusCode: 500 })
    expect(
      logged.some((part) => part instanceof InvalidResponseError && /no end: \.page\(\)/.test(part.message)),
    ).toBe(true)
  })
})

describe('a query without an end inside of an answer', () => {
  it.each([
    ['a member', (query: unknown) => ({ items: query })],
    ['an element', (query: unknown) => [query]],
    ['deep inside', (query: unknown) => ({ a: [{ b: query }] })],
  ])('M47: is an error that is logged, as %s', async (_, answer) => {
    const things = new MemoryBackend(Thing, { scan: 'allow' })
    const logged: unknown[] = []
    const logger = { error: (...parts: unknown[]) => void logged.push(...parts), warn: () => undefined }
    const handler = middy()
      .use(httpApi({ logger }))
      .handler(() => answer(things.query()))
    expect(await invoke(handler, httpApiEvent({ path: '/' }))).toMatchObject({ statusCode: 500 })
    expect(
      logged.some((part) => part instanceof InvalidResponseError && /no end: \.page\(\)/.test(part.message)),
    ).toBe(true)
  })
})

describe('transact()', () => {
  it('M49: refuses what is no prepared write, before anything is sent', async () => {
    const things = new DynamoDbBackend(Thing, { client })
    const made = things.prepare.create({ id: '1' })
    for (const writes of [[{}], [{}, 7], [made, null], [made, undefined], [made, Promise.resolve({})]])
      await expect(transact(writes as never)).rejects.toThrow(TypeError)
  })
})

describe('a name from the environment', () => {
  it('M51: may be undefined, which is an error of its own when it is needed', async () => {
    const Late = model({ name: () => process.env['NO_SUCH_TABLE'], key: ['id'], schema })
    await expect(new DynamoDbBackend(Late, { client }).find({ id: '1' })).rejects.toThrow(ConfigurationError)
  })
})
