import {
  DeadlineError,
  FailedRecordError,
  PermanentFailureError,
  RetryLaterError,
  SkippedRecordError,
} from '../../errors/index.ts'
import { defaultLogger, logSafely } from '../../core/logger.ts'
import { Scope, currentScope, inScope } from '../../invocation/scope.ts'
import { Deadline } from '../../invocation/deadline.ts'
import type { EachRecordOptions } from './options.ts'
import { type RecordLane, lanesOf, lastCopies } from './lanes.ts'
import { type Delayed, type SendToDeadLetterQueue, changeVisibility } from './after-care.ts'
import type { SqsBatch } from '../sqs-batch.ts'
import type { SqsRequest } from '../sqs-request.ts'

const done: PromiseFulfilledResult<undefined> = { status: 'fulfilled', value: undefined }

/** What a batch needs to be worked. */
export interface BatchWork {
  readonly fn: (request: SqsRequest) => unknown
  readonly options: EachRecordOptions
  /** Sends a record to the dead-letter queue, where there is one. */
  readonly sendToDeadLetterQueue: SendToDeadLetterQueue | undefined
}

/** One batch on its way through. */
export class BatchRun {
  readonly #batch: SqsBatch
  readonly #fn: BatchWork['fn']
  readonly #options: EachRecordOptions
  readonly #sendToDeadLetterQueue: SendToDeadLetterQueue | undefined
  readonly #deadline: Deadline
  readonly #results: (PromiseSettledResult<unknown> | undefined)[]
  /** Which records were begun, to tell at the deadline. */
  readonly #begun: (true | undefined)[]
  readonly #delayed: Delayed[] = []
  readonly #scope = currentScope()
  /** What hooks still do. */
  readonly #hooks: Promise<void>[] = []
  /** The batch is answered: nothing counts any more that a record still does. */
  #isOver = false

