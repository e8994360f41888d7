import type { Kysely } from 'kysely'
import { ColumnError, InvalidDataError, KeyChangeError, NotFoundError } from '../../errors.ts'
import { checkOptions, is } from '../../options.ts'
import type {
  Creates,
  DeleteOptions,
  Deletes,
  Finds,
  Patch,
  Queries,
  Transacts,
  UpdateOptions,
  Updates,
  WriteConditions,
} from '../capabilities.ts'
import { equals } from '../evaluate.ts'
import type { Model } from '../model.ts'
import { type Condition, Query, type QueryRunner } from '../query.ts'
import { conditionsOf } from '../write-conditions.ts'
import { type AnyKysely, type DatabaseOption, isKysely, openDatabase } from './database.ts'
import { toItem, toRow } from './rows.ts'
import { type SqlAccess, SqlReader, sqlAccess } from './sql-reader.ts'
import { SqlWriter } from './sql-writer.ts'

/** Options of {@link SqlBackend}. */
export interface SqlBackendOptions<TDatabase extends DatabaseOption = DatabaseOption> {
  /** A pool of `pg` or `mysql2`, a Kysely instance, a PGlite, or a function that gives one when it is first needed. */
  readonly db: TDatabase
  /** A column that counts a row's changes, for optimistic locking: a write that has seen an older one is a conflict. */
  readonly version?: string
  /** Signs page tokens. Without it they are bound to their query by a plain hash. */
  readonly tokenSecret?: string
}

/** A transaction, and the database that it is of. */
export interface SqlTransaction {
  readonly kysely: AnyKysely
  /** @internal */
  readonly of: AnyKysely
}

/** Rows of one statement: both engines take 65,535 parameters. */
const maxParameters = 30_000

/** What `backend.kysely` is: what was given, or what was made of it. */
type KyselyOf<TDatabase> = TDatabase extends Kysely<infer _TTables> ? TDatabase : Promise<AnyKysely>

type Fields = Readonly<Record<string, unknown>>

