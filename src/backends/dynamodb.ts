import { ConflictError, NotFoundError } from '../errors/index.ts'
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
import { allOrNone, storeEach } from './planning/outcomes.ts'
import { equals, meets } from './planning/evaluate.ts'
import type { Model } from './model.ts'
import { Query } from './query.ts'
import type { QueryRunner } from './planning/query-state.ts'
import { batchGet, batchWrite } from './dynamodb/batch.ts'
import { type DynamoDbOptions, dynamoDbChecks } from './dynamodb/options.ts'
import { checkTableOptions } from './planning/table-options.ts'
import { type Update, changesIn } from './planning/changes.ts'
import { changeOrCreate } from './dynamodb/change-or-create.ts'
import { checkedUpdate, freshItem } from './planning/checked-changes.ts'
import { mayBeDone } from './dynamodb/failure.ts'
import { DynamoDbPrepare } from './dynamodb/prepare.ts'
import {
  type DynamoDbUpdateOptions,
  type PreparedWrites,
  updateOptionChecks,
} from './planning/prepared-writes.ts'
import type { PreparedReads } from './planning/transact-find.ts'
import { TableAccess } from './dynamodb/table-access.ts'
import { TableReader } from './dynamodb/table-reader.ts'
import { plainItem } from '../wire/unmarshall.ts'
import type { AttributeItem } from '../wire/attribute-value.ts'
import { keyOf } from './planning/keys.ts'
import {
  type Precondition,
  conditionChecks,
  deleteChecks,
  preconditionOf,
  updatePrecondition,
  versionedPut,
} from './planning/preconditions.ts'
import { carriedVersion, nextVersion, versioned } from './planning/versions.ts'
import type { WriteTarget } from './dynamodb/write-target.ts'
import { checkedConditions, deleteInput, putInput, updateInput } from './dynamodb/writes.ts'

export type { DynamoDbOptions } from './dynamodb/options.ts'
export type { Changes, Path } from './planning/changes.ts'
export type { DynamoDbUpdateOptions, PreparedWrites } from './planning/prepared-writes.ts'
export type { NumberMode } from '../wire/unmarshall.ts'
export type { DateMode } from '../wire/attribute-value.ts'
export { type TransactOptions, type TransactWrite, transact } from './planning/transact.ts'
export {
  type PreparedReads,
  type TransactFindOptions,
  type TransactRead,
  transactFind,
} from './planning/transact-find.ts'

/**
 * Items of a DynamoDB table. Needs `@aws-sdk/client-dynamodb` and the permissions of what is called: `dynamodb:PutItem`,
 * `GetItem`, `UpdateItem`, `DeleteItem`, `Query`, `BatchGetItem`, `BatchWriteItem`, and `Scan` where it is allowed. A
 * model without a key is described by the table itself: `DescribeTable`, once.
 *
 * @example
 * ```ts
 * import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
 * import { model } from 'clearskies-middy/backends/model'
 * import * as z from 'zod'
 *
 * const Product = model({ name: 'products', key: ['author', 'title'], schema: z.object({ author: z.string(), title: z.string() }) })
 * const products = new DynamoDbBackend(Product)
 *
 * await products.create({ author: 'Le Guin', title: 'The Dispossessed' })
 * const { items, next } = await products.where('author', '=', 'Le Guin').limit(20).page()
 * console.log(items, next)
 * ```
 */
