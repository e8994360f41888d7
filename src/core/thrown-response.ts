import { HttpError } from '../errors/index.ts'

/** The status of what is a response: Lambda's envelope, `respond()`'s or the web's. */
export function statusOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { statusCode, status } = value as { statusCode?: unknown; status?: unknown }
  const isWeb = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Response'
  const code = isWeb ? status : statusCode
  return typeof code === 'number' ? code : undefined
}

/**
 * Where no HTTP source is, a response that is thrown becomes an error: Lambda tells the caller an error's name and message,
 * and of anything else neither.
 */
export function errorOf(thrown: unknown): unknown {
  try {
    const status = thrown instanceof Error ? undefined : statusOf(thrown)
    if (status === undefined) return thrown
    return new HttpError(status, `The handler threw a response with the status ${status}`, { cause: thrown })
  } catch {
    return thrown // It cannot be looked at.
  }
}
