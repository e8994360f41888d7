// The catalogue of conditions (D18 to D33), in the order of its numbers; D29 and D30 are among the alternatives, D34 among the plans.
import { ColumnError, ConditionError, SortError, TypeMismatchError } from 'clearskies-middy'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'

const tables = useTables()

const schema = z.object({
  group: z.string(),
  id: z.string(),
  other: z.string().optional(),
  age: z.number().optional(),
  note: z.string().nullish(),
  active: z.boolean().optional(),
  tags: z.array(z.string()).optional(),
  marks: z.set(z.string()).optional(),
  raw: z.instanceof(Uint8Array).optional(),
  when: z.date().optional(),
  // Reserved words, and names with what has a meaning in expressions.
  name: z.string().optional(),
  'a.b': z.string().optional(),
  'a-b #c': z.string().optional(),
  '😀': z.string().optional(),
  size: z.number().optional(),
})
type Item = z.infer<typeof schema>
const definition = {
  key: ['group', 'id'],
  schema,
  indexes: { byOther: { partition: 'other', sort: 'age' }, byId: { partition: 'id', sort: 'group' } },
} as const

/** A table with some items of one group, and their ids where a query gives them. */
async function open(items: readonly Partial<Item>[], options = {}) {
  const opened = await tables.open(definition, options)
  await opened.backend.batch({
    put: items.map((item, index) => ({ group: 'g', id: 'abcdefghij'[index] ?? '', ...item })),
  })
  opened.sent.length = 0
  return { ...opened, group: opened.backend.where('group', '=', 'g') }
}

const ids = async (query: { all(): Promise<{ id: string }[]> }) =>
  (await query.all()).map(({ id }) => id).join('')

it('dynamodb D18: an undefined value is refused, wherever it stands', async () => {
  const { backend, group, sent } = await open([{}])
  const none = undefined as never
  expect(() => group.where('note', '=', none)).toThrow(ConditionError)
  expect(() => group.where({ note: none })).toThrow(/"note".*undefined/)
  expect(() => group.where('note', 'in', ['x', none])).toThrow(ConditionError)
  expect(() => group.where('age', 'between', [1, none])).toThrow(ConditionError)
  expect(() => group.or({ note: none })).toThrow(ConditionError)
  await expect(
    backend.update({ group: 'g', id: 'a' }, { age: 1 }, { when: (query) => query.where('age', '=', none) }),
  ).rejects.toThrow(ConditionError)
  await expect(backend.find({ group: 'g', id: none })).rejects.toThrow(/"id" has no value/)
  expect(sent).toEqual([])
})

it('dynamodb D18: null is refused by every operator', async () => {
  const { group } = await open([])
  for (const operator of ['=', '!=', '<', '<=', '>', '>=', 'begins-with', 'like'] as const)
    expect(() => group.where('note', operator, null as never)).toThrow(/null/)
  for (const operator of ['in', 'not-in', 'between'] as const)
    expect(() => group.where('note', operator, ['a', null] as never)).toThrow(/null/)
})

it('dynamodb D19: an unknown operator, column or form is refused, and never dropped', async () => {
  const { backend, group, sent } = await open([{}])
  expect(() => group.where('note', '<=>' as '=', 'x')).toThrow(/"<=>" is not an operator/)
  expect(() => group.where('note' as never)).toThrow(ConditionError)
  expect(() => group.where('colour' as 'note', '=', 'x')).toThrow(ColumnError)
  expect(() => group.where({ colour: 'x' } as never)).toThrow(ColumnError)
  expect(() => group.sortBy('colour' as 'note')).toThrow(ColumnError)
  expect(() => group.sortBy('id', 'up' as 'asc')).toThrow(ConditionError)
  expect(() => group.select('colour' as 'note')).toThrow(ColumnError)
  expect(() => group.where('age', 'in', 5 as never)).toThrow(/takes a list/)
  await expect(
    backend.delete({ group: 'g', id: 'a' }, { when: (query) => query.where('colour' as 'note', '=', 'x') }),
  ).rejects.toThrow(ColumnError)
  expect(sent).toEqual([])
})

