// What is stored comes back as what the schema says (M17 to M22), the same from every backend.
import { PGlite } from '@electric-sql/pglite'
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { MemoryBackend, model } from 'clearskies-middy'
import { DynamoDbBackend, type DynamoDbOptions } from 'clearskies-middy/backends/dynamodb'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { InvalidDataError, TypeMismatchError, ValidationError } from 'clearskies-middy/errors'
import * as v from 'valibot'
import { afterAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { useTables } from '../support/dynamodb-cases.ts'

const tables = useTables()
const pglite = new PGlite()
afterAll(() => pglite.close())

const at = new Date('2026-02-03T04:05:06.789Z')
const bytes = Uint8Array.from([0, 255])

const schemas = {
  zod: z.object({
    id: z.string(),
    when: z.object({ at: z.date(), until: z.date().nullish() }).optional(),
    days: z.array(z.date()).default([]),
    pair: z.tuple([z.string(), z.date()]).optional(),
    named: z.record(z.string(), z.date()).readonly().optional(),
    big: z.object({ n: z.bigint(), list: z.array(z.bigint()) }),
    sets: z.object({ words: z.set(z.string()), bytes: z.instanceof(Uint8Array) }),
    either: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), at: z.date() }),
        z.object({ kind: z.literal('b'), n: z.bigint() }),
      ])
      .optional(),
  }),
  valibot: v.object({
    id: v.string(),
    when: v.optional(v.object({ at: v.date(), until: v.nullish(v.date()) })),
    days: v.optional(v.array(v.date()), []),
    pair: v.optional(v.tuple([v.string(), v.date()])),
    named: v.optional(v.pipe(v.record(v.string(), v.date()), v.readonly())),
    big: v.object({ n: v.bigint(), list: v.array(v.bigint()) }),
    sets: v.object({ words: v.set(v.string()), bytes: v.instance(Uint8Array) }),
    either: v.optional(
      v.variant('kind', [
        v.object({ kind: v.literal('a'), at: v.date() }),
        v.object({ kind: v.literal('b'), n: v.bigint() }),
      ]),
    ),
  }),
}

const items = [
  {
    id: '1',
    when: { at, until: null },
    days: [at, new Date(0)],
    pair: ['a', at] as [string, Date],
    named: { a: at },
    big: { n: 5n, list: [2n ** 70n] },
    sets: { words: new Set(['a', 'b']), bytes },
    either: { kind: 'a' as const, at },
  },
  {
    id: '2',
    days: [],
    big: { n: 2n, list: [] },
    sets: { words: new Set(['a']), bytes },
    either: { kind: 'b' as const, n: 7n },
  },
]

describe.each(['zod', 'valibot'] as const)('a schema of %s', (vendor) => {
  // The two have the same types.
  const schema = schemas[vendor] as (typeof schemas)['zod']

  it('M17: dates, bigints, sets and bytes inside of columns come back from DynamoDB', async () => {
    for (const dates of ['iso', 'milliseconds'] as const) {
      const { backend } = await tables.open({ key: ['id'], schema }, { dates })
      await backend.createMany(items)
      expect(await backend.findMany([{ id: '1' }, { id: '2' }])).toEqual(items)
      expect(await backend.where('id', '=', '1').first()).toEqual(items[0])
    }
  })

  it('M17: they come back from memory and from PostgreSQL', async () => {
    const name = `kinds_${vendor}`
    await pglite.exec(
      `create table ${name} (id text primary key, "when" jsonb, days jsonb, pair jsonb, named jsonb, big jsonb, sets jsonb, either jsonb)`,
    )
    const Kinds = model({ name, key: ['id'], schema })
    for (const backend of [new SqlBackend(Kinds, { db: pglite }), new MemoryBackend(Kinds)]) {
      expect(await backend.createMany(items)).toEqual(items)
      expect(await backend.findMany([{ id: '1' }, { id: '2' }])).toEqual(items)
    }
  })
})

