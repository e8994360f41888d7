import { type Fields, text } from './wire.ts'

/** A map for names that a client chooses: without a prototype, because one may be called `__proto__`. */
export function emptyMap<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>
}

/** Whether a header can be sent, by RFC 9110: a line break in it would begin another header of somebody's choice. */
export function isHeaderLine(name: string, line: string): boolean {
  return /^[\w!#$%&'*+\-.^`|~]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(line)
}

/**
 * All lines of all headers, or those of one name: where both maps have it, the list has every value and the single one
 * repeats its last, so that the list wins. Anything but text counts as absent.
 */
export function eachHeader(raw: Fields, visit: (name: string, line: string) => void): void {
  const single = raw['headers'] as Fields | null | undefined
  const lists = raw['multiValueHeaders'] as Fields | null | undefined
  for (const name in lists) {
    const lines = lists[name]
    if (Array.isArray(lines))
      for (const line of lines) if (typeof line === 'string') visit(name.toLowerCase(), line)
  }
  for (const name in single) {
    const line = single[name]
    if (typeof line === 'string' && !Array.isArray(lists?.[name])) visit(name.toLowerCase(), line)
  }
}

/** Names in lower case; lines of one name are joined in order, cookies with `; ` (RFC 6265), all else with `, `. */
export function readHeaders(raw: Fields): Record<string, string> {
  const headers = emptyMap<string>()
  eachHeader(raw, (name, line) => {
    const before = headers[name]
    headers[name] = before === undefined ? line : before + (name === 'cookie' ? '; ' : ', ') + line
  })
  // Payload 2.0 takes cookies out of the headers; function URLs send them in both places.
  const { cookies } = raw
  if (Array.isArray(cookies) && cookies.length > 0) headers['cookie'] = cookies.filter(text).join('; ')
  return headers
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
