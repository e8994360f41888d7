/** Options that most errors here accept. */
export interface ErrorDetails {
  /** The original error. */
  cause?: unknown
}

/** One thing that is wrong with the caller's input. */
export interface InputError {
  /** Where, from the outside in: `['address', 'zip']`; empty for the whole. */
  readonly path: readonly PropertyKey[]
  readonly message: string
  /** The part of the request, where there are several. */
  readonly in?: 'data' | 'query' | 'pathParameters' | 'headers'
}

/** Options of {@link HttpError}. */
export interface HttpErrorDetails extends ErrorDetails {
  /** Whether the message reaches the caller. @default true below 500 */
  expose?: boolean
  /** Response headers, for instance `retry-after`. */
  headers?: Readonly<Record<string, string | string[]>>
}

/**
 * An error that an HTTP source answers with its own status. The shape is that of `http-errors` and of Middy's
 * `createError`, so that either may be thrown.
 *
 * @example
 * ```ts
 * import { HttpError } from 'clearskies-middy'
 *
 * export const teapot = new HttpError(418, 'Short and stout')
 * ```
 */
export class HttpError extends Error {
  override name = 'HttpError'
  readonly statusCode: number
  readonly expose: boolean
  declare readonly headers?: Readonly<Record<string, string | string[]>>

  constructor(statusCode: number, message: string, { cause, expose, headers }: HttpErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.statusCode = statusCode
    this.expose = expose ?? statusCode < 500
    if (headers !== undefined) this.headers = headers
  }
}

/**
 * The caller's input cannot be used: 400, with the single findings in `errors`.
 *
 * @example
 * ```ts
 * import { BadRequestError } from 'clearskies-middy/errors'
 *
 * export const noAuthor = new BadRequestError('Which author?', {
 *   errors: [{ path: ['author'], message: 'is missing', in: 'query' }],
 * })
 * ```
 */
export class BadRequestError extends HttpError {
  override name = 'BadRequestError'
  readonly errors: readonly InputError[]

  constructor(
    message: string,
    { errors = [], ...details }: HttpErrorDetails & { errors?: readonly InputError[] } = {},
  ) {
    super(400, message, details)
    this.errors = errors
  }
}

/**
 * Text that should be JSON is not. Says where, never what stands there: 400.
 *
 * @example
 * ```ts
 * import { MalformedJsonError } from 'clearskies-middy/errors'
 *
 * export const placeOf = (error: unknown) => (error instanceof MalformedJsonError ? error.position : -1)
 * ```
 */
export class MalformedJsonError extends BadRequestError {
  override name = 'MalformedJsonError'
  /** The offset of the first character that does not fit, in UTF-16 units. */
  readonly position: number

  constructor(what: string, position: number) {
    super(`${what} is not valid JSON: it breaks at position ${position}`)
    this.position = position
  }
}

/**
 * What was asked for does not exist: 404.
 *
 * @example
 * ```ts
 * import { NotFoundError } from 'clearskies-middy/errors'
 *
 * export function found<T>(item: T | undefined): T {
 *   if (item === undefined) throw new NotFoundError('There is no such product')
 *   return item
 * }
 * ```
 */
export class NotFoundError extends HttpError {
  override name = 'NotFoundError'

  constructor(message: string, details?: HttpErrorDetails) {
    super(404, message, details)
  }
}

/** Facts that {@link ConflictError} has. */
export interface ConflictDetails extends HttpErrorDetails {
  /** The item as it is now, where the database tells. */
  current?: unknown
  /** Whether the write may have been made all the same, by an attempt whose answer was lost. */
  ambiguous?: boolean
}

/**
 * What should be new exists already, or was changed meanwhile: 409.
 *
 * @example
 * ```ts
 * import { ConflictError } from 'clearskies-middy/errors'
 *
 * export const storedItem = (error: unknown) => (error instanceof ConflictError ? error.current : undefined)
 * ```
 */
export class ConflictError extends HttpError {
  override name = 'ConflictError'
  /** Whether the write may have been made all the same, by an attempt whose answer was lost. */
  readonly ambiguous: boolean
  /** The item as it is now, where the database tells. Not listed, so that no log shows it. */
  declare readonly current?: unknown

  constructor(message: string, { current, ambiguous = false, ...details }: ConflictDetails = {}) {
    super(409, message, details)
    this.ambiguous = ambiguous
    if (current !== undefined) Object.defineProperty(this, 'current', { value: current })
  }
}

