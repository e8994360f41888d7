import { ClearskiesError, type ErrorDetails } from './clearskies-error.ts'
import { ConflictError, HttpError, type HttpErrorDetails, type InputError } from './http.ts'

/** The tunnel to the database cannot be opened. */
export class BastionError extends ClearskiesError {
  override name = 'BastionError'
}

/** One reason why a transaction was not made. */
export interface TransactionReason {
  /** The position of the write, or of the read, in the transaction. */
  readonly index: number
  /** DynamoDB's code: `ConditionalCheckFailed`, `TransactionConflict`, … */
  readonly code: string
}

/**
 * The database refused a transaction as a whole: 409. Nothing of it was written, or read.
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

  constructor(reasons: readonly TransactionReason[], details?: ErrorDetails) {
    const what = reasons.map(({ index, code }) => `at ${index}: ${code}`).join(', ')
    super(`The transaction was not made (${what || 'no reason given'})`, details)
    this.reasons = reasons
  }
}

/** Options of {@link UnavailableError}. */
export interface UnavailableDetails extends HttpErrorDetails {
  /** Whether the write may have been made all the same. @default false */
  ambiguous?: boolean
}

/**
 * The database failed on its own side or gave no answer, also when it was asked again: 503. `ambiguous` tells whether a
 * write may have been made all the same.
 *
 * @example
 * ```ts
 * import { UnavailableError } from 'clearskies-middy/errors'
 *
 * export const mayBeWritten = (error: unknown) => error instanceof UnavailableError && error.ambiguous
 * ```
 */
export class UnavailableError extends HttpError {
  override name = 'UnavailableError'
  readonly ambiguous: boolean

  constructor(message: string, { ambiguous = false, ...details }: UnavailableDetails = {}) {
    super(503, message, details)
    this.ambiguous = ambiguous
  }
}

/** Options of {@link ThrottledError}. */
export interface ThrottledDetails extends HttpErrorDetails {
  /** The token of the page to go on with. */
  next?: string
}

/** The database takes no more requests at the moment, and the time for retries is up: 429. */
export class ThrottledError extends HttpError {
  override name = 'ThrottledError'
  /** The token of the page to go on with, where a page was begun. */
  declare readonly next?: string

  constructor(message: string, { next, ...details }: ThrottledDetails = {}) {
    super(429, message, { headers: { 'retry-after': '1' }, ...details })
    if (next !== undefined) this.next = next
  }
}

/**
 * Some items of a batch are done and some are not, or may not be: 503. It is safe to try the others again. `outcomeOf()`
 * tells which of them are certainly not done.
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
  /** The positions of all others. */
  readonly unprocessed: readonly number[]

  constructor(done: readonly number[], unprocessed: readonly number[], details?: HttpErrorDetails) {
    super(503, `${unprocessed.length} of ${done.length + unprocessed.length} were not processed`, details)
    this.done = done
    this.unprocessed = unprocessed
  }
}

/** The backend cannot store the data: a number out of range, an `undefined` in a list, a message that is too long. */
export class InvalidDataError extends ClearskiesError {
  override name = 'InvalidDataError'
}

/** Facts of a {@link StoredDataError}. */
export interface StoredDataFacts {
  /** The columns of the item's key. */
  readonly key: Readonly<Record<string, unknown>>
  /** What does not fit: places and messages, never values. */
  readonly errors: readonly InputError[]
}

/**
 * A stored item does not fit the schema: 500, and nothing that the caller can mend. `key` names the item, so that it can be
 * found and repaired.
 *
 * @example
 * ```ts
 * import { StoredDataError } from 'clearskies-middy/errors'
 *
 * export const keyOfBrokenItem = (error: unknown) => (error instanceof StoredDataError ? error.key : undefined)
 * ```
 */
export class StoredDataError extends ClearskiesError {
  override name = 'StoredDataError'
  readonly statusCode = 500
  readonly expose = false
  readonly key: Readonly<Record<string, unknown>>
  readonly errors: readonly InputError[]

  constructor({ key, errors }: StoredDataFacts, message: string, details?: ErrorDetails) {
    super(message, details)
    this.key = key
    this.errors = errors
  }
}

/** The item is larger than the database takes: 413. */
export class ItemTooLargeError extends InvalidDataError {
  override name = 'ItemTooLargeError'
  readonly statusCode = 413
  readonly expose = true
  /** Bytes. */
  readonly size: number
  /** Bytes. */
  readonly limit: number

  constructor(size: number, limit: number) {
    super(`The item is ${size} bytes, and at most ${limit} can be stored`)
    this.size = size
    this.limit = limit
  }
}

/** All connections of the pool stayed in use for as long as one is waited for. */
export class ConnectionTimeoutError extends ClearskiesError {
  override name = 'ConnectionTimeoutError'
  /** Milliseconds that were waited. */
  readonly milliseconds: number
  /** Connections of the pool, all of them in use. */
  readonly inUse: number

  constructor(milliseconds: number, inUse: number) {
    super(
      `No connection to the database was free within ${milliseconds} ms: all ${inUse} are in use (the option "max" of iamDbAuth())`,
    )
    this.milliseconds = milliseconds
    this.inUse = inUse
  }
}

/** A statement took too long, or outlived its invocation. It was cancelled, and its connection closed. */
export class StatementTimeoutError extends ClearskiesError {
  override name = 'StatementTimeoutError'
  /** Milliseconds that it has run; `undefined` if its invocation ended first. */
  readonly milliseconds: number | undefined

  constructor(milliseconds?: number) {
    super(
      milliseconds === undefined
        ? 'The invocation ended before its work in the database: the connection was closed'
        : `The statement was not done within ${milliseconds} ms: it was cancelled`,
    )
    this.milliseconds = milliseconds
  }
}
