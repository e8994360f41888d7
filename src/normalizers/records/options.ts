import type { ClientOption } from '../../aws/client.ts'
import type { Logger } from '../../core/logger.ts'
import type { RecordRequest } from './record-request.ts'

/** What one record came to, as `onRecord` is told. */
export interface RecordOutcome {
  readonly id: string
  /** `failed` is what `onFailure` is told of, `skipped` what `onSkip` is. */
  readonly outcome: 'done' | 'failed' | 'skipped'
  /** How long the record was worked; 0 if it was not begun. */
  readonly milliseconds: number
}

/** Options of `eachRecord()`. */
export interface EachRecordOptions<TRequest = RecordRequest> {
  /** How many records, or lanes of records that keep an order (groups of a FIFO queue), run at once. @default 10 */
  readonly concurrency?: number
  /**
   * SQS only. What follows a failure on a FIFO queue: the rest of its group is not run (`group`), or the rest of the batch
   * (`batch`, which runs one record after the other). `auto` takes `group` where the queue's ARN ends with `.fifo`.
   * @default 'auto'
   */
  readonly fifo?: 'auto' | 'group' | 'batch'
  /**
   * Milliseconds before the function's timeout at which no record is begun any more, those that run are aborted by their
   * `signal`, and the answer is given: what is done stays done, the rest comes again.
   * @default 5 % of the time that is left at the start, at least 250 and at most 5,000, at most half of it
   */
  readonly deadlineMargin?: number
  /**
   * Milliseconds for one record. When they are up, its `signal` is aborted, it fails alone with a `DeadlineError`, and the
   * next one begins; on a FIFO queue the rest of its group is not run. Work that holds the thread is not interrupted.
   * @default no limit but the function's
   */
  readonly timeout?: number
  /** Told of every record that is done. A promise is awaited; an error is logged and changes nothing. */
  onSuccess?(request: TRequest): unknown
  /** Told of every record that failed. A promise is awaited; an error is logged and changes nothing. */
  onFailure?(error: unknown, request: TRequest): unknown
  /**
   * Told of every record that was not run, for the sake of order or for lack of time: each such round counts as a receive,
   * so `maxReceiveCount` needs room for them. A promise is awaited; an error is logged and changes nothing.
   */
  onSkip?(request: TRequest): unknown
  /** Told of every record, whatever it came to; for metrics. A promise is awaited; an error is logged and changes nothing. */
  onRecord?(record: RecordOutcome): unknown
  /** SQS only. Where records go that fail with a `PermanentFailureError`, or with what `isPermanent` tells. Needs `sqs:SendMessage` for that queue. */
  readonly deadLetter?: { readonly queueUrl: string }
  /**
   * SQS only. Which other errors are permanent, so that `deadLetter` is for their records, too: a body that is not JSON
   * (`MalformedJsonError`), one that does not fit its schema (`ValidationError`).
   * @default none
   */
  isPermanent?(error: unknown): boolean
  /** SQS only. Runs a message once that came twice in one batch, which SQS allows itself now and then. @default false */
  readonly deduplicate?: boolean
  /**
   * What follows when every record of a batch failed: all are listed, or the invocation fails, with their error or an
   * `AggregateError` of several, so that it counts in Lambda's metric of errors. Either way all come again; a batch of
   * nothing but wishes (`RetryLaterError`) is listed.
   * @default 'list'
   */
  readonly onBatchFailure?: 'list' | 'throw'
  /** An `SQSClient`, for changing visibilities and the dead-letter queue. @default one per region and process */
  readonly client?: ClientOption
  /** @default console */
  readonly logger?: Logger
}
