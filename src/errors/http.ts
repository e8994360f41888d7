import { ClearskiesError, type ErrorDetails } from './clearskies-error.ts'

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

/** Options of {@link BadRequestError}. */
export interface BadRequestDetails extends HttpErrorDetails {
  /** The single findings. @default [] */
  errors?: readonly InputError[]
}

/** Options of {@link ConflictError}. */
export interface ConflictDetails extends HttpErrorDetails {
  /** The item as it is now, where the database tells. */
  current?: unknown
  /** Whether the write may have been made all the same, by an attempt whose answer was lost. @default false */
  ambiguous?: boolean
}

/**
 * An error that an HTTP source answers with the error's own status. It has the shape of the errors of `http-errors` and
 * of Middy's `createError`: a handler may throw any of the three.
 *
 * @example
 * ```ts
 * import { HttpError } from 'clearskies-middy'
 *
 * export const busy = new HttpError(503, 'Closed for stocktaking', {
 *   expose: true,
 *   headers: { 'retry-after': '600' },
 * })
 * ```
 */
export class HttpError extends ClearskiesError {
  override name = 'HttpError'
  readonly statusCode: number
  /** Whether the message reaches the caller. */
  readonly expose: boolean
  declare readonly headers?: Readonly<Record<string, string | string[]>>

  constructor(statusCode: number, message: string, { expose, headers, ...details }: HttpErrorDetails = {}) {
    super(message, details)
    this.statusCode = statusCode
    this.expose = expose ?? statusCode < 500
    if (headers !== undefined) this.headers = headers
  }
}

/**
 * The caller's input cannot be used: 400. The single findings are in `errors`.
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

  constructor(message: string, { errors = [], ...details }: BadRequestDetails = {}) {
    super(400, message, details)
    this.errors = errors
  }
}

/** Text that should be JSON is not: 400. The message says where the text breaks, and never quotes it. */
export class MalformedJsonError extends BadRequestError {
  override name = 'MalformedJsonError'
  /** The offset of the first character that does not fit, in UTF-16 units. */
  readonly position: number

  constructor(what: string, position: number) {
    super(`${what} is not valid JSON: it breaks at position ${position}`)
    this.position = position
  }
}

/** A part of the request does not fit its schema: 400. The single findings are in `errors`. */
export class ValidationError extends BadRequestError {
  override name = 'ValidationError'
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

/**
 * What should be new exists already, or somebody else has changed it meanwhile: 409. Read the item again, or take
 * `current`.
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
  /** The item as it is now, where the database tells. Not enumerable, so that no log shows it. */
  declare readonly current?: unknown

  constructor(message: string, { current, ambiguous = false, ...details }: ConflictDetails = {}) {
    super(409, message, details)
    this.ambiguous = ambiguous
    if (current !== undefined) Object.defineProperty(this, 'current', { value: current })
  }
}

/** Options of {@link DeadlineError}. */
export interface DeadlineDetails extends HttpErrorDetails {
  /** Whether a write may have been made all the same. @default false */
  ambiguous?: boolean
}

/** The function's time was nearly up before a record, a query or a write was done: 504 behind HTTP. */
export class DeadlineError extends HttpError {
  override name = 'DeadlineError'
  /** Whether a write may have been made all the same: its answer was not waited for. */
  readonly ambiguous: boolean

  constructor(message: string, { ambiguous = false, ...details }: DeadlineDetails = {}) {
    super(504, message, details)
    this.ambiguous = ambiguous
  }
}

/** The handler's result cannot become a response: 500. The caller does not see the message. */
export class InvalidResponseError extends ClearskiesError {
  override name = 'InvalidResponseError'
  readonly statusCode = 500
  readonly expose = false
}

/** The response is larger than its source can deliver: 500. */
export class ResponseTooLargeError extends InvalidResponseError {
  override name = 'ResponseTooLargeError'
  /** Bytes. */
  readonly size: number
  /** Bytes. */
  readonly limit: number

  constructor(size: number, limit: number) {
    super(`The response is ${size} bytes, and at most ${limit} can be delivered`)
    this.size = size
    this.limit = limit
  }
}