/** One reason why a transaction was not made. */
export interface TransactionReason {
  /** The position of the write in the transaction. */
  readonly index: number
  /** DynamoDB's code: `ConditionalCheckFailed`, `TransactionConflict`, … */
  readonly code: string
}

/**
 * A transaction was not made, nothing of it: 409.
 *
 * @example
 * ```ts
 * import { TransactionError } from 'clearskies-middy/errors'
 *
 * export const blockedWrites = (error: unknown) =>
 *   error instanceof TransactionError ? error.reasons.map(({ index, code }) => `${index}: ${code}`) : []
 * ```
 */
export class TransactionError extends ConflictError {
  override name = 'TransactionError'
  readonly reasons: readonly TransactionReason[]

  constructor(reasons: readonly TransactionReason[], { cause }: ErrorDetails = {}) {
    const what = reasons.map(({ index, code }) => `write ${index}: ${code}`).join(', ')
    super(`The transaction was not made (${what || 'no reason given'})`, { cause })
    this.reasons = reasons
  }
}

/**
 * The database takes no more requests at the moment, and the time for trying is up: 429.
 *
 * @example
 * ```ts
 * import { ThrottledError } from 'clearskies-middy/errors'
 *
 * export const whereToGoOn = (error: unknown) => (error instanceof ThrottledError ? error.next : undefined)
 * ```
 */
export class ThrottledError extends HttpError {
  override name = 'ThrottledError'
  /** Where to go on, for a page that was begun. */
  declare readonly next?: string

  constructor(message: string, { next, ...details }: HttpErrorDetails & { next?: string } = {}) {
    super(429, message, { headers: { 'retry-after': '1' }, ...details })
    if (next !== undefined) this.next = next
  }
}

/**
 * Some of a batch is done and some is not: 503. Trying the rest again is safe.
 *
 * @example
 * ```ts
 * import { PartialBatchError } from 'clearskies-middy/errors'
 *
 * export const left = <T>(list: readonly T[], error: unknown) =>
 *   error instanceof PartialBatchError ? error.unprocessed.map((index) => list[index]) : []
 * ```
 */
export class PartialBatchError extends HttpError {
  override name = 'PartialBatchError'
  /** The positions, in the batch, of what is done. */
  readonly done: readonly number[]
  /** The positions of what is not. */
  readonly unprocessed: readonly number[]

  constructor(done: readonly number[], unprocessed: readonly number[], details: HttpErrorDetails = {}) {
    super(503, `${unprocessed.length} of ${done.length + unprocessed.length} were not processed`, details)
    this.done = done
    this.unprocessed = unprocessed
  }
}

/**
 * An event of another source than the normalizer's. It is never answered: the invocation fails.
 *
 * @example
 * ```ts
 * import { InvalidEventError } from 'clearskies-middy/errors'
 *
 * export const seenEvent = (error: unknown) => (error instanceof InvalidEventError ? error.seen : undefined)
 * ```
 */
export class InvalidEventError extends Error {
  override name = 'InvalidEventError'
  /** What the event looks like: `ALB`, `aws:sqs`, `WebSocket API`, `direct` (anything a caller made up), … */
  readonly seen: string
  /** What the normalizer takes. */
  readonly expected: readonly string[]

  constructor(seen: string, expected: readonly string[], message: string) {
    super(message)
    this.seen = seen
    this.expected = expected
  }
}

/**
 * A handler's result that cannot be turned into a response. Always the handler's fault: 500, and not shown.
 *
 * @example
 * ```ts
 * import { InvalidResponseError } from 'clearskies-middy/errors'
 *
 * export const isHandlersFault = (error: unknown) => error instanceof InvalidResponseError
 * ```
 */
export class InvalidResponseError extends Error {
  override name = 'InvalidResponseError'
  readonly statusCode = 500
  readonly expose = false
}

/**
 * A response larger than its source can deliver: 500, with the sizes in bytes.
 *
 * @example
 * ```ts
 * import { ResponseTooLargeError } from 'clearskies-middy/errors'
 *
 * export const excess = (error: unknown) =>
 *   error instanceof ResponseTooLargeError ? error.size - error.limit : 0
 * ```
 */
export class ResponseTooLargeError extends InvalidResponseError {
  override name = 'ResponseTooLargeError'
  readonly size: number
  readonly limit: number

  constructor(size: number, limit: number) {
    super(`The response is ${size} bytes, and at most ${limit} can be delivered`)
    this.size = size
    this.limit = limit
  }
}

