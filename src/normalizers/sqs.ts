import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure'
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { ConfigurationError, InvalidEventError, UnidentifiedRecordError } from '../errors.ts'
import { defaultLogger, say } from '../logger.ts'
import { checkOptions, isLogger } from '../options.ts'
import type { Logger, MiddyRequest, Middleware } from '../types.ts'
import { eventKind } from './event-kind.ts'
import { type SqsBody, SqsRequest } from './sqs-request.ts'

/** Options of {@link sqs}. */
export interface SqsOptions {
  /** What the bodies are. @default 'json' */
  readonly body?: SqsBody
  /** Told of every failed record, by its id and never its body. @default console */
  readonly logger?: Logger
}

/**
 * A batch of records, as `sqs()` leaves it to `eachRecord()`. It carries `Records`, so that Middy's own SQS
 * middlewares can read it.
 */
export class SqsBatch {
  readonly kind = 'sqs-batch'
  readonly source = 'sqs'
  /** The event as Lambda sent it. */
  readonly raw: SQSEvent
  readonly lambdaContext: Context
  readonly Records: readonly SQSRecord[]
  /** One request per record, in order. */
  readonly requests: readonly SqsRequest[]
  /** How each record ended, once all have; what happens to the batch later does not change it. */
  results: readonly PromiseSettledResult<unknown>[] | undefined
  /** Aborts the `signal` of every record. */
  readonly abort: AbortController = new AbortController()

  /** @internal */
  constructor(event: SQSEvent, lambdaContext: Context, body: SqsBody) {
    this.raw = event
    this.lambdaContext = lambdaContext
    this.Records = event.Records
    this.requests = event.Records.map(
      (record) => new SqsRequest(record, lambdaContext, body, this.abort.signal),
    )
  }

  /** The data of all records; parsing stops at the first that is malformed. */
  get data(): unknown[] {
    return this.requests.map(({ data }) => data)
  }
}

/**
 * Reads an SQS event.
 *
 * @throws InvalidEventError if it is another event
 */
export function sqsBatch(event: unknown, context: Context, { body = 'json' }: SqsOptions = {}): SqsBatch {
  const kind = eventKind(event)
  if (kind !== 'aws:sqs') throw new InvalidEventError('sqs', ['aws:sqs'], kind)
  return new SqsBatch(event as SQSEvent, context, body)
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
  batch: SqsBatch,
  logger: Logger = defaultLogger,
): Promise<SQSBatchResponse> {
  const failed = results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))
  const unnamed = failed.find((index) => !batch.requests[index]?.messageId)
  if (unnamed !== undefined)
    throw new UnidentifiedRecordError(unnamed, { cause: (results[unnamed] as PromiseRejectedResult).reason })
  const records = batch.requests.map(({ messageId }) => ({ messageId }))
  const partial = sqsPartialBatchFailure({
    logger: (reason: unknown, { messageId }: { messageId: string }) => {
      say(logger, 'error', `Record ${messageId} failed`, reason)
    },
  })
  const request = {
    event: { Records: records },
    context: batch.lambdaContext,
    response: results,
    error: undefined,
    internal: {},
  }
  await partial.after?.(request as never)
  const { batchItemFailures } = request.response as unknown as SQSBatchResponse
  return {
    batchItemFailures: [...new Map(batchItemFailures.map((item) => [item.itemIdentifier, item])).values()],
  }
}

/**
 * Puts the handler behind an SQS queue, record by record. The event source mapping must have
 * `ReportBatchItemFailures` in its `FunctionResponseTypes`: without it Lambda ignores the answer and deletes failed
 * records.
 *
 * @throws InvalidEventError if the event is of another source
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
    logger: isLogger,
  })
  const { logger = defaultLogger } = options
  return {
    before: function sqsBefore(request: MiddyRequest): void {
      request.event = sqsBatch(request.event, request.context, options)
    },
    after: async function sqsAfter(request: MiddyRequest): Promise<void> {
      const batch = request.event as SqsBatch
      if (isBatchResponse(request.response, batch)) return
      if (batch.results === undefined || batch.results !== request.response) {
        throw new ConfigurationError(
          'sqs() got no result per record: give .handler(eachRecord(…)), or return { batchItemFailures }',
        )
      }
      request.response = await sqsResponse(batch.results, batch, logger)
    },
    onError: async function sqsOnError(request: MiddyRequest): Promise<void> {
      const batch = request.event
      // Nothing can be said of records that were never read, or that have no name: the invocation fails, and all return.
      if (
        !(batch instanceof SqsBatch) ||
        request.error instanceof UnidentifiedRecordError ||
        request.response !== undefined
      )
        return
      say(logger, 'error', 'The batch failed', request.error)
      request.response = await sqsResponse(
        batch.results ?? batch.requests.map(() => ({ status: 'rejected', reason: request.error })),
        batch,
        { error() {}, warn() {} },
      )
    },
  }
}

/** A handler may answer by itself, as long as every id that it lists is of this batch (any other fails it whole). */
function isBatchResponse(response: unknown, batch: SqsBatch): response is SQSBatchResponse {
  const failures = (response as Partial<SQSBatchResponse> | null | undefined)?.batchItemFailures as unknown
  if (!Array.isArray(failures)) return false
  const ids = new Set(batch.requests.map(({ messageId }) => messageId))
  return failures.every((item: unknown) =>
    ids.has((item as { itemIdentifier?: string } | null)?.itemIdentifier ?? ''),
  )
}
