import { type ConflictError, InvalidDataError, type NotFoundError } from '../../errors/index.ts'
import { picked } from '../../core/record.ts'
import type { Model } from '../model.ts'
import { type BatchOptions } from './batch.ts'
import { Connection, type Input, type Output } from './connection.ts'
import { compileGet } from './compile-keys.ts'
import { failureOf } from './failure.ts'
import { describedTable } from './describe.ts'
import type { DynamoDbOptions } from './options.ts'
import type { Table } from '../planning/table.ts'
import { type ReadingOptions, unmarshallItem } from '../../wire/unmarshall.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import type { WriteTarget } from './write-target.ts'
import { type ConflictFacts, type Precondition, conflictOf, missingItem } from '../planning/preconditions.ts'

type ConditionalWrite = 'PutItem' | 'UpdateItem' | 'DeleteItem'
type Written = Pick<Output<ConditionalWrite>, 'Attributes'>

/** What a write with conditions expects to find. */
interface Expected {
  readonly precondition: Precondition
  /** The answer that was lost, if the item, or that there is none, is what the write has come to. */
  readonly won?: (current: AttributeItem | undefined) => Written | undefined
}

/** One model's table: how it is reached, what it is, and what its items look like. */
export class TableAccess<TItem = unknown, TInput = unknown> {
  readonly model: Model<TItem, TInput>
  readonly options: DynamoDbOptions
  readonly connection: Connection
  /** What the table is, from the model or from the table itself. */
  readonly describe: () => Table | Promise<Table>
  readonly reading: ReadingOptions
  /** The part of requests that asks what they consume. */
  readonly capacity: { readonly ReturnConsumedCapacity?: 'INDEXES' }

  constructor(model: Model<TItem, TInput>, options: DynamoDbOptions) {
    const { client, onCapacity, numbers = 'safe', dates = 'iso' } = options
    this.model = model
    this.options = options
    this.connection = new Connection({ client, title: () => model.name, onCapacity })
    this.describe = describedTable(model, this.connection)
    this.reading = { numbers, dates, ...kindsOf(model) }
    this.capacity = onCapacity === undefined ? {} : { ReturnConsumedCapacity: 'INDEXES' }
  }

  async target(): Promise<WriteTarget> {
    const { dates = 'iso', version, ttl } = this.options
    const table = await this.describe()
    const has = (column: string): boolean => this.model.has(column)
    return { name: this.model.name, table, dates, has, version, ttl, now: nowInSeconds() }
  }

  async batch(): Promise<BatchOptions> {
    return {
      connection: this.connection,
      table: this.model.name,
      keyColumns: (await this.describe()).key,
      consistent: this.options.consistent === true,
      capacity: this.options.onCapacity !== undefined,
    }
  }

  /** @param areWhole - Whether they have all of their columns: the schema is one for whole items */
  async items(wires: readonly AttributeItem[], areWhole?: boolean): Promise<TItem[]> {
    const items = wires.map((wire) => this.#unmarshalled(wire))
    return areWhole !== false && this.options.validate === 'both'
      ? Promise.all(items.map((item) => this.model.validate(item)))
      : items
  }

  /** An item, whole. */
  async item(wire: AttributeItem): Promise<TItem> {
    const item = this.#unmarshalled(wire)
    return this.options.validate === 'both' ? this.model.validate(item) : item
  }

  #unmarshalled(wire: AttributeItem): TItem {
    return unmarshallItem(wire, this.reading) as TItem
  }

  async read(
    key: AttributeItem,
    consistent: boolean | undefined = this.options.consistent,
  ): Promise<AttributeItem | undefined> {
    const options = { ...(await this.batch()), consistent }
    const { Item } = await this.connection.call('GetItem', compileGet(key, options))
    return Item === undefined || this.isExpired(Item) ? undefined : Item
  }

  /** Whether an item counts as absent, though DynamoDB still holds it. */
  isExpired(item: AttributeItem): boolean {
    const { ttl } = this.options
    const at = ttl === undefined ? undefined : item[ttl]?.N
    return at !== undefined && Number(at) <= nowInSeconds()
  }

  /**
   * Sends a write with conditions. The client tries again when an answer is lost, and may then meet the item that it has
   * written itself: that is no conflict.
   *
   */
  async write(
    operation: ConditionalWrite,
    input: Input<ConditionalWrite>,
    { precondition, won = () => undefined }: Expected,
  ): Promise<Written> {
    try {
      return await this.connection.call(operation, { ...input, ...this.capacity })
    } catch (error) {
      const { name, message = '', Item, $metadata } = failureOf(error)
      if (name === 'ValidationException' && message.includes('document path'))
        throw new InvalidDataError(
          `The update of ${this.model.name} writes to a place inside a column, and what should be around it is not there`,
          { cause: error },
        )
      if (name !== 'ConditionalCheckFailedException') throw error
      const isAgain = ($metadata?.attempts ?? 1) > 1
      const key = ('Key' in input ? input.Key : input.Item) ?? {}
      const { key: columns } = await this.describe()
      const wireKey = picked(key, columns)
      // Not every engine gives the item along; without it, absent and different look the same.
      const stored = Item ?? (await this.read(wireKey, true))
      const current = stored === undefined || this.isExpired(stored) ? undefined : stored
      const answer = isAgain ? won(current) : undefined
      if (answer !== undefined) return answer
      if (current === undefined && precondition.item !== 'new') throw this.missing(error)
      throw await this.conflict(current, {
        ambiguous: isAgain,
        isNew: precondition.item === 'new',
        cause: error,
      })
    }
  }

  missing(cause?: unknown): NotFoundError {
    return missingItem(this.model.name, cause)
  }

  async conflict(wire: AttributeItem | undefined, facts: ConflictFacts = {}): Promise<ConflictError> {
    // An item that cannot be read here is in the way all the same.
    const current = wire && (await this.items([wire]).catch(() => []))[0]
    return conflictOf(this.model.name, { ...facts, current })
  }
}

/** DynamoDB counts expiry in seconds. */
export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

/** Columns of which the wire does not tell all. */
function kindsOf(model: Model): Pick<ReadingOptions, 'kinds'> {
  const kinds = new Map<string, 'bigint' | 'date'>()
  for (const column of model.columns ?? []) {
    const kind = model.kind(column)
    if (kind === 'bigint' || kind === 'date') kinds.set(column, kind)
  }
  return kinds.size > 0 ? { kinds } : {}
}