/**
 * Something that Middy's chain should hold is not there: a normalizer, a secrets provider, an `eachRecord`.
 *
 * @example
 * ```ts
 * import { ConfigurationError } from 'clearskies-middy/errors'
 *
 * export const isSetup = (error: unknown) => error instanceof ConfigurationError
 * ```
 */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'

  constructor(message: string, { cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
  }
}

/**
 * The tunnel to the database cannot be opened.
 *
 * @example
 * ```ts
 * import { BastionError } from 'clearskies-middy/errors'
 *
 * export const isTunnel = (error: unknown) => error instanceof BastionError
 * ```
 */
export class BastionError extends Error {
  override name = 'BastionError'

  constructor(message: string, { cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
  }
}

/**
 * An optional peer dependency is needed now and not installed.
 *
 * @example
 * ```ts
 * import { MissingDependencyError } from 'clearskies-middy/errors'
 *
 * export const missingPackage = (error: unknown) =>
 *   error instanceof MissingDependencyError ? error.dependency : undefined
 * ```
 */
export class MissingDependencyError extends ConfigurationError {
  override name = 'MissingDependencyError'
  readonly dependency: string

  constructor(dependency: string, { cause }: ErrorDetails = {}) {
    super(`This needs the package ${dependency}, which is not installed: run "npm install ${dependency}"`, {
      cause,
    })
    this.dependency = dependency
  }
}

/**
 * A record of a FIFO queue that was not run, because an earlier one of its group failed (or the whole batch stopped).
 * It is listed for retry like a failure, but is none: `onSkip` tells it apart.
 *
 * @example
 * ```ts
 * import type { SqsBatch } from 'clearskies-middy'
 * import { SkippedRecordError } from 'clearskies-middy/errors'
 *
 * export const skipped = ({ results = [] }: SqsBatch) =>
 *   results.filter((result) => result?.status === 'rejected' && result.reason instanceof SkippedRecordError)
 * ```
 */
export class SkippedRecordError extends Error {
  override name = 'SkippedRecordError'
  /** The message whose failure stopped the group. */
  readonly failedMessageId: string

  constructor(failedMessageId: string) {
    super(`Not run, to keep the order: message ${failedMessageId} in front of it failed`)
    this.failedMessageId = failedMessageId
  }
}

/**
 * A record's handler answered with an HTTP status of 300 or more, which fails the record.
 *
 * @example
 * ```ts
 * import { FailedRecordError } from 'clearskies-middy/errors'
 *
 * export const answered = (error: unknown) => (error instanceof FailedRecordError ? error.statusCode : 0)
 * ```
 */
export class FailedRecordError extends Error {
  override name = 'FailedRecordError'
  readonly statusCode: number

  constructor(statusCode: number) {
    super(`The handler answered ${statusCode}`)
    this.statusCode = statusCode
  }
}

/**
 * A failed record has no `messageId`, so SQS cannot be told to keep it alone: the whole batch fails and is retried.
 *
 * @example
 * ```ts
 * import { UnidentifiedRecordError } from 'clearskies-middy/errors'
 *
 * export const positionOf = (error: unknown) => (error instanceof UnidentifiedRecordError ? error.index : -1)
 * ```
 */
export class UnidentifiedRecordError extends Error {
  override name = 'UnidentifiedRecordError'
  /** The position of the record in the batch. */
  readonly index: number

  constructor(index: number, { cause }: ErrorDetails = {}) {
    super(`Record ${index} failed and has no messageId to report: the whole batch is retried`, { cause })
    this.index = index
  }
}

/**
 * A value of the caller's does not fit the schema: 400, with the single findings in `errors`.
 *
 * @example
 * ```ts
 * import { ValidationError } from 'clearskies-middy/errors'
 *
 * export const findings = (error: unknown) =>
 *   error instanceof ValidationError ? error.errors.map(({ path, message }) => `${path.join('.')} ${message}`) : []
 * ```
 */
export class ValidationError extends BadRequestError {
  override name = 'ValidationError'
}

/**
 * The environment does not fit its schema. Unlike other input it is not the caller's: 500, and not shown. Names the
 * variables and nothing that the schema says of them, because that may quote a value.
 *
 * @example
 * ```ts
 * import { InvalidEnvironmentError } from 'clearskies-middy/errors'
 *
 * export const wrongVariables = (error: unknown) =>
 *   error instanceof InvalidEnvironmentError ? error.errors.map(({ path: [name] }) => String(name)) : []
 * ```
 */
export class InvalidEnvironmentError extends ValidationError {
  override name = 'InvalidEnvironmentError'
  override readonly statusCode = 500
  override readonly expose = false
}

/** Facts that errors about secrets have. */
export interface SecretErrorDetails extends ErrorDetails {
  /** The name, as it was asked for. */
  path: string
}

/**
 * A secret cannot be read or written. Carries its name and never its value.
 *
 * @example
 * ```ts
 * import { SecretError } from 'clearskies-middy/errors'
 *
 * export const secretName = (error: unknown) => (error instanceof SecretError ? error.path : undefined)
 * ```
 */
export class SecretError extends Error {
  override name = 'SecretError'
  readonly path: string

