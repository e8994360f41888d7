import { ConditionError } from '../errors/index.ts'
import { checkOptions } from '../core/options.ts'
import type {
  Creates,
  DeleteOptions,
  Deletes,
  Finds,
  Patch,
  Queries,
  Updates,
  WriteConditions,
} from './capabilities.ts'
import { DynamoDbForm } from './memory/dynamodb-form.ts'
import { MemoryItems, doneAlready } from './memory/items.ts'
import { MemoryTransaction } from './memory/layer.ts'
import type { Form, Stored } from './memory/form.ts'
import { type MemoryLike, type MemoryOptions, checkMemoryOptions } from './memory/options.ts'
import { MemoryPrepare } from './memory/prepare.ts'
import { MemoryReader } from './memory/reader.ts'
import { SqlForm } from './memory/sql-form.ts'
import type { Model } from './model.ts'
import { changesIn } from './planning/changes.ts'
import { allOrNone } from './planning/outcomes.ts'
import { conditionChecks, deleteChecks, updateChecks } from './planning/preconditions.ts'
import {
  type DynamoDbUpdateOptions,
  type PreparedWrites,
  updateOptionChecks,
} from './planning/prepared-writes.ts'
import type { PreparedReads } from './planning/transact-find.ts'
import { NumberForms } from './planning/number-forms.ts'
import type { QueryRunner } from './planning/query-state.ts'
import { Query } from './query.ts'

export { MemoryTransaction } from './memory/layer.ts'
export type { MemoryLike, MemoryOptions } from './memory/options.ts'
export { type TransactOptions, type TransactWrite, transact } from './planning/transact.ts'
export {
  type PreparedReads,
  type TransactFindOptions,
  type TransactRead,
  transactFind,
} from './planning/transact-find.ts'
export type { PreparedWrites } from './planning/prepared-writes.ts'

/** What is there only where memory stands for one of the databases. */
type Only<TWanted extends MemoryLike, TLike extends MemoryLike, T> = TLike extends TWanted ? T : undefined

/** What `batch()` stores and removes. */
interface BatchWrites<TInput, TKey> {
  readonly put?: readonly TInput[]
  readonly delete?: readonly TKey[]
}

/**
 * Items in memory, with the behaviour of a table in DynamoDB or, with `like: 'sql'`, in a SQL database: the same keys,
 * conditions, orders, pages, conflicts and errors, and the same refusals. For tests.
 *
 * @example
 * ```ts
 * import { MemoryBackend } from 'clearskies-middy/backends/memory'
 * import { model } from 'clearskies-middy/backends/model'
 * import * as z from 'zod'
 *
 * const Product = model({ name: 'products', key: ['id'], schema: z.object({ id: z.string() }) })
 * const products = new MemoryBackend(Product)
 * await products.create({ id: '7' })
 * ```
 */
export class MemoryBackend<
  TItem extends object,
  TInput,
  TKey extends string,
  TLike extends MemoryLike = 'dynamodb',
