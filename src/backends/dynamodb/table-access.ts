import { Attempts } from '../../aws/attempts.ts'
import {
  type ConflictError,
  type NotFoundError,
  StoredDataError,
  ValidationError,
} from '../../errors/index.ts'
import { picked } from '../../core/record.ts'
import type { Model } from '../model.ts'
import { type BatchOptions } from './batch.ts'
import { Connection, type Input, type Output } from './connection.ts'
import { compileGet } from './compile-keys.ts'
import { clientFailure } from './failure.ts'
import { describedTable } from './describe.ts'
import { type Checks, NumberForms } from '../planning/number-forms.ts'
import type { StoredForm } from '../planning/operands.ts'
import type { DynamoDbOptions } from './options.ts'
import { type KeyTarget, indexColumns } from '../planning/keys.ts'
import { missingPlace, unfitPlace } from '../planning/actions.ts'
import { shapesOf } from '../planning/reading.ts'
import type { Table } from '../planning/table.ts'
import { type ReadingOptions, plainItem, unmarshallItem } from '../../wire/unmarshall.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import type { WriteTarget } from './write-target.ts'
import { type VersionColumn, versionColumn } from '../planning/versions.ts'
import { type ConflictFacts, type Precondition, conflictOf, missingItem } from '../planning/preconditions.ts'

type ConditionalWrite = 'PutItem' | 'UpdateItem' | 'DeleteItem'
type Written = Pick<Output<ConditionalWrite>, 'Attributes'>

/** One model's table: how it is reached, what it is, and what its items look like. */
export class TableAccess<TItem = unknown, TInput = unknown> {
  readonly model: Model<TItem, TInput>
  readonly options: DynamoDbOptions
  readonly connection: Connection
  /** What the table is, from the model or from the table itself. */
  readonly describe: () => Table | Promise<Table>
  readonly reading: ReadingOptions
  readonly version: VersionColumn | undefined
  /** How values are stored. */
  readonly form: StoredForm & Pick<KeyTarget, 'dates'>
  readonly checks: Checks<TItem>
  readonly #forms: NumberForms<TItem>
  /** The part of requests that asks what they consume. */
  readonly capacity: { readonly ReturnConsumedCapacity?: 'INDEXES' }

  constructor(model: Model<TItem, TInput>, options: DynamoDbOptions) {
    const { client, onCapacity, numbers = 'safe', dates = 'iso' } = options
    this.model = model
    this.options = options
    this.connection = new Connection({ client, table: () => model.name, onCapacity })
    this.describe = describedTable(model, this.connection)
    this.reading = { numbers, dates, ...shapesOf(model, options.version) }
    this.version = versionColumn(model, options.version)
    this.#forms = new NumberForms(model, numbers)
    this.form = { dates, typed: this.#forms.typed, shape: (column) => model.shape(column) }
    this.checks = this.#forms.checks
    this.capacity = onCapacity === undefined ? {} : { ReturnConsumedCapacity: 'INDEXES' }
  }

  async target(): Promise<WriteTarget> {
    const { version, ttl } = this.options
    const table = await this.describe()
    const has = (column: string): boolean => this.model.has(column)
    const isNullable = (column: string): boolean =>
      this.model.isNullable(column) && !indexColumns(table).includes(column)
    const { typedItem } = this.#forms
    const columns = { has, isNullable, version, ttl }
    return { name: this.model.name, table, ...this.form, typedItem, ...columns, now: nowInSeconds() }
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
  async items(wires: readonly AttributeItem[], areWhole = true): Promise<TItem[]> {
    return areWhole && this.options.validate === 'both'
      ? Promise.all(wires.map((wire) => this.item(wire)))
      : wires.map((wire) => this.#unmarshalled(wire))
  }

  /** An item, whole. @throws StoredDataError, InvalidDataError */
  async item(wire: AttributeItem): Promise<TItem> {
    const item = this.#unmarshalled(wire)
    if (this.options.validate !== 'both') return item
    try {
      return await this.checks.checkStored(item)
    } catch (cause) {
      if (!(cause instanceof ValidationError)) throw cause
      const key = plainItem(picked(wire, (await this.describe()).key))
      throw new StoredDataError({ key, errors: cause.errors }, 'A stored item does not fit the schema', {
        cause,
      })
    }
  }

  /** An item that was asked for: `undefined` for none, and for one that has expired. */
  async present(wire: AttributeItem | undefined): Promise<TItem | undefined> {
    return wire === undefined || this.isExpired(wire) ? undefined : this.item(wire)
  }

  /** An item as far as it can be read: a write that is done must not fail over it. */
  async readable(wire: AttributeItem): Promise<TItem> {
    try {
      return await this.item(wire)
    } catch {
      const columns = Object.keys(wire).filter((column) => this.#canRead(picked(wire, [column])))
      return this.#unmarshalled(picked(wire, columns))
    }
  }

  #canRead(wire: AttributeItem): boolean {
    try {
      this.#unmarshalled(wire)
      return true
    } catch {
      return false
    }
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
   * Sends a write with conditions. The client tries again when an answer is lost, and may then meet its own write. An item
   * that looks like it may be another writer's, so that is a conflict, and `ambiguous` says what is not known.
   *
   * @throws NotFoundError, ConflictError
   */
  async write(
    operation: ConditionalWrite,
    input: Input<ConditionalWrite>,
    precondition: Precondition,
  ): Promise<Written> {
    const attempts = new Attempts()
    try {
      return await this.connection.call(operation, { ...input, ...this.capacity }, { attempts })
    } catch (cause) {
      const { name, message = '', Item } = clientFailure(cause)
      if (name === 'ValidationException' && message.includes('document path'))
        throw missingPlace(this.model.name, cause)
      if (name === 'ValidationException' && /incorrect (?:data|operand) type/.test(message))
        throw unfitPlace(this.model.name, cause)
      if (name !== 'ConditionalCheckFailedException') throw cause
      const ambiguous = attempts.mayBeDone(cause)
      const isNew = precondition.item === 'new'
      // Not every engine gives the item along; without it, absent and different look the same.
      const stored =
        Item ??
        (await this.#stored(input).catch((error: unknown) => {
          // It is a conflict in any case, which says more than why the item cannot be read.
          if (!isNew && !ambiguous) throw error
          return undefined
        }))
      const current = stored === undefined || this.isExpired(stored) ? undefined : stored
      if (current === undefined && !isNew && !ambiguous) throw this.missing(cause)
      throw await this.conflict(current, { ambiguous, isNew, cause })
    }
  }

  async #stored(input: Input<ConditionalWrite>): Promise<AttributeItem | undefined> {
    const key = ('Key' in input ? input.Key : input.Item) ?? {}
    return this.read(picked(key, (await this.describe()).key), true)
  }

  missing(cause?: unknown): NotFoundError {
    return missingItem(this.model.name, cause)
  }

  async conflict(wire: AttributeItem | undefined, facts: ConflictFacts = {}): Promise<ConflictError> {
    return conflictOf(this.model.name, { ...facts, current: wire && (await this.readable(wire)) })
  }
}

/** DynamoDB counts expiry in seconds. */
export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
