import type { TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { ConditionError, InvalidDataError, TransactionError } from '../../errors/index.ts'
import { checkOptions, is } from '../../core/options.ts'
import { type Connection } from './connection.ts'
import { clientFailure } from './failure.ts'
import { sizeOf } from '../../wire/item-size.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
const maxWrites = 100
const maxTransactionBytes = 4_194_304

/** One write of a transaction, made by `backend.prepare`. The name of its member is what the compiler says of a promise. */
export interface TransactWrite {
  readonly 'a write that is not sent yet: use backend.prepare': UnsentWrite
}

/** What a transaction sends it with. */
export interface UnsentWrite {
  readonly connection: Connection
  readonly build: () => Promise<PreparedWrite>
}

/** What it says. */
export interface PreparedWrite {
  readonly item: TransactWriteItem
  /** Tells the item that is written from every other. */
  readonly id: string
  readonly wire: AttributeItem
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
 * @throws TransactionError (409) with the reason of each write that stood against it; ThrottledError (429); ConditionError
 * for more than 100 writes, two of one item or two clients, before anything is sent
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
  const { token = crypto.randomUUID(), signal } = options
  if (writes.length > maxWrites)
    throw new ConditionError(`A transaction has at most ${maxWrites} writes, this one ${writes.length}`)
  const unsent = writes.map(unsentOf)
  const [first] = unsent
  if (first === undefined) return
  const clients = await Promise.all(unsent.map(({ connection }) => connection.client()))
  if (new Set(clients).size > 1)
    throw new ConditionError(
      'A transaction has one client: its backends have several, perhaps of several regions',
    )
  const made = await Promise.all(unsent.map(({ build }) => build()))
  const ids = new Set(made.map(({ id }) => id))
  if (ids.size < made.length)
    throw new ConditionError('A transaction writes an item at most once, this one twice')
  const size = made.reduce((sum, { wire }) => sum + sizeOf(wire), 0)
  if (size > maxTransactionBytes)
    throw new InvalidDataError(
      `The transaction is ${size} bytes, and DynamoDB takes at most ${maxTransactionBytes}`,
    )
  const input = { TransactItems: made.map(({ item }) => item), ClientRequestToken: token }
  try {
    await first.connection.call('TransactWriteItems', input, signal)
  } catch (cause) {
    const { name, CancellationReasons: reasons = [] } = clientFailure(cause)
    if (name !== 'TransactionCanceledException') throw cause
    const found = reasons.flatMap(({ Code: code = 'None' }, index) =>
      code === 'None' ? [] : [{ index, code }],
    )
    const codes = new Set(found.map(({ code }) => code))
    if (codes.has('ValidationError') && !codes.has('ConditionalCheckFailed'))
      throw new InvalidDataError('DynamoDB refuses a write of the transaction as it stands', { cause })
    throw new TransactionError(found, { cause })
  }
}