describe('model()', () => {
  const key = ['id'] as const
  const id = z.string()

  it.each([
    ['a column', 'at', z.object({ id, at: z.union([z.string(), z.date()]) })],
    ['a member', 'a.at', z.object({ id, a: z.object({ at: z.date().or(z.number()).optional() }) })],
    ['an element', 'list[]', z.object({ id, list: z.array(z.union([z.date(), z.null(), z.boolean()])) })],
    [
      'an item of a tuple',
      'pair[1]',
      z.object({ id, pair: z.tuple([z.string(), z.bigint().or(z.number())]) }),
    ],
    ['a member of a record', 'by[]', z.object({ id, by: z.record(z.string(), z.date().or(z.string())) })],
    ['a column of valibot', 'at', v.object({ id: v.string(), at: v.union([v.string(), v.date()]) })],
  ] as const)('M17: refuses %s that may be a date or something else, and says where', (_, place, schema) => {
    const define = (): unknown => model({ name: 'x', key, schema: schema as z.ZodType<{ id: string }> })
    expect(define).toThrow(TypeError)
    expect(define).toThrow(`"${place}"`)
  })

  it('M17: takes a date that may be null or left out, and a schema that contains itself', () => {
    const Node = z.object({
      id,
      at: z.union([z.date(), z.null(), z.undefined()]),
      get children() {
        return z.array(Node)
      },
    })
    expect(model({ name: 'x', key, schema: Node }).kind('at')).toBe('date')
  })

  const parts = { id, at: z.date(), n: z.bigint(), on: z.boolean() }
  const told = { id: 'string', at: 'date', n: 'bigint', on: 'boolean' } as const
  it.each([
    ['an intersection', z.object({ id, at: z.date() }).and(z.object({ n: z.bigint(), on: z.boolean() }))],
    [
      'a discriminated union',
      z.discriminatedUnion('id', [
        z.object({ ...parts, id: z.literal('a') }),
        z.object({ ...parts, id: z.literal('b') }),
      ]),
    ],
    ['preprocess', z.preprocess((value) => value, z.object(parts))],
    ['a pipe', z.unknown().pipe(z.object(parts))],
    ['a lazy schema', z.lazy(() => z.object(parts))],
    [
      'a variant of valibot',
      v.variant('id', [v.object({ id: v.literal('a'), at: v.date(), n: v.bigint(), on: v.boolean() })]),
    ],
    [
      'an intersection of valibot',
      v.intersect([v.object({ id: v.string(), at: v.date() }), v.object({ n: v.bigint(), on: v.boolean() })]),
    ],
    [
      'a pipe of valibot',
      v.pipe(v.unknown(), v.object({ id: v.string(), at: v.date(), n: v.bigint(), on: v.boolean() })),
    ],
  ])('M18: reads the columns of %s', (_, schema) => {
    const read = model({
      name: 'x',
      key,
      schema: schema as z.ZodType<Record<string, unknown> & { id: string }>,
    })
    const kinds = Object.fromEntries((read.columns ?? []).map((column) => [column, read.kind(column)]))
    expect(kinds).toEqual(told)
  })

  it('M18: takes the kinds of columns by hand where the schema does not tell them', async () => {
    const schema = z.object(parts).transform((item) => ({ ...item, made: 1 }))
    const columns = { ...told, made: 'number' } as const
    const { backend } = await tables.open({ key: ['id'], schema, columns })
    const item = { id: '1', at, n: 5n, on: true }
    await backend.create(item)
    expect(await backend.find({ id: '1' })).toEqual({ ...item, made: 1 })
    expect(() => backend.where('nope' as 'at', '=', at)).toThrow(/no column "nope"/)
    await expect(backend.where('id', '=', 5 as never).all()).rejects.toThrow(/takes a string/)
    expect(() => model({ name: 'x', key, schema, columns: { at: 'day' as 'date' } })).toThrow(/"columns"/)
  })

  it('M48: refuses a key over a column that the schema does not have', () => {
    for (const schema of [
      z.object({ id }),
      v.object({ id: v.string() }),
      z.object({ id }).and(z.object({ n: id })),
    ]) {
      const other = ['idd'] as unknown as ['id']
      expect(() => model({ name: 'x', key: other, schema: schema as z.ZodType<{ id: string }> })).toThrow(
        /"idd"/,
      )
      expect(() =>
        model({ name: 'x', key: ['id', 'idd'] as never, schema: schema as z.ZodType<{ id: string }> }),
      ).toThrow(TypeError)
    }
    expect(model({ name: 'x', key: ['other'] as never, schema: z.looseObject({ id }) }).key).toEqual([
      'other',
    ])
  })
})

