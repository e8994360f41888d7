import { InvalidTokenError, model } from 'clearskies-middy'
import { SqlBackend } from 'clearskies-middy/backends/sql'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import { countRows } from '../../support/sql-tables.ts'
import { writeToken } from '../../../src/backends/planning/token.ts'
import type { TestedSql } from './contract.ts'

/** What a list is read with, page by page, and what it must be. */
interface ColumnCase {
  readonly type: string
  readonly kind: z.ZodType
  /** Values in SQL, each of them once or more. */
  readonly values: readonly string[]
}

const postgres: Record<string, ColumnCase> = {
  'double precision': {
    type: 'double precision',
    kind: z.number(),
    values: ['1', "'Infinity'", "'Infinity'", "'NaN'", 'null', "'-Infinity'", '0.1', "'NaN'"],
  },
  real: {
    type: 'real',
    kind: z.number(),
    values: ['0.1', '0.2', '0.1', "'NaN'", "'Infinity'", '16777217.5', 'null'],
  },
  numeric: {
    type: 'numeric',
    kind: z.number(),
    values: ['1.000000000000001', '1.000000000000002', "'NaN'", '1', 'null', '1.000000000000001'],
  },
  decimal: {
    type: 'numeric(38,18)',
    kind: z.string().regex(/\d/),
    values: ['10.000000000000000001', '9.000000000000000001', '9.000000000000000002', 'null', '-1'],
  },
  timestamptz: {
    type: 'timestamptz',
    kind: z.date(),
    values: [
      "'2024-01-01 00:00:00.000001'",
      "'2024-01-01 00:00:00.000002'",
      "'infinity'",
      'null',
      "'0044-03-15 BC'",
    ],
  },
  'timestamp of unknown kind': {
    type: 'timestamp',
    kind: z.any(),
    values: [
      "'2024-01-01 00:00:00.000001'",
      "'2024-01-01 00:00:00.000002'",
      "'2024-01-01 00:00:00.000002'",
      'null',
    ],
  },
  interval: {
    type: 'interval',
    kind: z.any(),
    values: ["'1 day'", "'2 hours'", "'1 day'", 'null', "'-1 month'"],
  },
  uuid: {
    type: 'uuid',
    kind: z.string(),
    values: ["'AAAAAAAA-0000-0000-0000-000000000000'", "'0AAAAAAA-0000-0000-0000-000000000000'", 'null'],
  },
  date: { type: 'date', kind: z.date(), values: ["'2024-01-02'", "'2024-01-01'", 'null', "'2024-01-02'"] },
  time: {
    type: 'time',
    kind: z.string(),
    values: ["'10:00:00.000001'", "'09:00'", 'null', "'10:00:00.000002'"],
  },
  char: { type: 'char(5)', kind: z.string(), values: ["'a'", "'a b'", "'B'", 'null', "'a'"] },
  inet: { type: 'inet', kind: z.string(), values: ["'10.0.0.2'", "'9.0.0.1'", 'null', "'::1'"] },
  boolean: { type: 'boolean', kind: z.boolean(), values: ['true', 'false', 'null', 'true', 'false'] },
  bytea: {
    type: 'bytea',
    kind: z.instanceof(Uint8Array),
    values: ["'\\x00'", "'\\xff00'", 'null', "'\\x00'", "''"],
  },
  bigint: {
    type: 'bigint',
    kind: z.bigint(),
    values: ['9007199254740993', '9007199254740992', '9007199254740994', 'null', '-9223372036854775808'],
  },
  jsonb: { type: 'jsonb', kind: z.array(z.number()), values: ["'[1]'", "'[2,3]'", "'[1]'", 'null', "'[]'"] },
}