it('dynamodb D20: no value is an absent column, or NULL', async () => {
  const { group, store, name, sent } = await open([{ note: 'x' }, { note: null }, {}])
  await store({ group: { S: 'g' }, id: { S: 'd' }, note: { N: '5' } })
  expect(name).toMatch(/^table/)
  expect(await ids(group.where('note', 'is-null'))).toBe('bc')
  expect(await ids(group.where('note', 'is-not-null'))).toBe('ad')
  expect(await ids(group.or((query) => query.where('note', 'is-null'), { age: 3 }))).toBe('bc')
  expect(
    await ids(group.where('id', '>', 'b').or((query) => query.where('note', 'is-null'), { note: 'x' })),
  ).toBe('c')
  expect(sent.every(({ input }) => input['ExpressionAttributeValues'] !== undefined)).toBe(true)
})

it('dynamodb D21: != also holds where there is no value, unless that is asked for, too', async () => {
  const { group } = await open([{ note: 'x' }, { note: 'y' }, {}])
  expect(await ids(group.where('note', '!=', 'x'))).toBe('bc')
  expect(await ids(group.where('note', '!=', 'x').where('note', 'is-not-null'))).toBe('b')
  expect(await ids(group.where('note', 'not-in', ['x', 'z']))).toBe('bc')
})

it('dynamodb D22, D23: a value of another type is refused, with the column and what it takes', async () => {
  const { backend, group, sent } = await open([{}])
  const wrong = { group: 5, age: '5', note: 5n, active: 'true', raw: 'x' } as const
  for (const [column, value] of Object.entries(wrong)) {
    const error: unknown = await group
      .where(column as 'note', '=', value as never)
      .page()
      .catch((thrown: unknown) => thrown)
    expect(error, column).toBeInstanceOf(TypeMismatchError)
    expect(error).toMatchObject({ column, message: expect.not.stringContaining(String(value)) as unknown })
  }
  const when = { when: (query: typeof group) => query.where('age', '>', '5' as never) }
  await expect(backend.update({ group: 'g', id: 'a' }, { note: 'x' }, when as never)).rejects.toThrow(
    /"age" takes a number/,
  )
  await expect(backend.update({ group: 'g', id: 'a' }, {}, when as never)).rejects.toThrow(
    /"age" takes a number/,
  )
  await expect(backend.find({ group: 'g', id: 5 as never })).rejects.toThrow(/"id" takes a string.*number/)
  expect(sent).toEqual([])
})

describe('dynamodb D24: conditions on keys that no key condition takes', () => {
  it.each([
    [
      'two bounds',
      [
        ['>=', 'b'],
        ['<=', 'd'],
      ],
      'bcd',
    ],
    [
      'two open bounds',
      [
        ['>', 'b'],
        ['<', 'd'],
      ],
      'c',
    ],
    [
      'three bounds',
      [
        ['>', 'a'],
        ['>=', 'c'],
        ['<', 'e'],
      ],
      'cd',
    ],
    [
      'bounds that exclude each other',
      [
        ['>', 'd'],
        ['<', 'b'],
      ],
      '',
    ],
    ['an inequality', [['!=', 'b']], 'acde'],
    [
      'a list',
      [
        ['in', ['d', 'b', 'x']],
        ['!=', 'd'],
      ],
      'b',
    ],
    ['what is not in a list', [['not-in', ['d', 'b']]], 'ace'],
    ['a part', [['contains', 'c']], 'c'],
    [
      'a beginning and a bound',
      [
        ['begins-with', 'c'],
        ['>', 'a'],
      ],
      'c',
    ],
    [
      'two values at once',
      [
        ['=', 'a'],
        ['=', 'b'],
      ],
      '',
    ],
    ['no value', [['is-null']], ''],
    ['any value', [['is-not-null']], 'abcde'],
  ] as [string, [string, unknown?][], string][])('%s', async (_, conditions, expected) => {
    const { group } = await open([{}, {}, {}, {}, {}])
    let query = group
    for (const [operator, value] of conditions) query = query.where('id', operator as '=', value as string)
    expect(await ids(query)).toBe(expected)
    expect(await query.count()).toBe(expected.length)
  })
})

it("dynamodb D25: the table's key goes before an index whose partition is its sort key", async () => {
  const { backend, group, sent } = await open([{}, {}])
  expect(await ids(group.where('id', '=', 'b'))).toBe('b')
  expect(await ids(group.where('id', '>', 'a'))).toBe('b')
  expect(await ids(backend.where('id', '=', 'b'))).toBe('b')
  expect(sent.map(({ name, input }) => [name, input['IndexName']])).toEqual([
    ['GetItem', undefined],
    ['Query', undefined],
    ['Query', 'byId'],
  ])
})

