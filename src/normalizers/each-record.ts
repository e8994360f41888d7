import type { Context } from 'aws-lambda'
import { isClientOption } from '../aws/client.ts'
import { ConfigurationError } from '../errors/index.ts'
import { checkOptions, is, isLogger, oneOf } from '../core/options.ts'
import { seenEvent } from '../events/advice.ts'
import type { EachRecordOptions } from './records/options.ts'
import { BatchRun } from './records/batch-run.ts'
import { deadLetterSender } from './records/after-care.ts'
import { SqsBatch } from './sqs-batch.ts'
import type { SqsRequest } from './sqs-request.ts'

export type { EachRecordOptions } from './records/options.ts'

/** A Middy chain that works one record, whatever its middlewares make of the request. */
export interface RecordChain {
  (request: never, context: never, ...more: never[]): unknown
  readonly use: unknown
}

/** What `eachRecord()` gives to Middy's `handler()`. */
export type BatchHandler<TContext> = (
  batch: SqsBatch,
  context: TContext,
) => Promise<PromiseSettledResult<unknown>[]>

/**
 * The context of a function that is written in place: the compiler does not carry a chain's context into a call inside
 * `handler()`. To have it typed, name it: `({ data }, { secrets }: ContextOf<typeof chain>) => …`.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type LooseContext = Context & Readonly<Record<string, any>>

/**
 * Calls a function once per record and reports each record for itself: one fails alone when the function throws, when
 * its body cannot be parsed, or when the function answers with a status of 300 or more. A record is done when what it
 * sent is acknowledged.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { RetryLaterError, eachRecord, exponentialBackoff, sqs } from 'clearskies-middy'
 *
 * const delaySeconds = exponentialBackoff()
 *
 * export const handler = middy()
 *   .use(sqs())
 *   .handler(
 *     eachRecord(
 *       async ({ data, signal }) => {
 *         const response = await fetch('https://shop.example.com/stock', { method: 'POST', body: JSON.stringify(data), signal })
 *         if (response.status === 429) throw new RetryLaterError({ delaySeconds })
 *       },
 *       { concurrency: 5 },
 *     ),
 *   )
 * ```
 */
export function eachRecord<TContext = LooseContext>(
  fn: (request: SqsRequest, context: TContext) => unknown,
  options?: EachRecordOptions,
): BatchHandler<TContext>
/** The same with middleware for each record: `eachRecord(middy(fn).use(…))`, or a chain that has a name. */
export function eachRecord(chain: RecordChain, options?: EachRecordOptions): BatchHandler<Context>
export function eachRecord<TContext>(
  fn: ((request: SqsRequest, context: TContext) => unknown) | RecordChain,
  options: EachRecordOptions = {},
): BatchHandler<TContext> {
  const work = fn as (request: SqsRequest, context: TContext) => unknown
  checkOptions('eachRecord', options, {
    concurrency: (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0,
    fifo: oneOf('auto', 'group', 'batch'),
    deadlineMargin: (value: unknown) => typeof value === 'number' && value >= 0,
    onFailure: is('function'),
    onSkip: is('function'),
    deadLetter: (value: unknown) => typeof (value as { queueUrl?: unknown } | null)?.queueUrl === 'string',
    deduplicate: is('boolean'),
    client: isClientOption,
    logger: isLogger,
  })
  const sendToDeadLetterQueue =
    options.deadLetter && deadLetterSender(options.deadLetter.queueUrl, options.client)

  return function eachRecordHandler(batch, context) {
    if (!(batch instanceof SqsBatch))
      return Promise.reject(
        new ConfigurationError(`eachRecord() needs .use(sqs()) in front, and got ${seenEvent(batch)}`),
      )
    return new BatchRun(batch, {
      fn: (request) => work(request, context),
      options,
      sendToDeadLetterQueue,
    }).results()
  }
}
