import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda'
import type { Model } from '../backends/model.ts'
import { shapesOf } from '../backends/planning/reading.ts'
import type { Logger } from '../core/logger.ts'
import type { Middleware } from '../core/middy.ts'
import { checkOptions, isLogger, oneOf } from '../core/options.ts'
import { type UnknownRecord, asRecord, asString } from '../core/record.ts'
import { isSchema } from '../core/standard-schema.ts'
import type { DateMode } from '../wire/attribute-value.ts'
import { type NumberMode } from '../wire/unmarshall.ts'
import { lowestFailure } from './records/answers.ts'
import { lanesByKey } from './records/lanes.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordSource } from './records/record-source.ts'
import { streamRecords } from './records/stream.ts'
import { DynamoDbStreamRequest } from './dynamodb-stream-request.ts'

export { DynamoDbStreamRequest } from './dynamodb-stream-request.ts'

/** Options of {@link dynamodbStream}. */
export interface DynamoDbStreamOptions<TItem = UnknownRecord, TInput = TItem, TKey extends string = string> {
  /** What is in the table: its columns are read, with the types of its schema, as `DynamoDbBackend` reads them. */
  readonly model?: Model<TItem, TInput, TKey>
  /** What numbers become; `safe` fails the record of a whole one that JavaScript would round. @default 'safe' */
  readonly numbers?: NumberMode
  /** How dates are stored. Columns that the model's schema declares as dates are read as such. @default 'iso' */
  readonly dates?: DateMode
  /** Told of every failed record, by its id and never its item. @default console */
  readonly logger?: Logger
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
export function dynamodbStream<TItem = UnknownRecord, TInput = TItem, TKey extends string = string>(
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
