import { ClearskiesError, type ErrorDetails } from './clearskies-error.ts'

/** SQS did not take a message. The error has SQS's code and never the body. */
export class SqsSendError extends ClearskiesError {
  override name = 'SqsSendError'
  /** SQS's error code if SQS answered, else a word for what happened. */
  readonly code: string

  constructor(code: string, message: string, details?: ErrorDetails) {
    super(message, details)
    this.code = code
  }
}

/** The function's time was up while messages were on their way. The unacknowledged ones may not have arrived. */
export class SqsFlushTimeoutError extends ClearskiesError {
  override name = 'SqsFlushTimeoutError'
  /** How many messages SQS acknowledged. */
  readonly sent: number
  /** How many it did not. */
  readonly unsent: number

  constructor(sent: number, unsent: number) {
    super(`The time is up with ${unsent} messages on their way, ${sent} were acknowledged`)
    this.sent = sent
    this.unsent = unsent
  }
}
