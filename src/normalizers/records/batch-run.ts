import { DeadlineError, FailedRecordError, SkippedRecordError } from '../../errors/index.ts'
import { statusOf } from '../../core/thrown-response.ts'
import { isThenable } from '../../core/thenable.ts'
import { InvocationScope, currentScope, enterNewScope, enterScope } from '../../invocation/scope.ts'
import { Deadline, type Pieces } from '../../invocation/deadline.ts'
import type { EachRecordOptions } from './options.ts'
import { LaneQueue, LaneWorker } from './lanes.ts'
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
  readonly #scope = currentScope()
  readonly #workers: LaneWorker[] = []
  #copies: RecordLanes['copies']
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
    // As it is from now on: what a record came to is known whatever happens to the batch.
    batch.results = this.#results
    if (this.#scope instanceof InvocationScope)
      this.#scope.onAnswer(() => {
        this.#stop()
      })
  }

  /** One per record, in their order, once the batch is worked. */
  get results(): PromiseSettledResult<unknown>[] {
    return this.#results as PromiseSettledResult<unknown>[]
  }

  /** Begins the records. Resolves when all have ended, or when the time is up. */
  begin(): Promise<void> {
    const { concurrency = 10 } = this.#options
    const order = this.#batch.spec.lanes?.(this.#batch, this.#options)
    this.#copies = order?.copies
    const queue = new LaneQueue(order?.lanes, this.#results.length)
    const count = Math.min(concurrency, queue.length)
    return this.#deadline.limit(count, (pieces) => {
      for (let index = 0; index < count; index++) {
        const worker = new LaneWorker(queue)
        this.#workers.push(worker)
        void this.#work(worker, pieces)
      }
      // The first record of each worker has begun in this frame.
      enterScope(this.#scope)
    })
  }

  /** Ends the batch: nothing counts any more that a record still does. A promise where something is left to do. */
  end(): Promise<void> | undefined {
    this.#isOver = true
    // The copies of a record that were not run end as the one that was.
    for (const [index, copied] of this.#copies ?? []) this.#results[index] = this.#results[copied]
    this.#closeOpen()
    return this.#windUp()
  }

  /** Works record after record. */
  async #work(worker: LaneWorker, { end, fail }: Pieces): Promise<void> {
    try {
      while (!this.#isOver && !this.#deadline.isPast && worker.next()) {
        const { index } = worker
        const blocking = worker.failed ?? (index > this.#firstFailure ? this.#firstFailure : undefined)
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
          if (!record.isSettled) await record.sent()
          if (this.#batch.spec.takesValues === true) result = { status: 'fulfilled', value }
          else checkAnswer(value)
        } catch (error) {
          // The record's own error is the one that counts; what it has sent arrives all the same.
          if (!record.isSettled) await record.settleFailed()
          result = await this.#failed(error, record)
          if (result.status === 'rejected') {
            worker.fail()
            if (this.#batch.spec.repeatsRest === true)
              this.#firstFailure = Math.min(this.#firstFailure, index)
          }
        }
        record.end()
        // Answered meanwhile, and this record listed: what it came to is too late.
        if (this.#isOver as boolean) break
        this.#results[index] = result
        if (!record.hasFailed && this.#hooks.wantSuccess) this.#hooks.succeeded(record)
      }
      end()
    } catch (error) {
      fail(error)
    }
  }

  #begin(index: number): RecordRun<TRequest> {
    const { timeout } = this.#options
    const limit = timeout === undefined ? undefined : new RecordTimeLimit(this.#batch, timeout)
    const record = new RecordRun(this.#batch, { index, limit, parent: this.#scope })
    record.startedAt = this.#hooks.now()
    return record
  }

  /** Calls the function with what it needs to be there. */
  #start(record: RecordRun<TRequest>): unknown {
    // This worker's own asynchronous context: each record takes it over from the one before.
    enterNewScope(record)
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
      const begun = this.#workers.some((worker) => worker.index === index)
      const error = new DeadlineError(`The time was up before the record was ${begun ? 'done' : 'begun'}`)
      if (begun) this.#batch.abort(error)
      this.#results[index] = rejected(error)
      const record = { id: this.#idOf(index), request: this.#batch.requestOf(index) }
      if (begun) this.#hooks.failed(error, record)
      else this.#hooks.skipped(record)
    }
  }

  /** What has to be done once all records are. */
  #windUp(): Promise<void> | undefined {
    const care = this.#afterCare?.finish()
    const open = care === undefined ? this.#hooks.open : [...this.#hooks.open, care]
    if (open.length === 0) return undefined
    const watch = ({ end, fail }: Pieces): void => {
      for (const hook of open) hook.then(end, fail)
    }
    return this.#deadline.limit(open.length, watch, 0.5)
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
