import { ignore } from './ignore.ts'

/**
 * Where the library reports what the caller must not see. `console`, winston and Powertools' logger fit as they are. A
 * logger that takes the error first, as pino does, needs two functions, or it drops the error.
 *
 * @example
 * ```ts
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 * import { pino } from 'pino'
 *
 * const log = pino()
 *
 * export const normalizer = httpApi({
 *   logger: {
 *     error: (message, error) => log.error({ err: error }, message),
 *     warn: (message, error) => log.warn({ err: error }, message),
 *   },
 * })
 * ```
 */
export interface Logger {
  /** Reports what somebody has to look at. `details` is the error, where there is one. */
  error(message: string, details?: unknown): void
  /** Reports what did not stop the work. */
  warn(message: string, details?: unknown): void
  /** Reports what was wished for, where the logger has this level: a record that is to come again later. */
  info?(message: string, details?: unknown): void
}

/** Serves where the option `logger` is not given. On Lambda it writes to the function's log group. */
export const defaultLogger: Logger = console

/** A user's logger may return a promise, whatever its type says. */
type AnyLogger = Partial<Record<keyof Logger, (message: string, details?: unknown) => unknown>>

/** Calls the logger. Ignores an error of the logger, thrown at once or later. */
export function logSafely(logger: Logger, level: keyof Logger, message: string, details?: unknown): void {
  const it: AnyLogger = logger
  try {
    // A console writes the word `undefined` for an argument that is.
    const saying = details === undefined ? it[level]?.(message) : it[level]?.(message, details)
    if (saying instanceof Promise) saying.catch(ignore)
  } catch {
    // There is nowhere left to report it.
  }
}
