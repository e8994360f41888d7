import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure'
import type { SQSBatchResponse } from 'aws-lambda'
import { onEarlyResponse } from '../early-response.ts'
import { ConfigurationError, SqsFlushTimeoutError, SqsSendError, UnidentifiedRecordError } from '../errors.ts'
import { defaultLogger, say } from '../logger.ts'
import { checkOptions, is, isLogger } from '../options.ts'
import type { Logger, MiddyRequest, Middleware } from '../types.ts'
import { SqsBatch, type SqsBatchOptions, sqsBatch } from './sqs-batch.ts'

/** Options of {@link sqs}. */
export interface SqsOptions extends SqsBatchOptions {
  /** Told of every failed record, by its id and never its body. @default console */
  readonly logger?: Logger
}

/**
 * Turns one result per record into the answer that SQS takes: the ids of the failed ones, each once. What is not
 * listed is deleted.
 *
 * @throws UnidentifiedRecordError if a failed record has no id
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export async function sqsResponse(
  results: readonly PromiseSettledResult<unknown>[],
  { messageIds }: Pick<SqsBatch, 'messageIds'>,
  logger: Logger = defaultLogger,
): Promise<SQSBatchResponse> {
  const failed = [...results.keys()].filter((index) => results[index]?.status === 'rejected')
  if (failed.length === 0) return { batchItemFailures: [] }
  const unnamed = failed.find((index) => !messageIds[index])
  if (unnamed !== undefined)
    throw new UnidentifiedRecordError(unnamed, { cause: (results[unnamed] as PromiseRejectedResult).reason })
  // A message can come twice in a batch; it is listed once.
  const once = [...new Map(failed.map((index) => [messageIds[index], index])).values()]
  const partial = sqsPartialBatchFailure({
    logger: (reason: unknown, { messageId }: { messageId: string }) => {
      say(logger, 'error', `Record ${messageId} failed`, reason)
    },
  })
  const request = {
    event: { Records: once.map((index) => ({ messageId: messageIds[index] })) },
    response: once.map((index) => results[index]),
  }
  await partial.after?.(request as never)
  return request.response as unknown as SQSBatchResponse
}

/**
 * Turns an SQS event into a batch for `eachRecord()`, and one result per record into `batchItemFailures`. The event
 * source mapping must have `ReportBatchItemFailures`: without, whatever is answered deletes the whole batch.
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
export function sqs(options: SqsOptions = {}): Middleware<SqsBatch> {
  checkOptions('sqs', options, {
    body: (value: unknown) => value === 'json' || value === 'text' || typeof value === 'function',
    unwrap: is('boolean'),
    resolvePayload: is('function'),
    logger: isLogger,
  })
  const { logger = defaultLogger } = options

  /** A record without a result of its own comes again. */
  function answerFor({ results = [], messageIds }: SqsBatch, reason: unknown): Promise<SQSBatchResponse> {
    const rejected: PromiseRejectedResult = { status: 'rejected', reason }
    const all = messageIds.map((_, index) => results[index] ?? rejected)
    return sqsResponse(all, { messageIds }, logger)
  }

  return {
    before: function sqsBefore(request: MiddyRequest): void {
      const batch = sqsBatch(request.event, request.context, options)
      request.event = batch
      // Another middleware may answer past this one: to SQS, any answer that lists nothing says that all went well.
      onEarlyResponse(request, (response) =>
        isBatchResponse(response, batch) ? response : answerFor(batch, new ConfigurationError(earlyAnswer)),
      )
    },
    after: async function sqsAfter(request: MiddyRequest): Promise<void> {
      const batch = request.event as SqsBatch
      if (isBatchResponse(request.response, batch)) return
      if (batch.results === undefined) throw new ConfigurationError(noResults)
      request.response = await answerFor(batch, undefined)
    },
    onError: async function sqsOnError(request: MiddyRequest): Promise<void> {
      const { event: batch, error } = request
      if (!(batch instanceof SqsBatch)) return
      if (failsWhole(error)) {
        request.response = undefined
        return
      }
      // What the records came to stands, whatever happened after them.
      if (batch.results === undefined && isBatchResponse(request.response, batch)) return
      say(logger, 'error', 'The batch failed', error)
      request.response = await answerFor(batch, error)
    },
  }
}

const noResults =
  'sqs() got no result per record: give .handler(eachRecord(…)), or return { batchItemFailures }'
const earlyAnswer = 'A middleware answered a batch before its records were worked'

/** A record that cannot be named, or a message that got lost outside of any record: only all records together can come again. */
function failsWhole(error: unknown): boolean {
  return (
    error instanceof UnidentifiedRecordError ||
    error instanceof SqsSendError ||
    error instanceof SqsFlushTimeoutError
  )
}

/** A handler may answer by itself, as long as every id that it lists is of this batch (any other fails it whole). */
function isBatchResponse(response: unknown, { messageIds }: SqsBatch): response is SQSBatchResponse {
  const failures = (response as Partial<SQSBatchResponse> | null | undefined)?.batchItemFailures as unknown
  if (!Array.isArray(failures)) return false
  const ids = new Set(messageIds)
  return failures.every((item: unknown) => {
    const id = (item as { itemIdentifier?: unknown } | null)?.itemIdentifier
    return typeof id === 'string' && id !== '' && ids.has(id)
  })
}
