import type { TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { Attempts } from '../../aws/attempts.ts'
import { ConditionError, InvalidDataError, TransactionError } from '../../errors/index.ts'
import { type TransactOptions, type WriteTransaction, foreignWrite } from '../planning/transact.ts'
import { type Connection } from './connection.ts'
import { clientFailure } from './failure.ts'
import { located } from '../planning/located.ts'
import { sizeOf } from '../../wire/item-size.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
const maxTransactionBytes = 4_194_304

/** A write, and what sends it. */
interface Unsent {
  readonly connection: Connection
  readonly build: () => Promise<PreparedWrite>
}

/** What it says. */
export interface PreparedWrite {
  readonly item: TransactWriteItem
  readonly table: string
  /** Tells the item that is written from every other. */
  readonly id: string
  readonly wire: AttributeItem
}

/** The writes that are sent in one `TransactWriteItems`. */
export class DynamoDbTransaction implements WriteTransaction {
  readonly #writes: Unsent[] = []

  /** The transaction with one write more. @throws ConditionError for a transaction of another database */
  static with(transaction: WriteTransaction | undefined, write: Unsent): DynamoDbTransaction {
    const own = transaction ?? new DynamoDbTransaction()
    if (!(own instanceof DynamoDbTransaction)) throw foreignWrite()
    own.#writes.push(write)
    return own
  }

  async commit({ token = crypto.randomUUID(), signal }: TransactOptions): Promise<void> {
    const clients = await Promise.all(this.#writes.map(({ connection }) => connection.client()))
    if (new Set(clients).size > 1) throw foreignWrite()
    const made = await Promise.all(this.#writes.map(({ build }) => build()))
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
      await this.#writes[0]?.connection.write('TransactWriteItems', input, {
        attempts: new Attempts(),
        signal,
        tables: [...new Set(made.map(({ table }) => table))],
      })
    } catch (cause) {
      const { name, CancellationReasons: reasons = [] } = clientFailure(cause)
      if (name !== 'TransactionCanceledException') throw cause
      const found = reasons.flatMap(({ Code: code = 'None' }, index) =>
        code === 'None' ? [] : [{ index, code }],
      )
      const codes = new Set(found.map(({ code }) => code))
      if (codes.has('ValidationError') && !codes.has('ConditionalCheckFailed'))
        throw new InvalidDataError('DynamoDB refuses a write of the transaction as it stands', { cause })
      throw located(new TransactionError(found, { cause }), clientFailure(cause))
    }
  }
}
