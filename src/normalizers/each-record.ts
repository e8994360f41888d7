import type { Context } from 'aws-lambda'
import { isClientOption } from '../aws/client.ts'
import { isQueueUrl } from '../aws/sqs.ts'
import { ConfigurationError } from '../errors/index.ts'
import { checkOptions, is, isLogger, oneOf } from '../core/options.ts'
import { asRecord } from '../core/record.ts'
import { seenEvent } from '../events/advice.ts'
import { longestTimer } from '../invocation/deadline.ts'
import type { EachRecordOptions } from './records/options.ts'
import { BatchRun } from './records/batch-run.ts'
import { contextPerRecord } from './records/record-context.ts'
import { RecordBatch } from './records/record-batch.ts'
import type { RecordRequest } from './records/record-request.ts'

export type { EachRecordOptions, RecordOutcome } from './records/options.ts'
export type { RecordBatch } from './records/record-batch.ts'
export type { RecordRequest } from './records/record-request.ts'

/**
 * A function of one record. Conditional, because only then TypeScript carries the chain's types into one that is written
 * in place.
 */
export type RecordFunction<TRequest, TContext> = [TContext] extends [unknown]
  ? (request: TRequest, context: unknown extends TContext ? LooseContext : TContext) => unknown
  : never

/** A Middy chain that works one record, whatever its middlewares make of the request. */
export interface RecordChain<TRequest = never> {
  (request: TRequest, context: never): unknown
  readonly use: unknown
}

/** What `eachRecord()` gives to Middy's `handler()`. */
export type BatchHandler<TRequest = RecordRequest, TContext = unknown> = (
  batch: RecordBatch<TRequest>,
  context: TContext,
) => Promise<PromiseSettledResult<unknown>[]>

/** The context of a function that stands alone, outside of any chain. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type LooseContext = Context & Readonly<Record<string, any>>

/** A chain may narrow what it gets; it must be of the same source. */
type KindOf<TRequest> = TRequest extends { readonly kind: infer TKind } ? { readonly kind: TKind } : unknown

/**
 * Calls a function once per record and reports each record for itself: one fails alone when the function throws, when
 * its body cannot be parsed, or when the function answers with a status of 300 or more. A record is done when what it
 * sent is acknowledged. Written in place, the function has the types of the chain that it is in.
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
// The chain stands first: a function in place has no `use` and is passed over without fixing its types.
export function eachRecord<TRequest>(
  chain: RecordChain<TRequest>,
  options?: EachRecordOptions<NoInfer<TRequest>>,
): BatchHandler<KindOf<TRequest>>
/** A function without middlewares of its own. */
export function eachRecord<TRequest extends RecordRequest, TContext>(
  fn: RecordFunction<TRequest, TContext>,
  options?: EachRecordOptions<NoInfer<TRequest>>,
): BatchHandler<TRequest, TContext>
export function eachRecord(
  fn: (request: never, context: never) => unknown,
  options: EachRecordOptions<never> = {},
): BatchHandler<never, never> {
  checkOptions('eachRecord', options, recordOptionChecks)
  checkFunction(fn)

  return async function eachRecordHandler(batch, context) {
    if (!(batch instanceof RecordBatch))
      throw new ConfigurationError(`eachRecord() needs .use(sqs()) in front, and got ${seenEvent(batch)}`)
    refuseForeignOptions(batch, options)
    batch.checkRecords(batch)
    batch.throwsIfAllFail = options.onBatchFailure === 'throw'
    const contextOf = contextPerRecord(context)
    // What it is, the overloads say to the caller: here it is any chain's.
    const run = new BatchRun(batch, { fn: (request) => fn(request, contextOf() as never), options })
    await run.begin()
    const ending = run.end()
    if (ending !== undefined) await ending
    return run.results
  }
}

const recordOptionChecks = {
  concurrency: (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0,
  fifo: oneOf('auto', 'group', 'batch'),
  onBatchFailure: oneOf('list', 'throw'),
  deadlineMargin: (value: unknown) => typeof value === 'number' && value >= 0,
  timeout: (value: unknown) => typeof value === 'number' && value > 0 && value <= longestTimer,
  onSuccess: is('function'),
  onFailure: is('function'),
  onSkip: is('function'),
  onRecord: is('function'),
  isPermanent: is('function'),
  deadLetter: (value: unknown) => isQueueUrl(asRecord(value)?.['queueUrl']),
  deduplicate: is('boolean'),
  client: isClientOption,
  logger: isLogger,
}

/** A generator does nothing until somebody asks it for values: its records would count as done. */
function checkFunction(fn: unknown): void {
  if (typeof fn !== 'function') throw new TypeError('eachRecord() needs a function of one record, or a chain')
  if (Object.prototype.toString.call(fn).includes('Generator'))
    throw new TypeError('eachRecord() takes no generator function: nothing would run it')
}

const optionsOfSqs = ['fifo', 'deadLetter', 'deduplicate'] as const

function refuseForeignOptions<TRequest>(
  { spec: { afterCare, factory } }: RecordBatch<TRequest>,
  options: EachRecordOptions<TRequest>,
): void {
  if (afterCare !== undefined) return
  const foreign = optionsOfSqs.find((name) => options[name] !== undefined)
  if (foreign !== undefined)
    throw new ConfigurationError(
      `eachRecord(): the option "${foreign}" works behind sqs(), not behind ${factory}()`,
    )
}
