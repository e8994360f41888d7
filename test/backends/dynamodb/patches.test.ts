// What an update of DynamoDB writes beside its patch, by the schema of each column (M2), and null in keys of indexes (M8).
import { ConditionError, ValidationError } from 'clearskies-middy'
import { transact } from 'clearskies-middy/backends/dynamodb'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'
import { rejection } from '../../support/rejection.ts'

const tables = useTables()
const key = { id: 'a' }
const definition = {
  key: ['id'],
  indexes: { byGenre: { partition: 'genre' } },
  schema: z.object({
    id: z.string(),
    title: z.string().min(3),
    genre: z.string().nullable(),
    count: z.number().optional(),
    list: z.array(z.number().min(0)).min(2).optional(),
    marks: z.set(z.string()).optional(),
    state: z.string().default('new'),
    rev: z.number().optional(),
  }),
} as const
const stored = { ...key, title: 'Kindred', genre: 'sf', state: 'new' }

it.each([
  ['ifNotExists of another type', { ifNotExists: { count: 'x' } }],
  ['ifNotExists that does not fit', { ifNotExists: { title: 'ab' } }],
  ['remove of a column that is required', { remove: ['title'] }],
  ['remove of a column with a default, as a path', { remove: [['state']] }],
  ['set of a whole column', { set: [[['title'], 'ab']] }],
  ['set of a whole column, as text', { set: [['title', 7]] }],
  ['add to a text', { add: { title: 1 } }],
  ['append of an element that does not fit', { append: { list: [-1] } }],
  ['prepend of an element of another type', { prepend: { list: ['x'] } }],
  ['setAdd of a member of another type', { setAdd: { marks: [5] } }],
])('M2: %s is refused before anything is sent, in transactions too', async (_, changes) => {
  const { backend, sent } = await tables.open(definition)
  await backend.create(stored)
  const before = sent.length
  await rejection(backend.update(key, {}, changes as never), ValidationError)
  await rejection(transact([backend.prepare.update(key, {}, changes as never)]), ValidationError)
  await rejection(transact([backend.prepare.update(key, { title: 'ab' })]), ValidationError)
  expect(sent).toHaveLength(before)
})

it('M2: elements are checked one by one, and not the length of what is added', async () => {
  const { backend } = await tables.open(definition)
  await backend.create({ ...stored, list: [1, 2] })
  expect(await backend.update(key, {}, { append: { list: [3] } })).toMatchObject({ list: [1, 2, 3] })
})

it('M2: an upsert counts what is added, and a transaction fills in no default', async () => {
  const { backend } = await tables.open(definition, { version: 'rev' })
  const patch = { title: 'Dawn', genre: 'sf' }
  const changes = { add: { count: 2 }, setAdd: { marks: ['x'] }, upsert: true } as const
  const made = { id: 'b', ...patch, count: 2, marks: new Set(['x']), state: 'new', rev: 1 }
  expect(await backend.update({ id: 'b' }, patch, changes)).toEqual(made)
  expect(await backend.update({ id: 'b' }, patch, changes)).toEqual({ ...made, count: 4, rev: 2 })
  await rejection(transact([backend.prepare.update({ id: 'c' }, patch, changes)]), ConditionError)
})

it('M2: an upsert whose schema fills nothing in is one request', async () => {
  const { backend, sent } = await tables.open(definition)
  await backend.update(key, { title: 'Dawn', genre: 'sf', state: 'new' }, { upsert: true })
  expect(sent.map(({ name }) => name)).toEqual(['UpdateItem'])
})

it('M8: null in the key of an index takes the item out of the index', async () => {
  const { backend } = await tables.open(definition)
  await backend.create(stored)
  expect(await backend.update(key, { genre: null })).not.toHaveProperty('genre')
  expect(await backend.where('genre', '=', 'sf').all()).toEqual([])
})
