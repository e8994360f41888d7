import { asRecord, asString } from '../../core/record.ts'
import type { InputError } from '../../errors/index.ts'
import { statusText } from './status-text.ts'

/** How errors are answered: as RFC 9457 problem documents, or in clearskies' envelope. */
export type ErrorFormat = 'problem' | 'clearskies'

/** What an error says by the `http-errors` convention; of one that is not exposed, its status alone. */
export interface ErrorFacts {
  readonly status: number
  /** Whether the error is the caller's, so that it is told why, or the application's, which is only logged. */
  readonly exposed: boolean
  readonly message: string
  readonly errors: readonly InputError[]
  readonly headers: object
}

/** Reads a thrown value, which may be anything, also an object whose getters throw. */
export function errorFacts(error: unknown): ErrorFacts {
  try {
    const {
      statusCode,
      status = statusCode,
      expose,
      message,
      errors,
      headers,
    } = error as Readonly<Record<string, unknown>>
    if (Number.isInteger(status) && (status as number) > 399 && (status as number) < 600) {
      const exposed = typeof expose === 'boolean' ? expose : (status as number) < 500
      return {
        status: status as number,
        exposed,
        message: (exposed && asString(message)) || '',
        errors: exposed && Array.isArray(errors) ? (errors as InputError[]) : [],
        headers: asRecord(headers) ?? {},
      }
    }
  } catch {
    // Says nothing, then.
  }
  return { status: 500, exposed: false, message: '', errors: [], headers: {} }
}

/** The response to an error, as Lambda's envelope. */
export function errorResponse({ status, message, errors, headers }: ErrorFacts, format: ErrorFormat): object {
  const title = statusText(status)
  if (format === 'problem') {
    // https://www.rfc-editor.org/rfc/rfc9457
    const body = { title, status, ...(message && { detail: message }), ...(errors.length > 0 && { errors }) }
    return { statusCode: status, headers: { ...headers, 'content-type': 'application/problem+json' }, body }
  }
  const body = {
    status: errors.length > 0 ? 'input_errors' : status < 500 ? 'client_error' : 'failure',
    error: message || title,
    data: [],
    pagination: {},
    input_errors: Object.fromEntries(errors.map((one) => [one.path.map(String).join('.'), one.message])),
  }
  return { statusCode: status, headers, body }
}
