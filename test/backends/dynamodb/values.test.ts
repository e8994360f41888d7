// The catalogue of values (D36 to D45), in the order of its numbers.
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { InvalidDataError, ItemTooLargeError, model } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { marshall } from '../../../src/wire/marshall.ts'
import { unmarshallItem } from '../../../src/wire/unmarshall.ts'
import { recording, useTables } from '../../support/dynamodb-cases.ts'

const tables = useTables()

const definition = {
  key: ['id'],
  schema: z.object({
    id: z.string(),
    index: z.string().nullish(),
    count: z.number().nullish(),
    big: z.bigint().nullish(),
    value: z.any().optional(),
    when: z.date().nullish(),
  }),
  indexes: { byIndex: { partition: 'index' } },
} as const

const key = { id: 'a' }
const open = (options = {}) => tables.open(definition, options)

/** What is stored of an item, in its wire form. */
async function stored(name: string) {
  const { Item } = await tables.client.send(new GetItemCommand({ TableName: name, Key: { id: { S: 'a' } } }))
  return Item
}

/** What comes back of a value that is written. */
async function roundTrip(value: unknown, options = {}) {
  const { backend } = await open(options)
  await backend.create({ ...key, value })
  return (await backend.find(key))?.value as unknown
}

describe('dynamodb D36: whole numbers beyond 2^53', () => {
  const wire = { id: { S: 'a' }, count: { N: '9007199254740993' } }

  it('are refused where JavaScript would round them, with the column and not the value', async () => {
    const { backend, store } = await open()
    await store(wire)
    await expect(backend.find(key)).rejects.toThrow(/^count holds a number beyond 2\^53/)
    await expect(backend.find(key)).rejects.not.toThrow(/9007199254740993/)
  })

  it.each([
    ['bigint', 9007199254740993n],
    ['string', '9007199254740993'],
  ])('are %s where that is chosen', async (numbers, expected) => {
    const { store, reopen } = await open()
    await store({ ...wire, big: { N: '5' } })
    expect(await reopen({ numbers: numbers as 'bigint' }).find(key)).toEqual({
      ...key,
      count: expected,
      big: 5n,
    })
  })

  it('are bigint in a column that is declared so, in whatever form they come', async () => {
    const { backend, store } = await open()
    const big = 12345678901234567890123456789012345678n
    await backend.create({ ...key, big })
    expect(await backend.find(key)).toEqual({ ...key, big })
    expect(await backend.update(key, { big: 10n ** 30n })).toEqual({ ...key, big: 10n ** 30n })
    await store({ id: { S: 'b' }, big: { N: '5' } })
    expect(await backend.find({ id: 'b' })).toEqual({ id: 'b', big: 5n })
    expect(
      unmarshallItem(
        { big: { N: '1E+30' } },
        { numbers: 'safe', shapes: new Map([['big', { kind: 'bigint' }]]) },
      ),
    ).toEqual({ big: 10n ** 30n })
  })

  it('are written from bigint, and refused as numbers', async () => {
    expect(await roundTrip({ deep: [2n ** 60n] }, { numbers: 'bigint' })).toEqual({ deep: [2n ** 60n] })
    expect(() => marshall(2 ** 53, 'count')).toThrow(/count is beyond 2\^53.*bigint/)
  })
})

describe('dynamodb D37: numbers that JavaScript has no exact form for do not spoil a page', () => {
  it.each([
    ['12345678901234567890.5', 12345678901234567000],
    ['0.1234567890123456789012', 0.12345678901234568],
    ['1E+100', 1e100],
    ['-1E-130', -1e-130],
    ['007', 7],
    ['1.0', 1],
  ])('%s', async (text, expected) => {
    const { backend, store } = await open()
    await store({ id: { S: 'a' }, count: { N: text } })
    expect(await backend.find(key)).toEqual({ ...key, count: expected })
  })

  it.each([1e21, 1e100, -1e125, 1.5e-7, 1e-130, 0.1, 5e-324 * 0])(
    '%d comes back as it was written',
    async (count) => {
      const { backend } = await open()
      await backend.create({ ...key, count })
      expect(await backend.find(key)).toEqual({ ...key, count })
    },
  )
})

