import type { Kysely, KyselyPlugin } from 'kysely'
import { type ColumnDataType, sql } from 'kysely'
import type { Model } from 'clearskies-middy'
import type { ColumnKind } from '../../src/backends/planning/column-kinds.ts'

/** Any tables with any columns. */
export type AnyKysely = Kysely<Record<string, Record<string, unknown>>>
export type SqlEngine = 'postgres' | 'mysql'

const types: Readonly<Record<SqlEngine, Readonly<Partial<Record<ColumnKind, string>>>>> = {
  postgres: {
    string: 'text collate "C"',
    number: 'double precision',
    bigint: 'bigint',
    decimal: 'numeric',
    boolean: 'boolean',
    date: 'timestamptz(3)',
    bytes: 'bytea',
  },
  mysql: {
    string: 'varchar(250) character set utf8mb4 collate utf8mb4_nopad_bin',
    number: 'double',
    bigint: 'bigint',
    decimal: 'decimal(65, 30)',
    boolean: 'boolean',
    date: 'datetime(3)',
    bytes: 'varbinary(250)',
  },
}

/** Creates a model's table, where text is compared by its bytes. */
export async function createSqlTable(kysely: AnyKysely, engine: SqlEngine, model: Model): Promise<void> {
  let table = kysely.schema.createTable(model.name)
  for (const column of model.columns ?? []) {
    const type = types[engine][model.kind(column) ?? 'array'] ?? (engine === 'mysql' ? 'longtext' : 'json')
    table = table.addColumn(column, sql.raw<ColumnDataType>(type) as never)
  }
  await table.addPrimaryKeyConstraint(`${model.name}_key`, [...model.key] as never).execute()
}

/** Creates a table of so many numbered rows, with a second column of seven values. */
export async function createNumbered(
  kysely: AnyKysely,
  engine: SqlEngine,
  { name, count }: { readonly name: string; readonly count: number },
): Promise<void> {
  const table = sql.table(name)
  await sql`create table ${table} (id integer primary key, n integer)`.execute(kysely)
  // MariaDB's tables of numbers have their range in their names.
  const numbers = engine === 'mysql' ? `seq_0_to_${count - 1}` : `generate_series(0, ${count - 1}) as s(seq)`
  await sql`insert into ${table} select seq, seq % 7 from ${sql.raw(numbers)}`.execute(kysely)
}

/** An instance on the same database that counts the statements, and the rows that it was given, since it was last asked. */
export function countRows(kysely: AnyKysely): {
  readonly kysely: AnyKysely
  rows(): number
  statements(): number
} {
  let count = 0
  let sent = 0
  const counting: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      count += result.rows.length
      sent++
      return result
    },
  }
  return {
    kysely: kysely.withPlugin(counting),
    rows() {
      const seen = count
      count = 0
      return seen
    },
    statements() {
      const seen = sent
      sent = 0
      return seen
    },
  }
}
