/**
 * Where the library says what a caller must not see. `console` fits, and so do most loggers.
 *
 * @example
 * ```ts
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 *
 * export const quiet = httpApi({ logger: { error() {}, warn() {} } })
 * ```
 */
export interface Logger {
  /** What somebody has to look at. */
  error(message: string, details?: unknown): void
  /** What went on all the same. */
  warn(message: string, details?: unknown): void
}

/** Used where no `logger` option is given. On Lambda it ends in the function's log group. */
export const defaultLogger: Logger = console

/** A logger of a user's may do more than its type says. */
type AnyLogger = Record<keyof Logger, (message: string, details?: unknown) => unknown>

/** Tells the logger something; a logger that throws, at once or later, changes nothing. */
export function logSafely(logger: Logger, level: keyof Logger, message: string, details?: unknown): void {
  const it: AnyLogger = logger
  try {
    const saying = it[level](message, details)
    if (saying instanceof Promise) saying.catch(ignore)
  } catch {
    // Nowhere left to say it.
  }
}

function ignore(): void {
  // Nowhere left to say it.
}
