import type { KinesisStreamEvent, KinesisStreamRecord, KinesisStreamRecordPayload } from 'aws-lambda'
import type { Logger } from '../core/logger.ts'
import type { Middleware } from '../core/middy.ts'
import { checkOptions, isLogger } from '../core/options.ts'
import { type UnknownRecord, asRecord, asString } from '../core/record.ts'
import { lowestFailure } from './records/answers.ts'
import { BodyRequest, type BodyRequestParts, type RecordBody, isRecordBody } from './records/body-request.ts'
import { lanesByKey } from './records/lanes.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordSource } from './records/record-source.ts'
import { streamRecords } from './records/stream.ts'

/** A record as a pipe of EventBridge sends it: flat. */
export interface KinesisPipeRecord extends Omit<KinesisStreamRecord, 'kinesis'>, KinesisStreamRecordPayload {}

/** A record of a stream. */
export type KinesisRecord = KinesisStreamRecord | KinesisPipeRecord

/** Options of {@link kinesis}. */
export interface KinesisOptions {
  /** What the records are. @default 'json' */
  readonly body?: RecordBody<KinesisRecord>
  /** Told of every failed record, by its id and never its data. @default console */
  readonly logger?: Logger
}

/**
 * One record of a Kinesis stream, as a request.
 *
 * @example
 * ```ts
 * import { type KinesisRequest, eachRecord } from 'clearskies-middy'
 *
 * export const worker = eachRecord(async ({ data, partitionKey }: KinesisRequest) => {
 *   console.log(partitionKey, data)
 * })
 * ```
 */
export class KinesisRequest<TData = unknown> extends BodyRequest<KinesisRecord, TData> {
  readonly kind = 'kinesis'
  readonly source = 'kinesis'

  /** @internal */
  static of(record: KinesisRecord, parts: BodyRequestParts<KinesisRecord>): KinesisRequest {
    return new KinesisRequest(record, parts)
  }

  protected override get sent(): Buffer {
    return Buffer.from(this.#payload.data, 'base64')
  }

  /** Records of one key are worked in order. */
  get partitionKey(): string {
    return this.#payload.partitionKey
  }

  /** A whole number of up to 56 digits and more: compare it as a `BigInt`. */
  get sequenceNumber(): string {
    return this.#payload.sequenceNumber
  }

  get arrivedAt(): Date {
    return new Date(Math.round(this.#payload.approximateArrivalTimestamp * 1000))
  }

  /** The stream's ARN, or that of its consumer. */
  get streamArn(): string {
    return this.record.eventSourceARN
  }

  get #payload(): KinesisStreamRecordPayload {
    return 'kinesis' in this.record ? this.record.kinesis : this.record
  }
}

/** What the stream itself says of a record, as far as it does. */
function payloadOf(record: UnknownRecord): UnknownRecord {
  return asRecord(record['kinesis']) ?? record
}

/**
 * Turns an event of a Kinesis stream into a batch for `eachRecord()`. Records of one partition key are worked in order,
 * keys beside each other. The answer names the lowest number that is not done; Lambda goes on from there and runs again
 * what is behind it. The event source mapping must have `ReportBatchItemFailures`.
 *
 * @throws InvalidEventError if it is another event, or one of a tumbling window
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import { kinesis } from 'clearskies-middy/normalizers/kinesis'
 *
 * export const handler = middy()
 *   .use(kinesis())
 *   .handler(eachRecord(async ({ data, partitionKey }) => {
 *     console.log(partitionKey, data)
 *   }))
 * ```
 */
export function kinesis(options: KinesisOptions = {}): Middleware<RecordBatch<KinesisRequest>> {
  checkOptions('kinesis', options, { body: isRecordBody, logger: isLogger })
  const { body = 'json', logger } = options
  const source: RecordSource<KinesisRecord, KinesisRequest> = {
    factory: 'kinesis',
    source: 'kinesis',
    kinds: ['aws:kinesis'],
    records: (event: KinesisStreamEvent) => streamRecords('kinesis', event),
    idOf: ({ eventID }) => asString(eventID),
    identifierOf: (record) => asString(payloadOf(record)['sequenceNumber']),
    request: (record, id, batch) => KinesisRequest.of(record, { id, batch, body }),
    prepare: (request) => request.prepare(),
    lanes: ({ Records }) => ({ lanes: lanesByKey(Records, partitionKeyOf) }),
    repeatsRest: true,
    answer: lowestFailure,
  }
  return normalizesRecords((event, context) => RecordBatch.read(source, event, context), logger)
}

function partitionKeyOf(record: unknown): string | undefined {
  return asString(payloadOf(asRecord(record) ?? {})['partitionKey'])
}