>
  implements
    Creates<TItem, TInput>,
    Finds<TItem, Pick<TItem, TKey & keyof TItem>>,
    Queries<TItem>,
    Updates<TItem, Pick<TItem, TKey & keyof TItem>, TInput>,
    Deletes<TItem, Pick<TItem, TKey & keyof TItem>>
{
  /** Items that meet a condition; see {@link Query}. */
  readonly where: Query<TItem>['where']
  /** Writes for `transact()` and reads for `transactFind()`, as `DynamoDbBackend` has them. */
  readonly prepare: Only<
    'dynamodb',
    TLike,
    PreparedWrites<TItem, TInput, Pick<TItem, TKey & keyof TItem>> &
      PreparedReads<TItem, Pick<TItem, TKey & keyof TItem>>
  >
  /** Stores and removes many items, each for itself and without conditions, as `DynamoDbBackend` does. */
  readonly batch: Only<
    'dynamodb',
    TLike,
    (writes: BatchWrites<TInput, Pick<TItem, TKey & keyof TItem>>) => Promise<void>
  >
  /** Runs a function within a transaction, as `SqlBackend` does; what it throws undoes what it has written. */
  readonly transaction: Only<
    'sql',
    TLike,
    <T>(run: (backend: this, transaction: MemoryTransaction) => Promise<T>) => Promise<T>
  >
  /** The same backend within the transaction of another one, as `SqlBackend` has it. */
  readonly within: Only<'sql', TLike, (transaction: MemoryTransaction) => Promise<this>>
  readonly #model: Model<TItem, TInput, TKey>
  readonly #options: MemoryOptions<TLike>
  readonly #runner: QueryRunner
  #items: MemoryItems<TItem, TInput, Stored>
  /** The items as they are outside of every transaction. */
  #base: MemoryItems<TItem, TInput, Stored>
  /** The transaction that it writes in. */
  #transaction: MemoryTransaction | undefined

  constructor(model: Model<TItem, TInput, TKey>, options: MemoryOptions<TLike> = {}) {
    checkMemoryOptions(model, options)
    const isSql = options.like === 'sql'
    const forms = new NumberForms(model, options.numbers ?? 'safe')
    const form: Form<Stored> = isSql
      ? new SqlForm(model, options.version, forms)
      : new DynamoDbForm(model, options, forms)
    const checks = isSql ? model : forms.checks
    this.#model = model
    this.#options = options
    this.#base = this.#items = new MemoryItems({ model, form, checks, version: options.version })
    this.#runner = new MemoryReader(() => this.#items, options)
    const prepare = new MemoryPrepare<TItem, TInput, Pick<TItem, TKey & keyof TItem>, Stored>(this.#items)
    this.prepare = (isSql ? undefined : prepare) as typeof this.prepare
    this.batch = (isSql ? undefined : this.#batch.bind(this)) as typeof this.batch
    this.transaction = (isSql ? this.#together.bind(this) : undefined) as typeof this.transaction
    this.within = (isSql ? this.#within.bind(this) : undefined) as typeof this.within
    const all = this.query()
    this.where = all.where.bind(all)
  }

  async create(data: TInput): Promise<TItem> {
    return this.#items.create(data)
  }

  /** Stores several new items: each for itself as DynamoDB does, all or none as SQL does. */
  async createMany(list: readonly TInput[]): Promise<TItem[]> {
    return this.#items.createMany(list)
  }

  async put(data: TInput, options: WriteConditions<TItem> = {}): Promise<TItem> {
    checkOptions('put', options, conditionChecks)
    return doneAlready(await this.#items.readyPut(data, options)) as TItem
  }

  async find(key: Pick<TItem, TKey & keyof TItem>): Promise<TItem | undefined> {
    return this.#items.find(key)
  }

  async findMany(keys: readonly Pick<TItem, TKey & keyof TItem>[]): Promise<(TItem | undefined)[]> {
    return keys.map((key) => this.#items.find(key))
  }

  /** Changes an item. The changes beside `add` and `append` are DynamoDB's. */
  async update(
    key: Pick<TItem, TKey & keyof TItem>,
    patch: Patch<TItem, TKey>,
    options: DynamoDbUpdateOptions<TItem> = {},
  ): Promise<TItem> {
    checkOptions('update', options, this.#options.like === 'sql' ? updateChecks : updateOptionChecks)
    return doneAlready(
      await this.#items.readyUpdate({ key, patch, changes: changesIn(options) }, options),
    ) as TItem
  }

  async delete(
    key: Pick<TItem, TKey & keyof TItem>,
    options: DeleteOptions<TItem> = {},
  ): Promise<TItem | undefined> {
    checkOptions('delete', options, deleteChecks)
    return doneAlready(this.#items.readyDelete(key, options))
  }

  async #batch(writes: BatchWrites<TInput, Pick<TItem, TKey & keyof TItem>>): Promise<void> {
    const { put = [], delete: removed = [] } = writes
    const all = await allOrNone([...put, ...removed], async () => {
      const puts = await Promise.all(put.map((data) => this.#items.readyReplace(data)))
      const ready = [...puts, ...removed.map((key) => this.#items.readyDelete(key, {}))]
      if (new Set(ready.map(({ id }) => id)).size < ready.length)
        throw new ConditionError('A batch writes one item twice, and the order of its writes is not known')
      return ready
    })
    for (const write of all) doneAlready(write)
  }

  /** All items, to narrow down. */
  query(): Query<TItem> {
    return Query.of<TItem>(this.#runner)
  }

  async #together<T>(run: (backend: this, transaction: MemoryTransaction) => Promise<T>): Promise<T> {
    const transaction = new MemoryTransaction(this.#transaction)
    const result = await run(await this.#within(transaction), transaction)
    transaction.commit()
    return result
  }

  async #within(transaction: MemoryTransaction): Promise<this> {
    const bound = new MemoryBackend(this.#model, this.#options)
    bound.#base = this.#base
    bound.#items = this.#base.within(transaction)
    bound.#transaction = transaction
    // `this` is what the caller has declared; a class that extends this one gets the backend alone.
    return bound as unknown as this
  }
}