  constructor(batch: SqsBatch, { fn, options, sendToDeadLetterQueue }: BatchWork) {
    this.#batch = batch
    this.#fn = fn
    this.#options = options
    this.#sendToDeadLetterQueue = sendToDeadLetterQueue
    this.#deadline = new Deadline(batch.lambdaContext, options.deadlineMargin)
    this.#results = new Array<undefined>(batch.Records.length)
    this.#begun = new Array<undefined>(batch.Records.length)
    // As it is from now on: what a record came to is known whatever happens to the batch.
    batch.results = this.#results
    this.#scope?.onAnswer(() => {
      this.#stop()
    })
  }

  /** Works the batch; gives one result per record, in their order. */
  async results(): Promise<PromiseSettledResult<unknown>[]> {
    const { concurrency = 10, fifo = 'auto', deduplicate = false } = this.#options
    const only = deduplicate ? lastCopies(this.#batch.messageIds) : undefined
    const lanes = lanesOf(this.#batch, fifo, only)
    const left = lanes?.values() ?? this.#results.keys()
    const count = Math.min(concurrency, lanes?.length ?? this.#results.length)
    const workers = new Array<Promise<void>>(count)
    for (let index = 0; index < count; index++) workers[index] = this.#work(left)
    await this.#deadline.limit(workers)
    this.#isOver = true
    if (only !== undefined) this.#copyResults(only)
    this.#closeOpen()
    if (this.#delayed.length > 0 || this.#hooks.length > 0) await this.#windUp()
    return this.#results as PromiseSettledResult<unknown>[]
  }

  /** Works lane after lane. All workers take from the same iterator. */
  async #work(lanes: Iterable<RecordLane>): Promise<void> {
    for (const lane of lanes) {
      let failed: SqsRequest | undefined
      for (const index of typeof lane === 'number' ? [lane] : lane) {
        if (this.#isOver || this.#deadline.isPast) return
        const request = this.#batch.requestOf(index)
        if (failed !== undefined) {
          this.#results[index] = rejected(new SkippedRecordError(failed.messageId))
          this.#tell(this.#options.onSkip?.bind(undefined, request))
          continue
        }
        this.#begun[index] = true
        let result: PromiseSettledResult<unknown> = done
        try {
          // Synchronous work costs no turn of the event loop: batches are large.
          const answer = this.#runInScope(request)
          checkAnswer(isThenable(answer) ? await answer : answer)
        } catch (error) {
          result = await this.#failed(error, request)
          if (result.status === 'rejected') failed = request
        }
        // Answered meanwhile, and this record listed: what it came to is too late.
        if (this.#isOver as boolean) return
        this.#results[index] = result
      }
    }
  }

  /** A record is done when what it sent is acknowledged. */
  #runInScope(request: SqsRequest): unknown {
    const work = { event: request, context: this.#batch.lambdaContext }
    const scope = new Scope(work, this.#scope, request.messageId)
    let answer: unknown
    try {
      answer = inScope(scope, () => this.#run(request))
    } catch (error) {
      return settled(scope, () => {
        throw error
      })
    }
    if (isThenable(answer) || !scope.isSettled) return settled(scope, () => answer)
    scope.end()
    return answer
  }

  #run(request: SqsRequest): unknown {
    const hasWork = request.prepare()
    if (typeof hasWork === 'boolean') return hasWork ? this.#fn(request) : undefined
    return hasWork.then((work) => (work ? this.#fn(request) : undefined))
  }

  async #failed(error: unknown, request: SqsRequest): Promise<PromiseSettledResult<unknown>> {
    if (this.#isOver) return rejected(error)
    this.#tell(this.#options.onFailure?.bind(undefined, error, request))
    if (error instanceof RetryLaterError) this.#delay(error, request)
    if (!(error instanceof PermanentFailureError) || this.#sendToDeadLetterQueue === undefined)
      return rejected(error)
    try {
      await this.#sendToDeadLetterQueue(request, error)
      return done
    } catch (failure) {
      this.#warn(`Message ${request.messageId} did not reach the dead-letter queue`, failure)
      return rejected(error)
    }
  }

  #delay({ delaySeconds }: RetryLaterError, request: SqsRequest): void {
    try {
      const seconds = typeof delaySeconds === 'function' ? delaySeconds(request.receiveCount) : delaySeconds
      // An event that was written by hand may not say which queue it is of.
      if (!request.queueArn) this.#warn(`Message ${request.messageId} names no queue to give it again later`)
      else if (Number.isFinite(seconds)) this.#delayed.push({ request, seconds })
      else this.#warn(`Message ${request.messageId} has a delay that is no number`)
    } catch (error) {
      this.#warn(`The delay of message ${request.messageId} could not be computed`, error)
    }
  }

  /** The copies of a message that were not run end as the one that was. */
  #copyResults(only: ReadonlyMap<string, number>): void {
    for (const [index, id] of this.#batch.messageIds.entries()) {
      if (id) this.#results[index] = this.#results[only.get(id) as number]
    }
  }

  /** The batch is answered, by whomever: nothing is begun any more, and what runs is told to stop. */
  #stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#batch.abort(new DeadlineError('The batch was answered before the record was done'))
  }

  /** What has no result when the time is up comes again. */
  #closeOpen(): void {
    for (let index = 0; index < this.#results.length; index++) {
      if (this.#results[index] !== undefined) continue
      const begun = this.#begun[index] === true
      const error = new DeadlineError(`The time was up before the record was ${begun ? 'done' : 'begun'}`)
      if (begun) this.#batch.abort(error)
      this.#results[index] = rejected(error)
      const request = this.#batch.requestOf(index)
      const { onFailure, onSkip } = this.#options
      this.#tell(begun ? onFailure?.bind(undefined, error, request) : onSkip?.bind(undefined, request))
    }
  }

  /** What has to be done once all records are. */
  async #windUp(): Promise<void> {
    const warn = this.#warn.bind(this)
    const open = [...this.#hooks]
    if (this.#delayed.length > 0)
      open.push(changeVisibility(this.#delayed, this.#deadline.startedAt, this.#options.client, warn))
    await this.#deadline.limit(open, 0.5)
  }

  /** Calls a hook. One that throws must not turn a record's success into a failure, or hide one. */
  #tell(hook: (() => unknown) | undefined): void {
    if (hook === undefined) return
    const warn = (error: unknown): void => {
      this.#warn('A hook of eachRecord() threw', error)
    }
    try {
      const doing = hook()
      if (isThenable(doing)) this.#hooks.push(Promise.resolve(doing).then(() => undefined, warn))
    } catch (error) {
      warn(error)
    }
  }

  #warn(message: string, details?: unknown): void {
    logSafely(this.#options.logger ?? defaultLogger, 'warn', message, details)
  }
}

/** What a record's work comes to, once everything that it sent has arrived. */
async function settled(scope: Scope, work: () => unknown): Promise<unknown> {
  try {
    const answer = await work()
    if (!scope.isSettled) await scope.sends.settle()
    return answer
  } catch (error) {
    // The record's own error is the one that counts; what it has sent arrives all the same.
    if (!scope.isSettled) await scope.sends.settle().catch(() => undefined)
    throw error
  } finally {
    scope.end()
  }
}

function rejected(reason: unknown): PromiseRejectedResult {
  return { status: 'rejected', reason }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** An answer with a status of 300 or more is a failure. */
function checkAnswer(answer: unknown): void {
  if (typeof answer !== 'object' || answer === null) return
  const { statusCode, status } = answer as { statusCode?: unknown; status?: unknown }
  const code =
    (answer as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Response' ? status : statusCode
  if (typeof code === 'number' && code >= 300) throw new FailedRecordError(code)
}
