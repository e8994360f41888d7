import type { Kysely } from 'kysely'
import { ColumnError, KeyChangeError } from '../errors/index.ts'
import { checkOptions, isCount } from '../core/options.ts'
import { type UnknownRecord, asRecord } from '../core/record.ts'
import type {
  Creates,
  DeleteOptions,
  Deletes,
  Finds,
  Patch,
  Queries,
  TransactionOptions,
  Transacts,
  UpdateOptions,
  Updates,
  WriteConditions,
} from './capabilities.ts'
import { additionsOf } from './planning/additions.ts'
import { changesIn } from './planning/changes.ts'
import { checkedUpdate, freshItem } from './planning/checked-changes.ts'
import { allOrNone } from './planning/outcomes.ts'
import type { Model } from './model.ts'
import { Query } from './query.ts'
import type { QueryRunner } from './planning/query-state.ts'
import {
  conditionChecks,
  deleteChecks,
  preconditionOf,
  updateChecks,
  updatePrecondition,
  versionedPut,
} from './planning/preconditions.ts'
import { type VersionColumn, versionColumn, versioned } from './planning/versions.ts'
import { type AnyKysely, type DatabaseOption, isKysely, kyselyDatabase } from './sql/database.ts'
import { type SqlBackendOptions, type SqlTransaction, checkSqlOptions } from './sql/options.ts'
import { insertAll } from './sql/insert-all.ts'
import { isAmbiguous, isUncertain } from './sql/error-codes.ts'
import { isNone, meetsNothing } from './sql/row-conditions.ts'
import { RowMapper } from './sql/rows.ts'
import { changeOrStore } from './sql/change-or-store.ts'
import { type SqlAccess, sqlAccess } from './sql/sql-access.ts'
import { SqlReader } from './sql/sql-reader.ts'
import { committed, reading, together, untilDone, withinSavepoint } from './sql/transactions.ts'

export type { SqlBackendOptions, SqlTransaction } from './sql/options.ts'

/** What `backend.kysely` is: what was given, or what was made of it. */
type KyselyOf<TDatabase> = TDatabase extends Kysely<infer _TTables> ? TDatabase : Promise<AnyKysely>

/**
 * Rows of a table in PostgreSQL or MySQL, on Kysely. Needs `kysely` and, for the pool, `pg` or `mysql2`. Lists and objects
 * are stored as JSON. Kysely itself is in reach as `backend.kysely`, for what a query here cannot say.
 *
 * @example
 * ```ts
 * import { model } from 'clearskies-middy/backends/model'
 * import { SqlBackend } from 'clearskies-middy/backends/sql'
 * import pg from 'pg'
 * import * as z from 'zod'
 *
 * const Order = model({ name: 'orders', key: ['id'], schema: z.object({ id: z.string(), state: z.string() }) })
 * const orders = new SqlBackend(Order, { db: new pg.Pool() })
 *
 * await orders.create({ id: '7', state: 'placed' })
 * await orders.where('state', '=', 'placed').sortBy('id', 'desc').limit(20).page()
 * ```
 */
