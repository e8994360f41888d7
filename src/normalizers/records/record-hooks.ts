import { type Logger, defaultLogger, logSafely } from '../../core/logger.ts'
import { isThenable } from '../../core/thenable.ts'
import type { EachRecordOptions, RecordOutcome } from './options.ts'

/** One record, as the hooks are told of it. */
export interface ToldRecord<TRequest> {
  readonly id: string
  readonly request: TRequest
  /** When it was begun, by `performance.now()`; none if it was not. */
  readonly startedAt?: number | undefined
}

/** The hooks of one batch. One that throws must not turn a record's success into a failure, or hide one. */
export class RecordHooks<TRequest> {
  readonly #options: EachRecordOptions<TRequest>
  readonly #logger: Logger
  /** What hooks still do. */
  readonly open: Promise<void>[] = []
  /** Whether anybody wants to know what went well. Most batches have nothing else to tell. */
  readonly wantSuccess: boolean

  constructor(options: EachRecordOptions<TRequest>) {
    this.#options = options
    this.#logger = options.logger ?? defaultLogger
    this.wantSuccess = options.onSuccess !== undefined || options.onRecord !== undefined
  }

  /** The moment from which `onRecord` counts. */
  now(): number | undefined {
    return this.#options.onRecord === undefined ? undefined : performance.now()
  }

  succeeded(record: ToldRecord<TRequest>): void {
    this.#call(() => this.#options.onSuccess?.(record.request))
    this.#tellOutcome(record, 'done')
  }

  failed(error: unknown, record: ToldRecord<TRequest>): void {
    this.#call(() => this.#options.onFailure?.(error, record.request))
    this.#tellOutcome(record, 'failed')
  }

  skipped(record: ToldRecord<TRequest>): void {
    this.#call(() => this.#options.onSkip?.(record.request))
    this.#tellOutcome(record, 'skipped')
  }

  warn(message: string, details?: unknown): void {
    logSafely(this.#logger, 'warn', message, details)
  }

  #tellOutcome({ id, startedAt }: ToldRecord<TRequest>, outcome: RecordOutcome['outcome']): void {
    if (this.#options.onRecord === undefined) return
    const milliseconds = startedAt === undefined ? 0 : performance.now() - startedAt
    this.#call(() => this.#options.onRecord?.({ id, outcome, milliseconds }))
  }

  #call(hook: () => unknown): void {
    const warn = (error: unknown): void => {
      this.warn('A hook of eachRecord() threw', error)
    }
    try {
      const doing = hook()
      if (isThenable(doing)) this.open.push(Promise.resolve(doing).then(() => undefined, warn))
    } catch (error) {
      warn(error)
    }
  }
}
