import { InvalidDataError } from '../../errors/index.ts'
import { type UnknownRecord, asRecord, picked } from '../../core/record.ts'
import type { Precondition } from '../planning/preconditions.ts'
import type { Comparison, Condition } from '../planning/query-state.ts'
import type { ConditionWriter } from './conditions.ts'
import { type AnyKysely, type Engine, type SqlTag, selected } from './database.ts'
import { rowConditions } from './row-conditions.ts'
import { checkType } from '../planning/check-type.ts'
import { refuseText } from '../planning/readable-text.ts'
import { type RowMapper, maxParameters } from './rows.ts'

/** What the rows of a table are found and written with. */
export interface TableWords {
  readonly rows: RowMapper
  readonly engine: Engine
  /** The column that counts a row's changes. */
  readonly version: string | undefined
  readonly conditions: ConditionWriter
  readonly sql: SqlTag
}

/** Keys of several columns in one statement: PostgreSQL makes them conditions one inside the other. */
const maxPairs = 500

/** Keys that are asked for one by one in one statement. */
const maxSingles = 100

/** The position of a key among those that were asked for. */
const position = 'asked as'

/** Finds the rows of one model's table by their key. Every method takes the connection to use. */
export class RowFinder {
  readonly #words: TableWords

  constructor(words: TableWords) {
    this.#words = words
  }

  /** The table's name, for messages. */
  get title(): string {
    return this.#words.rows.model.name
  }

  /** The row of a key, if the precondition holds; in a transaction of MySQL it is locked, and so the last one. */
  async find(
    kysely: AnyKysely,
    key: object,
    precondition?: Precondition,
  ): Promise<UnknownRecord | undefined> {
    const found = this.#select(kysely, key, precondition)
    const isLocked = kysely.isTransaction && this.#words.engine === 'mysql'
    return (isLocked ? found.forUpdate() : found).executeTakeFirst()
  }

  /** The rows of several keys, in their order; the same as `find` gives of each. */
  async findMany(kysely: AnyKysely, keys: readonly object[]): Promise<(UnknownRecord | undefined)[]> {
    const { rows } = this.#words
    const wanted = keys.map((key) => this.keyOf(key))
    const size = rows.model.key.length === 1 ? maxParameters : maxPairs
    const found = new Map<string, UnknownRecord>()
    for (let index = 0; index < wanted.length; index += size) {
      const some = wanted.slice(index, index + size)
      const together = await this.#together(kysely, some)
      for (const row of together) found.set(rows.idOf(rows.toItem(row)), row)
      const left = together.length === 0 ? [] : some.filter((key) => !found.has(rows.idOf(key)))
      await this.#findOthers(kysely, left, found)
    }
    return wanted.map((key) => found.get(rows.idOf(key)))
  }

  #together(kysely: AnyKysely, keys: readonly UnknownRecord[]): Promise<UnknownRecord[]> {
    const { rows, sql } = this.#words
    const names = sql.join(rows.model.key.map((column) => sql.id(column)))
    const values = keys.map(
      (key) => sql`(${sql.join(rows.model.key.map((column) => sql`${rows.toColumn(column, key[column])}`))})`,
    )
    return kysely
      .selectFrom(rows.model.name)
      .select(this.columns())
      .where(sql<boolean>`(${names}) in (${sql.join(values)})`)
      .execute()
  }

  /**
   * A uuid, a text under a collation and others have several forms, all of which the database takes for the same. What was
   * found under another form is asked for by its own.
   */
  async #findOthers(
    kysely: AnyKysely,
    keys: readonly UnknownRecord[],
    found: Map<string, UnknownRecord>,
  ): Promise<void> {
    const { rows, sql } = this.#words
    if (!rows.model.key.some((column) => hasForms(rows.model.kind(column)))) return
    for (let index = 0; index < keys.length; index += maxSingles) {
      const some = keys.slice(index, index + maxSingles)
      const [first, ...others] = some.map((key, at) =>
        this.#select(kysely, key).select(sql.lit(at).as(position)),
      )
      for (const row of (await first?.unionAll(others).execute()) ?? []) {
        const columns = Object.keys(row).filter((column) => column !== position)
        const key = some[row[position]]
        if (key !== undefined) found.set(rows.idOf(key), picked(row, columns))
      }
    }
  }

  #select(kysely: AnyKysely, key: object, precondition?: Precondition) {
    return kysely
      .selectFrom(this.#words.rows.model.name)
      .select(this.columns())
      .where((builder) => this.#words.conditions.all(builder, this.meant(key, precondition)))
  }

  /** The values of the key's columns. @throws InvalidDataError, TypeMismatchError */
  keyOf(item: object): Record<string, unknown> {
    const { model } = this.#words.rows
    const key: Record<string, unknown> = {}
    for (const column of model.key) {
      const value = asRecord(item)[column]
      if (value === undefined || value === null)
        throw new InvalidDataError(`The key column "${column}" has no value`)
      checkType(model, column, value)
      refuseText(column, value, this.#words.engine === 'mysql')
      key[column] = value
    }
    return key
  }

  /** The row of a key, and what it must be like. */
  meant(key: object, precondition?: Precondition): readonly Condition[] {
    const equal = Object.entries(this.keyOf(key)).map(([column, value]): Comparison => ({
      column,
      operator: '=',
      value,
    }))
    if (precondition === undefined) return equal
    return [...equal, ...rowConditions(precondition, this.#words.version)]
  }

  /** What is read: what the model has, whatever else the table may hold. */
  columns(): never {
    const { rows, sql } = this.#words
    // Kysely has a type for a column that is named, and none for a list that is known at run time.
    return (rows.model.columns?.map((column) => selected(sql, column)) ?? [sql`*`]) as never
  }
}

/** Whether a database may take two values for the same that are not the same here. */
function hasForms(kind: string | undefined): boolean {
  return kind === 'string' || kind === 'decimal' || kind === undefined
}
