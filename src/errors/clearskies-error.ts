/** Options that most errors of the library accept. */
export interface ErrorDetails {
  /** The original error. */
  cause?: unknown
}

/**
 * The base class of every error of the library, except the `TypeError` that a factory throws for a wrong option. `name`
 * is the name of the class, `cause` the original error where there is one.
 *
 * @example
 * ```ts
 * import { ClearskiesError } from 'clearskies-middy'
 *
 * export function originOf(error: unknown): string {
 *   return error instanceof ClearskiesError ? `clearskies-middy (${error.name})` : 'own code'
 * }
 * ```
 */
export class ClearskiesError extends Error {
  override name = 'ClearskiesError'
  /** The table that it is about. It is there for logs: no message that reaches a caller names a table. */
  declare readonly table?: string
  /** The region of that table. */
  declare readonly region?: string

  constructor(message: string, { cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
  }
}