describe('numbers', () => {
  const schema = z.object({ id: z.string(), n: z.number().optional(), big: z.bigint().optional() })

  it('M20: what is read can be written', async () => {
    const { backend, store } = await tables.open({ key: ['id'], schema })
    for (const N of ['100000000000000000000', '1E+21', '123456789012345000000', '-1E+20', '0.1']) {
      await store({ id: { S: '1' }, n: { N } })
      const found = await backend.find({ id: '1' })
      expect(found?.n).toBe(Number(N))
      expect(await backend.put({ id: '1', ...found })).toEqual(found)
    }
    for (const N of ['9007199254740994', '9007199254740993']) {
      await store({ id: { S: '1' }, n: { N } })
      await expect(backend.find({ id: '1' })).rejects.toThrow(/beyond 2\^53/)
    }
  })

  it('M20: a date in a condition is compared exactly, though dates are stored in seconds', async () => {
    const dated = z.object({ id: z.string(), at: z.date(), days: z.array(z.date()).optional() })
    const { backend } = await tables.open({ key: ['id'], schema: dated }, { dates: 'seconds', scan: 'allow' })
    const stored = [4000, 5000, 6000].map((time) => new Date(time))
    await backend.createMany(stored.map((date) => ({ id: String(date.getTime()), at: date, days: [date] })))
    const holds = {
      '<': (a: Date, b: Date) => a < b,
      '<=': (a: Date, b: Date) => a <= b,
      '>': (a: Date, b: Date) => a > b,
      '>=': (a: Date, b: Date) => a >= b,
      '=': (a: Date, b: Date) => a.getTime() === b.getTime(),
      '!=': (a: Date, b: Date) => a.getTime() !== b.getTime(),
    }
    for (const time of [3999, 4000, 4001, 5000, 5900, 6000, 6001, -1]) {
      const operand = new Date(time)
      for (const [operator, isMet] of Object.entries(holds)) {
        const found = await backend.where('at', operator as '<', operand).count()
        expect(found, `at ${operator} ${time}`).toBe(stored.filter((date) => isMet(date, operand)).length)
      }
      const exact = stored.filter((date) => date.getTime() === time).length
      expect(await backend.where('at', 'in', [operand, new Date(1)]).count()).toBe(exact)
      expect(await backend.where('at', 'not-in', [operand]).count()).toBe(3 - exact)
      expect(await backend.where('days', 'contains', operand).count()).toBe(exact)
      const within = stored.filter((date) => date >= operand && date.getTime() <= time + 1500).length
      expect(await backend.where('at', 'between', [operand, new Date(time + 1500)]).count()).toBe(within)
    }
  })

  it('M20: a column of "ttl" that can never expire is refused at cold start', () => {
    const timed = z.object({ id: z.string(), text: z.string(), at: z.date(), n: z.number(), big: z.bigint() })
    const Timed = model({ name: 'timed', key: ['id'], schema: timed })
    const open = (options: DynamoDbOptions) => () =>
      new DynamoDbBackend(Timed, { client: tables.client, ...options })
    for (const options of [
      { ttl: 'at' },
      { ttl: 'at', dates: 'iso' },
      { ttl: 'at', dates: 'milliseconds' },
      { ttl: 'text' },
    ] as const) {
      expect(open(options)).toThrow(TypeError)
      expect(open(options)).toThrow(/"ttl"/)
    }
    for (const options of [{ ttl: 'at', dates: 'seconds' }, { ttl: 'n' }, { ttl: 'big' }] as const)
      expect(open(options)).not.toThrow()
  })

  it('M20: a column of "ttl" may be one of a key: what has expired is left out of all answers', async () => {
    const timed = z.object({ id: z.string(), kind: z.string(), until: z.number() })
    const indexes = { byKind: { partition: 'kind', sort: 'until' } } as const
    const { backend } = await tables.open(
      { key: ['id'], schema: timed, indexes },
      { ttl: 'until', scan: 'allow' },
    )
    const now = Math.floor(Date.now() / 1000)
    const items = Array.from({ length: 60 }, (_, n) => ({
      id: String(n),
      kind: 'a',
      until: now + (n % 2 === 0 ? 1 : -1) * (1000 + n),
    }))
    await backend.createMany(items)
    const alive = items.filter(({ until }) => until > now)
    const query = backend.where('kind', '=', 'a')
    expect(await query.sortBy('until').all()).toEqual(alive)
    expect(await query.count()).toBe(alive.length)
    expect(await query.limit(5).count()).toBe(5)
    expect(await query.where('until', '>', 0).exists()).toBe(true)
    expect(await query.where('until', '<', now).exists()).toBe(false)
    const { items: page, next } = await query.sortBy('until').limit(7).page()
    expect(page).toEqual(alive.slice(0, 7))
    expect((await query.sortBy('until').limit(7).after(next).page()).items).toEqual(alive.slice(7, 14))
    expect(await query.select('id').sortBy('until').first()).toEqual({ id: alive[0]?.id })
    expect(await backend.query().count()).toBe(alive.length)
  })

  it('M21: text of a million digits is refused, or read, at once', async () => {
    const { backend } = await tables.open({
      key: ['id'],
      schema: z.object({ id: z.string(), price: z.string() }),
      columns: { price: 'decimal' },
    })
    for (const price of [
      `${'1'.repeat(1_000_000)}x`,
      `1${'0'.repeat(1_000_000)}1`,
      `${'0'.repeat(1_000_000)}x`,
      '1e999999999',
      '1e-999999999',
    ])
      await expect(backend.create({ id: '1', price })).rejects.toThrow(/not valid|range|digits/)
    expect((await backend.create({ id: '1', price: `${'0'.repeat(1_000_000)}1` })).price).toBe('1')
  })

  it('M21: a bigint of a million digits is refused at once', async () => {
    const { backend } = await tables.open({ key: ['id'], schema })
    const big = 10n ** 1_000_000n + 1n
    for (const value of [big, -big])
      await expect(backend.put({ id: '1', big: value })).rejects.toThrow(/range/)
    expect((await backend.put({ id: '1', big: 10n ** 125n })).big).toBe(10n ** 125n)
  })
})

