import type { SQSBatchResponse } from 'aws-lambda'
import { type Logger, defaultLogger } from '../core/logger.ts'
import { checkOptions, is, isLogger, oneOf } from '../core/options.ts'
import type { Middleware } from '../core/middy.ts'
import { normalizesRecords } from './records/normalizer.ts'
import { listFailures } from './records/sqs-failures.ts'
import type { Unwrap } from './records/sqs-reading.ts'
import type { UnwrappedAs } from './records/unwrapped-as.ts'
import { SqsBatch, type SqsBatchOptions } from './sqs-batch.ts'

/** Options of {@link sqs}. */
export interface SqsOptions<TUnwrap extends Unwrap = Unwrap> extends SqsBatchOptions<TUnwrap> {
  /** Told of every failed record, by its id and never its body. @default console */
  readonly logger?: Logger
}

/**
 * Turns one result per record into the answer that SQS takes: the ids of the failed ones, each once. What is not
 * listed is deleted.
 *
 * @throws UnidentifiedRecordError if a failed record has no id
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 * @example
 * ```ts
 * import { sqsResponse } from 'clearskies-middy/normalizers/sqs'
 *
 * const results = await Promise.allSettled([Promise.resolve(), Promise.reject(new Error('Not now'))])
 * console.log(await sqsResponse(results, { messageIds: ['a', 'b'] })) // { batchItemFailures: [ { itemIdentifier: 'b' } ] }
 * ```
 */
export function sqsResponse(
  results: readonly PromiseSettledResult<unknown>[],
  { messageIds }: Pick<SqsBatch, 'messageIds'>,
  logger: Logger = defaultLogger,
): Promise<SQSBatchResponse> {
  return listFailures(results, messageIds, logger)
}

/**
 * Turns an SQS event into a batch for `eachRecord()`, and one result per record into `batchItemFailures`. The event
 * source mapping must have `ReportBatchItemFailures`: without, whatever is answered deletes the whole batch.
 * `@middy/sqs-partial-batch-failure` is part of it: adding it in front would only list records that are done.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import { sqs } from 'clearskies-middy/normalizers/sqs'
 *
 * export const handler = middy()
 *   .use(sqs())
 *   .handler(eachRecord(async (request) => {
 *     console.log(request.messageId, request.data)
 *   }))
 * ```
 */
export function sqs<TUnwrap extends Unwrap = Unwrap>(
  options: SqsOptions<TUnwrap> = {},
): Middleware<SqsBatch<UnwrappedAs<TUnwrap>>> {
  checkOptions('sqs', options, {
    body: (value: unknown) => value === 'json' || value === 'text' || typeof value === 'function',
    unwrap: oneOf(true, false, 'sns', 'event-bridge', 's3'),
    resolvePayload: is('function'),
    logger: isLogger,
  })
  return normalizesRecords(SqsBatch.reader(options), options.logger)
}
