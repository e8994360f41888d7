import type { DynamoDBRecord, DynamoDBStreamEvent, StreamRecord } from 'aws-lambda'
import type { Model } from '../backends/model.ts'
import { shapesOf } from '../backends/planning/reading.ts'
import type { Logger } from '../core/logger.ts'
import type { Middleware } from '../core/middy.ts'
import { checkOptions, isLogger, oneOf } from '../core/options.ts'
import { asRecord, asString } from '../core/record.ts'
import { isSchema } from '../core/standard-schema.ts'
import type { AttributeItem, DateMode } from '../wire/attribute-value.ts'
import { type NumberMode, type ReadingOptions, unmarshallItem } from '../wire/unmarshall.ts'
import { lowestFailure } from './records/answers.ts'
import { lanesByKey } from './records/lanes.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { ParsedRequest, type ParsedRequestParts } from './records/parsed-request.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordSource } from './records/record-source.ts'
import { streamRecords } from './records/stream.ts'

/** An item of a table without a model. */
type AnyItem = Readonly<Record<string, unknown>>

/** Options of {@link dynamodbStream}. */
export interface DynamoDbStreamOptions<TItem = AnyItem, TInput = TItem, TKey extends string = string> {
  /** What is in the table: its columns are read, with the types of its schema, as `DynamoDbBackend` reads them. */
  readonly model?: Model<TItem, TInput, TKey>
  /** What numbers become; `safe` fails the record of a whole one that JavaScript would round. @default 'safe' */
  readonly numbers?: NumberMode
  /** How dates are stored. Columns that the model's schema declares as dates are read as such. @default 'iso' */
  readonly dates?: DateMode
  /** Told of every failed record, by its id and never its item. @default console */
  readonly logger?: Logger
}

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
  TItem = AnyItem,
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

/** The key of an item with its types: neither the order of its parts nor what they are joined with makes two items one. */
function itemKeyOf(record: unknown): string {
  const keys = asRecord(asRecord(asRecord(record)?.['dynamodb'])?.['Keys']) ?? {}
  return JSON.stringify(
    Object.keys(keys)
      .sort()
      .map((name) => [name, keys[name]]),
  )
}

/**
 * Turns an event of a DynamoDB stream into a batch for `eachRecord()`. Changes of one item are worked in order, items
 * beside each other. The answer names the lowest number that is not done; Lambda goes on from there and runs again what is
 * behind it. The event source mapping must have `ReportBatchItemFailures`.
 *
 * @throws InvalidEventError if it is another event, or one of a tumbling window
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { model } from 'clearskies-middy/backends/model'
 * import { dynamodbStream } from 'clearskies-middy/normalizers/dynamodb-stream'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import * as z from 'zod'
 *
 * const Product = model({ name: 'products', key: ['id'], schema: z.object({ id: z.string(), price: z.number() }) })
 *
 * export const handler = middy()
 *   .use(dynamodbStream({ model: Product }))
 *   .handler(eachRecord(async ({ change, keys, newItem }) => {
 *     console.log(change, keys.id, newItem?.price)
 *   }))
 * ```
 */
export function dynamodbStream<TItem = AnyItem, TInput = TItem, TKey extends string = string>(
  options: DynamoDbStreamOptions<TItem, TInput, TKey> = {},
): Middleware<RecordBatch<DynamoDbStreamRequest<TItem, TKey>>> {
  checkOptions('dynamodbStream', options, {
    model: ({ schema }: Pick<Model, 'schema'>) => isSchema(schema),
    numbers: oneOf('safe', 'bigint', 'string'),
    dates: oneOf('iso', 'seconds', 'milliseconds'),
    logger: isLogger,
  })
  const { model, numbers = 'safe', dates = 'iso', logger } = options
  const reading = { numbers, dates, ...(model && shapesOf(model, undefined)) }
  const source: RecordSource<DynamoDBRecord, DynamoDbStreamRequest<TItem, TKey>> = {
    factory: 'dynamodbStream',
    source: 'dynamodb-stream',
    kinds: ['aws:dynamodb'],
    records: (event: DynamoDBStreamEvent) => streamRecords('dynamodbStream', event),
    idOf: ({ eventID }) => asString(eventID),
    identifierOf: ({ dynamodb }) => asString(asRecord(dynamodb)?.['SequenceNumber']),
    request: (record, id, batch) => DynamoDbStreamRequest.of(record, { id, batch, reading }),
    prepare: (request) => request.prepare(),
    lanes: ({ Records }) => ({ lanes: lanesByKey(Records, itemKeyOf) }),
    repeatsRest: true,
    answer: lowestFailure,
  }
  return normalizesRecords((event, context) => RecordBatch.read(source, event, context), logger)
}
