import { ignore } from '../../core/ignore.ts'
import type { Context } from 'aws-lambda'
import { Scope, type Work } from '../../invocation/scope.ts'
import type { RecordBatch } from './record-batch.ts'
import type { ToldRecord } from './record-hooks.ts'
import type { RecordTimeLimit } from './record-time-limit.ts'

interface RecordRunParts {
  readonly index: number
  readonly limit: RecordTimeLimit | undefined
  /** The scope of the invocation. */
  readonly parent: Scope | undefined
}

/** One record on its way through. */
export class RecordRun<TRequest> implements ToldRecord<TRequest>, Work {
  readonly id: string
  readonly request: TRequest
  readonly context: Context
  readonly limit: RecordTimeLimit | undefined
  readonly scope: Scope
  startedAt: number | undefined
  hasFailed = false

  constructor(batch: RecordBatch<TRequest>, { index, limit, parent }: RecordRunParts) {
    this.id = batch.ids[index] ?? ''
    this.request = batch.requestOf(index, limit)
    this.context = batch.lambdaContext
    this.limit = limit
    this.scope = new Scope(this, parent, this.id)
  }

  get event(): TRequest {
    return this.request
  }

  /** Waits for what the record has sent, as long as its time allows. */
  async sent(): Promise<void> {
    const settling = this.scope.sends.settle()
    await (this.limit === undefined ? settling : this.limit.race(settling))
  }

  /** Waits for what a failed record has sent, unless its time is up. */
  async settle(): Promise<void> {
    if (this.limit?.isUp !== true) await this.scope.sends.settle().catch(ignore)
  }
}
