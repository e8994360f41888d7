// The catalogue of conditions: lists and alternatives (D29, D30).
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'

const tables = useTables()

const schema = z.object({
  group: z.string(),
  id: z.string(),
  other: z.string().optional(),
  age: z.number().optional(),
  note: z.string().optional(),
})
const definition = {
  key: ['group', 'id'],
  schema,
  indexes: { byOther: { partition: 'other', sort: 'age', project: 'keys' } },
} as const

/** A table with some items of one group. */
async function open(items: readonly Partial<z.infer<typeof schema>>[], options = {}) {
  const opened = await tables.open(definition, options)
  await opened.backend.batch({
    put: items.map((item, index) => ({ group: 'g', id: 'abcdefghij'[index] ?? '', ...item })),
  })
  opened.sent.length = 0
  return { ...opened, group: opened.backend.where('group', '=', 'g') }
}

const ids = async (query: { all(): Promise<{ id: string }[]> }) =>
  (await query.all()).map(({ id }) => id).join('')

describe('dynamodb D29: lists', () => {
  it('of none need no request', async () => {
    const { backend, group, sent } = await open([{}])
    expect(await ids(group.where('note', 'in', []))).toBe('')
    expect(await backend.where('group', 'in', []).count()).toBe(0)
    expect(await backend.where('note', 'in', []).first()).toBeUndefined()
    expect(sent).toEqual([])
    expect(await ids(group.where('note', 'not-in', []))).toBe('a')
  })

  it('of one are that value', async () => {
    const { backend, sent } = await open([{}])
    expect(await ids(backend.where('group', 'in', ['g']).where('id', 'in', ['a']))).toBe('a')
    expect(sent.map(({ name }) => name)).toEqual(['GetItem'])
  })

  it('of keys are a batch, in the order of the list, and each value once', async () => {
    const { group, sent } = await open([{}, {}, {}])
    expect(await ids(group.where('id', 'in', ['c', 'x', 'a', 'c']))).toBe('ca')
    expect(sent.map(({ name }) => name)).toEqual(['BatchGetItem'])
  })

  it('of partitions are a Query each, and each value once', async () => {
    const { backend, sent } = await open([{}, {}, { group: 'h' }])
    expect(await ids(backend.where('group', 'in', ['h', 'g', 'h']))).toBe('cab')
    expect(sent).toHaveLength(2)
  })

  it('of more than 100 values are taken in parts', async () => {
    const { group } = await open(Array.from({ length: 5 }, (_, index) => ({ note: `n${index * 60}` })))
    const notes = Array.from({ length: 200 }, (_, index) => `n${index}`)
    expect(await ids(group.where('note', 'in', notes))).toBe('abcd')
    expect(await ids(group.where('note', 'not-in', notes))).toBe('e')
  })
})

describe('dynamodb D30: alternatives', () => {
  const items = [
    { note: 'x', age: 1 },
    { note: 'y', age: 2 },
    { other: 'o' },
    { note: 'x', other: 'o', age: 3 },
  ]

  it('are a filter within one partition', async () => {
    const { group, sent } = await open(items)
    expect(
      await ids(group.or({ note: 'x', age: 1 }, { note: 'y' }, (query) => query.where('age', '>', 2))),
    ).toBe('abd')
    expect(await ids(group.or({ id: 'c' }, { note: 'y' }))).toBe('bc')
    expect(await ids(group.or({ note: 'x' }, { note: 'y' }).or({ age: 2 }, { age: 3 }))).toBe('bd')
    expect(sent).toHaveLength(3)
  })

  it('inside of alternatives', async () => {
    const { group } = await open(items)
    expect(await ids(group.or((query) => query.or({ age: 1 }, { age: 2 }), { other: 'o' }))).toBe('abcd')
    expect(await ids(group.or((query) => query.or({ age: 1 }, { age: 2 }).where('note', '=', 'x')))).toBe('a')
  })

  it('are a read each, and an item comes once', async () => {
    const { backend } = await open(items, { hydrate: true })
    const aged = backend.where('other', '=', 'o').where('age', 'is-not-null')
    const either = backend.query().or(aged, { group: 'g' })
    expect((await ids(either)).split('').toSorted().join('')).toBe('abcd')
    expect(await either.count()).toBe(4)
  })

  it('of none are refused', async () => {
    const { group } = await open([])
    expect(() => group.or()).toThrow(/at least one/)
    expect(() => group.or({})).toThrow(/no condition/)
    expect(() => group.or((query) => query)).toThrow(/no condition/)
  })
})