it('dynamodb D26: an order that nothing gives is refused with those there are', async () => {
  const { backend, group, sent } = await open([{}])
  await expect(group.sortBy('age').page()).rejects.toThrow(/sorted by "age"; they are sorted by id/)
  await expect(backend.where('other', '=', 'x').sortBy('note').page()).rejects.toThrow(SortError)
  await expect(group.or({ age: 1 }, { age: 2 }).sortBy('age').page()).rejects.toThrow(SortError)
  expect(sent).toEqual([])
})

it('dynamodb D27, D28: every name is an alias', async () => {
  const odd = { name: 'n', 'a.b': 'x', 'a-b #c': 'y', '😀': 'z', size: 1 }
  const { backend, group, sent } = await open([odd, {}])
  for (const [column, value] of Object.entries(odd))
    expect(await ids(group.where(column as 'name', '=', value as string)), column).toBe('a')
  expect(await group.select('a.b', 'size', '😀').first()).toEqual({ 'a.b': 'x', size: 1, '😀': 'z' })
  const key = { group: 'g', id: 'a' }
  expect(
    await backend.update(
      key,
      { 'a.b': 'changed', 'a-b #c': null },
      { when: (query) => query.where('size', '=', 1) },
    ),
  ).toMatchObject({ 'a.b': 'changed' })
  const texts = sent.flatMap(({ input }) =>
    Object.entries(input).flatMap(([part, value]) => (part.endsWith('Expression') ? [String(value)] : [])),
  )
  for (const text of texts) expect(text.replace(/[#:]\d+/g, ''), text).not.toMatch(/group|name|size|a\.b/)
})

it('dynamodb D31: between the wrong way round is nothing, without a request', async () => {
  const { group, sent } = await open([{ age: 5 }])
  expect(await ids(group.where('age', 'between', [9, 1]))).toBe('')
  expect(await ids(group.where('id', 'between', ['z', 'a']))).toBe('')
  expect(sent).toEqual([])
  expect(await ids(group.where('age', 'between', [5, 5]))).toBe('a')
})

it('dynamodb D32: a number has no beginning', async () => {
  const { group, sent } = await open([{ age: 5 }])
  await expect(group.where('age' as 'note', 'begins-with', '5').page()).rejects.toThrow(TypeMismatchError)
  expect(sent).toEqual([])
})

it('dynamodb D33: patterns are what DynamoDB can do, and others are refused', async () => {
  const { group, sent } = await open([{ note: 'abc' }, { note: 'xab' }, { note: 'ab' }])
  expect(await ids(group.where('note', 'like', 'ab%'))).toBe('ac')
  expect(await ids(group.where('note', 'like', '%ab%'))).toBe('abc')
  expect(await ids(group.where('note', 'like', 'ab'))).toBe('c')
  expect(await ids(group.where('id', 'like', 'b%'))).toBe('b')
  sent.length = 0
  for (const pattern of ['%ab', 'a%b', '', '%', '%%', 'a_', '_b%'])
    await expect(group.where('note', 'like', pattern).page(), pattern).rejects.toThrow(/patterns/)
  expect(sent).toEqual([])
})

it('sets, lists, bytes and dates are compared as they are stored', async () => {
  const day = new Date('2026-03-10T00:00:00Z')
  const { backend, group } = await open([
    { tags: ['x'], marks: new Set(['m']), raw: new Uint8Array([1, 2]), when: day },
    {},
  ])
  expect(await ids(group.where('tags', 'contains', 'x').where('marks', 'contains', 'm'))).toBe('a')
  expect(await ids(group.where('raw', '=', new Uint8Array([1, 2])))).toBe('a')
  expect(await ids(group.where('raw', 'begins-with', new Uint8Array([1])))).toBe('a')
  expect(await ids(group.where('when', '>=', day).where('id', '!=', 'x'))).toBe('a')
  const key = { group: 'g', id: 'a' }
  const same = { when: (query: typeof group) => query.where('when', '=', day) }
  expect(await backend.update(key, {}, same as never)).toMatchObject({ when: day })
  expect(await backend.update(key, { note: 'x' }, same as never)).toMatchObject({ note: 'x' })
})
