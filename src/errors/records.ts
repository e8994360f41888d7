import { ClearskiesError, type ErrorDetails } from './clearskies-error.ts'

/** Options of {@link RetryLaterError}. */
export interface RetryLaterDetails extends ErrorDetails {
  /**
   * Seconds, 0 to 43,200, until SQS delivers the message again, or a function of how often it has been received; see
   * `exponentialBackoff`, `linearBackoff`, `fibonacciBackoff`.
   */
  delaySeconds: number | ((receiveCount: number) => number)
}

/**
 * A record's handler throws it to get the record again after a while. The record counts as failed, and SQS hides it for
 * `delaySeconds`.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 * @example
 * ```ts
 * import { RetryLaterError } from 'clearskies-middy/errors'
 *
 * export function whenBusy(status: number): void {
 *   if (status === 429) throw new RetryLaterError({ delaySeconds: 60 })
 * }
 * ```
 */
export class RetryLaterError extends ClearskiesError {
  override name = 'RetryLaterError'
  /** Seconds, or a function of how often the record has been received. */
  readonly delaySeconds: number | ((receiveCount: number) => number)

  constructor(
    { delaySeconds, ...details }: RetryLaterDetails,
    message = 'The record is to be tried again later',
  ) {
    super(message, details)
    this.delaySeconds = delaySeconds
  }
}

/**
 * A record's handler throws it for a record that can never succeed. With the option `deadLetter`, the record is sent to
 * that queue and, once SQS acknowledges it, not tried again. Without the option, SQS tries it until the queue's
 * `maxReceiveCount`.
 *
 * @example
 * ```ts
 * import { PermanentFailureError } from 'clearskies-middy/errors'
 *
 * export function requireOrder(order: object | undefined): object {
 *   if (order === undefined) throw new PermanentFailureError('There is no such order')
 *   return order
 * }
 * ```
 */
export class PermanentFailureError extends ClearskiesError {
  override name = 'PermanentFailureError'

  constructor(message = 'The record can never be worked', details?: ErrorDetails) {
    super(message, details)
  }
}

/**
 * A record of a FIFO queue did not run, because an earlier record of its group failed or the whole batch stopped. It is
 * listed for retry like a failure but is none: `onSkip` tells it apart.
 */
export class SkippedRecordError extends ClearskiesError {
  override name = 'SkippedRecordError'
  /** The message whose failure stopped the group. */
  readonly failedMessageId: string

  constructor(failedMessageId: string) {
    super(`Not run, to keep the order: message ${failedMessageId} in front of it failed`)
    this.failedMessageId = failedMessageId
  }
}

/** A record's handler answered with an HTTP status of 300 or more, which fails the record. */
export class FailedRecordError extends ClearskiesError {
  override name = 'FailedRecordError'
  readonly statusCode: number

  constructor(statusCode: number) {
    super(`The handler answered ${statusCode}`)
    this.statusCode = statusCode
  }
}

/** A record has no id that the answer could name it by (`messageId`, `sequenceNumber`, …). The whole batch fails, and comes again. */
export class UnidentifiedRecordError extends ClearskiesError {
  override name = 'UnidentifiedRecordError'
  /** The position of the record in the batch. */
  readonly index: number

  constructor(index: number, { id = 'messageId', ...details }: ErrorDetails & { id?: string } = {}) {
    super(`Record ${index} failed and has no ${id} to report: the whole batch is retried`, details)
    this.index = index
  }
}

/** A record's body points to a payload in S3. Give `sqs()` the option `resolvePayload`, which reads it. */
export class PayloadPointerError extends ClearskiesError {
  override name = 'PayloadPointerError'
  readonly bucket: string
  readonly key: string

  constructor(bucket: string, key: string) {
    super('The body points to a payload in S3: give sqs() the option resolvePayload to read it')
    this.bucket = bucket
    this.key = key
  }
}
