import type { S3Event, S3EventRecord } from 'aws-lambda'
import type { Logger } from '../core/logger.ts'
import type { Middleware } from '../core/middy.ts'
import { checkOptions, isLogger } from '../core/options.ts'
import { whole } from './records/answers.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordSource } from './records/record-source.ts'
import { objectIdOf } from './records/s3-key.ts'
import { S3Request } from './s3-request.ts'

export { type S3Object, S3Request } from './s3-request.ts'

/** Options of {@link s3}. */
export interface S3Options {
  /** Told of every failed record where several fail, by its id. @default console */
  readonly logger?: Logger
}

const s3Source: RecordSource<S3EventRecord, S3Request> = {
  factory: 's3',
  source: 's3',
  kinds: ['aws:s3'],
  // The message with which S3 tries a new notification has no records.
  records: ({ Records }: Partial<S3Event>) => Records ?? [],
  idOf: objectIdOf,
  request: (record, id, batch) => S3Request.of(record, { id, batch }),
  prepare: (request) => request.prepare(),
  answer: whole,
}

/**
 * Turns an S3 event notification into a batch for `eachRecord()`. All records are worked; if some fail, the invocation
 * fails with the one error, or with an `AggregateError` of all, so that Lambda tries again, twice. S3's test message is
 * done without a call.
 *
 * @throws InvalidEventError if it is another event
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import { s3 } from 'clearskies-middy/normalizers/s3'
 *
 * export const handler = middy()
 *   .use(s3())
 *   .handler(eachRecord(async ({ bucket, key, size }) => {
 *     console.log(bucket, key, size)
 *   }))
 * ```
 */
export function s3(options: S3Options = {}): Middleware<RecordBatch<S3Request>> {
  checkOptions('s3', options, { logger: isLogger })
  return normalizesRecords((event, context) => RecordBatch.read(s3Source, event, context), options.logger)
}