describe('decimals', () => {
  const schema = z.object({
    id: z.string(),
    price: z.string(),
    old: z.string().nullish(),
  })
  const columns = { id: 'decimal', price: 'decimal', old: 'decimal' } as const
  const long = '1234567890123456789.123456789'
  const items = [
    { id: '1', price: long },
    { id: '2', price: '0.12345678901234567890123456789' },
    { id: '3', price: '-12.5', old: '9007199254740993' },
    { id: '10', price: '0.1' },
  ]
  let made = 0

  async function rows() {
    const name = `decimals_${++made}`
    await pglite.exec(`create table ${name} (id numeric primary key, price numeric, old numeric)`)
    return new SqlBackend(model({ name, key: ['id'], schema, columns }), { db: pglite })
  }

  const open = {
    DynamoDB: async () => (await tables.open({ key: ['id'], schema, columns }, { scan: 'allow' })).backend,
    PostgreSQL: rows,
    memory: async () =>
      new MemoryBackend(model({ name: 'decimals', key: ['id'], schema, columns }), { scan: 'allow' }),
  }

  describe.each(['DynamoDB', 'PostgreSQL', 'memory'] as const)('in %s', (name) => {
    it('M19: are read and written exactly, in keys and in conditions too', async () => {
      const backend = await open[name]()
      expect(await backend.createMany(items)).toEqual(items)
      expect(await backend.findMany(items)).toEqual(items)
      for (const item of items) {
        const found = await backend.find({ id: item.id })
        expect(found).toEqual(item)
        expect(await backend.put(found as typeof item)).toEqual(item)
        expect(await backend.find({ id: item.id })).toEqual(item)
        expect(await backend.where('price', '=', item.price).all()).toEqual([item])
        expect(await backend.where('id', '=', item.id).where('price', '>=', item.price).count()).toBe(1)
      }
      const ids = async (query: { all(): Promise<readonly { id: string }[]> }) =>
        (await query.all()).map(({ id }) => id).sort()
      expect(await ids(backend.where('price', '<', '1234567890123456789.123456788'))).toEqual([
        '10',
        '2',
        '3',
      ])
      expect(await ids(backend.where('price', '>', '0.12345678901234567890123456788'))).toEqual(['1', '2'])
      expect(await ids(backend.where('price', 'between', ['-13', '0.10']))).toEqual(['10', '3'])
      expect(await ids(backend.where('price', 'in', ['0.100', '-12.50', '7']))).toEqual(['10', '3'])
      expect(await ids(backend.where('id', 'in', ['1.0', '1e1']))).toEqual(['1', '10'])
      expect(await ids(backend.query().or({ id: '3' }, { price: '0.1' }))).toEqual(['10', '3'])
      expect(await ids(backend.where('old', '!=', '9007199254740992'))).toEqual(['1', '10', '2', '3'])
    })

    it('M19: have one text for each number', async () => {
      const backend = await open[name]()
      expect(await backend.create({ id: '07', price: '1.50' })).toEqual({ id: '7', price: '1.5' })
      expect(await backend.find({ id: '7.0' })).toEqual({ id: '7', price: '1.5' })
      expect(await backend.update({ id: '7' }, { price: '+1E+3', old: '-0' })).toMatchObject({
        price: '1000',
        old: '0',
      })
      expect(await backend.update({ id: '7' }, { old: null })).not.toHaveProperty('old', '0')
      expect(await backend.delete({ id: '7' })).toMatchObject({ price: '1000' })
    })

    it('M19: what is no number is the mistake of the caller, and no number but that', async () => {
      const backend = await open[name]()
      await backend.create({ id: '1', price: '1' })
      for (const price of ['', 'abc', '1,5', '1e', 'NaN', 'Infinity', '0x10', '1 000', ' 1', '--1', '.']) {
        await expect(backend.put({ id: '1', price })).rejects.toMatchObject({
          statusCode: 400,
          errors: [{ path: ['price'] }],
        })
        await expect(backend.update({ id: '1' }, { price })).rejects.toMatchObject({ statusCode: 400 })
        await expect(backend.where('price', '=', price).all()).rejects.toThrow(TypeMismatchError)
      }
      expect(await backend.find({ id: '1' })).toEqual({ id: '1', price: '1' })
    })
  })

  it('M19: are numbers in DynamoDB, and can be added to exactly', async () => {
    const { backend, sent, name } = await tables.open({ key: ['id'], schema, columns })
    await backend.create({ id: '1', price: long })
    expect(sent.at(-1)?.input).toMatchObject({ Item: { id: { N: '1' }, price: { N: long } } })
    const added = await backend.update({ id: '1' }, {}, { add: { price: '0.000000001', old: '0.1' } })
    expect(added).toEqual({ id: '1', price: '1234567890123456789.12345679', old: '0.1' })
    await backend.update({ id: '1' }, { price: '2.50' }, { when: (query) => query.where('old', '=', '0.10') })
    expect(await backend.find({ id: '1' })).toEqual({ id: '1', price: '2.5', old: '0.1' })
    const raw = await tables.client.send(new GetItemCommand({ TableName: name, Key: { id: { N: '1' } } }))
    expect(raw.Item?.['price']).toEqual({ N: '2.5' })
    for (const price of ['1'.repeat(39), '1e126', '1e-131'])
      await expect(backend.put({ id: '1', price })).rejects.toThrow(InvalidDataError)
  })

  it.each(['string', 'bigint'] as const)(
    "M19: numbers: '%s' gives what can be found and stored again, at any depth",
    async (numbers) => {
      const loose = z.object({
        id: z.number(),
        n: z.number().min(0).optional(),
        inside: z.object({ list: z.array(z.number()), by: z.record(z.string(), z.number()) }).optional(),
        some: z.set(z.number()).optional(),
        half: z
          .number()
          .transform((half) => half)
          .optional(),
      })
      const { backend, store, name } = await tables.open(
        { key: ['id'], schema: loose },
        { numbers, scan: 'allow' },
      )
      const big = numbers === 'string' ? long : '12345678901234567890'
      const Item = {
        id: { N: '9007199254740993' },
        n: { N: big },
        inside: { M: { list: { L: [{ N: big }, { N: '1' }] }, by: { M: { a: { N: big } } } } },
        some: { NS: [big] },
      }
      await store(Item)
      const raw = async () =>
        (await tables.client.send(new GetItemCommand({ TableName: name, Key: { id: Item.id } }))).Item
      const before = await raw()
      const [item] = await backend.query().all()
      if (item === undefined) throw new Error('No item')
      expect(String(item.id)).toBe(Item.id.N)
      expect(await backend.find({ id: item.id })).toEqual(item)
      expect(await backend.put(item)).toEqual(item)
      expect(await raw()).toEqual(before)
      await backend.update({ id: item.id }, { n: item.n, inside: item.inside, some: item.some })
      expect(await raw()).toEqual(before)
      expect(await backend.where('some', 'contains', [...(item.some ?? [])][0] ?? 0).count()).toBe(1)
      await backend.batch({ put: [item] })
      expect(await raw()).toEqual(before)
      expect(await backend.where('n', '=', item.n as number).all()).toEqual([item])
      const negative = (numbers === 'string' ? `-${big}` : -BigInt(big)) as unknown as number
      await expect(backend.put({ ...item, n: negative })).rejects.toThrow(ValidationError)
      await expect(backend.update({ id: item.id }, { n: negative })).rejects.toThrow(ValidationError)
      await expect(backend.put({ ...item, n: 'abc' as unknown as number })).rejects.toThrow(ValidationError)
      const both = new DynamoDbBackend(model({ name, key: ['id'], schema: loose }), {
        client: tables.client,
        numbers,
        validate: 'both',
      })
      expect(await both.find({ id: item.id })).toEqual(item)
      expect(await backend.delete({ id: item.id })).toEqual(item)
    },
  )
})

