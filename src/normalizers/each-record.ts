import type { Context } from 'aws-lambda'
import { ConfigurationError, FailedRecordError, SkippedRecordError } from '../errors.ts'
import { checkOptions, is, oneOf } from '../options.ts'
import type { SqsRequest } from './sqs-request.ts'
import { SqsBatch } from './sqs.ts'

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
  /** Told of every failed record. What it throws is ignored. */
  readonly onFailure?: (error: unknown, request: SqsRequest) => void
  /** Told of every record that was not run. What it throws is ignored. */
  readonly onSkip?: (request: SqsRequest) => void
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

const fulfilled: PromiseFulfilledResult<undefined> = { status: 'fulfilled', value: undefined }

/**
 * Calls a function once per record and reports each record for itself: one fails alone when the function throws, when
 * its body cannot be parsed, or when the function answers with a status of 300 or more.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import { sqs } from 'clearskies-middy/normalizers/sqs'
 *
 * export const handler = middy()
 *   .use(sqs())
 *   .handler(eachRecord(async ({ data }) => { console.log(data) }, { concurrency: 5 }))
 * ```
 */
export function eachRecord<TContext = LooseContext>(
  fn: (request: SqsRequest, context: TContext) => unknown,
  options: EachRecordOptions = {},
): BatchHandler<TContext> {
  checkOptions('eachRecord', options, {
    concurrency: (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0,
    fifo: oneOf('auto', 'group', 'batch'),
    onFailure: is('function'),
    onSkip: is('function'),
  })
  const { concurrency = 10, fifo = 'auto', onFailure, onSkip } = options

  return async function eachRecordHandler(batch, context) {
    if (!(batch instanceof SqsBatch))
      throw new ConfigurationError('eachRecord() needs .use(sqs()) in front of it')
    const { requests } = batch
    const results: PromiseSettledResult<unknown>[] = new Array<PromiseSettledResult<unknown>>(requests.length)

    async function runLane(lane: readonly number[]): Promise<void> {
      let failed: string | undefined
      for (const index of lane) {
        const request = requests[index] as SqsRequest
        if (failed !== undefined) {
          results[index] = { status: 'rejected', reason: new SkippedRecordError(failed) }
          tell(() => onSkip?.(request))
          continue
        }
        const result = await runRecord(fn, request, context)
        results[index] = result
        if (result.status === 'rejected') {
          failed = request.messageId
          tell(() => onFailure?.(result.reason, request))
        }
      }
    }

    await runAll(lanes(requests, fifo), concurrency, runLane)
    batch.results = results
    return results
  }
}

async function runRecord<TContext>(
  fn: (request: SqsRequest, context: TContext) => unknown,
  request: SqsRequest,
  context: TContext,
): Promise<PromiseSettledResult<unknown>> {
  try {
    request.parse() // Before the handler sees it, so that a malformed body never reaches it.
    const answer = await fn(request, context)
    const status = statusOf(answer)
    return status >= 300 ? { status: 'rejected', reason: new FailedRecordError(status) } : fulfilled
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}

/** The status of an answer that has one: Lambda's envelope, `respond()`, a web `Response`. */
function statusOf(answer: unknown): number {
  if (typeof answer !== 'object' || answer === null) return 0
  const { statusCode, status } = answer as { statusCode?: unknown; status?: unknown }
  const value = answer instanceof Response ? status : statusCode
  return typeof value === 'number' ? value : 0
}

/**
 * The records that have to wait for one another, in order. On a standard queue nothing waits, also where messages have
 * groups: only the queue's name tells (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html).
 */
function lanes(requests: readonly SqsRequest[], fifo: 'auto' | 'group' | 'batch'): number[][] {
  if (fifo === 'batch') return [requests.map((_, index) => index)]
  const groups = new Map<string, number[]>()
  const result: number[][] = []
  requests.forEach((request, index) => {
    const ordered = fifo === 'group' || request.queueArn.endsWith('.fifo')
    const key = `${request.queueArn} ${request.groupId ?? ''}`
    const group = ordered ? groups.get(key) : undefined
    if (group !== undefined) {
      group.push(index)
      return
    }
    const lane = [index]
    result.push(lane)
    if (ordered) groups.set(key, lane)
  })
  return result
}

async function runAll<T>(
  items: readonly T[],
  concurrency: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  async function work(): Promise<void> {
    while (next < items.length) await run(items[next++] as T)
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, work))
}

function tell(hook: () => void): void {
  try {
    hook()
  } catch {
    // A hook that throws must not turn a record's success into a failure, or hide one.
  }
}
