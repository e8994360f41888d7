import { InvalidResponseError } from '../../errors/index.ts'
import { isHeaderLine } from './headers.ts'
import type { WireHeaders } from './http-source.ts'

/** The lines of a response, by lower-case name; cookies apart, because sources take them in different places. */
export interface ResponseLines {
  readonly headers: WireHeaders
  readonly cookies: string[]
}

/** Belong to the connection, not to the message (RFC 9110, 7.6.1); the gateway computes the length itself. */
const connectionHeaders =
  /^(?:connection|content-length|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/

/**
 * The names and values of headers, whether they are an object, a `Map`, or a web `Headers`, whose cookies are one by one.
 *
 * @throws InvalidResponseError for anything else
 */
export function headerEntries(headers: unknown): [name: string, value: unknown][] {
  if (headers === undefined || headers === null) return []
  if (typeof headers !== 'object' || Array.isArray(headers))
    throw new InvalidResponseError(`Headers are an object, a Map or a Headers, not ${nameOfKind(headers)}`)
  if (!isIterable(headers)) return Object.entries(headers)
  return Array.from(headers, (entry) => {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string')
      throw new InvalidResponseError('Headers that can be iterated give pairs of a name and a value')
    return [entry[0], entry[1]]
  })
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value
}

/** Adds headers. Written twice in different spellings the later one counts. */
export function addLines(map: unknown, { headers, cookies }: ResponseLines): void {
  for (const [name, value] of headerEntries(map)) {
    const key = name.toLowerCase()
    const lines = linesOf(key, value)
    if (lines.length === 0 || connectionHeaders.test(key)) continue
    if (key === 'set-cookie') cookies.push(...lines)
    // Who varies by what, all of them say.
    else if (key === 'vary') headers[key] = unique(headers[key], lines)
    else headers[key] = lines.length === 1 ? String(lines[0]) : lines
  }
}

/**
 * Adds the second map of Lambda's envelope. A pair that is in both is sent once, in the place where this map has it.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function mergeLines(map: unknown, { headers, cookies }: ResponseLines): void {
  for (const [name, value] of headerEntries(map)) {
    const key = name.toLowerCase()
    const lines = linesOf(key, value)
    if (lines.length === 0 || connectionHeaders.test(key)) continue
    const before = key === 'set-cookie' ? cookies.splice(0) : [headers[key] ?? []].flat()
    const all = [...before.filter((line) => !lines.includes(line)), ...lines]
    if (key === 'set-cookie') cookies.push(...all)
    else headers[key] = all.length === 1 ? String(all[0]) : all
  }
}

function unique(before: string | string[] | undefined, lines: readonly string[]): string[] {
  return [...new Set([before ?? [], lines].flat())]
}

function linesOf(name: string, value: unknown): string[] {
  if (!Array.isArray(value)) return value === undefined || value === null ? [] : [checkedLine(name, value)]
  return value
    .flat()
    .flatMap((line: unknown) => (line === undefined || line === null ? [] : checkedLine(name, line)))
}

function checkedLine(name: string, value: unknown): string {
  const isText = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  const line = isText || typeof value === 'bigint' ? String(value) : undefined
  // In a map, this name would be the map's prototype.
  if (line === undefined || name === '__proto__' || !isHeaderLine(name, line))
    throw new InvalidResponseError(
      `The header ${JSON.stringify(name)} cannot be sent${whyNot(line, nameOfKind(value))}`,
    )
  return line.trim()
}

function whyNot(line: string | undefined, kind: string): string {
  if (line === undefined) return `: it is ${kind}`
  // RFC 8187 has a form for file names, `filename*=UTF-8''…`; other values can be percent-encoded.
  return /[^\0-\xff]/.test(line) ? ': it has a character that headers do not have. Encode it' : ''
}

/** What a value is, for a message: never the value. */
export function nameOfKind(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
