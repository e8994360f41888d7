import { ConflictError, InvalidDataError, NotFoundError } from '../../errors.ts'
import type { Model } from '../model.ts'
import type { Condition } from '../query.ts'
import type { AnyKysely } from './database.ts'
import { toColumn, toItem, toRow } from './rows.ts'
import type { SqlAccess } from './sql-reader.ts'

type Row = Readonly<Record<string, unknown>>

/** What a write demands of the row as it is. */
export interface RowDemand {
  readonly when: readonly Condition[]
  /** The column and the value of the version that was seen. */
  readonly version?: Row | undefined
}

/** Writes the rows of one model's table. Every method takes the connection or transaction to use. */
export class SqlWriter {
  readonly #model: Model
  readonly #access: SqlAccess

  constructor(model: Model, access: SqlAccess) {
    this.#model = model
    this.#access = access
  }

  /** Stores new rows, all or none, and gives them with what the table has added. */
  async insert(kysely: AnyKysely, items: readonly object[]): Promise<Row[]> {
    if (items.length === 0) return []
    const rows = items.map(toRow)
    try {
      if (this.#access.engine === 'postgres')
        return await kysely.insertInto(this.#model.name).values(rows).returningAll().execute()
      return await this.#insertEach(kysely, rows)
    } catch (error) {
      if (!isDuplicate(error)) throw error
      const current =
        kysely.isTransaction || items.length > 1 ? undefined : await this.find(kysely, items[0] as Row)
      throw new ConflictError(`${this.#model.name} has such an item already`, {
        cause: error,
        current: current && toItem(this.#model, current),
      })
    }
  }

  /** MySQL gives back no rows: what the table adds has to be read. */
  async #insertEach(kysely: AnyKysely, rows: readonly Row[]): Promise<Row[]> {
    const columns = this.#model.columns ?? []
    const stored: Row[] = []
    for (const row of rows) {
      const { insertId } = await kysely.insertInto(this.#model.name).values(row).executeTakeFirstOrThrow()
      const missing = this.#model.key.filter((column) => row[column] === undefined)
      const key = missing.length === 1 ? { ...row, [missing[0] as string]: insertId } : row
      const isWhole = missing.length === 0 && columns.every((column) => row[column] !== undefined)
      stored.push(isWhole ? row : ((await this.find(kysely, key)) ?? key))
    }
    return stored
  }

  /** Stores a row whether or not there is one of its key. Columns that the item does not have lose their values. */
  async upsert(kysely: AnyKysely, item: object): Promise<void> {
    const row = this.#wholeRow(item)
    const changes = Object.fromEntries(
      Object.entries(row).filter(([column]) => !this.#model.key.includes(column)),
    )
    const insert = kysely.insertInto(this.#model.name).values(row)
    if (this.#access.engine === 'mysql') {
      const first = this.#model.key[0] as string
      await insert
        .onDuplicateKeyUpdate(Object.keys(changes).length > 0 ? changes : { [first]: row[first] })
        .execute()
      return
    }
    await insert
      .onConflict((conflict) => {
        const target = conflict.columns(this.#model.key)
        return Object.keys(changes).length > 0 ? target.doUpdateSet(changes) : target.doNothing()
      })
      .execute()
  }

  /** Changes the row of a key. @throws NotFoundError, ConflictError */
  async update(kysely: AnyKysely, key: Row, changes: Row, demand: RowDemand): Promise<Row> {
    const update = kysely
      .updateTable(this.#model.name)
      .set(changes as never)
      .where((builder) => this.#access.conditions.all(builder, this.#demanded(key, demand)))
    if (this.#access.engine === 'postgres') {
      const [row] = await update.returningAll().execute()
      return row ?? (await this.#refuse(kysely, key))
    }
    const { numUpdatedRows } = await update.executeTakeFirstOrThrow()
    return numUpdatedRows > 0n ? ((await this.find(kysely, key)) as Row) : this.#refuse(kysely, key)
  }

  /** Removes the row of a key, and gives it. @throws NotFoundError, ConflictError */
  async delete(kysely: AnyKysely, key: Row, demand: RowDemand): Promise<Row | undefined> {
    const isDemanding = demand.when.length > 0 || demand.version !== undefined
    const wanted = this.#demanded(key, demand)
    let row: Row | undefined
    if (this.#access.engine === 'postgres') {
      ;[row] = await kysely
        .deleteFrom(this.#model.name)
        .where((builder) => this.#access.conditions.all(builder, wanted))
        .returningAll()
        .execute()
    } else {
      ;[row] = await kysely
        .selectFrom(this.#model.name)
        .selectAll()
        .where((builder) => this.#access.conditions.all(builder, wanted))
        .forUpdate()
        .execute()
      if (row !== undefined)
        await kysely
          .deleteFrom(this.#model.name)
          .where((builder) => this.#access.conditions.all(builder, wanted))
          .execute()
    }
    if (row === undefined && isDemanding) await this.#refuse(kysely, key)
    return row
  }

  async find(kysely: AnyKysely, key: Row): Promise<Row | undefined> {
    return kysely
      .selectFrom(this.#model.name)
      .selectAll()
      .where((builder) => this.#access.conditions.all(builder, this.keyConditions(key)))
      .executeTakeFirst()
  }

  /** Why a write found no row. */
  async #refuse(kysely: AnyKysely, key: Row): Promise<never> {
    const row = await this.find(kysely, key)
    if (row === undefined) throw new NotFoundError(`${this.#model.name} has no item with this key`)
    throw new ConflictError(`${this.#model.name} has this item in another state than was expected`, {
      current: toItem(this.#model, row),
    })
  }

  #demanded(key: Row, { when, version = {} }: RowDemand): Condition[] {
    const seen = Object.entries(version).map(([column, value]) => ({ column, operator: '=' as const, value }))
    return [...this.keyConditions(key), ...seen, ...when]
  }

  keyConditions(key: Row): Condition[] {
    return this.#model.key.map((column) => {
      const value = key[column]
      if (value === undefined || value === null || value === '')
        throw new InvalidDataError(`The key column "${column}" has no value`)
      return { column, operator: '=', value }
    })
  }

  /** All columns of the table, as far as they are known. */
  #wholeRow(item: object): Record<string, unknown> {
    const row = item as Row
    const columns = this.#model.columns ?? Object.keys(item)
    return Object.fromEntries(
      columns.map((column) => [column, row[column] === undefined ? null : toColumn(row[column])]),
    )
  }
}

/** PostgreSQL's and MySQL's codes for a value that has to be the only one of its kind. */
function isDuplicate(error: unknown): boolean {
  const { code, errno } = error as { code?: unknown; errno?: unknown }
  return code === '23505' || errno === 1062 || code === 'SQLITE_CONSTRAINT_UNIQUE'
}