it('dynamodb D38: numbers that DynamoDB does not hold are refused with their place', async () => {
  const { backend, sent, name } = await open()
  for (const [value, message] of [
    [NaN, /^value\.a\[0\] is NaN/],
    [-Infinity, /^value\.a\[0\] is -Infinity/],
    [1e126, /^value\.a\[0\] is out of the range/],
    [1e-131, /^value\.a\[0\] is out of the range/],
    [10n ** 39n + 1n, /^value\.a\[0\] has more than 38 digits/],
  ] as const) {
    const created = backend.create({ ...key, value: { a: [value] } })
    await expect(created).rejects.toThrow(InvalidDataError)
    await expect(created).rejects.toThrow(message)
  }
  expect(sent).toEqual([])
  await backend.create({ ...key, count: -0 })
  expect(await stored(name)).toEqual({ id: { S: 'a' }, count: { N: '0' } })
})

describe('dynamodb D39: what has no form', () => {
  it('is left out as undefined column or member, and refused as element', async () => {
    expect(await roundTrip({ a: undefined, b: [1, { c: undefined }] })).toEqual({ b: [1, {}] })
    const { backend, sent } = await open()
    await expect(backend.create({ ...key, value: [1, undefined, 3] })).rejects.toThrow(
      /^value\[1\] is undefined/,
    )

    await expect(backend.create({ ...key, value: [1, , 3] })).rejects.toThrow(/^value\[1\]/)
    expect(sent).toEqual([])
  })

  it.each([
    ['a function', () => 1, /value\.x is function/],
    ['a symbol', Symbol('s'), /value\.x is symbol/],
    ['an instance', new URL('http://x'), /value\.x is a URL/],
    ['a map', new Map([[1, 2]]), /value\.x is a Map/],
    ['an invalid date', new Date(NaN), /value\.x is an invalid date/],
  ])('is refused: %s', async (_, x, message) => {
    const { backend, sent } = await open()
    await expect(backend.create({ ...key, value: { x } })).rejects.toThrow(message)
    await expect(backend.update(key, { value: { x } })).rejects.toThrow(message)
    expect(sent).toEqual([])
  })

  it.each([
    ['iso', { S: '2026-03-10T12:30:00.000Z' }],
    ['seconds', { N: '1773145800' }],
    ['milliseconds', { N: '1773145800000' }],
  ] as const)('dates are %s, and dates again', async (dates, wire) => {
    const { backend, name } = await open({ dates })
    const when = new Date('2026-03-10T12:30:00Z')
    await backend.create({ ...key, when })
    expect((await stored(name))?.['when']).toEqual(wire)
    expect(await backend.find(key)).toEqual({ ...key, when })
    expect(await backend.where('id', '=', 'a').where('when', '=', when).count()).toBe(1)
  })
})

it('dynamodb D40: an empty text is a value, and no key', async () => {
  const { backend, sent } = await open()
  expect(await roundTrip({ '': '' })).toEqual({ '': '' })
  await expect(backend.create({ id: '' })).rejects.toThrow(/"id" is empty/)
  await expect(backend.create({ ...key, index: '' })).rejects.toThrow(/"index" is empty/)
  await expect(backend.update(key, { index: '' })).rejects.toThrow(/"index" is empty/)
  await expect(backend.find({ id: '' })).rejects.toThrow(/"id" is empty/)
  await expect(backend.batch({ put: [{ ...key, index: '' }] })).rejects.toThrow(/"index" is empty/)
  expect(sent).toEqual([])
})

it('dynamodb D41: null takes an item out of an index', async () => {
  const { backend, name } = await open()
  await backend.create({ ...key, index: null, count: null })
  expect(await stored(name)).toEqual({ id: { S: 'a' }, count: { NULL: true } })
  await backend.update(key, { index: 'x' })
  expect(await backend.where('index', '=', 'x').count()).toBe(1)
  expect(await backend.update(key, { index: null })).toEqual({ ...key, count: null })
  expect(await backend.where('index', '=', 'x').count()).toBe(0)
})