  constructor(message: string, { path, cause }: SecretErrorDetails) {
    super(message, cause === undefined ? undefined : { cause })
    this.path = path
  }
}

/**
 * No secret of that name.
 *
 * @example
 * ```ts
 * import { SecretNotFoundError } from 'clearskies-middy/errors'
 *
 * export const isMissing = (error: unknown) => error instanceof SecretNotFoundError
 * ```
 */
export class SecretNotFoundError extends SecretError {
  override name = 'SecretNotFoundError'

  constructor(store: string, details: SecretErrorDetails) {
    super(`${store} has no "${details.path}"`, details)
  }
}

/**
 * There is a secret of that name already.
 *
 * @example
 * ```ts
 * import { SecretAlreadyExistsError } from 'clearskies-middy/errors'
 *
 * export const isTaken = (error: unknown) => error instanceof SecretAlreadyExistsError
 * ```
 */
export class SecretAlreadyExistsError extends SecretError {
  override name = 'SecretAlreadyExistsError'

  constructor(store: string, details: SecretErrorDetails) {
    super(`${store} has a "${details.path}" already`, details)
  }
}

/**
 * The secret is deleted, but can be restored for some days: until then the name is neither readable nor free.
 *
 * @example
 * ```ts
 * import { SecretPendingDeletionError } from 'clearskies-middy/errors'
 *
 * export const canBeRestored = (error: unknown) => error instanceof SecretPendingDeletionError
 * ```
 */
export class SecretPendingDeletionError extends SecretError {
  override name = 'SecretPendingDeletionError'

  constructor(store: string, details: SecretErrorDetails) {
    super(
      `${store} has deleted "${details.path}", but may still restore it: restore it, or delete it with force`,
      details,
    )
  }
}

/**
 * The store did not answer in time.
 *
 * @example
 * ```ts
 * import { SecretTimeoutError } from 'clearskies-middy/errors'
 *
 * export const waited = (error: unknown) => (error instanceof SecretTimeoutError ? error.seconds : 0)
 * ```
 */
export class SecretTimeoutError extends SecretError {
  override name = 'SecretTimeoutError'
  readonly seconds: number

  constructor(
    store: string,
    details: SecretErrorDetails,
    seconds: number,
    deed: 'give' | 'write' | 'list' = 'give',
  ) {
    super(
      `${store} did not ${deed} "${details.path}" within ${Number(seconds.toPrecision(2))} seconds`,
      details,
    )
    this.seconds = seconds
  }
}

/**
 * A line of a `.env` file that cannot be read. Says where, and never what stands there.
 *
 * @example
 * ```ts
 * import { DotenvError } from 'clearskies-middy/errors'
 *
 * export const place = (error: unknown) => (error instanceof DotenvError ? `${error.file}:${error.line}` : '')
 * ```
 */
export class DotenvError extends Error {
  override name = 'DotenvError'
  readonly file: string
  readonly line: number

  constructor(file: string, line: number) {
    super(`${file}:${line} is not a variable: write NAME=value`)
    this.file = file
    this.line = line
  }
}

/**
 * A variable that must be set is not.
 *
 * @example
 * ```ts
 * import { MissingVariableError } from 'clearskies-middy/errors'
 *
 * export const missing = (error: unknown) => (error instanceof MissingVariableError ? error.variable : '')
 * ```
 */
export class MissingVariableError extends Error {
  override name = 'MissingVariableError'
  readonly variable: string

