import type { ClientOption } from '../../aws/client.ts'
import type { Logger } from '../../core/logger.ts'
import type { RecordRequest } from './record-request.ts'

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
   * @default 5 % of the time that is left at the start, at least 250, at most half of it
   */
  readonly deadlineMargin?: number
  /** Told of every record that failed. A promise is awaited; an error is logged and changes nothing. */
  onFailure?(error: unknown, request: TRequest): unknown
  /**
   * Told of every record that was not run, for the sake of order or for lack of time: each such round counts as a receive,
   * so `maxReceiveCount` needs room for them. A promise is awaited; an error is logged and changes nothing.
   */
  onSkip?(request: TRequest): unknown
  /** SQS only. Where records go whose handler throws a `PermanentFailureError`. Needs `sqs:SendMessage` for that queue. */
  readonly deadLetter?: { readonly queueUrl: string }
  /** SQS only. Runs a message once that came twice in one batch, which SQS allows itself now and then. @default false */
  readonly deduplicate?: boolean
  /** An `SQSClient`, for changing visibilities and the dead-letter queue. @default one per region and process */
  readonly client?: ClientOption
  /** @default console */
  readonly logger?: Logger
}
