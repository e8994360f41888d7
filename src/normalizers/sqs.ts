import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure'
import type { SQSBatchResponse } from 'aws-lambda'
import {
  awaitSends,
  finalizeResponse,
  pinResponse,
  settleSends,
  withinInvocation,
} from '../invocation/middy-request.ts'
import {
  ConfigurationError,
  SqsFlushTimeoutError,
  SqsSendError,
  UnidentifiedRecordError,
} from '../errors/index.ts'
import { type Logger, defaultLogger, logSafely } from '../core/logger.ts'
import { checkOptions, is, isLogger } from '../core/options.ts'
import type { MiddyRequest, Middleware } from '../core/middy.ts'
import { isBatchResponse, withFailuresOf } from './records/answers.ts'
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
 * @example
 * ```ts
 * import { sqsResponse } from 'clearskies-middy/normalizers/sqs'
 *
 * const results = await Promise.allSettled([Promise.resolve(), Promise.reject(new Error('Not now'))])
 * console.log(await sqsResponse(results, { messageIds: ['a', 'b'] })) // { batchItemFailures: [ { itemIdentifier: 'b' } ] }
 * ```
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
      logSafely(logger, 'error', `Record ${messageId} failed`, reason)
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
export function sqs(options: SqsOptions = {}): Middleware<SqsBatch> {
  checkOptions('sqs', options, {
    body: (value: unknown) => value === 'json' || value === 'text' || typeof value === 'function',
    unwrap: is('boolean'),
    resolvePayload: is('function'),
    logger: isLogger,
  })
  const { logger = defaultLogger } = options

  /** What the records came to, told once. A record without a result of its own comes again. */
  function resultsOf(batch: SqsBatch, reason: unknown): Promise<SQSBatchResponse> {
    const { results = [], messageIds } = batch
    const rejected: PromiseRejectedResult = { status: 'rejected', reason }
    const all = messageIds.map((_, index) => results[index] ?? rejected)
    return (batch.answer ??= sqsResponse(all, batch, logger))
  }

  /** What the records came to stands, whatever another middleware answers: that may list more, and never less. */
  async function answerFor(batch: SqsBatch, response: unknown, reason: unknown): Promise<SQSBatchResponse> {
    if (batch.results === undefined && isBatchResponse(response, batch)) return response
    return withFailuresOf(await resultsOf(batch, reason), response, batch)
  }

  function read(request: MiddyRequest): void {
    let batch: SqsBatch
    try {
      batch = sqsBatch(request.event, request.context, options)
    } catch (error) {
      // A middleware in front that answers errors would answer an event that nobody has worked.
      pinResponse(request, () => undefined)
      throw error
    }
    request.event = batch
    // Another middleware may answer past this one: to SQS, any answer that lists nothing says that all went well.
    finalizeResponse(request, (response) => {
      if (failsWhole(request.error)) throw request.error
      return answerFor(batch, response, request.error ?? new ConfigurationError(earlyAnswer))
    })
  }

  function answer(request: MiddyRequest): void | Promise<void> {
    const batch = request.event as SqsBatch
    const { results } = batch
    const { response } = request
    if (results === undefined && !isBatchResponse(response, batch)) throw new ConfigurationError(noResults)
    if (results !== undefined && response === results && areFulfilled(results))
      keepAnswer(request, { batchItemFailures: [] })
    else
      return answerFor(batch, response, undefined).then((settled) => {
        keepAnswer(request, settled)
      })
  }

  const middleware = {
    before: function sqsBefore(request: MiddyRequest): void | Promise<void> {
      return withinInvocation(request, () => {
        awaitSends(request, middleware)
        read(request)
      })
    },
    after: function sqsAfter(request: MiddyRequest): void | Promise<void> {
      const settling = settleSends(request, middleware)
      return settling === undefined ? answer(request) : settling.then(() => answer(request))
    },
    onError: async function sqsOnError(request: MiddyRequest): Promise<void> {
      const { event: batch, error, response } = request
      if (!(batch instanceof SqsBatch)) return
      await settleSends(request, middleware)?.catch((failure: unknown) => {
        logSafely(logger, 'error', 'A message was not sent', failure)
      })
      if (failsWhole(error)) {
        pinResponse(request, () => undefined)
        return
      }
      if (batch.results !== undefined || !isBatchResponse(response, batch))
        logSafely(logger, 'error', 'The batch failed', error)
      keepAnswer(request, await answerFor(batch, response, error))
    },
  }
  return middleware
}

/** Answers, and keeps to it against middlewares in front, whose `after` and `onError` come later. */
function keepAnswer(request: MiddyRequest, answer: SQSBatchResponse): void {
  const batch = request.event as SqsBatch
  pinResponse(request, (response) => withFailuresOf(answer, response, batch))
}

const noResults =
  'sqs() got no result per record: give .handler(eachRecord(…)), or return { batchItemFailures }'
const earlyAnswer =
  'A middleware answered the batch before its records were worked: a hook must return nothing, and may throw'

function areFulfilled(results: NonNullable<SqsBatch['results']>): boolean {
  for (const result of results) if (result?.status !== 'fulfilled') return false
  return true
}

/** A record that cannot be named, or a message that got lost outside of any record: only all records together can come again. */
function failsWhole(error: unknown): boolean {
  return (
    error instanceof UnidentifiedRecordError ||
    error instanceof SqsSendError ||
    error instanceof SqsFlushTimeoutError
  )
}
