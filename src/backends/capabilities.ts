import type { Query } from './query.ts'

/** What a backend can do. Each implements what it has: a queue creates, a table does everything. */
export interface Creates<TItem, TInput = TItem> {
  /** Stores a new item; a `ConflictError` if there is one with its key. Gives what was stored. */
  create(data: TInput): Promise<TItem>
  /** Stores several. */
  createMany(list: readonly TInput[]): Promise<TItem[]>
}

export interface Finds<TItem, TKey> {
  /** The item of a key. */
  find(key: TKey): Promise<TItem | undefined>
  /** The items of several keys, in their order. */
  findMany(keys: readonly TKey[]): Promise<(TItem | undefined)[]>
}

export interface Queries<TItem> {
  /** Items that meet a condition; see {@link Query}. */
  readonly where: Query<TItem>['where']
  /** All items, to narrow down. */
  query(): Query<TItem>
}

export interface Updates<TItem, TKey, TInput = TItem> {
  /** Changes an existing item: `undefined` leaves a column alone, `null` removes it. A `NotFoundError` if there is none. */
  update(key: TKey, patch: Patch<TItem>): Promise<TItem>
  /** Stores an item whether or not there is one with its key. */
  put(item: TInput): Promise<TItem>
}

export interface Deletes<TItem, TKey> {
  /** Removes an item and gives what it was; `undefined` if there was none. */
  delete(key: TKey): Promise<TItem | undefined>
}

/** Changes to an item. */
export type Patch<TItem> = { readonly [K in keyof TItem]?: TItem[K] | null | undefined }