/**
 * Rows of a table in PostgreSQL or MySQL, on Kysely. Needs `kysely` and, for the pool, `pg` or `mysql2`. Lists and objects
 * are stored as JSON. Kysely itself is in reach as `backend.kysely`, for what a query here cannot say.
 *
 * @example
 * ```ts
 * import { model } from 'clearskies-middy/backends/model'
 * import { SqlBackend } from 'clearskies-middy/backends/sql'
 * import pg from 'pg'
 * import { z } from 'zod'
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
  readonly #runner: QueryRunner
  #access: Promise<SqlAccess> | undefined

  constructor(model: Model<TItem, TInput, TKey>, options: SqlBackendOptions<TDatabase>) {
    checkOptions('SqlBackend', options, {
      db: (value: unknown) => (typeof value === 'object' && value !== null) || typeof value === 'function',
      version: (value: unknown) => typeof value === 'string' && model.has(value),
      tokenSecret: is('string'),
    })
    if ((options.db as unknown) === undefined) throw new TypeError('SqlBackend() needs the option "db"')
    if (model.key.length === 0) throw new TypeError('SqlBackend(): the model needs a key')
    this.#model = model
    this.#options = options
    this.#runner = new SqlReader(model, () => this.#open(), options)
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
    const [item] = await this.createMany([data])
    return item as TItem
  }

  /** Stores several new items, all or none. */
  async createMany(list: readonly TInput[]): Promise<TItem[]> {
    const items = await Promise.all(list.map((data) => this.#model.validate(data)))
    const rows = items.map((item) => this.#versioned(item, 1))
    const size = Math.max(
      1,
      Math.floor(maxParameters / Math.max(1, ...rows.map((row) => Object.keys(row).length))),
    )
    const writer = await this.#writer()
    const stored: TItem[] = []
    const isOne = rows.length <= size && (rows.length <= 1 || (await this.#open()).engine === 'postgres')
    await this.#together(!isOne, async (kysely) => {
      for (let index = 0; index < rows.length; index += size)
        for (const row of await writer.insert(kysely, rows.slice(index, index + size)))
          stored.push(this.#item(row))
    })
    return stored
  }

  /** Stores an item whether or not there is one of its key; with a `version`, only over the version that it carries. */
  async put(data: TInput, options: WriteConditions<TItem> = {}): Promise<TItem> {
    const item = await this.#model.validate(data)
    const { version } = this.#options
    const when = conditionsOf(options.when)
    const seen = options.expect ?? Number(version === undefined ? 0 : ((item as Fields)[version] ?? 0))
    const next = this.#versioned(item, seen + 1)
    const writer = await this.#writer()
    const { kysely } = await this.#open()
    if (version !== undefined && seen === 0) return this.create(data)
    if (when.length === 0 && version === undefined) await writer.upsert(kysely, next)
    else {
      const changes = this.#changes(next, this.#model.columns ?? Object.keys(next))
      await this.#updateRow(next, changes, {
        when,
        version: version === undefined ? undefined : { [version]: seen },
      })
    }
    return next
  }

  async find(key: Pick<TItem, TKey & keyof TItem>): Promise<TItem | undefined> {
    const writer = await this.#writer()
    const { kysely } = await this.#open()
    const row = await writer.find(kysely, key)
    return row && this.#item(row)
  }

  /** The items of several keys, in their order. */
  async findMany(keys: readonly Pick<TItem, TKey & keyof TItem>[]): Promise<(TItem | undefined)[]> {
    const { kysely, conditions } = await this.#open()
    const writer = await this.#writer()
    const wanted = keys.map((key) => writer.keyConditions(key))
    const size = Math.floor(maxParameters / this.#model.key.length)
    const found = new Map<string, TItem>()
    for (let index = 0; index < wanted.length; index += size) {
      const or = wanted.slice(index, index + size)
      const rows = await kysely
        .selectFrom(this.#model.name)
        .selectAll()
        .where((builder) => conditions.all(builder, [{ or }]))
        .execute()
      for (const row of rows) {
        const item = this.#item(row)
        found.set(this.#id(item), item)
      }
    }
    return keys.map((key) => found.get(this.#id(key)))
  }

  /**
   * Changes an existing item, and gives it as it is then: `undefined` leaves a column alone, `null` removes its value.
   *
   * @throws NotFoundError, ConflictError, KeyChangeError
   */
  async update(
    key: Pick<TItem, TKey & keyof TItem>,
    patch: Patch<TItem>,
    { upsert = false, expect, when }: UpdateOptions<TItem> = {},
  ): Promise<TItem> {
    const { version } = this.#options
    const columns = Object.keys(patch).filter((column) => column !== version)
    for (const column of columns) this.#checkChange(key, column, (patch as Fields)[column])
    const seen = expect ?? (version === undefined ? undefined : (patch as Fields)[version])
    const demand = {
      when: conditionsOf(when),
      version: version === undefined || seen === undefined ? undefined : { [version]: seen },
    }
    const changed = columns.filter((column) => (patch as Fields)[column] !== undefined)
    const changes = this.#changes(patch, changed)
    try {
      return await this.#updateRow(key, changes, demand)
    } catch (error) {
      if (!upsert || !(error instanceof NotFoundError)) throw error
      return this.#item(await this.#insertOne({ ...key, ...patch }))
    }
  }

  /** Removes an item and gives what it was; `undefined` if there was none. @throws NotFoundError, ConflictError */
  async delete(
    key: Pick<TItem, TKey & keyof TItem>,
    { mustExist = false, expect, when }: DeleteOptions<TItem> = {},
  ): Promise<TItem | undefined> {
    const { version } = this.#options
    const writer = await this.#writer()
    const demand = {
      when: conditionsOf(when),
      version: version === undefined || expect === undefined ? undefined : { [version]: expect },
    }
    const { engine } = await this.#open()
    const row = await this.#together(engine === 'mysql', (kysely) => writer.delete(kysely, key, demand))
    if (row === undefined && mustExist)
      throw new NotFoundError(`${this.#model.name} has no item with this key`)
    return row && this.#item(row)
  }

  /** All items, to narrow down. */
  query(): Query<TItem> {
    return new Query<TItem>(this.#runner)
  }

  /** Runs a function within a transaction; what it throws undoes what it has written. */
  async transaction<T>(run: (backend: this, transaction: SqlTransaction) => Promise<T>): Promise<T> {
    const { kysely } = await this.#open()
    if (kysely.isTransaction) return run(this, { kysely, of: kysely })
    return kysely
      .transaction()
      .execute((transaction) => run(this.#bound(transaction), { kysely: transaction, of: kysely }))
  }

  /** The same backend within the transaction of another one; itself, if that is of another database. */
  async within({ kysely, of }: SqlTransaction): Promise<this> {
    return (await this.#open()).kysely === of ? this.#bound(kysely) : this
  }

  #bound(transaction: AnyKysely): this {
    return new SqlBackend(this.#model, { ...this.#options, db: transaction }) as unknown as this
  }

  async #insertOne(item: object): Promise<Fields> {
    const { kysely } = await this.#open()
    const [row] = await (await this.#writer()).insert(kysely, [this.#versioned(item, 1)])
    return row as Fields
  }

  /** An update that changes nothing only reads, as long as the row is what was demanded. */
  async #updateRow(
    key: object,
    changes: Record<string, unknown>,
    demand: { readonly when: readonly Condition[]; readonly version: Fields | undefined },
  ): Promise<TItem> {
    const { engine, sql } = await this.#open()
    const { version } = this.#options
    const isChange = Object.keys(changes).length > 0
    const column = this.#model.key[0] as string
    const set = isChange
      ? { ...changes, ...(version !== undefined && { [version]: sql`coalesce(${sql.ref(version)}, 0) + 1` }) }
      : { [column]: (key as Fields)[column] }
    const writer = await this.#writer()
    return this.#item(
      await this.#together(engine === 'mysql', (connection) =>
        writer.update(connection, key as Fields, set, demand),
      ),
    )
  }

  #changes(item: object, columns: readonly string[]): Record<string, unknown> {
    const { version } = this.#options
    const changed = columns.filter(
      (column) => !this.#model.key.includes(column as TKey) && column !== version,
    )
    const values = changed.map((column) => [column, (item as Fields)[column] ?? null])
    return toRow(Object.fromEntries(values) as object)
  }

  #checkChange(key: Fields, column: string, value: unknown): void {
    if (!this.#model.has(column)) throw new ColumnError(column)
    if (value !== undefined && this.#model.key.includes(column as TKey) && !equals(value, key[column]))
      throw new KeyChangeError(column)
  }

  #versioned<T extends object>(item: T, version: number): T {
    return this.#options.version === undefined ? item : { ...item, [this.#options.version]: version }
  }

  #item(row: Fields): TItem {
    return toItem(this.#model, row) as TItem
  }

  #id(item: object): string {
    return JSON.stringify(
      this.#model.key.map((column) => {
        const value = (item as Fields)[column]
        if (value === undefined || value === null)
          throw new InvalidDataError(`The key column "${column}" has no value`)
        if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
        return typeof value === 'bigint' ? value.toString() : value
      }),
    )
  }

  /** Several statements that must not come apart. */
  async #together<T>(isNeeded: boolean, run: (kysely: AnyKysely) => Promise<T>): Promise<T> {
    const { kysely } = await this.#open()
    return isNeeded && !kysely.isTransaction ? kysely.transaction().execute(run) : run(kysely)
  }

  async #writer(): Promise<SqlWriter> {
    return new SqlWriter(this.#model, await this.#open())
  }

  #open(): Promise<SqlAccess> {
    return (this.#access ??= openDatabase(this.#options.db)
      .then((database) => sqlAccess(database, this.#model as unknown as Model))
      .catch((error: unknown) => {
        this.#access = undefined
        throw error
      }))
  }
}
