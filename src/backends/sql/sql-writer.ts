import { ConflictError } from '../../errors/index.ts'
import { type UnknownRecord, asRecord } from '../../core/record.ts'
import { located } from '../planning/located.ts'
import type { AnyKysely } from './database.ts'
import { type Precondition, conflictOf, missingItem } from '../planning/preconditions.ts'
import { meetsNothing } from './row-conditions.ts'
import { AdditionWriter } from './additions.ts'
import type { Addition } from '../planning/additions.ts'
import type { RowFinder, TableWords } from './row-finder.ts'
import { isDuplicate } from './error-codes.ts'
import { partSize } from './rows.ts'

/** A change of a row. */
export interface RowChange {
  readonly changes: UnknownRecord
  readonly precondition: Precondition
  readonly additions?: readonly Addition[]
  /** Whether the row counts as changed although no column does. */
  readonly isPut?: boolean
}

/** Writes the rows of one model's table. Every method takes the connection to use. */
export class SqlWriter {
  readonly finder: RowFinder
  readonly #words: TableWords
  readonly #additions: AdditionWriter

  constructor(words: TableWords, finder: RowFinder) {
    this.#words = words
    this.#additions = new AdditionWriter(words)
    this.finder = finder
  }

  get #name(): string {
    return this.#words.rows.model.name
  }

  /** Whether a change and what it gives back are one statement; MySQL has to read the row for itself. */
  get changesInOne(): boolean {
    return this.#words.engine === 'postgres'
  }

  /** Whether so many rows take several statements. */
  insertsInParts(items: readonly object[]): boolean {
    return items.length > (this.changesInOne ? partSize(items) : 1)
  }

  /** Stores new rows, and gives them with what the table has added. @throws ConflictError */
  async insert(kysely: AnyKysely, items: readonly object[]): Promise<UnknownRecord[]> {
    const [item, ...others] = items
    if (item === undefined) return []
    if (others.length === 0) {
      const row = await this.#insertOne(kysely, item)
      if (row !== undefined) return [row]
      throw this.#conflict(existsMessage, await this.#findWhole(kysely, item))
    }
    const size = partSize(items)
    const stored: UnknownRecord[] = []
    try {
      for (let index = 0; index < items.length; index += size) {
        const rows = items.slice(index, index + size).map((each) => this.#row(each))
        for (const row of await this.#insertPart(kysely, rows)) stored.push(row)
      }
    } catch (error) {
      // Within a transaction of PostgreSQL nothing can be asked any more.
      throw isDuplicate(error) ? this.#conflict(existsMessage, undefined, error) : error
    }
    return stored
  }

  /** `undefined` where a unique value is taken. An error would end a transaction of PostgreSQL. */
  async #insertOne(kysely: AnyKysely, item: object): Promise<UnknownRecord | undefined> {
    const row = this.#row(item)
    if (this.changesInOne)
      return kysely
        .insertInto(this.#name)
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .returning(this.finder.columns())
        .executeTakeFirst()
    try {
      return (await this.#insertPart(kysely, [row]))[0]
    } catch (error) {
      if (isDuplicate(error)) return undefined
      throw error
    }
  }

  #row(item: object): UnknownRecord {
    return this.#words.rows.toRow(item, this.#words.engine)
  }

  async #findWhole(kysely: AnyKysely, item: object): Promise<UnknownRecord | undefined> {
    const isWhole = this.#words.rows.model.key.every((column) => (asRecord(item)[column] ?? null) !== null)
    return isWhole ? this.finder.find(kysely, item) : undefined
  }

  async #insertPart(kysely: AnyKysely, rows: readonly UnknownRecord[]): Promise<UnknownRecord[]> {
    const insert = kysely.insertInto(this.#name).values(rows)
    if (this.changesInOne) return insert.returning(this.finder.columns()).execute()
    const { key } = this.#words.rows.model
    if (rows.some((row) => key.some((column) => row[column] === undefined)))
      return this.#insertNumbered(kysely, rows)
    await insert.execute()
    // What was sent is not always what is there: MySQL rounds, cuts and fills in.
    return this.#stored(kysely, rows)
  }

  /** What rows have become. Those that cannot be read are given as they were sent: they are stored. */
  async #stored(kysely: AnyKysely, rows: readonly UnknownRecord[]): Promise<UnknownRecord[]> {
    const found = await this.finder.findMany(kysely, rows).catch((error: unknown) => {
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
      const { insertId } = await kysely.insertInto(this.#name).values(row).executeTakeFirstOrThrow()
      const missing = this.#words.rows.model.key.filter((column) => row[column] === undefined)
      const key = missing.length === 1 ? { ...row, [missing[0] as string]: insertId } : row
      stored.push(...(await this.#stored(kysely, [key])))
    }
    return stored
  }

  /** Stores a new row; `undefined` if there is one of its key. @throws ConflictError if another unique column is taken */
  async insertIfNew(kysely: AnyKysely, item: object): Promise<UnknownRecord | undefined> {
    const row = await this.#insertOne(kysely, item)
    if (row !== undefined || (await this.#findWhole(kysely, item)) !== undefined) return row
    throw this.#conflict(takenMessage, undefined)
  }

  /** Stores a row whether or not there is one of its key, in PostgreSQL. What the item does not have loses its value. */
  async upsert(kysely: AnyKysely, item: object): Promise<UnknownRecord> {
    const { key } = this.#words.rows.model
    const row: Record<string, unknown> = {}
    for (const column of this.columnsOf(item))
      row[column] = this.#words.rows.toColumn(column, asRecord(item)[column] ?? null)
    // Its first key column, if there is nothing else: a change gives the row back.
    const others = Object.keys(row).filter((column) => !key.includes(column))
    const columns = others.length > 0 ? others : key.slice(0, 1)
    const upsert = kysely
      .insertInto(this.#name)
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns([...key])
          .doUpdateSet(
            Object.fromEntries(columns.map((column) => [column, this.#words.sql.id('excluded', column)])),
          ),
      )
      .returning(this.finder.columns())
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
    { changes, precondition, additions = [], isPut = false }: RowChange,
  ): Promise<UnknownRecord | undefined> {
    const version = this.#words.version
    const isCounted = isPut && version !== undefined
    if (Object.keys(changes).length + additions.length === 0 && !isCounted)
      return this.finder.find(kysely, key, precondition)
    const count = version && { [version]: this.#words.sql`coalesce(${this.#words.sql.id(version)}, 0) + 1` }
    // Kysely knows the columns of declared tables; of a model's table none is declared.
    const update = kysely
      .updateTable(this.#name)
      .set({ ...this.#row(changes), ...this.#additions.columns(additions), ...count } as never)
      .where((builder) =>
        builder.and([
          this.#words.conditions.all(builder, this.finder.meant(key, precondition)),
          ...this.#additions.conditions(additions),
        ]),
      )
    if (this.changesInOne) {
      const row = await this.#unlessTaken<UnknownRecord | undefined>(() =>
        update.returning(this.finder.columns()).executeTakeFirst(),
      )
      return row ?? this.#unadded(kysely, key, { precondition, additions })
    }
    const { numUpdatedRows } = await this.#unlessTaken<{ numUpdatedRows: bigint }>(() =>
      update.executeTakeFirstOrThrow(),
    )
    return numUpdatedRows > 0n
      ? this.finder.find(kysely, key)
      : this.#unadded(kysely, key, { precondition, additions })
  }

  /** Nothing, unless the row is there and cannot be added to. @throws InvalidDataError */
  async #unadded(
    kysely: AnyKysely,
    key: object,
    { precondition, additions = [] }: Pick<RowChange, 'precondition' | 'additions'>,
  ): Promise<undefined> {
    const isInside = additions.some(({ place }) => place.length > 1)
    const row = isInside ? await this.finder.find(kysely, key, precondition) : undefined
    if (row !== undefined) throw this.#additions.refusal(additions, this.#words.rows.toItem(row))
  }

  /** Removes the row of a key, and gives it; `undefined` if there is none, or the precondition does not hold. */
  async delete(
    kysely: AnyKysely,
    key: object,
    precondition: Precondition,
  ): Promise<UnknownRecord | undefined> {
    const remove = kysely
      .deleteFrom(this.#name)
      .where((builder) => this.#words.conditions.all(builder, this.finder.meant(key, precondition)))
    if (this.changesInOne) return await remove.returning(this.finder.columns()).executeTakeFirst()
    const row = await this.finder.find(kysely, key, precondition)
    if (row !== undefined) await remove.execute()
    return row
  }

  /** Whether there is no row of a key, and a precondition holds of that. */
  async lacks(kysely: AnyKysely, key: object, precondition: Precondition): Promise<boolean> {
    return meetsNothing(precondition) && (await this.finder.find(kysely, key)) === undefined
  }

  /** Says why a write found no row. @throws NotFoundError, ConflictError */
  async refuse(kysely: AnyKysely, key: object): Promise<never> {
    const row = await this.finder.find(kysely, key)
    if (row === undefined) throw missingItem(this.#name)
    throw conflictOf(this.#name, { current: this.#words.rows.readableItem(row) })
  }

  /** All columns of the table, as far as they are known. */
  columnsOf(item: object): readonly string[] {
    return this.#words.rows.model.columns ?? Object.keys(item)
  }

  #conflict(what: string, current: UnknownRecord | undefined, cause?: unknown): ConflictError {
    const details = { current: current && this.#words.rows.readableItem(current) }
    const error = new ConflictError(what, cause === undefined ? details : { ...details, cause })
    return located(error, { table: this.#name })
  }
}

const existsMessage = 'There is such an item already'
const takenMessage = 'There is an item with one of these values already'
