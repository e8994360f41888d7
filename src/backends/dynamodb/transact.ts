import type { TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { Attempts } from '../../aws/attempts.ts'
import { ConditionError } from '../../errors/index.ts'
import {
  type TransactOptions,
  type WriteTransaction,
  checkTransactionSize,
  foreignPart,
} from '../planning/transact.ts'
import { sizeOf } from '../../wire/item-size.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import { type BuiltPart, type TransactPart, Parts } from './parts.ts'

/** A write as it is sent. */
export interface PreparedWrite extends BuiltPart {
  readonly item: TransactWriteItem
  readonly wire: AttributeItem
}

/** The writes that are sent in one `TransactWriteItems`. */
export class DynamoDbTransaction implements WriteTransaction {
  readonly #writes = new Parts<PreparedWrite>()

  /** The transaction with one write more. @throws ConditionError for a transaction of another database */
  static with(
    transaction: WriteTransaction | undefined,
    write: TransactPart<PreparedWrite>,
  ): DynamoDbTransaction {
    const own = transaction ?? new DynamoDbTransaction()
    if (!(own instanceof DynamoDbTransaction)) throw foreignPart()
    own.#writes.add(write)
    return own
  }

  async commit({ token = crypto.randomUUID(), signal }: TransactOptions): Promise<void> {
    const parts = await this.#writes.built()
    const ids = new Set(parts.map(({ id }) => id))
    if (ids.size < parts.length)
      throw new ConditionError('A transaction writes an item at most once, this one twice')
    checkTransactionSize(parts.reduce((sum, { wire }) => sum + sizeOf(wire), 0))
    const input = { TransactItems: parts.map(({ item }) => item), ClientRequestToken: token }
    await this.#writes.call('TransactWriteItems', input, { parts, attempts: new Attempts(), signal })
  }
}
