import type { DynamoDBRecord, StreamRecord } from 'aws-lambda'
import { type UnknownRecord, asRecord } from '../core/record.ts'
import type { AttributeItem } from '../wire/attribute-value.ts'
import { type ReadingOptions, unmarshallItem } from '../wire/unmarshall.ts'
import { ParsedRequest, type ParsedRequestParts } from './records/parsed-request.ts'

interface StreamRequestParts extends ParsedRequestParts {
  readonly reading: ReadingOptions
}

const changes = { INSERT: 'insert', MODIFY: 'modify', REMOVE: 'remove' } as const

/**
 * One change of an item, as a request.
 *
 * @example
 * ```ts
 * import { type DynamoDbStreamRequest, eachRecord } from 'clearskies-middy'
 *
 * export const worker = eachRecord(async ({ change, keys, newItem, oldItem }: DynamoDbStreamRequest) => {
 *   console.log(change, keys, oldItem, newItem)
 * })
 * ```
 */
export class DynamoDbStreamRequest<
  TItem = UnknownRecord,
  TKey extends string = string,
  TData = TItem | Pick<TItem, TKey & keyof TItem>,
> extends ParsedRequest<DynamoDBRecord, TData> {
  readonly kind = 'dynamodb-stream'
  readonly source = 'dynamodb-stream'
  readonly #reading: ReadingOptions
  #keys: Pick<TItem, TKey & keyof TItem> | undefined
  #newItem: TItem | undefined
  #oldItem: TItem | undefined

  private constructor(record: DynamoDBRecord, parts: StreamRequestParts) {
    super(record, parts)
    this.#reading = parts.reading
  }

  /** @internal */
  static of<TItem, TKey extends string>(
    record: DynamoDBRecord,
    parts: StreamRequestParts,
  ): DynamoDbStreamRequest<TItem, TKey> {
    return new DynamoDbStreamRequest(record, parts)
  }

  protected override read(): unknown {
    return this.newItem ?? this.oldItem ?? this.keys
  }

  get change(): 'insert' | 'modify' | 'remove' {
    return changes[this.record.eventName ?? 'MODIFY']
  }

  /** The key of the item. */
  get keys(): Pick<TItem, TKey & keyof TItem> {
    return (this.#keys ??= this.#item(this.#stored.Keys ?? {}))
  }

  /** The item after the change; none of one that was removed, nor where the stream's view has none. */
  get newItem(): TItem | undefined {
    const { NewImage } = this.#stored
    return (this.#newItem ??= NewImage ? this.#item(NewImage) : undefined)
  }

  /** The item before the change; none of a new one, nor where the stream's view has none. */
  get oldItem(): TItem | undefined {
    const { OldImage } = this.#stored
    return (this.#oldItem ??= OldImage ? this.#item(OldImage) : undefined)
  }

  /** A whole number of up to 40 digits: compare it as a `BigInt`. */
  get sequenceNumber(): string {
    return this.#stored.SequenceNumber ?? ''
  }

  get changedAt(): Date {
    return new Date(Math.round((this.#stored.ApproximateCreationDateTime ?? NaN) * 1000))
  }

  /** Whether the item was removed because its time to live was over. */
  get expired(): boolean {
    const { type, principalId } = asRecord(this.record.userIdentity as unknown) ?? {}
    return this.change === 'remove' && type === 'Service' && principalId === 'dynamodb.amazonaws.com'
  }

  get tableName(): string {
    return /:table\/([^/]+)/.exec(this.streamArn)?.[1] ?? ''
  }

  get streamArn(): string {
    return this.record.eventSourceARN ?? ''
  }

  get #stored(): StreamRecord {
    return this.record.dynamodb ?? {}
  }

  #item(image: object): TItem {
    return unmarshallItem(image as AttributeItem, this.#reading) as TItem
  }
}
