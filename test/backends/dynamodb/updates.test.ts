// The catalogue of writing: changes of what is there (D51 to D53).
import { ColumnError, ConditionError, ConflictError, InvalidDataError } from 'clearskies-middy'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useTables } from '../../support/dynamodb-cases.ts'

const tables = useTables()

const definition = {
  key: ['group', 'id'],
  schema: z.object({
    group: z.string(),
    id: z.number(),
    text: z.string().nullish(),
    count: z.number().optional(),
    list: z.array(z.number()).optional(),
    marks: z.set(z.string()).optional(),
    deep: z.record(z.string(), z.unknown()).optional(),
    rev: z.number().optional(),
  }),
} as const
const key = { group: 'g', id: 1 }

const open = (options = {}) => tables.open(definition, options)

/** What something was refused with. */
async function refused(done: Promise<unknown>): Promise<unknown> {
  try {
    await done
  } catch (error) {
    return error
  }
  throw new Error('It was not refused')
}

describe('dynamodb D51: places inside of columns', () => {
  it('are set and removed', async () => {
    const { backend } = await open()
    await backend.create({ ...key, deep: { a: { b: 1 }, list: [1, 2, 3] } })
    const changed = await backend.update(
      key,
      {},
      { set: [[['deep', 'a', 'c.d'], 2]], remove: [['deep', 'list', 1]] },
    )
    expect(changed.deep).toEqual({ a: { b: 1, 'c.d': 2 }, list: [1, 3] })
  })

  it('whose surroundings are not there are a clear error', async () => {
    const { backend } = await open()
    await backend.create({ ...key, deep: {} })
    const error = await refused(backend.update(key, {}, { set: [[['deep', 'a', 'b'], 2]] }))
    expect(error).toBeInstanceOf(InvalidDataError)
    expect((error as Error).message).toMatch(/what should be around it is not there/)
  })

  it('that overlap are refused before anything is sent', async () => {
    const { backend, sent } = await open()
    for (const [patch, changes] of [
      [{ deep: {} }, { set: [[['deep', 'a'], 1]] }],
      [{}, { set: [[['deep', 'a'], 1]], remove: [['deep', 'a', 'b']] }],
      [{ count: 1 }, { add: { count: 1 } }],
      [{}, { remove: ['text', 'text'] }],
    ] as const)
      expect(await refused(backend.update(key, patch, changes as never))).toMatchObject({
        message: expect.stringContaining('overlap') as string,
      })
    expect(await refused(backend.update(key, {}, { set: [['colour', 1]] }))).toBeInstanceOf(ColumnError)
    expect(sent).toEqual([])
  })
})

describe('dynamodb D52: changes on what is there', () => {
  it('are made without reading', async () => {
    const { backend, sent } = await open()
    await backend.create({ ...key, list: [2] })
    sent.length = 0
    const changed = await backend.update(
      key,
      { text: 'x' },
      {
        add: { count: 5 },
        append: { list: [3] },
        setAdd: { marks: ['a', 'b'] },
        ifNotExists: { deep: { made: true } },
      },
    )
    expect(changed).toEqual({
      ...key,
      text: 'x',
      count: 5,
      list: [2, 3],
      marks: new Set(['a', 'b']),
      deep: { made: true },
    })
    expect(
      await backend.update(
        key,
        {},
        {
          add: { count: -7 },
          prepend: { list: [1] },
          setDelete: { marks: ['a'] },
          ifNotExists: { deep: { other: 1 } },
        },
      ),
    ).toEqual({ ...key, text: 'x', count: -2, list: [1, 2, 3], marks: new Set(['b']), deep: { made: true } })
    expect(await backend.update(key, {}, { remove: [['list', 0], 'marks'] })).toMatchObject({ list: [2, 3] })
    expect(sent.map(({ name }) => name)).toEqual(['UpdateItem', 'UpdateItem', 'UpdateItem'])
  })

  it('of fifty at once all count', async () => {
    const { backend } = await open()
    await backend.create(key)
    await Promise.all(Array.from({ length: 50 }, () => backend.update(key, {}, { add: { count: 1 } })))
    expect(await backend.find(key)).toMatchObject({ count: 50 })
  })

  it('begin lists, sets and numbers that are not there', async () => {
    const { backend } = await open()
    const made = await backend.update(
      key,
      {},
      { upsert: true, append: { list: [1] }, add: { count: 1 }, setAdd: { marks: ['a'] } },
    )
    expect(made).toEqual({ ...key, list: [1], count: 1, marks: new Set(['a']) })
    expect(await refused(backend.update(key, {}, { add: { text: 'x' } }))).toBeInstanceOf(ConditionError)
  })
})

describe('dynamodb D53: versions', () => {
  it('let one of ten writers win, and tell the others what there is', async () => {
    const { backend } = await open({ version: 'rev' })
    expect(await backend.create(key)).toEqual({ ...key, rev: 1 })
    const writes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, count) => backend.update(key, { count }, { expect: 1 })),
    )
    const lost = writes.flatMap((write) => (write.status === 'rejected' ? [write.reason as unknown] : []))
    expect(lost).toHaveLength(9)
    const current = await backend.find(key)
    expect(current).toMatchObject({ rev: 2 })
    for (const error of lost)
      expect(error).toMatchObject({ name: 'ConflictError', ambiguous: false, current: { rev: 2 } })
  })

  it('are taken from what is given, and counted by every write', async () => {
    const { backend } = await open({ version: 'rev' })
    await backend.put(key)
    expect(await refused(backend.put(key)), 'put as new').toBeInstanceOf(ConflictError)
    const second = await backend.put({ ...key, rev: 1, text: 'x' })
    expect(second.rev).toBe(2)
    const third = await backend.update(key, { ...second, text: 'y' } as never)
    expect(third).toEqual({ ...key, text: 'y', rev: 3 })
    expect(await refused(backend.update(key, { ...second, text: 'z' } as never))).toBeInstanceOf(
      ConflictError,
    )
    expect(await refused(backend.delete(key, { expect: 2 }))).toMatchObject({ current: third })
    await backend.batch({ put: [third] })
    expect(await backend.delete(key, { expect: 4 })).toMatchObject({ rev: 4 })
  })

  it('that nothing counts are not silently ignored', async () => {
    const { backend, sent } = await open()
    for (const done of [
      backend.update(key, { text: 'x' }, { expect: 1 }),
      backend.put(key, { expect: 1 }),
      backend.delete(key, { expect: 1 }),
    ])
      expect(await refused(done)).toMatchObject({
        name: 'ConditionError',
        message: expect.stringContaining('"version"') as string,
      })
    expect(sent).toEqual([])
  })
})