  constructor(variable: string, where: string) {
    super(`The environment variable "${variable}" is set neither in process.env nor in ${where}`)
    this.variable = variable
  }
}

/**
 * A variable is set to something else than what was asked for. Its value is not shown: it may be a secret.
 *
 * @example
 * ```ts
 * import { InvalidVariableError } from 'clearskies-middy/errors'
 *
 * export const wrong = (error: unknown) => (error instanceof InvalidVariableError ? error.variable : '')
 * ```
 */
export class InvalidVariableError extends Error {
  override name = 'InvalidVariableError'
  readonly variable: string

  constructor(variable: string, expected: string) {
    super(`The environment variable "${variable}" is not ${expected}`)
    this.variable = variable
  }
}

/**
 * A query that cannot be run as it stands: an unknown column or operator, a value of the wrong kind. Nothing was sent.
 *
 * @example
 * ```ts
 * import { BadRequestError, ConditionError } from 'clearskies-middy/errors'
 *
 * export function asBadRequest(error: unknown): never {
 *   throw error instanceof ConditionError ? new BadRequestError(error.message, { cause: error }) : error
 * }
 * ```
 */
export class ConditionError extends Error {
  override name = 'ConditionError'
}

/**
 * A column that the model does not have. Nothing was sent.
 *
 * @example
 * ```ts
 * import { ColumnError } from 'clearskies-middy/errors'
 *
 * export const unknownColumn = (error: unknown) => (error instanceof ColumnError ? error.column : undefined)
 * ```
 */
export class ColumnError extends ConditionError {
  override name = 'ColumnError'
  readonly column: string

  constructor(column: string) {
    super(`The model has no column "${column}"`)
    this.column = column
  }
}

/**
 * A value of another type than the column's. Nothing was sent.
 *
 * @example
 * ```ts
 * import { TypeMismatchError } from 'clearskies-middy/errors'
 *
 * export const hint = (error: unknown) =>
 *   error instanceof TypeMismatchError ? `${error.column} takes ${error.expected}` : undefined
 * ```
 */
export class TypeMismatchError extends ConditionError {
  override name = 'TypeMismatchError'
  readonly column: string
  readonly expected: string

  constructor(column: string, expected: string, seen: string) {
    super(`The column "${column}" takes ${expected}, and was given ${seen}`)
    this.column = column
    this.expected = expected
  }
}

/**
 * An update that would change an item's key, which makes it another item: 409. Nothing was sent.
 *
 * @example
 * ```ts
 * import { KeyChangeError } from 'clearskies-middy/errors'
 *
 * export const keyColumn = (error: unknown) => (error instanceof KeyChangeError ? error.column : undefined)
 * ```
 */
export class KeyChangeError extends ConditionError {
  override name = 'KeyChangeError'
  readonly statusCode = 409
  readonly expose = true
  readonly column: string

  constructor(column: string) {
    super(`The key column "${column}" cannot be changed: create a new item and delete this one`)
    this.column = column
  }
}

/**
 * No key or index serves the query, and scanning the whole table was not allowed. Nothing was sent.
 *
 * @example
 * ```ts
 * import { NoIndexError } from 'clearskies-middy/errors'
 *
 * export const needsIndex = (error: unknown) => error instanceof NoIndexError
 * ```
 */
export class NoIndexError extends ConditionError {
  override name = 'NoIndexError'
}

/**
 * No key or index gives the wanted order. Nothing was sent.
 *
 * @example
 * ```ts
 * import { SortError } from 'clearskies-middy/errors'
 *
 * export const cannotSort = (error: unknown) => error instanceof SortError
 * ```
 */
export class SortError extends ConditionError {
  override name = 'SortError'
}

/**
 * A page token that was changed, or that belongs to another query: 400. Nothing was sent.
 *
 * @example
 * ```ts
 * import { InvalidTokenError } from 'clearskies-middy/errors'
 *
 * export const startsAnew = (error: unknown) => error instanceof InvalidTokenError
 * ```
 */
export class InvalidTokenError extends BadRequestError {
  override name = 'InvalidTokenError'

  constructor(details?: ErrorDetails) {
    super('The page token is not valid for this query', details)
  }
}

/**
 * Data that the backend cannot store: a number out of range, an `undefined` in a list, an item that is too large.
 *
 * @example
 * ```ts
 * import { InvalidDataError } from 'clearskies-middy/errors'
 *
 * export const cannotBeStored = (error: unknown) => error instanceof InvalidDataError
 * ```
 */
export class InvalidDataError extends Error {
  override name = 'InvalidDataError'
}

/**
 * An item larger than the database takes: 413.
 *
 * @example
 * ```ts
 * import { ItemTooLargeError } from 'clearskies-middy/errors'
 *
 * export const tooMuch = (error: unknown) => (error instanceof ItemTooLargeError ? error.size - error.limit : 0)
 * ```
 */
export class ItemTooLargeError extends InvalidDataError {
  override name = 'ItemTooLargeError'
  readonly statusCode = 413
  readonly expose = true
  /** Bytes. */
  readonly size: number
  readonly limit: number