const mysql: Record<string, ColumnCase> = {
  float: {
    type: 'float',
    kind: z.number(),
    values: ['0.1', '0.2', '0.3', '0.1', '16777217.5', '1e17', 'null', '-0.1'],
  },
  'float of unknown kind': {
    type: 'float',
    kind: z.any(),
    values: ['0.1', '0.2', '0.3', '0.1', '16777217.5', '1e17', 'null'],
  },
  double: {
    type: 'double',
    kind: z.number(),
    values: ['0.1', '1e20', '1e-7', '0.1', 'null', '123456789.123456789'],
  },
  decimal: {
    type: 'decimal(30,15)',
    kind: z.number(),
    values: ['1.000000000000001', '1.000000000000002', '1.000000000000001', '1', 'null', '-1'],
  },
  bigint: {
    type: 'bigint',
    kind: z.bigint(),
    values: ['9007199254740993', '9007199254740992', '9007199254740994', 'null', '-9223372036854775808'],
  },
  'bigint of unknown kind': {
    type: 'bigint',
    kind: z.any(),
    values: ['9007199254740993', '9007199254740992', '9007199254740994', 'null', '1'],
  },
  'datetime(6)': {
    type: 'datetime(6)',
    kind: z.date(),
    values: [
      "'2024-01-01 00:00:00.000001'",
      "'2024-01-01 00:00:00.000002'",
      'null',
      "'2024-01-01 00:00:00.000002'",
    ],
  },
  'datetime(6) of unknown kind': {
    type: 'datetime(6)',
    kind: z.any(),
    values: [
      "'2024-01-01 00:00:00.000001'",
      "'2024-01-01 00:00:00.000002'",
      'null',
      "'2024-01-01 00:00:00.000002'",
    ],
  },
  bit: { type: 'bit(1)', kind: z.boolean(), values: ["b'0'", "b'1'", 'null', "b'1'"] },
  'text of unknown kind': {
    type: 'varchar(20)',
    kind: z.any(),
    values: ["'007'", "'7'", "'abc'", "'0.1'", "'1e3'", "''", 'null', "'-'"],
  },
  enum: {
    type: "enum('c','a','b')",
    kind: z.enum(['c', 'a', 'b']),
    values: ["'a'", "'b'", "'c'", 'null', "'a'", "'c'"],
  },
  date: { type: 'date', kind: z.date(), values: ["'2024-01-02'", "'2024-01-01'", 'null', "'2024-01-02'"] },
  'time of unknown kind': {
    type: 'time(3)',
    kind: z.any(),
    values: ["'10:00:00.5'", "'-09:00'", 'null', "'100:00'"],
  },
  char: { type: 'char(5)', kind: z.string(), values: ["'a'", "'a b'", "'B'", 'null', "'a'"] },
  varbinary: {
    type: 'varbinary(9)',
    kind: z.instanceof(Uint8Array),
    values: ["x'00'", "x'ff00'", 'null', "x'00'"],
  },
}

