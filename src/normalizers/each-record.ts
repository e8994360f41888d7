import type { Context } from 'aws-lambda'
import { type ClientOption, isClientOption } from '../aws-client.ts'
import { ConfigurationError } from '../errors.ts'
import { checkOptions, is, isLogger, oneOf } from '../options.ts'
import type { Logger } from '../types.ts'
import { seenEvent } from './advice.ts'
import { BatchRun } from './batch-run.ts'
import { deadLetterSender } from './redrive.ts'
import { SqsBatch } from './sqs-batch.ts'
import type { SqsRequest } from './sqs-request.ts'

/** Options of {@link eachRecord}. */
export interface EachRecordOptions {
  /** How many records of a standard queue, or groups of a FIFO queue, run at once. @default 10 */
  readonly concurrency?: number
  /**
   * What follows a failure on a FIFO queue: the rest of its group is not run (`group`), or the rest of the batch
   * (`batch`, which runs one record after the other). `auto` takes `group` where the queue's ARN ends with `.fifo`.
   * @default 'auto'
   */
  readonly fifo?: 'auto' | 'group' | 'batch'
  /**
   * Milliseconds before the function's timeout at which no record is begun any more, those that run are aborted by their
   * `signal`, and the answer is given: what is done stays done, the rest comes again.
   * @default 5 % of the time that is left at the start, at least 250, at most half of it
   */
  readonly deadlineMargin?: number
  /** Told of every record that failed. A promise is awaited; an error is logged and changes nothing. */
  readonly onFailure?: (error: unknown, request: SqsRequest) => unknown
  /**
   * Told of every record that was not run, for the sake of order or for lack of time: each such round counts as a receive,
   * so `maxReceiveCount` needs room for them. A promise is awaited; an error is logged and changes nothing.
   */
  readonly onSkip?: (request: SqsRequest) => unknown
  /** Where records go whose handler throws a `PermanentFailureError`. Needs `sqs:SendMessage` for that queue. */
  readonly deadLetter?: { readonly queueUrl: string }
  /** Runs a message once that came twice in one batch, which SQS allows itself now and then. @default false */
  readonly deduplicate?: boolean
  /** An `SQSClient`, for changing visibilities and the dead-letter queue. @default one per region and process */
  readonly client?: ClientOption
  /** @default console */
  readonly logger?: Logger
}

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
  const putAside = options.deadLetter && deadLetterSender(options.deadLetter.queueUrl, options.client)

  return function eachRecordHandler(batch, context) {
    if (!(batch instanceof SqsBatch))
      return Promise.reject(
        new ConfigurationError(`eachRecord() needs .use(sqs()) in front, and got ${seenEvent(batch)}`),
      )
    return new BatchRun(batch, { fn: (request) => work(request, context), options, putAside }).results()
  }
}
