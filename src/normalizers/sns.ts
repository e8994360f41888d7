import type { SNSEvent, SNSEventRecord } from 'aws-lambda'
import type { Logger } from '../core/logger.ts'
import type { Middleware } from '../core/middy.ts'
import { checkOptions, isLogger } from '../core/options.ts'
import { asRecord, asString } from '../core/record.ts'
import { whole } from './records/answers.ts'
import { BodyRequest, type BodyRequestParts, type RecordBody, isRecordBody } from './records/body-request.ts'
import { type MessageAttributeValue, publishedAttributes } from './records/message-attributes.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordSource } from './records/record-source.ts'

/** Options of {@link sns}. */
export interface SnsOptions {
  /** What the messages are. @default JSON where a message is JSON, else its text */
  readonly body?: RecordBody<SNSEventRecord>
  /** Told of every failed record where several fail, by its id and never its message. @default console */
  readonly logger?: Logger
}

/**
 * One message of an SNS topic, as a request.
 *
 * @example
 * ```ts
 * import { type SnsRequest, eachRecord } from 'clearskies-middy'
 *
 * export const worker = eachRecord(async ({ data, subject }: SnsRequest) => {
 *   console.log(subject, data)
 * })
 * ```
 */
export class SnsRequest<TData = unknown> extends BodyRequest<SNSEventRecord, TData> {
  readonly kind = 'sns'
  readonly source = 'sns'
  #messageAttributes: Record<string, MessageAttributeValue> | undefined

  /** @internal */
  static of(record: SNSEventRecord, parts: BodyRequestParts<SNSEventRecord>): SnsRequest {
    return new SnsRequest(record, parts)
  }

  protected override get sent(): string {
    return this.record.Sns.Message
  }

  /** The message's id, the same as `id`. */
  get messageId(): string {
    return this.id
  }

  get topicArn(): string {
    return this.record.Sns.TopicArn
  }

  get subject(): string | undefined {
    return this.record.Sns.Subject ?? undefined
  }

  get sentAt(): Date {
    return new Date(this.record.Sns.Timestamp)
  }

  /** What the publisher added, by its declared type; no prototype. A `String.Array` is its JSON text. */
  get messageAttributes(): Record<string, MessageAttributeValue> {
    return (this.#messageAttributes ??= publishedAttributes(this.record.Sns.MessageAttributes))
  }
}

/**
 * Turns an SNS event into a batch for `eachRecord()`. All records are worked; if some fail, the invocation fails with
 * the one error, or with an `AggregateError` of all, so that Lambda tries again, twice.
 *
 * @throws InvalidEventError if it is another event
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import { sns } from 'clearskies-middy/normalizers/sns'
 *
 * export const handler = middy()
 *   .use(sns())
 *   .handler(eachRecord(async ({ data, topicArn }) => {
 *     console.log(topicArn, data)
 *   }))
 * ```
 */
export function sns(options: SnsOptions = {}): Middleware<RecordBatch<SnsRequest>> {
  checkOptions('sns', options, { body: isRecordBody, logger: isLogger })
  const { body = 'auto', logger } = options
  const source: RecordSource<SNSEventRecord, SnsRequest> = {
    factory: 'sns',
    source: 'sns',
    kinds: ['aws:sns'],
    records: ({ Records }: SNSEvent) => Records,
    idOf: ({ Sns }) => asString(asRecord(Sns)?.['MessageId']),
    request: (record, id, batch) => SnsRequest.of(record, { id, batch, body }),
    prepare: (request) => request.prepare(),
    answer: whole,
  }
  return normalizesRecords((event, context) => RecordBatch.read(source, event, context), logger)
}