/** Keysets over every type of column, names, and how much is read. */
export function sqlKeysets({ engine, pool, kysely }: TestedSql): void {
  const made = async (type: string, kind: z.ZodType, values: readonly string[]) => {
    const definition = model({
      name: uniqueName('places'),
      key: ['id'],
      schema: z.object({ id: z.number(), x: kind.optional() }),
    })
    const table = sql.table(definition.name)
    await sql`create table ${table} (id integer primary key, x ${sql.raw(type)})`.execute(kysely())
    for (const [id, value] of values.entries())
      await sql`insert into ${table} values (${id}, ${sql.raw(value)})`.execute(kysely())
    return { name: definition.name, backend: new SqlBackend(definition, { db: pool() }) }
  }

  describe.each(Object.entries(engine === 'mysql' ? mysql : postgres))(
    'M28, M29: pages sorted by a column of %s',
    (_name, { type, kind, values }) => {
      it.each(['asc', 'desc'] as const)('have every row once, %s, whatever their size', async (direction) => {
        const { backend } = await made(type, kind, values)
        const query = backend.query().sortBy('x', direction).select('id')
        const all = await query.all()
        expect(all.map(({ id }) => id).sort()).toEqual([...values.keys()])
        for (const size of [1, 2, 3]) {
          const seen: unknown[] = []
          let after: string | undefined
          do {
            const page: { items: unknown[]; next?: string } = await query.limit(size).after(after).page()
            seen.push(...page.items)
            after = page.next
          } while (after !== undefined && seen.length <= values.length)
          expect(seen).toEqual(all)
        }
        expect(all.at(-1)?.id).toBe(
          values.lastIndexOf('null') === -1 ? all.at(-1)?.id : values.lastIndexOf('null'),
        )
      })
    },
  )

  it('M27: a loop that ends early has read one page, and all({ max }) one row more than that', async () => {
    const definition = model({
      name: uniqueName('many'),
      key: ['id'],
      schema: z.object({ id: z.number(), n: z.number().optional() }),
    })
    const table = sql.table(definition.name)
    await sql`create table ${table} (id integer primary key, n integer)`.execute(kysely())
    const backend = new SqlBackend(definition, { db: pool() })
    await backend.createMany(
      Array.from({ length: 5000 }, (_, id) => ({ id, ...(id % 3 > 0 && { n: id % 7 }) })),
    )
    const counted = countRows(kysely())
    const counting = new SqlBackend(definition, { db: counted.kysely })
    for await (const { id } of counting.query()) {
      expect(id).toBe(0)
      break
    }
    expect(counted.rows()).toBeLessThanOrEqual(1001)
    for await (const _item of counting.query().limit(4000)) break
    expect(counted.rows()).toBeLessThanOrEqual(1001)
    await expect(counting.query().all({ max: 10 })).rejects.toThrow('more than 10')
    expect(counted.rows()).toBe(11)
    expect(await counting.query().first()).toEqual({ id: 0 })
    expect(counted.rows()).toBe(1)
    for (const limit of [5000, 4321, 1000, 501, 500, 499]) {
      for (const sorted of [counting.query(), counting.query().sortBy('n', 'desc')]) {
        const ids = new Set<number>()
        for await (const { id } of sorted.limit(limit)) ids.add(id)
        expect(ids.size).toBe(limit)
      }
    }
    const page = await counting.query().page({ maxPages: 1 })
    expect(page).toMatchObject({ complete: false, next: expect.any(String) })
    expect(await counting.query().after(page.next).count()).toBe(5000)
  })

  it('M30: names with dots, quotes, spaces and words of SQL are names', async () => {
    const names = [
      'a.b',
      'first name',
      'x as y',
      '"',
      '`',
      'order',
      'a.b.c',
      'id desc',
      '*',
      "'",
      '$1',
      '?',
      'ü',
    ]
    const [key, version, ...others] = ['the.key', 'the version', ...names] as const
    const definition = model({
      name: uniqueName('names'),
      key: [key, 'second key'],
      schema: z.object({
        [key]: z.string(),
        'second key': z.number(),
        [version]: z.number().optional(),
        ...Object.fromEntries(others.map((name) => [name, z.number().optional()])),
      }),
    })
    const columns = others.map((name) => sql`, ${sql.id(name)} integer`)
    await sql`create table ${sql.table(definition.name)} (${sql.id(key)} varchar(99), ${sql.id('second key')} integer,
      ${sql.id(version)} integer${sql.join(columns, sql``)}, primary key (${sql.id(key)}, ${sql.id('second key')}))`.execute(
      kysely(),
    )
    const backend = new SqlBackend(definition, { db: pool(), version })
    for (const name of others) {
      const id = { [key]: name, 'second key': 1 } as never
      const item = { ...(id as object), [version]: 1, [name]: 1 }
      const column = name as 'second key'
      expect(await backend.create({ ...(id as object), [name]: 1 } as never)).toEqual(item)
      expect(await backend.find(id)).toEqual(item)
      expect(await backend.findMany([id])).toEqual([item])
      expect(await backend.update(id, { [name]: 2 })).toEqual({ ...item, [version]: 2, [name]: 2 })
      expect(await backend.put({ ...item, [version]: 2, [name]: 3 } as never)).toMatchObject({ [name]: 3 })
      expect(await backend.where(column, '=', 3).select(column).all()).toEqual([{ [name]: 3 }])
      await backend.create({ ...(id as object), 'second key': 2, [name]: 4 } as never)
      const first = await backend.query().sortBy(column, 'desc').limit(1).page()
      const second = await backend.query().sortBy(column, 'desc').limit(1).after(first.next).page()
      expect([...first.items, ...second.items]).toMatchObject([{ [name]: 4 }, { [name]: 3 }])
      expect(await backend.delete(id, { when: (query) => query.where(column, '=', 3) })).toBeDefined()
    }
  })

  it('M42: a token whose place is none of the columns is refused before anything is sent', async () => {
    const { name, backend } = await made('integer', z.number(), ['1', '2', '3'])
    const query = backend.query().sortBy('x').limit(1)
    const { next } = await query.page()
    const binding = [name, [], { column: 'x', direction: 'asc' }]
    expect(next).toBe(writeToken([1, 0], binding, {}))
    for (const place of [
      ['1.2.3', 1],
      ['1 or 1=1', 1],
      [1],
      [[1], 1],
      [1, null],
      [{ date: '2024-01-01' }, 1],
    ])
      await rejection(query.after(writeToken(place, binding, {})).page(), InvalidTokenError)
  })
}
