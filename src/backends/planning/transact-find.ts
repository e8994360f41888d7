import { ConditionError } from '../../errors/index.ts'
import { checkOptions, is } from '../../core/options.ts'

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html */
const maxReads = 100

/** One read of a snapshot, made by `backend.prepare.find`. */
export interface TransactRead<TItem> {
  readonly 'a read that is not sent yet: use backend.prepare.find': UnsentRead<TItem>
}

/** A read that waits for its snapshot. */
export interface UnsentRead<TItem> {
  /**
   * Adds the read to a snapshot, or begins one of its own database.
   *
   * @throws ConditionError for a snapshot of another database
   */
  readonly join: (snapshot: Snapshot | undefined) => JoinedRead<TItem>
}

/** A read that is part of a snapshot. */
export interface JoinedRead<TItem> {
  readonly snapshot: Snapshot
  /** The item, once the snapshot is taken. */
  readonly item: () => Promise<TItem | undefined>
}

/** Items as they are at one moment. */
export interface Snapshot {
  /** Reads all of them. */
  readonly take: (options: TransactFindOptions) => Promise<void>
}

/** The reads of one table that `transactFind()` makes together with others. Nothing is sent before. */
export interface PreparedReads<TItem, TKey> {
  /** Reads the item of a key. */
  find(key: TKey): TransactRead<TItem>
}

/** Options of {@link transactFind}. */
export interface TransactFindOptions {
  readonly signal?: AbortSignal
}

const readBrand = 'a read that is not sent yet: use backend.prepare.find'

/** @throws TypeError for what `backend.prepare.find` has not made */
function unsentRead<TItem>(read: Partial<TransactRead<TItem>> | null, index: number): UnsentRead<TItem> {
  const unsent = read?.[readBrand]
  if (unsent === undefined)
    throw new TypeError(`transactFind(): the read at ${index} is none that backend.prepare.find has made`)
  return unsent
}

/**
 * Finds several items, of one table or of several, as they are at one moment: no write that others make meanwhile is seen
 * in a part of them alone. Gives them in the order of the reads, `undefined` for those that are not there.
 *
 * A read that is throttled, or meets a transaction that writes one of the items, is tried again. An item that is asked for
 * twice is read once. It takes twice the capacity of a consistent read.
 *
 * @throws TransactionError (409) with the position of each item that was being written; ThrottledError (429);
 * UnavailableError (503); InvalidDataError for items of more than 4 MB together; ConditionError for more than 100 reads or
 * two clients, before anything is sent
 * @example
 * ```ts
 * import { DynamoDbBackend, transactFind } from 'clearskies-middy/backends/dynamodb'
 * import { model } from 'clearskies-middy/backends/model'
 * import * as z from 'zod'
 *
 * const orders = new DynamoDbBackend(model({ name: 'orders', key: ['id'], schema: z.object({ id: z.string() }) }))
 * const stock = new DynamoDbBackend(
 *   model({ name: 'stock', key: ['sku'], schema: z.object({ sku: z.string(), count: z.number() }) }),
 * )
 *
 * const [order, left] = await transactFind([orders.prepare.find({ id: '7' }), stock.prepare.find({ sku: 'A' })])
 * console.log(order?.id, left?.count)
 * ```
 */
export function transactFind<TItems extends readonly unknown[]>(
  reads: readonly [...{ [I in keyof TItems]: TransactRead<TItems[I]> }],
  options?: TransactFindOptions,
): Promise<{ -readonly [I in keyof TItems]: TItems[I] | undefined }>
export async function transactFind(
  reads: readonly TransactRead<unknown>[],
  options: TransactFindOptions = {},
): Promise<unknown[]> {
  checkOptions('transactFind', options, { signal: is('object') })
  if (reads.length > maxReads)
    throw new ConditionError(`A snapshot has at most ${maxReads} reads, this one ${reads.length}`)
  const unsent = reads.map(unsentRead)
  const joined: JoinedRead<unknown>[] = []
  for (const { join } of unsent) joined.push(join(joined.at(-1)?.snapshot))
  await joined[0]?.snapshot.take(options)
  return Promise.all(joined.map(({ item }) => item()))
}
