import { BadRequestError } from './http.ts'
import { ClearskiesError, type ErrorDetails } from './clearskies-error.ts'

/**
 * A query cannot be run as it stands: an unknown column or operator, or a value of the wrong kind. Nothing was sent.
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
}

/** The model does not have the column. Nothing was sent. */
export class ColumnError extends ConditionError {
  override name = 'ColumnError'
  readonly column: string

  constructor(column: string) {
    super(`The model has no column "${column}"`)
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
  readonly statusCode = 409
  readonly expose = true
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
