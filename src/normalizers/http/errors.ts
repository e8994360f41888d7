import { asRecord, asString } from '../../core/record.ts'
import type { ShownResponse } from './envelope.ts'
import { headerEntries } from './response-headers.ts'
import { statusText } from './status-text.ts'

/** How errors are answered: as RFC 9457 problem documents, or in clearskies' envelope. */
export type ErrorFormat = 'problem' | 'clearskies'

/** One thing that is wrong with the caller's input, as the caller is told. */
interface Finding {
  readonly path?: string | readonly string[]
  readonly message?: string
  readonly in?: string
}

/** What the caller is told of an error; of one that is not exposed, its status alone. */
export interface ErrorFacts {
  readonly status: number
  /** Whether the error is the caller's, so that it is told why, or the application's, which is only logged. */
  readonly exposed: boolean
  readonly message: string
  readonly errors: readonly Finding[]
  readonly headers: Readonly<Record<string, unknown>>
}

const unexposed: ErrorFacts = { status: 500, exposed: false, message: '', errors: [], headers: {} }

/**
 * Reads a thrown value, which may be anything, also an object whose getters throw. Only a boolean `expose`, its own or
 * its class's, makes it an error for the caller: HTTP clients put the `status` of other servers on their errors.
 */
export function errorFacts(error: unknown): ErrorFacts {
  const record = asRecord(error)
  const expose = readSafely(record, 'expose')
  const status = [readSafely(record, 'statusCode'), readSafely(record, 'status')].find(isErrorStatus)
  if (typeof expose !== 'boolean' || status === undefined) return unexposed
  if (!expose) return { ...unexposed, status }
  const { findings, count } = findingsOf(readSafely(record, 'errors'))
  const message = asString(readSafely(record, 'message')) ?? ''
  const told =
    findings.length < count ? `${message} (${findings.length} of ${count} findings)`.trim() : message
  return {
    status,
    exposed: true,
    message: told,
    errors: findings,
    headers: errorHeaders(readSafely(record, 'headers')),
  }
}

/** A property that may be a getter that throws, or a trap of a proxy. */
function readSafely(object: Readonly<Record<PropertyKey, unknown>> | undefined, name: PropertyKey): unknown {
  try {
    return object?.[name]
  } catch {
    return undefined
  }
}

function isErrorStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 399 && value < 600
}

/** They describe a body that is not sent, set cookies, or belong to a connection. */
const innerHeaders =
  /^(?:set-cookie|content-.*|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i

function errorHeaders(headers: unknown): Record<string, unknown> {
  try {
    return Object.fromEntries(headerEntries(headers).filter(([name]) => !innerHeaders.test(name.trim())))
  } catch {
    return {}
  }
}

/** Some hundred are plenty for a reader, and a list of what one request can hold would not fit into a response. */
const limits = { findings: 100, bytes: 64_000, message: 1_000, path: 200, depth: 32 }

/** The findings that are told, and how many there are. Other libraries have lists of another form. */
function findingsOf(errors: unknown): { readonly findings: readonly Finding[]; readonly count: number } {
  const findings: Finding[] = []
  const count = listLength(errors) ?? 0
  let bytes = 0
  let others = 0
  for (let index = 0; index < count && findings.length < limits.findings; index++) {
    const finding = findingOf(readSafely(asRecord(errors), index))
    if (finding === undefined) others++
    else {
      bytes += Buffer.byteLength(JSON.stringify(finding))
      if (bytes > limits.bytes) break
      findings.push(finding)
    }
  }
  return { findings, count: count - others }
}

/** `undefined` for what is no list, or cannot be asked. */
function listLength(value: unknown): number | undefined {
  try {
    return Array.isArray(value) ? value.length : undefined
  } catch {
    return undefined
  }
}

function findingOf(entry: unknown): Finding | undefined {
  if (typeof entry === 'string') return { message: shortened(entry, limits.message) }
  const record = asRecord(entry)
  const path = findingPath(readSafely(record, 'path'))
  const message = asString(readSafely(record, 'message'))
  const part = asString(readSafely(record, 'in'))
  if (path === undefined && message === undefined) return undefined
  return {
    ...(path !== undefined && { path }),
    ...(message !== undefined && { message: shortened(message, limits.message) }),
    ...(part !== undefined && { in: shortened(part, limits.path) }),
  }
}

function findingPath(path: unknown): string | string[] | undefined {
  if (typeof path === 'string') return shortened(path, limits.path)
  const length = listLength(path)
  if (length === undefined) return undefined
  const segments = Array.from({ length: Math.min(length, limits.depth) }, (_, index) =>
    readSafely(asRecord(path), index),
  )
  return segments.flatMap((segment) => (isKey(segment) ? shortened(String(segment), limits.path) : []))
}

function isKey(value: unknown): value is PropertyKey {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'symbol'
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}

/** The response to an error, which other middlewares may change. */
export function errorResponse(facts: ErrorFacts, format: ErrorFormat): ShownResponse {
  const { status, message, errors, headers } = facts
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
    input_errors: Object.fromEntries(
      errors.map((finding) => [[finding.path ?? []].flat().join('.'), finding.message ?? '']),
    ),
  }
  return { statusCode: status, headers: { ...headers }, body }
}
