import { type UnknownRecord, asRecord, asString, emptyMap } from '../../core/record.ts'

/** Whether a header can be sent, by RFC 9110: a line break in it would begin another header of somebody's choice. */
export function isHeaderLine(name: string, line: string): boolean {
  return /^[\w!#$%&'*+\-.^`|~]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(line)
}

/** Names in lower case; lines of one name are joined in order: cookies with `; ` (RFC 6265), all else with `, `. */
export function readHeaders(raw: UnknownRecord): Record<string, string> {
  const headers = emptyMap<string>()
  const { headers: single, multiValueHeaders: lists } = raw as Maps
  for (const name in lists) join(headers, name.toLowerCase(), lists[name])
  for (const name in single) if (!isList(lists, name)) join(headers, name.toLowerCase(), [single[name]])
  const { cookies } = raw
  // Payload 2.0 takes cookies out of the headers; function URLs send them in both places.
  if (Array.isArray(cookies) && cookies.length > 0) headers['cookie'] = cookies.filter(asString).join('; ')
  return headers
}

interface Maps {
  readonly headers?: UnknownRecord | null
  readonly multiValueHeaders?: UnknownRecord | null
}

/** Where both maps have a name, the list has every value and the single one repeats its last. */
function isList(lists: UnknownRecord | null | undefined, name: string): boolean {
  return lists != null && Array.isArray(lists[name])
}

function join(headers: Record<string, string>, name: string, lines: unknown): void {
  if (!Array.isArray(lines)) return
  for (const line of lines) {
    const before = headers[name]
    if (typeof line === 'string')
      headers[name] = before === undefined ? line : before + (name === 'cookie' ? '; ' : ', ') + line
  }
}

/** One header by its lower-case name, without reading the others. */
export function readHeader(raw: UnknownRecord, name: string): string | undefined {
  const line = raw['multiValueHeaders'] ? undefined : asRecord(raw['headers'])?.[name]
  if (typeof line === 'string') return line
  const lines = readHeaderLines(raw, name)
  return lines.length > 0 ? lines.join(', ') : undefined
}

/** One header among those that are read already; who wrote to them may have spelled names in another way. */
export function findHeader(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return headers[name] ?? Object.entries(headers).find(([other]) => other.toLowerCase() === name)?.[1]
}

const hostPattern = /^(?:[a-z\d_](?:[a-z\d_.-]*[a-z\d_.])?|\[[\da-f:.]+\])(?::\d{1,5})?$/i

/** Whether a text is a host and can stand in an address. */
export function isHost(host: string | undefined): boolean {
  return host !== undefined && hostPattern.test(host) && URL.canParse(`http://${host}`)
}

/** The lines of one header, without reading the others: lengths are compared first, for they are at hand. */
export function readHeaderLines(raw: UnknownRecord, name: string): string[] {
  const { headers: single, multiValueHeaders: lists } = raw as Maps
  const found: unknown[] = []
  for (const key in lists) {
    if (key.length === name.length && key.toLowerCase() === name && isList(lists, key))
      found.push(...(lists[key] as unknown[]))
  }
  for (const key in single) {
    if (key.length === name.length && key.toLowerCase() === name && !isList(lists, key))
      found.push(single[key])
  }
  return found.filter((line) => typeof line === 'string')
}

/**
 * The cookies of a request. Only the first `=` separates, the first cookie of a name wins, a malformed `%` stays as
 * it is, and a bare word is a cookie without a value (AWS's own samples have them).
 */
export function readCookies(header = ''): Record<string, string> {
  const cookies = emptyMap<string>()
  for (const pair of header.split(';')) {
    const [, name, quoted, plain = ''] = /^\s*([^=]*?)\s*(?:=\s*(?:"(.*)"|(.*?))\s*)?$/s.exec(pair) ?? []
    if (name && !(name in cookies)) cookies[name] = decodeLeniently(quoted ?? plain)
  }
  return cookies
}

function decodeLeniently(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