it('M22: attributes that the schema does not have are not given, by any read or write', async () => {
  const schema = z.object({ id: z.string(), n: z.number().optional() })
  const { backend, store, model: Users } = await tables.open({ key: ['id'], schema }, { scan: 'allow' })
  const secret = { id: { S: '1' }, n: { N: '1' }, passwordHash: { S: 'x' }, __edb_e__: { S: 'user' } }
  await store(secret)
  const item = { id: '1', n: 1 }
  expect(await backend.find({ id: '1' })).toEqual(item)
  expect(await backend.findMany([{ id: '1' }])).toEqual([item])
  expect(await backend.query().all()).toEqual([item])
  expect(await backend.update({ id: '1' }, { n: 2 })).toEqual({ id: '1', n: 2 })
  await expect(backend.create({ id: '1' })).rejects.toMatchObject({ current: { id: '1', n: 2 } })
  expect(await backend.delete({ id: '1' })).toEqual({ id: '1', n: 2 })
  expect(Users.columns).toEqual(['id', 'n'])
  const loose = await tables.open({ key: ['id'], schema: z.looseObject({ id: z.string() }) })
  await loose.store(secret)
  expect(await loose.backend.find({ id: '1' })).toEqual({ ...item, passwordHash: 'x', __edb_e__: 'user' })
})
