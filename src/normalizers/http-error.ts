import type { InputError } from '../errors.ts'
import { HttpResponse, type ResponseHeaders } from './respond.ts'
import { statusText } from './status-text.ts'

/** How errors are answered: as RFC 9457 problem documents, as clearskies does it, or by a function. */
export type ErrorFormat = 'problem' | 'clearskies'

/** What an error says to the caller. */
interface Told {
  readonly status: number
  readonly message: string | undefined
  readonly errors: readonly InputError[]
  readonly headers: ResponseHeaders
}

/** Whether the error is the caller's, so that it is told why, or the application's, which is only logged. */
export function isExposed(error: unknown): boolean {
  const { statusCode, expose } = factsOf(error)
  return isErrorStatus(statusCode) && (typeof expose === 'boolean' ? expose : statusCode < 500)
}

/** The response to an error. Of one that is not exposed it has the status and nothing else. */
export function errorResponse(error: unknown, format: ErrorFormat): HttpResponse {
  const told = tell(error)
  return format === 'problem' ? problemResponse(told) : clearskiesResponse(told)
}

function tell(error: unknown): Told {
  const { statusCode, message, errors, headers } = factsOf(error)
  const exposed = isExposed(error)
  return {
    status: isErrorStatus(statusCode) ? statusCode : 500,
    message: exposed && typeof message === 'string' && message !== '' ? message : undefined,
    errors: exposed && Array.isArray(errors) ? (errors as InputError[]) : [],
    headers: typeof headers === 'object' && headers !== null ? (headers as ResponseHeaders) : {},
  }
}

/** https://www.rfc-editor.org/rfc/rfc9457 */
function problemResponse({ status, message, errors, headers }: Told): HttpResponse {
  const problem = {
    title: statusText(status),
    status,
    ...(message !== undefined && { detail: message }),
    ...(errors.length > 0 && { errors }),
  }
  return new HttpResponse(problem, {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  })
}

function clearskiesResponse({ status, message, errors, headers }: Told): HttpResponse {
  const envelope = {
    status: errors.length > 0 ? 'input_errors' : status < 500 ? 'client_error' : 'failure',
    error: message ?? (errors.length > 0 ? '' : statusText(status)),
    data: [],
    pagination: {},
    input_errors: Object.fromEntries(
      errors.map(({ path, message: text }) => [path.map(String).join('.'), text]),
    ),
  }
  return new HttpResponse(envelope, { status, headers })
}

function isErrorStatus(status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599
}

interface Facts {
  readonly statusCode?: unknown
  readonly expose?: unknown
  readonly message?: unknown
  readonly errors?: unknown
  readonly headers?: unknown
}

/** Reads a thrown value, which may be anything, also an object whose getters throw. */
function factsOf(error: unknown): Facts {
  if (typeof error !== 'object' || error === null) return {}
  try {
    const { statusCode, status, expose, message, errors, headers } = error as Facts & {
      readonly status?: unknown
    }
    return { statusCode: statusCode ?? status, expose, message, errors, headers }
  } catch {
    return {}
  }
}