describe('dynamodb D42: sets', () => {
  it('come back, whatever they hold', async () => {
    const sets = {
      s: new Set(['b', 'a']),
      n: new Set([1, 2.5]),
      b: new Set([new Uint8Array([1]), new Uint8Array([2])]),
    }
    expect(await roundTrip(sets)).toEqual(sets)
    expect(await roundTrip(new Set([2n ** 70n]), { numbers: 'bigint' })).toEqual(new Set([2n ** 70n]))
    await expect(roundTrip(new Set([2n ** 70n]))).rejects.toThrow(/^value holds a number beyond/)
  })

  it('that are empty are no value', async () => {
    const { backend, name } = await open()
    await backend.create({ ...key, value: new Set() })
    expect(await stored(name)).toEqual({ id: { S: 'a' } })
    await backend.update(key, { value: new Set(['x']) })
    expect(await backend.update(key, { value: new Set() })).toEqual(key)
    await expect(backend.create({ id: 'b', value: [new Set()] })).rejects.toThrow(
      /^value\[0\] is an empty set/,
    )
  })

  it('of several types are refused', async () => {
    const { backend, sent } = await open()
    for (const mixed of [[1, 'a'], [true], ['a', new Uint8Array()], [null]])
      await expect(backend.create({ ...key, value: new Set<unknown>(mixed) })).rejects.toThrow(
        /^value is a set of several/,
      )
    expect(sent).toEqual([])
  })
})

it('dynamodb D43: bytes are compared as bytes, also as keys', async () => {
  const { backend } = await tables.open({
    key: ['id', 'sort'],
    schema: z.object({ id: z.instanceof(Uint8Array), sort: z.instanceof(Uint8Array), raw: z.any() }),
  })
  const bytes = (...values: number[]) => new Uint8Array(values)
  const id = bytes(0, 255)
  await backend.batch({ put: [1, 2, 3].map((last) => ({ id, sort: bytes(last), raw: bytes(last, 0) })) })
  expect(await backend.find({ id: Buffer.from([0, 255]), sort: bytes(2) })).toMatchObject({
    raw: bytes(2, 0),
  })
  const found = await backend.findMany([3, 9, 1, 3].map((last) => ({ id: bytes(0, 255), sort: bytes(last) })))
  expect(found.map((item) => (item?.sort as Uint8Array | undefined)?.[0])).toEqual([3, undefined, 1, 3])
  const page = await backend.where('id', '=', id).limit(2).page()
  const rest = await backend.where('id', '=', Buffer.from(id)).after(page.next).page()
  expect([...page.items, ...rest.items].map(({ sort }) => sort[0])).toEqual([1, 2, 3])
  expect(await backend.where('id', '=', id).where('sort', '!=', bytes(2)).count()).toBe(2)
})

it('dynamodb D44: a member __proto__ is a member, on the way in and out', async () => {
  // The embedded engine drops it, so that the answer is made here.
  const answer =
    '{"Item":{"id":{"S":"a"},"value":{"M":{"__proto__":{"M":{"admin":{"BOOL":true}}},"a":{"N":"1"}}}}}'
  const { client, sent } = recording({ send: async () => JSON.parse(answer) as unknown })
  const backend = new DynamoDbBackend(model({ name: 'things', ...definition }), { client })
  const value = JSON.parse('{"__proto__":{"admin":true},"a":1}') as object
  await backend.create({ ...key, value })
  expect(JSON.stringify(sent[0]?.input['Item'])).toBe(
    JSON.stringify((JSON.parse(answer) as { Item: object }).Item),
  )
  const found = (await backend.find(key))?.value as Record<string, unknown>
  expect(Object.keys(found)).toEqual(['__proto__', 'a'])
  expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
  expect(found['admin']).toBeUndefined()
})

describe('dynamodb D45: limits of items', () => {
  it('more than 400 KB are refused with the size', async () => {
    const { backend, sent } = await open()
    await backend.create({ ...key, value: 'x'.repeat(409_600 - 'idavalue'.length) })
    sent.length = 0
    const error: unknown = await backend
      .create({ ...key, value: 'é'.repeat(204_800) })
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ItemTooLargeError)
    expect(error).toMatchObject({ statusCode: 413, size: 409_608, limit: 409_600 })
    expect(sent).toEqual([])
  })

  it('more than 32 levels are refused', async () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
    expect(await roundTrip(nested(32))).toEqual(nested(32))
    await expect(roundTrip(nested(33))).rejects.toThrow(/nested deeper than 32/)
  })
})
