import type { ColumnPath, Query, ValueAt } from './query.ts'

/** A backend that stores new items. Each backend implements what it has: a queue creates, a table does everything. */
export interface Creates<TItem, TInput = TItem> {
  /** Stores a new item; a `ConflictError` if there is one with its key. Gives what was stored. */
  create(data: TInput): Promise<TItem>
  /** Stores several. */
  createMany(list: readonly TInput[]): Promise<TItem[]>
}

/** A backend that finds items by their keys. */
export interface Finds<TItem, TKey> {
  /** The item of a key. */
  find(key: TKey): Promise<TItem | undefined>
  /** The items of several keys, in their order. */
  findMany(keys: readonly TKey[]): Promise<(TItem | undefined)[]>
}

/** A backend that finds items by conditions. */
export interface Queries<TItem> {
  /** Items that meet a condition; see {@link Query}. */
  readonly where: Query<TItem>['where']
  /** All items, to narrow down. */
  query(): Query<TItem>
}

/** A backend that changes and replaces items. */
export interface Updates<TItem, TKey, TInput = TItem> {
  /** Changes an existing item: `undefined` leaves a column alone, `null` removes it. A `NotFoundError` if there is none. */
  update(key: TKey, patch: Patch<TItem, keyof TKey & string>, options?: UpdateOptions<TItem>): Promise<TItem>
  /** Stores an item whether or not there is one with its key. */
  put(item: TInput, options?: WriteConditions<TItem>): Promise<TItem>
}

/** A backend that removes items. */
export interface Deletes<TItem, TKey> {
  /** Removes an item and gives what it was; `undefined` if there was none. */
  delete(key: TKey, options?: DeleteOptions<TItem>): Promise<TItem | undefined>
}

/** The precondition of a write: what the item must be like; else it is a `ConflictError`. */
export interface WriteConditions<TItem> {
  /** Conditions on the item: `(query) => query.where('stock', '>', 0)`. */
  readonly when?: (query: Query<TItem>) => Query<TItem, unknown>
  /**
   * The version that was seen, as it was read; needs the backend's option `version`. A patch or an item can also carry it.
   * Anything else, `undefined` too, is a `ConditionError`: it never means a write without a lock.
   */
  readonly expect?: number | bigint
}

/** Options of `update()`. */
export interface UpdateOptions<TItem> extends WriteConditions<TItem> {
  /** Makes a new item if there is none. @default false */
  readonly upsert?: boolean
  /**
   * Numbers to add to columns, or to members of them (`'address.visits'`), whatever is there by then; where there is none,
   * it begins at 0. What should be around a member has to be there.
   */
  readonly add?: { readonly [P in ColumnPath<TItem>]?: Addend<ValueAt<TItem, P>> }
  /** Elements to put behind lists, in columns or members of them; where there is none, it begins empty. */
  readonly append?: { readonly [P in ColumnPath<TItem>]?: Elements<ValueAt<TItem, P>> }
}

/** What is added to a number. A column of decimals is text here. */
type Addend<TValue> = unknown extends TValue
  ? number | bigint | string
  : TValue extends number | bigint
    ? number | bigint
    : TValue extends string
      ? number | bigint | string
      : never

/** What is put behind a list. */
type Elements<TValue> = unknown extends TValue
  ? readonly unknown[]
  : TValue extends readonly (infer TElement)[]
    ? readonly TElement[]
    : never

/** Options of `delete()`. */
export interface DeleteOptions<TItem> extends WriteConditions<TItem> {
  /** A `NotFoundError` if there is none. @default false */
  readonly mustExist?: boolean
}

/**
 * Changes to an item: `null` where a column may be without a value, and no columns of the key.
 *
 * @see {@link Updates.update}
 */
export type Patch<TItem, TKey extends string = never> = {
  readonly [C in keyof TItem as Exclude<C, TKey>]?:
    TItem[C] | undefined | (undefined extends TItem[C] ? null : {} extends Pick<TItem, C> ? null : never)
} & { readonly [C in TKey]?: never }

/** Options of `transaction()`. */
export interface TransactionOptions {
  /**
   * How often the function is run again where other work on the same rows stands in its way. It has to bear that: whatever it
   * does beside the database is done again. @default 0
   */
  readonly retries?: number
}

/** Backends whose writes can be made together, all or none. */
export interface Transacts<TTransaction = never> {
  /** Runs a function within a transaction; what it throws undoes what it has written. */
  transaction<T>(
    run: (backend: this, transaction: TTransaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>
  /** The same backend within the transaction of another one; itself, if that is of another database. */
  within(transaction: TTransaction): Promise<this>
}
