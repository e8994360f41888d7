import type { Logger } from './types.ts'

/** Used where no `logger` option is given. On Lambda it ends in the function's log group. */
export const defaultLogger: Logger = console

/** Tells the logger something; a logger that throws changes nothing. */
export function say(logger: Logger, level: keyof Logger, message: string, details?: unknown): void {
  try {
    logger[level](message, details)
  } catch {
    // Nowhere left to say it.
  }
}
