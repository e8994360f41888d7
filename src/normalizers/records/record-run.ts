import { ignore } from '../../core/ignore.ts'
import { Scope } from '../../invocation/scope.ts'
import type { RecordBatch } from './record-batch.ts'
import type { ToldRecord } from './record-hooks.ts'
import type { RecordTimeLimit } from './record-time-limit.ts'

interface RecordRunParts {
  readonly index: number
  readonly limit: RecordTimeLimit | undefined
  /** The scope of the invocation. */
  readonly parent: Scope | undefined
}

/** One record on its way through, and its scope: one object for both, because batches are large. */
export class RecordRun<TRequest> extends Scope implements ToldRecord<TRequest> {
  readonly request: TRequest
  readonly limit: RecordTimeLimit | undefined
  startedAt: number | undefined
  hasFailed = false

  constructor(batch: RecordBatch<TRequest>, { index, limit, parent }: RecordRunParts) {
    super(batch.lambdaContext, parent, batch.ids[index] ?? '')
    this.request = batch.requestOf(index, limit)
    this.limit = limit
  }

  get id(): string {
    return this.recordId ?? ''
  }

  override get event(): TRequest {
    return this.request
  }

  protected override get hasWaiter(): boolean {
    return true
  }

  /** Waits for what the record has sent, as long as its time allows. */
  async sent(): Promise<void> {
    const settling = this.sends.settle()
    await (this.limit === undefined ? settling : this.limit.race(settling))
  }

  /** Waits for what a failed record has sent, unless its time is up. */
  async settleFailed(): Promise<void> {
    // The record has failed already.
    if (this.limit?.isUp !== true) await this.sends.settle().catch(ignore)
  }
}