export class SqlBackend<TItem extends object, TInput, TKey extends string, TDatabase extends DatabaseOption>
  implements
    Creates<TItem, TInput>,
    Finds<TItem, Pick<TItem, TKey & keyof TItem>>,
    Queries<TItem>,
    Updates<TItem, Pick<TItem, TKey & keyof TItem>, TInput>,
    Deletes<TItem, Pick<TItem, TKey & keyof TItem>>,
    Transacts<SqlTransaction>
{
  /** Items that meet a condition; see {@link Query}. */
  readonly where: Query<TItem>['where']
  readonly #model: Model<TItem, TInput, TKey>
  readonly #options: SqlBackendOptions<TDatabase>
  readonly #rows: RowMapper
  readonly #runner: QueryRunner
  readonly #version: VersionColumn | undefined
  #access: Promise<SqlAccess> | undefined
  /** The database that a transaction is one of. */
  #base: AnyKysely | undefined

  constructor(model: Model<TItem, TInput, TKey>, options: SqlBackendOptions<TDatabase>) {
    checkSqlOptions(model, options)
    this.#model = model
    this.#options = options
    this.#version = versionColumn(model, options.version)
    this.#rows = new RowMapper(model, options.arrays)
    this.#runner = new SqlReader(this.#rows, () => this.#open(), options)
    const all = this.query()
    this.where = all.where.bind(all)
  }

  /** Kysely itself: at once if it was given, else a promise of the one that was made of the pool. */
  get kysely(): KyselyOf<TDatabase> {
    const { db } = this.#options
    const kysely = isKysely(db) ? db : this.#open().then((access) => access.kysely)
    return kysely as KyselyOf<TDatabase>
  }

  /** Stores a new item, and gives it with what the table has added. @throws ConflictError, ValidationError */
  async create(data: TInput): Promise<TItem> {
    const [item] = await this.#insert([await this.#fresh(data)])
    return item as TItem
  }

  /** Stores several new items, all or none. The error tells which by `outcomeOf()`. */
  async createMany(list: readonly TInput[]): Promise<TItem[]> {
    const items = await allOrNone(list, () => Promise.all(list.map((data) => this.#fresh(data))))
    const { kysely, writer } = await allOrNone(list, () => this.#open())
    // A connection that ends within a transaction undoes it.
    const isUndone = kysely.isTransaction || writer.insertsInParts(items)
    return allOrNone(list, () => this.#insert(items), isUndone ? isAmbiguous : isUncertain)
  }

  async #fresh(data: TInput): Promise<TItem> {
    return versioned(await this.#model.validate(data), this.#version)
  }

  async #insert(items: readonly TItem[]): Promise<TItem[]> {
    const rows = await insertAll(await this.#open(), items)
    return rows.map((row) => this.#written(row))
  }

  /** Stores an item whether or not there is one of its key; with a `version`, only over the version that it carries. */
  async put(data: TInput, options: WriteConditions<TItem> = {}): Promise<TItem> {
    checkOptions('put', options, conditionChecks)
    const item = await this.#model.validate(data)
    const { version } = this.#options
    const { precondition } = versionedPut(item, options, this.#version)
    const { writer } = await this.#open()
    const fresh = versioned(item, this.#version)
    const isPlain = version === undefined && isNone(precondition)
    const row = await this.#together(!writer.changesInOne, async (kysely) => {
      if (isPlain && writer.changesInOne) return writer.upsert(kysely, item)
      // Without the version of another one it is a new item, or a conflict.
      if (version === undefined || precondition.version !== undefined)
        return changeOrStore({ writer, kysely }, item, {
          changes: this.#changes(item, writer.columnsOf(item), null),
          precondition,
          fresh,
          isPut: true,
        })
      const stored = meetsNothing(precondition) ? await writer.insertIfNew(kysely, fresh) : undefined
      return stored ?? writer.refuse(kysely, item)
    })
    return this.#written(row)
  }

  async find(key: Pick<TItem, TKey & keyof TItem>): Promise<TItem | undefined> {
    const { finder, kysely } = await this.#open()
    const row = await reading(kysely, () => finder.find(kysely, key))
    return row && this.#item(row)
  }

  /** The items of several keys, in their order. */
  async findMany(keys: readonly Pick<TItem, TKey & keyof TItem>[]): Promise<(TItem | undefined)[]> {
    const { finder, kysely } = await this.#open()
    const rows = await reading(kysely, () => finder.findMany(kysely, keys))
    return rows.map((row) => row && this.#item(row))
  }

  /**
   * Changes an existing item, and gives it as it is then: `undefined` leaves a column alone, `null` removes its value.
   *
   * @throws NotFoundError, ConflictError, KeyChangeError
   */
  async update(
    key: Pick<TItem, TKey & keyof TItem>,
    patch: Patch<TItem, TKey>,
    options: UpdateOptions<TItem> = {},
  ): Promise<TItem> {
    checkOptions('update', options, updateChecks)
    const { version } = this.#options
    const asked = { key, patch, changes: changesIn(options) }
    const { patch: checked, changes: added } = await checkedUpdate(
      this.#model,
      { table: this.#model, version },
      asked,
    )
    const columns = Object.keys(checked).filter((column) => column !== version)
    for (const column of columns) this.#checkChange(key, column, asRecord(checked)[column])
    const precondition = updatePrecondition(patch, options, version)
    const { writer } = await this.#open()
    const changes = this.#changes(checked, columns, undefined)
    const additions = additionsOf(this.#model, added, Object.keys(changes))
    const whole = { ...asked, key: writer.finder.keyOf(key) }
    const fresh =
      options.upsert === true ? (await freshItem(this.#model, this.#version, whole)).fresh : undefined
    return this.#written(
      await this.#together(!writer.changesInOne, (kysely) =>
        changeOrStore({ writer, kysely }, key, { changes, precondition, additions, fresh }),
      ),
    )
  }

  /** Removes an item and gives what it was; `undefined` if there was none. @throws NotFoundError, ConflictError */
  async delete(
    key: Pick<TItem, TKey & keyof TItem>,
    options: DeleteOptions<TItem> = {},
  ): Promise<TItem | undefined> {
    checkOptions('delete', options, deleteChecks)
    const { mustExist = false } = options
    const precondition = preconditionOf(options, this.#options.version)
    const { writer } = await this.#open()
    const row = await this.#together(!writer.changesInOne, async (kysely) => {
      const removed = await writer.delete(kysely, key, precondition)
      if (removed !== undefined) return removed
      const isFine = !mustExist && (isNone(precondition) || (await writer.lacks(kysely, key, precondition)))
      return isFine ? undefined : writer.refuse(kysely, key)
    })
    return row && this.#written(row)
  }

  /** All items, to narrow down. */
  query(): Query<TItem> {
    return Query.of<TItem>(this.#runner)
  }

  /**
   * Runs a function within a transaction; what it throws undoes what it has written. Within another one it is a part of
   * that, which is undone for itself.
   *
   * @param options - `retries`: how often the function is run again where other work stands in its way. 0 by default
   * @throws ConflictError where other work stands in its way; UnavailableError where the answer to its commit is lost
   */
  async transaction<T>(
    run: (backend: this, transaction: SqlTransaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    checkOptions('transaction', options, { retries: isCount })
    const access = await this.#open()
    const { kysely } = access
    const of = this.#base ?? kysely
    if (kysely.isTransaction) return withinSavepoint(access, () => run(this, { kysely, of }))
    const within = (inner: AnyKysely): Promise<T> => run(this.#bound(inner, of), { kysely: inner, of })
    return untilDone(() => committed(kysely.transaction(), within), 1 + (options.retries ?? 0))
  }

  /** The same backend within the transaction of another one; itself, if that is of another database. */
  async within({ kysely, of }: SqlTransaction): Promise<this> {
    return (this.#base ?? (await this.#open()).kysely) === of ? this.#bound(kysely, of) : this
  }

  #bound(transaction: AnyKysely, of: AnyKysely): this {
    const bound = new SqlBackend(this.#model, { ...this.#options, db: transaction })
    bound.#base = of
    // `this` is what the caller has declared; a class that extends this one gets the backend alone.
    return bound as unknown as this
  }

  /** What columns are to be; those of the key stay, and the version counts by itself. */
  #changes(item: object, columns: readonly string[], missing: null | undefined): Record<string, unknown> {
    const changes: Record<string, unknown> = {}
    for (const column of columns) {
      const { [column]: value = missing } = asRecord(item)
      if (value === undefined || column === this.#options.version || this.#isKey(column)) continue
      changes[column] = value
    }
    return changes
  }

  #isKey(column: string): boolean {
    return this.#model.key.some((name) => name === column)
  }

  #checkChange(key: object, column: string, value: unknown): void {
    if (!this.#model.has(column)) throw new ColumnError(column)
    if (value === undefined || !this.#isKey(column)) return
    if (!this.#rows.isSame(column, value, asRecord(key)[column])) throw new KeyChangeError(column)
  }

  #item(row: UnknownRecord): TItem {
    return this.#rows.toItem(row) as TItem
  }

  #written(row: UnknownRecord): TItem {
    return this.#rows.readableItem(row) as TItem
  }

  /** Several statements that must not come apart. */
  async #together<T>(isNeeded: boolean, run: (kysely: AnyKysely) => Promise<T>): Promise<T> {
    return together(await this.#open(), isNeeded, run)
  }

  #open(): Promise<SqlAccess> {
    return (this.#access ??= kyselyDatabase(this.#options.db)
      .then((database) => sqlAccess(database, this.#rows, this.#options.version))
      .catch((error: unknown) => {
        this.#access = undefined
        throw error
      }))
  }
}
