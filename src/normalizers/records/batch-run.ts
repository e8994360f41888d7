import { DeadlineError, FailedRecordError, SkippedRecordError } from '../../errors/index.ts'
import { statusOf } from '../../core/thrown-response.ts'
import { isThenable } from '../../core/thenable.ts'
import { currentScope, enterScope } from '../../invocation/scope.ts'
import { Deadline } from '../../invocation/deadline.ts'
import type { EachRecordOptions } from './options.ts'
import type { RecordLane } from './lanes.ts'
import type { RecordBatch } from './record-batch.ts'
import { RecordHooks } from './record-hooks.ts'
import { RecordRun } from './record-run.ts'
import type { AfterCare, RecordLanes } from './record-source.ts'
import { RecordTimeLimit } from './record-time-limit.ts'

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
  readonly #hooks: RecordHooks<TRequest>
  readonly #deadline: Deadline
  readonly #results: (PromiseSettledResult<unknown> | undefined)[]
  /** Which records were begun, to tell at the deadline. */
  readonly #begun: (true | undefined)[]
  readonly #scope = currentScope()
  /** Made with the first failure: most batches have none. */
  #afterCare: AfterCare<TRequest> | undefined
  /** The batch is answered: nothing counts any more that a record still does. */
  #isOver = false
  /** Of a stream: all that is behind it comes again. */
  #firstFailure = Infinity

  constructor(batch: RecordBatch<TRequest>, { fn, options }: BatchWork<TRequest>) {
    this.#batch = batch
    this.#fn = fn
    this.#options = options
    this.#hooks = new RecordHooks(options)
    this.#deadline = new Deadline(batch.lambdaContext, options.deadlineMargin)
    this.#results = new Array<undefined>(batch.ids.length)
    this.#begun = new Array<undefined>(batch.ids.length)
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
    if (this.#afterCare !== undefined || this.#hooks.open.length > 0) await this.#windUp()
    return this.#results as PromiseSettledResult<unknown>[]
  }

  /** Works lane after lane. All workers take from the same iterator. */
  async #work(lanes: Iterable<RecordLane>): Promise<void> {
    for (const lane of lanes) {
      let failed: number | undefined
      for (const index of typeof lane === 'number' ? [lane] : lane) {
        if (this.#isOver || this.#deadline.isPast) return
        const blocking = failed ?? (index > this.#firstFailure ? this.#firstFailure : undefined)
        if (blocking !== undefined) {
          this.#skip(index, blocking)
          continue
        }
        const record = this.#begin(index)
        let result: PromiseSettledResult<unknown> = done
        try {
          // Synchronous work costs no turn of the event loop: batches are large.
          const started = this.#start(record)
          const value = isThenable(started) ? await started : started
          if (!record.scope.isSettled) await record.sent()
          if (this.#batch.spec.takesValues === true) result = { status: 'fulfilled', value }
          else checkAnswer(value)
        } catch (error) {
          // The record's own error is the one that counts; what it has sent arrives all the same.
          if (!record.scope.isSettled) await record.settle()
          result = await this.#failed(error, record)
          if (result.status === 'rejected') {
            failed = index
            if (this.#batch.spec.repeatsRest === true)
              this.#firstFailure = Math.min(this.#firstFailure, index)
          }
        }
        record.scope.end()
        // Answered meanwhile, and this record listed: what it came to is too late.
        if (this.#isOver as boolean) return
        this.#results[index] = result
        if (!record.hasFailed && this.#hooks.wantSuccess) this.#hooks.succeeded(record)
      }
    }
  }

  #begin(index: number): RecordRun<TRequest> {
    this.#begun[index] = true
    const { timeout } = this.#options
    const limit = timeout === undefined ? undefined : new RecordTimeLimit(this.#batch, timeout)
    const record = new RecordRun(this.#batch, { index, limit, parent: this.#scope })
    record.startedAt = this.#hooks.now()
    return record
  }

  /** Calls the function with what it needs to be there. */
  #start(record: RecordRun<TRequest>): unknown {
    // This worker's own asynchronous context: each record takes it over from the one before.
    enterScope(record.scope)
    const { request, limit } = record
    const hasWork = this.#batch.spec.prepare?.(request) ?? true
    const fn = this.#fn
    const answer =
      typeof hasWork === 'boolean'
        ? hasWork && fn(request)
        : hasWork.then((isThere) => (isThere ? fn(request) : undefined))
    return limit !== undefined && isThenable(answer) ? limit.race(answer) : answer
  }

  async #failed(error: unknown, record: RecordRun<TRequest>): Promise<PromiseSettledResult<unknown>> {
    record.hasFailed = true
    if (this.#isOver) return rejected(error)
    this.#hooks.failed(error, record)
    this.#afterCare ??= this.#batch.spec.afterCare?.(this.#options, {
      receivedAt: this.#deadline.startedAt,
      warn: (message, details) => {
        this.#hooks.warn(message, details)
      },
    })
    if (this.#afterCare === undefined) return rejected(error)
    return (await this.#afterCare.failed(error, record.request)) ? done : rejected(error)
  }

  #skip(index: number, failed: number): void {
    this.#results[index] = rejected(new SkippedRecordError(this.#idOf(failed)))
    this.#hooks.skipped({ id: this.#idOf(index), request: this.#batch.requestOf(index) })
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
      const record = { id: this.#idOf(index), request: this.#batch.requestOf(index) }
      if (begun) this.#hooks.failed(error, record)
      else this.#hooks.skipped(record)
    }
  }

  /** What has to be done once all records are. */
  async #windUp(): Promise<void> {
    const care = this.#afterCare?.finish()
    const open = care === undefined ? this.#hooks.open : [...this.#hooks.open, care]
    if (open.length > 0) await this.#deadline.limit(open, 0.5)
  }

  #idOf(index: number): string {
    return this.#batch.ids[index] ?? ''
  }
}

function rejected(reason: unknown): PromiseRejectedResult {
  return { status: 'rejected', reason }
}

/** An answer with a status of 300 or more is a failure. */
function checkAnswer(answer: unknown): void {
  const status = statusOf(answer)
  if (status !== undefined && status >= 300) throw new FailedRecordError(status)
}
