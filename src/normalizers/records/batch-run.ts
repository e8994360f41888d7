import { DeadlineError, FailedRecordError, SkippedRecordError } from '../../errors/index.ts'
import { defaultLogger, logSafely } from '../../core/logger.ts'
import { Scope, currentScope, enterScope } from '../../invocation/scope.ts'
import { Deadline } from '../../invocation/deadline.ts'
import type { EachRecordOptions } from './options.ts'
import type { RecordLane } from './lanes.ts'
import type { RecordBatch } from './record-batch.ts'
import type { AfterCare, RecordLanes } from './record-source.ts'

const done: PromiseFulfilledResult<undefined> = { status: 'fulfilled', value: undefined }

/** What a batch needs to be worked. */
export interface BatchWork<TRequest> {
  readonly fn: (request: TRequest) => unknown
  readonly options: EachRecordOptions<TRequest>
}

/** One batch on its way through. */
export class BatchRun<TRequest> {
  readonly #batch: RecordBatch<TRequest>
  readonly #fn: BatchWork<TRequest>['fn']
  readonly #options: EachRecordOptions<TRequest>
  readonly #deadline: Deadline
  readonly #results: (PromiseSettledResult<unknown> | undefined)[]
  /** Which records were begun, to tell at the deadline. */
  readonly #begun: (true | undefined)[]
  readonly #scope = currentScope()
  /** What hooks still do. */
  readonly #hooks: Promise<void>[] = []
  /** Made with the first failure: most batches have none. */
  #afterCare: AfterCare<TRequest> | undefined
  /** The batch is answered: nothing counts any more that a record still does. */
  #isOver = false

  constructor(batch: RecordBatch<TRequest>, { fn, options }: BatchWork<TRequest>) {
    this.#batch = batch
    this.#fn = fn
    this.#options = options
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
    const { concurrency = 10 } = this.#options
    const { lanes, copies }: Partial<RecordLanes> = this.#batch.spec.lanes?.(this.#batch, this.#options) ?? {}
    const left = lanes?.values() ?? this.#results.keys()
    const count = Math.min(concurrency, lanes?.length ?? this.#results.length)
    const workers = new Array<Promise<void>>(count)
    for (let index = 0; index < count; index++) workers[index] = this.#work(left)
    // The first record of each worker has begun in this frame.
    enterScope(this.#scope)
    await this.#deadline.limit(workers)
    this.#isOver = true
    // The copies of a record that were not run end as the one that was.
    for (const [index, copied] of copies ?? []) this.#results[index] = this.#results[copied]
    this.#closeOpen()
    if (this.#afterCare !== undefined || this.#hooks.length > 0) await this.#windUp()
    return this.#results as PromiseSettledResult<unknown>[]
  }

  /** Works lane after lane. All workers take from the same iterator. */
  async #work(lanes: Iterable<RecordLane>): Promise<void> {
    for (const lane of lanes) {
      let failed: number | undefined
      for (const index of typeof lane === 'number' ? [lane] : lane) {
        if (this.#isOver || this.#deadline.isPast) return
        const request = this.#batch.requestOf(index)
        if (failed !== undefined) {
          this.#results[index] = rejected(new SkippedRecordError(this.#batch.ids[failed] ?? ''))
          this.#tell(() => this.#options.onSkip?.(request))
          continue
        }
        this.#begun[index] = true
        let result: PromiseSettledResult<unknown> = done
        try {
          // Synchronous work costs no turn of the event loop: batches are large.
          const started = this.#runInScope(request, index)
          const value = isThenable(started) ? await started : started
          if (this.#batch.spec.takesValues === true) result = { status: 'fulfilled', value }
          else checkAnswer(value)
        } catch (error) {
          result = await this.#failed(error, request)
          if (result.status === 'rejected') failed = index
        }
        // Answered meanwhile, and this record listed: what it came to is too late.
        if (this.#isOver as boolean) return
        this.#results[index] = result
      }
    }
  }

  /** A record is done when what it sent is acknowledged. */
  #runInScope(request: TRequest, index: number): unknown {
    const scope = new Scope(
      { event: request, context: this.#batch.lambdaContext },
      this.#scope,
      this.#batch.ids[index],
    )
    // This worker's own asynchronous context: each record takes it over from the one before.
    enterScope(scope)
    let answer: unknown
    try {
      const hasWork = this.#batch.spec.prepare?.(request) ?? true
      if (hasWork === true) answer = this.#fn(request)
      else if (hasWork !== false) answer = hasWork.then((work) => (work ? this.#fn(request) : undefined))
    } catch (error) {
      return settled(scope, () => {
        throw error
      })
    }
    if (isThenable(answer) || !scope.isSettled) return settled(scope, () => answer)
    scope.end()
    return answer
  }

  async #failed(error: unknown, request: TRequest): Promise<PromiseSettledResult<unknown>> {
    if (this.#isOver) return rejected(error)
    this.#tell(() => this.#options.onFailure?.(error, request))
    this.#afterCare ??= this.#batch.spec.afterCare?.(this.#options, {
      receivedAt: this.#deadline.startedAt,
      warn: this.#warn.bind(this),
    })
    if (this.#afterCare === undefined) return rejected(error)
    return (await this.#afterCare.failed(error, request)) ? done : rejected(error)
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
      this.#tell(() => (begun ? this.#options.onFailure?.(error, request) : this.#options.onSkip?.(request)))
    }
  }

  /** What has to be done once all records are. */
  async #windUp(): Promise<void> {
    const care = this.#afterCare?.finish()
    const open = care === undefined ? this.#hooks : [...this.#hooks, care]
    if (open.length > 0) await this.#deadline.limit(open, 0.5)
  }

  /** Calls a hook. One that throws must not turn a record's success into a failure, or hide one. */
  #tell(hook: () => unknown): void {
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
