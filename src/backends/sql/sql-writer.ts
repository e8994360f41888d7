import type { UnknownRecord } from '../../core/record.ts'
import { ConflictError, InvalidDataError } from '../../errors/index.ts'
import { asRecord } from '../../core/record.ts'
import type { Model } from '../model.ts'
import { located } from '../planning/located.ts'
import type { Comparison } from '../planning/query-state.ts'
import type { ConditionWriter } from './conditions.ts'
import { type AnyKysely, type Engine, type SqlTag, selected } from './database.ts'
import { type Precondition, conflictOf, missingItem } from '../planning/preconditions.ts'
import { meetsNothing, rowConditions } from './row-conditions.ts'
import { isDuplicate } from './error-codes.ts'
import { checkType } from '../planning/check-type.ts'
import { maxParameters, partSize, readableItem, rowId, toColumn, toItem, toRow } from './rows.ts'

/** What a writer works with. */
interface WriterOptions {
  readonly model: Model
  readonly engine: Engine
  /** The column that counts a row's changes. */
  readonly version: string | undefined
  readonly conditions: ConditionWriter
  readonly sql: SqlTag
}

/** A change of a row. */
export interface RowChange {
  readonly changes: UnknownRecord
  readonly precondition: Precondition
  /** Whether the row counts as changed although no column does. */
  readonly isPut?: boolean
}

/** Keys of several columns in one statement: PostgreSQL makes them conditions one inside the other. */
const maxPairs = 500

/** Writes the rows of one model's table, and finds them by their key. Every method takes the connection to use. */
export class SqlWriter {
  readonly #model: Model
  readonly #engine: Engine
  readonly #version: string | undefined
  readonly #conditions: ConditionWriter
  readonly #sql: SqlTag

  constructor({ model, engine, version, conditions, sql }: WriterOptions) {
    this.#model = model
    this.#engine = engine
    this.#version = version
    this.#conditions = conditions
    this.#sql = sql
  }

  /** Whether a change and what it gives back are one statement; MySQL has to read the row for itself. */
  get changesInOne(): boolean {
    return this.#engine === 'postgres'
  }

  /** Whether so many rows take several statements. */
  insertsInParts(items: readonly object[]): boolean {
    return items.length > (this.changesInOne ? partSize(items) : 1)
  }

