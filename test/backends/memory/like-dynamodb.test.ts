// MemoryBackend stands for DynamoDbBackend (M39, M40): the same calls on both give the same values and errors.
import {
  ConditionError,
  InvalidDataError,
  ItemTooLargeError,
  MemoryBackend,
  TransactionError,
  TypeMismatchError,
  model,
} from 'clearskies-middy'
import { transact, transactFind } from 'clearskies-middy/backends/dynamodb'
import {
  transact as transactInMemory,
  transactFind as transactFindInMemory,
} from 'clearskies-middy/backends/memory'
import { describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'
import { rejection } from '../../support/rejection.ts'
import { expectSame } from '../../support/same-outcome.ts'

const tables = useTables()

class Money {
  readonly cents = 5
}

function nested(depth: number): unknown {
  let value: unknown = 'x'
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

const values: readonly (readonly [name: string, value: unknown])[] = [
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['2^53 + 2', 2 ** 53 + 2],
  ['1e20', 1e20],
  ['1e126', 1e126],
  ['1e-131', 1e-131],
  ['a bigint of 38 digits', 10n ** 37n + 1n],
  ['a bigint of 39 digits', 10n ** 38n + 1n],
  ['undefined in a list', [undefined]],
  ['undefined in an object', { a: undefined, b: 1 }],
  ['null in a list', [null]],
  ['an instance of a class', new Money()],
  ['an instance of a class in a list', [new Money()]],
  ['a Map', new Map([['a', 1]])],
  ['a function', () => 1],
  ['a function inside', { run: () => 1 }],
  ['a symbol', Symbol('a')],
  ['an invalid date', new Date(Number.NaN)],
  ['an invalid date inside', { at: new Date(Number.NaN) }],
  ['a set of several types', new Set(['a', 1])],
  ['a set of objects', new Set([{}])],
  ['an empty set', new Set()],
  ['an empty set in a list', [new Set()]],
  ['a set of texts', new Set(['b', 'a'])],
  ['a set of numbers', new Set([1, 2n, 0.5])],
  ['bytes', Uint8Array.from([0, 255])],
  ['a Buffer', Buffer.from('text')],
  ['an empty text', ''],
  ['an attribute without a name', { '': 1 }],
  ['32 levels', nested(31)],
  ['33 levels', nested(33)],
  ['200,000 levels', nested(200_000)],
  ['a RegExp', /a/],
  ['an Error', new Error('a')],
  ['a text of nearly 400 KB', 'x'.repeat(409_000)],
  ['negative zero', -0],
  ['a lone surrogate', '\uD800'],
]

const anything = { key: ['id'], schema: z.object({ id: z.string(), value: z.any().optional() }) } as const

async function doubles() {
  const { backend, model: made } = await tables.open(anything)
  return [backend, new MemoryBackend(made)] as const
}

describe('MemoryBackend like DynamoDB: values', () => {
  it.each(values)('M39: %s is stored or refused as in DynamoDB', async (_, value) => {
    await expectSame(await doubles(), [
      (things) => things.create({ id: 'a', value }),
      (things) => things.find({ id: 'a' }),
      (things) => things.put({ id: 'b', value: { inside: value } }),
      (things) => things.find({ id: 'b' }),
      (things) => things.put({ id: 'c', value: 1 }),
      (things) => things.update({ id: 'c' }, { value }),
      (things) => things.find({ id: 'c' }),
    ])
  })

  it('M39: an item that is too large is refused as in DynamoDB', async () => {
    const value = 'x'.repeat(409_600)
    const stored = await expectSame(await doubles(), [
      (things) => things.create({ id: 'a', value }),
      (things) => things.find({ id: 'a' }),
    ])
    expect(stored[0]).toMatchObject({ error: { name: 'ItemTooLargeError', statusCode: 413 } })
    const [, memory] = await doubles()
    await memory.create({ id: 'a' })
    await rejection(memory.update({ id: 'a' }, { value }), ItemTooLargeError)
    expect(await memory.find({ id: 'a' })).toEqual({ id: 'a' })
  })

  it('M39: keys are refused as in DynamoDB', async () => {
    const { backend, model: made } = await tables.open({
      key: ['id', 'at'],
      indexes: { byAt: { partition: 'group', sort: 'n' } },
      schema: z.object({
        id: z.string(),
        at: z.number(),
        group: z.string().nullish(),
        n: z.number().optional(),
      }),
    })
    await expectSame(
      [backend, new MemoryBackend(made)],
      [
        (things) => things.create({ id: '', at: 1 }),
        (things) => things.find({ id: 'a' } as never),
        (things) => things.find({ id: 1, at: 1 } as never),
        (things) => things.find({ id: 'a', at: Number.NaN }),
        (things) => things.create({ id: 'a', at: 1, group: '' }),
        (things) => things.create({ id: 'a', at: 1, group: null, n: 1 }),
        (things) => things.find({ id: 'a', at: 1 }),
        (things) => things.update({ id: 'a', at: 1 }, { group: '' }),
        (things) => things.update({ id: 'a', at: 1 }, { at: 2 } as never),
        (things) => things.update({ id: 'a', at: 1 }, { group: 'g' }),
        (things) => things.where('group', '=', 'g').sortBy('n').all(),
        (things) => things.where('n', '=', 1).all(),
        (things) => things.where('id', '=', 'a').sortBy('n').all(),
        (things) => things.query().all(),
        (things) => things.where('group', '=', 'g').using('nope').all(),
        (things) => things.where('group', '=', 'g').consistent().all(),
      ],
    )
  })
})

const counters = {
  key: ['id'],
  schema: z.object({
    id: z.string(),
    n: z.number().optional(),
    text: z.string().optional(),
    list: z.array(z.any()).optional(),
    words: z.set(z.string()).optional(),
    numbers: z.set(z.number()).optional(),
    inner: z.record(z.string(), z.any()).optional(),
    any: z.any().optional(),
    rev: z.number().optional(),
  }),
} as const

describe('MemoryBackend like DynamoDB: changes', () => {
  const open = async (version?: 'rev') => {
    const { backend, reopen, model: made } = await tables.open(counters)
    return version === undefined
      ? ([backend, new MemoryBackend(made)] as const)
      : ([reopen({ version }), new MemoryBackend(made, { version })] as const)
  }

  it('M40: every change is made as in DynamoDB', async () => {
    const id = { id: 'a' }
    await expectSame(await open(), [
      (things) =>
        things.create({ ...id, n: 0.1, list: [1], words: new Set(['a']), inner: { deep: { x: 1 } } }),
      (things) => things.update(id, {}, { add: { n: 5 } }),
      (things) => things.update(id, {}, { add: { n: 0.2 } }),
      (things) => things.update(id, {}, { add: { n: -10n } }),
      (things) => things.update(id, {}, { append: { list: [2, { a: 1 }] }, prepend: { any: ['first'] } }),
      (things) => things.update(id, {}, { prepend: { list: [0] }, append: { any: ['last'] } }),
      (things) => things.update(id, {}, { setAdd: { words: ['b', 'a'], numbers: [1, 2] } }),
      (things) => things.update(id, {}, { setDelete: { words: ['a', 'z'], numbers: [1, 2] } }),
      (things) => things.update(id, {}, { setDelete: { numbers: [9] } }),
      (things) => things.update(id, {}, { ifNotExists: { text: 'first', n: 100 } }),
      (things) => things.update(id, {}, { ifNotExists: { text: 'second' } }),
      (things) => things.update(id, {}, { set: [[['inner', 'deep', 'y'], 2]] }),
      (things) => things.update(id, {}, { set: [[['list', 1], 'one']] }),
      (things) => things.update(id, {}, { set: [[['list', 99], 'behind the end']] }),
      (things) =>
        things.update(
          id,
          {},
          {
            remove: [
              ['list', 0],

              ['inner', 'deep', 'x'],
            ],
          },
        ),
      (things) => things.update(id, {}, { remove: ['any'] }),
      (things) => things.update(id, { n: 1 }, { upsert: true, add: { any: 3 } }),
      (things) => things.find(id),
      (things) => things.update({ id: 'b' }, {}, { add: { n: 1 }, upsert: true }),
      (things) => things.update({ id: 'b' }, {}, { add: { n: 1 }, upsert: true }),
      (things) => things.update({ id: 'none' }, {}, { add: { n: 1 } }),
      (things) => things.find({ id: 'none' }),
    ])
  })

  it('M40: elements are removed by their places before the update', async () => {
    const things = new MemoryBackend(model({ name: 'lists', ...counters }))
    await things.create({ id: 'a', list: [0, 1, 2, 3, 4] })
    const changed = await things.update(
      { id: 'a' },
      {},
      {
        remove: [
          ['list', 1],
          ['list', 2],
        ],
        set: [[['list', 3], 'x']],
      },
    )
    expect(changed).toEqual({ id: 'a', list: [0, 'x', 4] })
  })

  it('M40: what DynamoDB refuses to change is refused', async () => {
    const id = { id: 'a' }
    const refused = await expectSame(await open(), [
      (things) => things.create({ ...id, n: 1, text: 't', list: [1], words: new Set(['a']), any: 'text' }),
      (things) => things.update(id, {}, { add: { text: 1 } }),
      (things) => things.update(id, {}, { add: { n: 'one' } as never }),
      (things) => things.update(id, {}, { add: { n: Number.NaN } }),
      (things) => things.update(id, {}, { add: { nope: 1 } as never }),
      (things) => things.update(id, {}, { add: { id: 1 } }),
      (things) => things.update(id, { n: 1 }, { add: { n: 1 } }),
      (things) => things.update(id, {}, { set: [['n', 1]], remove: ['n'] }),
      (things) => things.update(id, {}, { set: [[['inner', 'deep', 'y'], 2]] }),
      (things) => things.update(id, {}, { set: [[['text', 'deep'], 2]] }),
      (things) => things.update(id, {}, { add: { any: 1 } }),
      (things) => things.update(id, {}, { append: { any: [1] } }),
      (things) => things.update(id, {}, { setAdd: { any: ['a'] } }),
      (things) => things.update(id, {}, { ad: { n: 1 } } as never),
      (things) => things.find(id),
    ])
    const [, ...errors] = refused.slice(0, -1)
    for (const [index, outcome] of errors.entries())
      expect(outcome, `refusal ${index}`).toHaveProperty('error')
  })

  it('M40: a version counts every change, and a seen version is a lock', async () => {
    const id = { id: 'a' }
    await expectSame(await open('rev'), [
      (things) => things.create({ ...id, n: 1 }),
      (things) => things.update(id, {}, { add: { n: 1 }, expect: 1 }),
      (things) => things.update(id, {}, { add: { n: 1 }, expect: 1 }),
      (things) => things.update(id, {}),
      (things) => things.update(id, { rev: 2 }, { append: { list: ['x'] } }),
      (things) => things.put({ ...id, n: 7, rev: 3 }),
      (things) => things.put({ ...id, n: 7 }),
      (things) => things.delete(id, { expect: 3 }),
      (things) => things.delete(id, { expect: 4 }),
      (things) => things.delete(id, { mustExist: true }),
    ])
  })

  it('M40: batch() stores and removes, and refuses one item twice', async () => {
    await expectSame(await open('rev'), [
      (things) =>
        things.batch({
          put: [
            { id: 'a', n: 1 },
            { id: 'b', rev: 4 },
          ],
          delete: [{ id: 'c' }],
        }),
      (things) => things.findMany([{ id: 'b' }, { id: 'c' }, { id: 'a' }, { id: 'b' }]),
      (things) => things.batch({ put: [{ id: 'a' }], delete: [{ id: 'a' }] }),
      (things) => things.batch({ delete: [{ id: 'a' }, { id: 'b' }] }),
      (things) => things.findMany([{ id: 'a' }, { id: 'b' }]),
    ])
  })
})

describe('MemoryBackend like DynamoDB: transactions', () => {
  const Counter = model({ name: 'counters', ...counters })
  const Log = model({
    name: 'log',
    key: ['id'],
    schema: z.object({ id: z.string(), text: z.string().default('') }),
  })
  const open = () => ({
    counters: new MemoryBackend(Counter, { version: 'rev' }),
    log: new MemoryBackend(Log),
  })

  it.each([
    ['backends/dynamodb', transact],
    ['backends/memory', transactInMemory],
  ])('M40: transact() of %s makes all writes of several tables', async (_, make) => {
    const { counters: things, log } = open()
    await things.create({ id: 'a', n: 1 })
    await things.create({ id: 'gone' })
    await make([
      things.prepare.update({ id: 'a' }, {}, { add: { n: 2 }, expect: 1 }),
      things.prepare.create({ id: 'b' }),
      things.prepare.put({ id: 'c', n: 3 }),
      things.prepare.delete({ id: 'gone' }, { mustExist: true }),
      log.prepare.create({ id: 'a', text: 'counted' }),
    ])
    expect(await things.findMany([{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'gone' }])).toEqual([
      { id: 'a', n: 3, rev: 2 },
      { id: 'b', rev: 1 },
      { id: 'c', n: 3, rev: 1 },
      undefined,
    ])
    expect(await log.find({ id: 'a' })).toEqual({ id: 'a', text: 'counted' })
  })

  it.each([
    ['backends/dynamodb', transactFind],
    ['backends/memory', transactFindInMemory],
  ])(
    'M40: transactFind() of %s finds items of several tables, and none that has expired',
    async (_, find) => {
      vi.useFakeTimers({ now: 1_000_000 })
      const Session = model({
        name: 'sessions',
        key: ['id'],
        schema: z.object({ id: z.number(), at: z.date(), ends: z.number() }),
      })
      const sessions = new MemoryBackend(Session, { ttl: 'ends' })
      const { log } = open()
      await sessions.createMany([999, 1001].map((ends) => ({ id: ends, at: new Date(0), ends })))
      await log.create({ id: 'a', text: 'x' })
      const current = sessions.prepare.find({ id: 1001 })
      const found = await find([
        log.prepare.find({ id: 'a' }),
        current,
        sessions.prepare.find({ id: 999 }),
        current,
      ])
      const session = { id: 1001, at: new Date(0), ends: 1001 }
      expect(found).toEqual([{ id: 'a', text: 'x' }, session, undefined, session])
      expect(found[1]).not.toBe(found[3])
      vi.setSystemTime(1_001_000)
      expect(await find([current])).toEqual([undefined])
      vi.useRealTimers()
    },
  )

  it('M40: transactFind() sees all writes of a transaction, or none', async () => {
    const { counters: things, log } = open()
    const pairs = Array.from({ length: 50 }, async (_, index) => {
      const id = String(index)
      const writing = transact([things.prepare.create({ id, n: 1 }), log.prepare.create({ id, text: id })])
      for (let turn = 0; turn < index % 7; turn++) await Promise.resolve()
      const [thing, entry] = await transactFind([things.prepare.find({ id }), log.prepare.find({ id })])
      await writing
      return [thing === undefined, entry === undefined]
    })
    const seen = await Promise.all(pairs)
    for (const [thing, entry] of seen) expect(thing).toBe(entry)
    expect(new Set(seen.flat())).toEqual(new Set([true, false]))
  })

  it('M40: transact() and transactFind() refuse what DynamoDB refuses', async () => {
    const { counters: things, log } = open()
    const text = 'x'.repeat(390_000)
    const ids = Array.from({ length: 101 }, (_, index) => ({ id: String(index) }))
    for (const { id } of ids.slice(0, 11)) await log.create({ id, text })
    const reads = ids.map((key) => log.prepare.find(key))
    await rejection(transactFind(reads), ConditionError)
    await rejection(transactFind(reads.slice(0, 11)), InvalidDataError)
    expect(await transactFind(reads.slice(10, 100))).toHaveLength(90)
    // An item that is read twice counts once.
    expect(await transactFind([...reads.slice(0, 10), ...reads.slice(0, 10)])).toHaveLength(20)
    const puts = ids.slice(20, 31).map(({ id }) => log.prepare.put({ id, text }))
    await rejection(transact(puts), InvalidDataError)
    await transact(puts.slice(1))
    await rejection(transactFind([things.prepare.find({ id: 5 } as never)]), TypeMismatchError)
    await rejection(transactFind([things.prepare.create({ id: '5' }) as never]), TypeError)
    await rejection(transactFind([{} as never]), TypeError)
    const reason = new Error('Enough')
    await expect(transactFind([], { signal: AbortSignal.abort(reason) })).resolves.toEqual([])
    await expect(
      transactFind([log.prepare.find({ id: '1' })], { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason)
    expect(new MemoryBackend(Log, { like: 'sql' }).prepare).toBeUndefined()
  })

  it('M40: transact() makes nothing where one write does not hold, and tells which', async () => {
    const { counters: things, log } = open()
    await things.create({ id: 'a', n: 1 })
    const error = await rejection(
      transact([
        things.prepare.update({ id: 'a' }, {}, { add: { n: 1 } }),
        log.prepare.check({ id: 'none' }),
        things.prepare.create({ id: 'a2' }),
        things.prepare.delete({ id: 'b' }, { mustExist: true }),
      ]),
      TransactionError,
    )
    expect(error).toMatchObject({
      statusCode: 409,
      reasons: [
        { index: 1, code: 'ConditionalCheckFailed' },
        { index: 3, code: 'ConditionalCheckFailed' },
      ],
    })
    expect(await things.find({ id: 'a' })).toEqual({ id: 'a', n: 1, rev: 1 })
    expect(await things.find({ id: 'a2' })).toBeUndefined()
  })

  it('M40: transact() makes nothing where a change cannot be made', async () => {
    const { counters: things, log } = open()
    await things.create({ id: 'a', any: 'text' })
    await rejection(
      transact([
        log.prepare.create({ id: 'x' }),
        things.prepare.update({ id: 'a' }, {}, { add: { any: 1 } }),
      ]),
      InvalidDataError,
    )
    expect(await log.find({ id: 'x' })).toBeUndefined()
  })

  it('M40: transact() refuses one item twice, writes of two databases, and defaults of an upsert', async () => {
    const { counters: things, log } = open()
    const { backend } = await tables.open(anything)
    await rejection(
      transact([things.prepare.create({ id: 'a' }), things.prepare.delete({ id: 'a' })]),
      ConditionError,
    )
    await rejection(
      transact([things.prepare.create({ id: 'a' }), backend.prepare.create({ id: 'a' })]),
      ConditionError,
    )
    await rejection(
      transact([backend.prepare.create({ id: 'a' }), things.prepare.create({ id: 'a' })]),
      ConditionError,
    )
    await rejection(transact([log.prepare.update({ id: 'a' }, {}, { upsert: true })]), ConditionError)
    expect(await things.find({ id: 'a' })).toBeUndefined()
    expect(await backend.find({ id: 'a' })).toBeUndefined()
  })
})
