import type { FirehoseTransformationEvent, FirehoseTransformationEventRecord } from 'aws-lambda'
import type { Logger } from '../core/logger.ts'
import type { Middleware } from '../core/middy.ts'
import { checkOptions, isLogger } from '../core/options.ts'
import { asString } from '../core/record.ts'
import { BodyRequest, type BodyRequestParts, type RecordBody, isRecordBody } from './records/body-request.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordSource } from './records/record-source.ts'
import { transformed } from './records/transformed.ts'

/** A record of Firehose. One that comes from Kafka has its value under another name. */
export interface FirehoseRecord extends Omit<FirehoseTransformationEventRecord, 'data'> {
  /** In base64. */
  readonly data?: string
  /** In base64. */
  readonly kafkaRecordValue?: string
}

/** What Firehose asks to be transformed. */
export interface FirehoseEvent extends Omit<FirehoseTransformationEvent, 'records'> {
  readonly records: readonly FirehoseRecord[]
}

/** Options of {@link firehose}. */
export interface FirehoseOptions {
  /** What the records are. @default 'json' */
  readonly body?: RecordBody<FirehoseRecord>
  /** Told of every failed record, by its id and never its data. @default console */
  readonly logger?: Logger
}

/**
 * One record of a Firehose stream that is to be transformed, as a request.
 *
 * @example
 * ```ts
 * import { type FirehoseRequest, eachRecord } from 'clearskies-middy'
 *
 * export const worker = eachRecord(({ data, recordId }: FirehoseRequest) => ({ recordId, data }))
 * ```
 */
export class FirehoseRequest<TData = unknown> extends BodyRequest<FirehoseRecord, TData> {
  readonly kind = 'firehose'
  readonly source = 'firehose'

  /** @internal */
  static of(record: FirehoseRecord, parts: BodyRequestParts<FirehoseRecord>): FirehoseRequest {
    return new FirehoseRequest(record, parts)
  }

  protected override get sent(): Buffer {
    return Buffer.from(this.record[dataFieldOf(this.record)] ?? '', 'base64')
  }

  /** Identifies the record in the answer, the same as `id`. */
  get recordId(): string {
    return this.id
  }

  get arrivedAt(): Date {
    return new Date(this.record.approximateArrivalTimestamp)
  }
}

const firehoseAnswer = transformed(dataFieldOf)

/** A record that comes from Kafka has its value under another name, and so has the answer. */
function dataFieldOf({ kafkaRecordValue }: FirehoseRecord): 'data' | 'kafkaRecordValue' {
  return asString(kafkaRecordValue) === undefined ? 'data' : 'kafkaRecordValue'
}

/**
 * Turns a batch that Firehose wants transformed into a batch for `eachRecord()`. What the function returns becomes the
 * record's data: an object or a list is one line of JSON, text and bytes are as they are, and **nothing drops the record**.
 * A record that fails is `ProcessingFailed`: Firehose does not try it again, and puts it under the error prefix.
 *
 * @throws InvalidEventError if it is another event
 * @throws ResponseTooLargeError if the records have become larger than Lambda's 6 MB, in base64
 * @see https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import { firehose } from 'clearskies-middy/normalizers/firehose'
 *
 * export const handler = middy()
 *   .use(firehose())
 *   .handler(eachRecord(({ data, arrivedAt }) => ({ arrivedAt, data })))
 * ```
 */
export function firehose(options: FirehoseOptions = {}): Middleware<RecordBatch<FirehoseRequest>> {
  checkOptions('firehose', options, { body: isRecordBody, logger: isLogger })
  const { body = 'json', logger } = options
  const source: RecordSource<FirehoseRecord, FirehoseRequest> = {
    factory: 'firehose',
    source: 'firehose',
    kinds: ['firehose'],
    records: ({ records }: FirehoseEvent) => records,
    idOf: ({ recordId }) => asString(recordId),
    request: (record, id, batch) => FirehoseRequest.of(record, { id, batch, body }),
    prepare: (request) => request.prepare(),
    takesValues: true,
    answer: firehoseAnswer,
  }
  return normalizesRecords((event, context) => RecordBatch.read(source, event, context), logger)
}