  /** Stores new rows, and gives them with what the table has added. @throws ConflictError */
  async insert(kysely: AnyKysely, items: readonly object[]): Promise<UnknownRecord[]> {
    const size = partSize(items)
    const stored: UnknownRecord[] = []
    try {
      for (let index = 0; index < items.length; index += size) {
        const rows = items.slice(index, index + size).map(toRow)
        for (const row of await this.#insertPart(kysely, rows)) stored.push(row)
      }
    } catch (error) {
      if (!isDuplicate(error)) throw error
      // Within a transaction of PostgreSQL nothing can be asked any more.
      const current =
        kysely.isTransaction || items.length > 1 ? undefined : await this.find(kysely, items[0] as object)
      throw this.#conflict('There is such an item already', current, error)
    }
    return stored
  }

  async #insertPart(kysely: AnyKysely, rows: readonly UnknownRecord[]): Promise<UnknownRecord[]> {
    const insert = kysely.insertInto(this.#model.name).values(rows)
    if (this.changesInOne) return insert.returning(this.#columns()).execute()
    const { key } = this.#model
    if (rows.some((row) => key.some((column) => row[column] === undefined)))
      return this.#insertNumbered(kysely, rows)
    await insert.execute()
    const columns = this.#model.columns ?? []
    if (columns.length > 0 && rows.every((row) => columns.every((column) => row[column] !== undefined)))
      return [...rows]
    return this.#stored(kysely, rows)
  }

  /** What rows have become. Those that cannot be read are given as they were sent: they are stored. */
  async #stored(kysely: AnyKysely, rows: readonly UnknownRecord[]): Promise<UnknownRecord[]> {
    const found = await this.findMany(kysely, rows).catch((error: unknown) => {
      // A transaction takes them back.
      if (kysely.isTransaction) throw error
      return []
    })
    return rows.map((row, index) => found[index] ?? row)
  }

  /** Rows whose number MySQL chooses: one by one, for of several it tells only the first. */
  async #insertNumbered(kysely: AnyKysely, rows: readonly UnknownRecord[]): Promise<UnknownRecord[]> {
    const stored: UnknownRecord[] = []
    for (const row of rows) {
      const { insertId } = await kysely.insertInto(this.#model.name).values(row).executeTakeFirstOrThrow()
      const missing = this.#model.key.filter((column) => row[column] === undefined)
      const key = missing.length === 1 ? { ...row, [missing[0] as string]: insertId } : row
      stored.push(...(await this.#stored(kysely, [key])))
    }
    return stored
  }

  /** Stores a new row; `undefined` if there is one of its key. @throws ConflictError if another unique column is taken */
  async insertIfNew(kysely: AnyKysely, item: object): Promise<UnknownRecord | undefined> {
    try {
      if (!this.changesInOne) return (await this.#insertPart(kysely, [toRow(item)]))[0]
      const [row] = await kysely
        .insertInto(this.#model.name)
        .values(toRow(item))
        .onConflict((conflict) => conflict.columns([...this.#model.key]).doNothing())
        .returning(this.#columns())
        .execute()
      return row
    } catch (error) {
      if (!isDuplicate(error)) throw error
      if (!this.changesInOne && (await this.find(kysely, item)) !== undefined) return undefined
      throw this.#conflict(takenMessage, undefined, error)
    }
  }

  /** Stores a row whether or not there is one of its key, in PostgreSQL. What the item does not have loses its value. */
  async upsert(kysely: AnyKysely, item: object): Promise<UnknownRecord> {
    const { key } = this.#model
    const row: Record<string, unknown> = {}
    for (const column of this.columnsOf(item)) row[column] = toColumn(asRecord(item)[column] ?? null)
    // Its first key column, if there is nothing else: a change gives the row back.
    const others = Object.keys(row).filter((column) => !key.includes(column))
    const columns = others.length > 0 ? others : key.slice(0, 1)
    const upsert = kysely
      .insertInto(this.#model.name)
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns([...key])
          .doUpdateSet(
            Object.fromEntries(columns.map((column) => [column, this.#sql.id('excluded', column)])),
          ),
      )
      .returning(this.#columns())
    return this.#unlessTaken(() => upsert.executeTakeFirstOrThrow())
  }

  async #unlessTaken<T>(write: () => Promise<unknown>): Promise<T> {
    try {
      return (await write()) as T
    } catch (error) {
      if (!isDuplicate(error)) throw error
      throw this.#conflict(takenMessage, undefined, error)
    }
  }

  /** Changes the row of a key and gives it; `undefined` if there is none, or the precondition does not hold. */
  async change(
    kysely: AnyKysely,
    key: object,
    { changes, precondition, isPut = false }: RowChange,
  ): Promise<UnknownRecord | undefined> {
    const version = this.#version
    const isCounted = isPut && version !== undefined
    if (Object.keys(changes).length === 0 && !isCounted) return this.find(kysely, key, precondition)
    const count = version && { [version]: this.#sql`coalesce(${this.#sql.id(version)}, 0) + 1` }
    const update = kysely
      .updateTable(this.#model.name)
      .set({ ...toRow(changes), ...count } as never)
      .where((builder) => this.#conditions.all(builder, this.#meant(key, precondition)))
    if (this.changesInOne)
      return this.#unlessTaken(() => update.returning(this.#columns()).executeTakeFirst())
    const { numUpdatedRows } = await this.#unlessTaken<{ numUpdatedRows: bigint }>(() =>
      update.executeTakeFirstOrThrow(),
    )
    return numUpdatedRows > 0n ? this.find(kysely, key) : undefined
  }

  /** Removes the row of a key, and gives it; `undefined` if there is none, or the precondition does not hold. */
  async delete(
    kysely: AnyKysely,
    key: object,
    precondition: Precondition,
  ): Promise<UnknownRecord | undefined> {
    const remove = kysely
      .deleteFrom(this.#model.name)
      .where((builder) => this.#conditions.all(builder, this.#meant(key, precondition)))
    if (this.changesInOne) return await remove.returning(this.#columns()).executeTakeFirst()
    const row = await this.find(kysely, key, precondition)
    if (row !== undefined) await remove.execute()
    return row
  }

  /** The row of a key, if the precondition holds; in a transaction of MySQL it is locked, and so the last one. */
  async find(
    kysely: AnyKysely,
    key: object,
    precondition?: Precondition,
  ): Promise<UnknownRecord | undefined> {
    const found = kysely
      .selectFrom(this.#model.name)
      .select(this.#columns())
      .where((builder) => this.#conditions.all(builder, this.#meant(key, precondition)))
    return (kysely.isTransaction && !this.changesInOne ? found.forUpdate() : found).executeTakeFirst()
  }

  /** The rows of several keys, in their order. */
  async findMany(kysely: AnyKysely, keys: readonly object[]): Promise<(UnknownRecord | undefined)[]> {
    const columns = this.#model.key
    const wanted = keys.map((key) => this.keyOf(key))
    const size = columns.length === 1 ? maxParameters : maxPairs
    const found = new Map<string, UnknownRecord>()
    for (let index = 0; index < wanted.length; index += size) {
      const some = wanted
        .slice(index, index + size)
        .map((key) => columns.map((column) => toColumn(key[column])))
      const rows = await kysely
        .selectFrom(this.#model.name)
        .select(this.#columns())
        .where((builder) =>
          columns.length === 1
            ? builder(this.#sql.id(columns[0] ?? ''), 'in', some.flat())
            : builder(
                this.#sql`(${this.#sql.join(columns.map((column) => this.#sql.id(column)))})`,
                'in',
                some.map((values) => builder.tuple(...(values as [never, never]))) as never,
              ),
        )
        .execute()
      for (const row of rows) found.set(rowId(this.#model, toItem(this.#model, row)), row)
    }
    return wanted.map((key) => found.get(rowId(this.#model, key)))
  }

  /** Whether there is no row of a key, and a precondition holds of that. */
  async lacks(kysely: AnyKysely, key: object, precondition: Precondition): Promise<boolean> {
    return meetsNothing(precondition) && (await this.find(kysely, key)) === undefined
  }

  /** Says why a write found no row. @throws NotFoundError, ConflictError */
  async refuse(kysely: AnyKysely, key: object): Promise<never> {
    const row = await this.find(kysely, key)
    if (row === undefined) throw missingItem(this.#model.name)
    throw conflictOf(this.#model.name, { current: readableItem(this.#model, row) })
  }

  /** The values of the key's columns. @throws InvalidDataError, TypeMismatchError */
  keyOf(item: object): Record<string, unknown> {
    const key: Record<string, unknown> = {}
    for (const column of this.#model.key) {
      const value = asRecord(item)[column]
      if (value === undefined || value === null)
        throw new InvalidDataError(`The key column "${column}" has no value`)
      checkType(this.#model, column, value)
      key[column] = value
    }
    return key
  }

  /** All columns of the table, as far as they are known. */
  columnsOf(item: object): readonly string[] {
    return this.#model.columns ?? Object.keys(item)
  }

  #meant(key: object, precondition: Precondition | undefined) {
    const equal = Object.entries(this.keyOf(key)).map(([column, value]): Comparison => ({
      column,
      operator: '=',
      value,
    }))
    return precondition === undefined ? equal : [...equal, ...rowConditions(precondition, this.#version)]
  }

  /** What is read: what the model has, whatever else the table may hold. */
  #columns(): never {
    return (this.#model.columns?.map((column) => selected(this.#sql, column)) ?? [this.#sql`*`]) as never
  }

  #conflict(what: string, current: UnknownRecord | undefined, cause?: unknown): ConflictError {
    const details = { current: current && readableItem(this.#model, current) }
    const error = new ConflictError(what, cause === undefined ? details : { ...details, cause })
    return located(error, { table: this.#model.name })
  }
}

const takenMessage = 'There is an item with one of these values already'
