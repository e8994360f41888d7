import { BadRequestError } from './http.ts'
import { ClearskiesError, type ErrorDetails } from './clearskies-error.ts'

/** Options of {@link ConditionError}. */
export interface ConditionDetails extends ErrorDetails {
  /** The status of a response. Given where the caller's data is what cannot be used. */
  statusCode?: number
}

/**
 * A query or a write cannot be run as it stands: an unknown column or operator, or a value that no condition takes.
 * Nothing was sent. A value of `null`, `undefined`, NaN or an invalid date comes from the caller as a rule: 400.
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
export class ConditionError extends ClearskiesError {
  override name = 'ConditionError'
  /** 400 where the caller's data cannot be used. */
  declare readonly statusCode?: number
  /** Whether the message reaches the caller. */
  declare readonly expose?: boolean

  constructor(message: string, { statusCode, ...details }: ConditionDetails = {}) {
    super(message, details)
    if (statusCode === undefined) return
    this.statusCode = statusCode
    this.expose = statusCode < 500
  }
}

/** The model does not have the column: 400 where the column is one of a patch. Nothing was sent. */
export class ColumnError extends ConditionError {
  override name = 'ColumnError'
  readonly column: string

  constructor(column: string, details?: ConditionDetails) {
    super(`The model has no column "${column}"`, details)
    this.column = column
  }
}

/** A value is of another type than its column. Nothing was sent. */
export class TypeMismatchError extends ConditionError {
  override name = 'TypeMismatchError'
  readonly column: string
  /** What the column takes. */
  readonly expected: string

  constructor(column: string, expected: string, seen: string) {
    super(`The column "${column}" takes ${expected}, and was given ${seen}`)
    this.column = column
    this.expected = expected
  }
}

/** An update would change the item's key: 409. Create a new item and delete the old one. Nothing was sent. */
export class KeyChangeError extends ConditionError {
  override name = 'KeyChangeError'
  override readonly statusCode = 409
  override readonly expose = true
  readonly column: string

  constructor(column: string) {
    super(`The key column "${column}" cannot be changed: create a new item and delete this one`)
    this.column = column
  }
}

/** No key or index serves the query, and a scan of the whole table is not allowed. Nothing was sent. */
export class NoIndexError extends ConditionError {
  override name = 'NoIndexError'
}

/** No key or index gives the order that the query asks for. Nothing was sent. */
export class SortError extends ConditionError {
  override name = 'SortError'
}

/** A page token was changed, or belongs to another query: 400. Begin at the first page. Nothing was sent. */
export class InvalidTokenError extends BadRequestError {
  override name = 'InvalidTokenError'

  constructor(details?: ErrorDetails) {
    super('The page token is not valid for this query', details)
  }
}
