import { ConditionError, InvalidDataError } from '../../errors/index.ts'
import { checkOptions, is } from '../../core/options.ts'

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
const maxWrites = 100

/** One write of a transaction, made by `backend.prepare`. The name of its member is what the compiler says of a promise. */
export interface TransactWrite {
  readonly 'a write that is not sent yet: use backend.prepare': UnsentWrite
}

/** A write that waits for its transaction. */
export interface UnsentWrite {
  /**
   * Adds the write to a transaction, or begins one of its own database.
   *
   * @throws ConditionError for a transaction of another database
   */
  readonly join: (transaction: WriteTransaction | undefined) => WriteTransaction
}

/** The writes of one transaction. */
export interface WriteTransaction {
  /** Makes all of them, or none. */
  readonly commit: (options: TransactOptions) => Promise<void>
}

/** A transaction has one database. */
export function foreignPart(): ConditionError {
  return new ConditionError(
    'A transaction has one client: its backends have several, perhaps of several regions',
  )
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
const maxTransactionBytes = 4_194_304

/** @throws InvalidDataError for more than DynamoDB takes at once */
export function checkTransactionSize(bytes: number): void {
  if (bytes > maxTransactionBytes)
    throw new InvalidDataError(
      `The transaction is ${bytes} bytes, and DynamoDB takes at most ${maxTransactionBytes}`,
    )
}

/** Options of {@link transact}. */
export interface TransactOptions {
  /** Makes a transaction that is tried again within ten minutes the same one. @default a new one for each call */
  readonly token?: string
  readonly signal?: AbortSignal
}

const preparedBrand = 'a write that is not sent yet: use backend.prepare'

/** @throws TypeError for what `backend.prepare` has not made */
function unsentOf(write: Partial<TransactWrite> | null, index: number): UnsentWrite {
  const unsent = write?.[preparedBrand]
  if (unsent === undefined)
    throw new TypeError(`transact(): the write at ${index} is none that backend.prepare has made`)
  return unsent
}

/**
 * Makes several writes, to one table or to several, all or none.
 *
 * A transaction that is throttled or meets another one is tried again. The token makes a retry harmless whose answer was
 * lost.
 *
 * @throws TransactionError (409) with the reason of each write that stood against it; ThrottledError (429); UnavailableError
 * (503) where no attempt was answered, `ambiguous` if it may be made; ConditionError for more than 100 writes, two of one
 * item or two clients, before anything is sent
 * @example
 * ```ts
 * import { DynamoDbBackend, transact } from 'clearskies-middy/backends/dynamodb'
 * import { model } from 'clearskies-middy/backends/model'
 * import * as z from 'zod'
 *
 * const orders = new DynamoDbBackend(model({ name: 'orders', key: ['id'], schema: z.object({ id: z.string() }) }))
 * const stock = new DynamoDbBackend(
 *   model({ name: 'stock', key: ['sku'], schema: z.object({ sku: z.string(), count: z.number() }) }),
 * )
 *
 * await transact([
 *   orders.prepare.create({ id: '7' }),
 *   stock.prepare.update({ sku: 'A' }, {}, { add: { count: -1 }, when: (query) => query.where('count', '>', 0) }),
 * ])
 * ```
 */
export async function transact(
  writes: readonly TransactWrite[],
  options: TransactOptions = {},
): Promise<void> {
  checkOptions('transact', options, { token: is('string'), signal: is('object') })
  if (writes.length > maxWrites)
    throw new ConditionError(`A transaction has at most ${maxWrites} writes, this one ${writes.length}`)
  const unsent = writes.map(unsentOf)
  let transaction: WriteTransaction | undefined
  for (const { join } of unsent) transaction = join(transaction)
  await transaction?.commit(options)
}