export class DynamoDbBackend<TItem extends object, TInput, TKey extends string>
  implements
    Creates<TItem, TInput>,
    Finds<TItem, Pick<TItem, TKey & keyof TItem>>,
    Queries<TItem>,
    Updates<TItem, Pick<TItem, TKey & keyof TItem>, TInput>,
    Deletes<TItem, Pick<TItem, TKey & keyof TItem>>
{
  /** Items that meet a condition; see {@link Query}. */
  readonly where: Query<TItem>['where']
  /** Writes that are made together with others by `transact()`, and reads by `transactFind()`. */
  readonly prepare: PreparedWrites<TItem, TInput, Pick<TItem, TKey & keyof TItem>> &
    PreparedReads<TItem, Pick<TItem, TKey & keyof TItem>>
  readonly #model: Model<TItem, TInput, TKey>
  readonly #access: TableAccess<TItem, TInput>
  readonly #runner: QueryRunner

  constructor(model: Model<TItem, TInput, TKey>, options: DynamoDbOptions = {}) {
    checkTableOptions('DynamoDbBackend', { model, options }, dynamoDbChecks)
    this.#model = model
    this.#access = new TableAccess(model, options)
    this.#runner = new TableReader(this.#access)
    this.prepare = new DynamoDbPrepare(this.#access)
    const all = this.query()
    this.where = all.where.bind(all)
  }

  /**
   * Stores a new item.
   *
   * @throws ConflictError with the stored item as `current` if there is one of its key; ValidationError, InvalidDataError
   */
  async create(data: TInput): Promise<TItem> {
    const item = versioned(await this.#valid(data), this.#access.version)
    return this.#put(item, { item: 'new' })
  }

  /** Stores several new items, each for itself. All are tried; the first error is thrown, and `outcomeOf()` tells the rest. */
  createMany(list: readonly TInput[]): Promise<TItem[]> {
    return storeEach(list, {
      ready: async (data) => versioned(await this.#valid(data), this.#access.version),
      store: (item) => this.#put(item, { item: 'new' }),
      mayBeDone,
    })
  }

  /**
   * Stores an item whether or not there is one of its key. With a `version`, only over the version that it carries; one
   * without is new.
   */
  async put(data: TInput, options: WriteConditions<TItem> = {}): Promise<TItem> {
    checkOptions('put', options, conditionChecks)
    const { item, precondition } = versionedPut(await this.#valid(data), options, this.#access.version)
    return this.#put(item, precondition)
  }

  async find(key: Pick<TItem, TKey & keyof TItem>): Promise<TItem | undefined> {
    return this.#access.present(await this.#access.read(keyOf(await this.#access.target(), key)))
  }

  /** The items of several keys, in their order. @throws PartialBatchError */
  async findMany(keys: readonly Pick<TItem, TKey & keyof TItem>[]): Promise<(TItem | undefined)[]> {
    const target = await this.#access.target()
    const wires = await batchGet(
      keys.map((key) => keyOf(target, key)),
      await this.#access.batch(),
    )
    return Promise.all(wires.map((wire) => this.#access.present(wire)))
  }

  /**
   * Changes an existing item, and gives it as it is then: `undefined` leaves a column alone, `null` removes it.
   *
   * @throws NotFoundError, ConflictError, KeyChangeError
   */
  async update(
    key: Pick<TItem, TKey & keyof TItem>,
    patch: Patch<TItem, TKey>,
    options: DynamoDbUpdateOptions<TItem> = {},
  ): Promise<TItem> {
    checkOptions('update', options, updateOptionChecks)
    try {
      return await this.#update(key, patch, options)
    } catch (error) {
      // Nothing of an item that has expired may remain in a new one.
      const isUpsert = error instanceof NotFoundError && options.upsert === true
      if (!isUpsert || !(await this.#removeExpired(key))) throw error
      return this.#update(key, patch, options)
    }
  }

  async #update(
    key: Pick<TItem, TKey & keyof TItem>,
    patch: Patch<TItem, TKey>,
    options: DynamoDbUpdateOptions<TItem>,
  ): Promise<TItem> {
    const target = await this.#access.target()
    const precondition = updatePrecondition(patch, options, target.version)
    const update = await checkedUpdate(this.#access.checks, target, {
      key,
      patch,
      changes: changesIn(options),
    })
    if (options.upsert !== true) return this.#change(target, update, precondition)
    const { fresh, isFilled } = await freshItem(this.#access.checks, this.#access.version, {
      key,
      patch,
      changes: changesIn(options),
    })
    if (!isFilled) return this.#change(target, update, precondition)
    const { version = 0, when = [] } = precondition
    const mayCreate =
      version === 0 && checkedConditions(target, when).every((condition) => meets({}, condition))
    const change = (): Promise<TItem> => this.#change(target, update, { ...precondition, item: 'existing' })
    // Defaults belong into a new item alone, which no single request can say.
    return mayCreate ? changeOrCreate(change, () => this.#put(fresh as TItem, { item: 'new' })) : change()
  }

  async #change(target: WriteTarget, update: Update, precondition: Precondition): Promise<TItem> {
    const { key } = update
    const input = updateInput(target, update, precondition)
    if (input === undefined) return this.#unchanged(target, keyOf(target, key), precondition)
    const { Attributes = {} } = await this.#access.write('UpdateItem', input, precondition)
    return this.#access.readable(Attributes)
  }

  /** Removes an item and gives what it was; `undefined` if there was none. @throws NotFoundError, ConflictError */
  async delete(
    key: Pick<TItem, TKey & keyof TItem>,
    options: DeleteOptions<TItem> = {},
  ): Promise<TItem | undefined> {
    checkOptions('delete', options, deleteChecks)
    const precondition = preconditionOf(options, this.#access.options.version)
    const input = deleteInput(await this.#access.target(), key, precondition)
    const { Attributes } = await this.#access.write('DeleteItem', input, precondition)
    return Attributes === undefined || this.#access.isExpired(Attributes)
      ? undefined
      : this.#access.readable(Attributes)
  }

  /**
   * Stores and removes many items, 25 a request, each for itself and without conditions.
   *
   * @throws PartialBatchError with the positions of what was not done, the stored before the removed
   */
  async batch(writes: {
    readonly put?: readonly TInput[]
    readonly delete?: readonly Pick<TItem, TKey & keyof TItem>[]
  }): Promise<void> {
    const { put = [], delete: removed = [] } = writes
    const { batch, requests } = await allOrNone([...put, ...removed], async () => {
      const target = await this.#access.target()
      const items = await Promise.all(put.map((data) => this.#valid(data)))
      const { version } = this.#access
      const puts = items.map((item) => {
        const next = versioned(item, version, nextVersion(carriedVersion(item, version?.name)))
        const { Item } = putInput(target, next, {})
        return { key: Item, request: { PutRequest: { Item } } }
      })
      const deletes = removed.map((key) => {
        const Key = keyOf(target, key)
        return { key: Key, request: { DeleteRequest: { Key } } }
      })
      return { batch: await this.#access.batch(), requests: [...puts, ...deletes] }
    })
    await batchWrite(requests, batch)
  }

  /** All items, to narrow down. */
  query(): Query<TItem> {
    return Query.of<TItem>(this.#runner)
  }

  #valid(data: TInput): Promise<TItem> {
    return this.#access.checks.validate(data)
  }

  async #put(item: TItem, precondition: Precondition): Promise<TItem> {
    const input = putInput(await this.#access.target(), item, precondition)
    await this.#access.write('PutItem', input, precondition)
    return item
  }

  /** Whether there was an item whose time is up. */
  async #removeExpired(key: object): Promise<boolean> {
    const target = await this.#access.target()
    if (target.ttl === undefined) return false
    const when = [{ column: target.ttl, operator: '<=' as const, value: target.now }]
    const input = deleteInput(target, key, { when })
    try {
      await this.#access.write('DeleteItem', input, { when })
      return true
    } catch (error) {
      if (error instanceof NotFoundError || error instanceof ConflictError) return false
      throw error
    }
  }

  /** What an update that changes nothing gives: the item, as long as it is what was demanded. */
  async #unchanged(
    target: WriteTarget,
    key: AttributeItem,
    { item, version, when = [] }: Precondition,
  ): Promise<TItem> {
    const conditions = checkedConditions(target, when)
    const wire = await this.#access.read(key, true)
    if (wire === undefined) {
      const isMet = version === undefined && conditions.every((condition) => meets({}, condition))
      if (item === 'existing' || !isMet) throw this.#access.missing()
      const made = await this.#access.item(key)
      const next = versioned(made, this.#access.version)
      return this.#put(next, { item: 'new' })
    }
    const plain = plainItem(wire)
    const isSeen = version === undefined || equals(plain[target.version ?? ''], version)
    if (!isSeen || !conditions.every((condition) => meets(plain, condition)))
      throw await this.#access.conflict(wire)
    return this.#access.item(wire)
  }
}