  constructor(size: number, limit: number) {
    super(`The item is ${size} bytes, and at most ${limit} can be stored`)
    this.size = size
    this.limit = limit
  }
}

/** Facts that {@link SqsSendError} has. */
export interface SqsSendErrorDetails extends ErrorDetails {
  /** SQS's error code, if SQS answered. */
  code: string
}

/**
 * SQS did not take a message. Carries the code and never the body.
 *
 * @example
 * ```ts
 * import { SqsSendError } from 'clearskies-middy/errors'
 *
 * export const sqsCode = (error: unknown) => (error instanceof SqsSendError ? error.code : undefined)
 * ```
 */
export class SqsSendError extends Error {
  override name = 'SqsSendError'
  readonly code: string

  constructor(message: string, { code, cause }: SqsSendErrorDetails) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/**
 * Messages were still on their way when the function's time was up. What was not acknowledged may not have arrived.
 *
 * @example
 * ```ts
 * import { SqsFlushTimeoutError } from 'clearskies-middy/errors'
 *
 * export const unsent = (error: unknown) => (error instanceof SqsFlushTimeoutError ? error.unsent : 0)
 * ```
 */
export class SqsFlushTimeoutError extends Error {
  override name = 'SqsFlushTimeoutError'
  /** How many were acknowledged. */
  readonly sent: number
  /** How many were not. */
  readonly unsent: number

  constructor(sent: number, unsent: number) {
    super(`The time is up with ${unsent} messages on their way, ${sent} were acknowledged`)
    this.sent = sent
    this.unsent = unsent
  }
}

/**
 * The function's time was nearly up before a record of a queue, or a query, was done: 504 behind HTTP.
 *
 * @example
 * ```ts
 * import { DeadlineError } from 'clearskies-middy/errors'
 *
 * export const ranOutOfTime = (error: unknown) => error instanceof DeadlineError
 * ```
 */
export class DeadlineError extends HttpError {
  override name = 'DeadlineError'

  constructor(message: string, details?: HttpErrorDetails) {
    super(504, message, details)
  }
}

/** Facts that {@link RetryLaterError} has. */
export interface RetryLaterDetails extends ErrorDetails {
  /**
   * Seconds, 0 to 43,200, until SQS gives the message again, or a function of how often it has been received; see
   * `exponentialBackoff`, `linearBackoff`, `fibonacciBackoff`.
   */
  delaySeconds: number | ((receiveCount: number) => number)
}

/**
 * Thrown by a record's handler to have the record again after a while: its visibility is changed, and it stays listed
 * as failed, because SQS deletes whatever is not.
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
export class RetryLaterError extends Error {
  override name = 'RetryLaterError'
  /** Seconds, or a function of how often the record has been received. */
  readonly delaySeconds: number | ((receiveCount: number) => number)

  constructor({ delaySeconds, cause }: RetryLaterDetails, message = 'The record is to be tried again later') {
    super(message, cause === undefined ? undefined : { cause })
    this.delaySeconds = delaySeconds
  }
}

/**
 * Thrown by a record's handler for a record that can never be worked: with `deadLetter` it is sent there and, once that
 * is acknowledged, not tried again. Without, SQS tries it until the queue's `maxReceiveCount`, for there is no call that
 * moves a message.
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
export class PermanentFailureError extends Error {
  override name = 'PermanentFailureError'

  constructor(message = 'The record can never be worked', { cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
  }
}

/**
 * A record's body is a pointer to a payload elsewhere, and no `resolvePayload` was given.
 *
 * @example
 * ```ts
 * import { PayloadPointerError } from 'clearskies-middy/errors'
 *
 * export const payload = (error: unknown) =>
 *   error instanceof PayloadPointerError ? `s3://${error.bucket}/${error.key}` : undefined
 * ```
 */
export class PayloadPointerError extends Error {
  override name = 'PayloadPointerError'
  readonly bucket: string
  readonly key: string

  constructor(bucket: string, key: string) {
    super('The body points to a payload in S3: give sqs() the option resolvePayload to read it')
    this.bucket = bucket
    this.key = key
  }
}
