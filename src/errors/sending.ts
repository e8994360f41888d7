import { ClearskiesError, type ErrorDetails } from './clearskies-error.ts'

/** Details of {@link SqsSendError}. */
export interface SqsSendDetails extends ErrorDetails {
  queueUrl?: string | undefined
}

/** SQS did not take a message. The error has SQS's code and the queue, and never the body. */
export class SqsSendError extends ClearskiesError {
  override name = 'SqsSendError'
  /** SQS's error code if SQS answered, else a word for what happened. */
  readonly code: string
  /** The queue; `undefined` for what was refused before it was known. */
  readonly queueUrl: string | undefined

  constructor(code: string, message: string, { queueUrl, ...details }: SqsSendDetails = {}) {
    super(message, details)
    this.code = code
    this.queueUrl = queueUrl
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

/** The client of a WebSocket connection has left: 410. Forget the connection. It is never told to a caller. */
export class GoneError extends ClearskiesError {
  override name = 'GoneError'
  readonly statusCode = 410
  readonly expose = false
  readonly connectionId: string

  constructor(connectionId: string, details?: ErrorDetails) {
    super(`The connection ${connectionId} is gone`, details)
    this.connectionId = connectionId
  }
}
