import { type OptionChecks, is } from '../../core/options.ts'
import type { DeleteOptions, Patch, UpdateOptions, WriteConditions } from '../capabilities.ts'
import type { Changes } from './changes.ts'
import { updateChecks } from './preconditions.ts'
import type { TransactWrite } from './transact.ts'

/** The options of an update, for `checkOptions`. */
export const updateOptionChecks: OptionChecks = {
  ...updateChecks,
  prepend: is('object'),
  setAdd: is('object'),
  setDelete: is('object'),
  ifNotExists: is('object'),
  set: (value: unknown): boolean => Array.isArray(value),
  remove: (value: unknown): boolean => Array.isArray(value),
}

/** Options of `update()`: conditions, and changes that DynamoDB makes on what is there. */
export type DynamoDbUpdateOptions<TItem> = UpdateOptions<TItem> & Omit<Changes, 'add' | 'append'>

/**
 * The writes of one table that `transact()` makes together with others. Nothing is sent before.
 *
 * @example
 * ```ts
 * import { DynamoDbBackend, type PreparedWrites, transact } from 'clearskies-middy/backends/dynamodb'
 * import { model } from 'clearskies-middy/backends/model'
 * import * as z from 'zod'
 *
 * const orders = new DynamoDbBackend(model({ name: 'orders', key: ['id'], schema: z.object({ id: z.string() }) }))
 * const writes: PreparedWrites<{ id: string }, { id: string }, { id: string }> = orders.prepare
 * await transact([writes.create({ id: '7' }), writes.delete({ id: '6' })])
 * ```
 */
export interface PreparedWrites<TItem extends object, TInput, TKey extends object> {
  /** Stores a new item. */
  create(data: TInput): TransactWrite
  /** Stores an item whether or not there is one of its key. */
  put(data: TInput, options?: WriteConditions<TItem>): TransactWrite
  /** Changes an existing item. */
  update(
    key: TKey,
    patch: Patch<TItem, keyof TKey & string>,
    options?: DynamoDbUpdateOptions<TItem>,
  ): TransactWrite
  /** Removes an item. */
  delete(key: TKey, options?: DeleteOptions<TItem>): TransactWrite
  /** Writes nothing: the item must be there, and meet the conditions. */
  check(key: TKey, options?: WriteConditions<TItem>): TransactWrite
}
