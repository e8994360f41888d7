/** Headers as events carry them: one value per name, or a list per name, or nothing at all. */
export type HeaderMap = Readonly<Record<string, string | null | undefined>> | null | undefined
export type HeaderLists =
  Readonly<Record<string, readonly (string | null | undefined)[] | null | undefined>> | null | undefined

/**
 * One map of lower-case names without a prototype (a client may send a header called `__proto__`). Lines of one
 * name, in whatever spelling, are joined in order: cookies with `; ` (RFC 6265), everything else with `, `.
 * Where both maps carry a name, the list has every value and the single one repeats its last, so the list wins.
 */
export function readHeaders(single: HeaderMap, lists: HeaderLists): Record<string, string> {
  const headers = emptyMap<string>()
  for (const name in lists) {
    for (const value of listOf(lists[name])) addHeader(headers, name, value)
  }
  for (const name in single) {
    if (listOf(lists?.[name]).length === 0) addHeader(headers, name, single[name])
  }
  return headers
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function addHeader(headers: Record<string, string>, name: string, value: unknown): void {
  if (typeof value !== 'string') return
  const key = name.toLowerCase()
  const before = headers[key]
  headers[key] = before === undefined ? value : before + (key === 'cookie' ? '; ' : ', ') + value
}

/** Every line of one header, in order. Sources that join lines themselves give what they joined as one. */
export function readHeaderLines(single: HeaderMap, lists: HeaderLists, name: string): string[] {
  const lines: unknown[] = []
  for (const key in lists) {
    if (key.toLowerCase() === name) lines.push(...listOf(lists[key]))
  }
  for (const key in single) {
    if (key.toLowerCase() === name && listOf(lists?.[key]).length === 0) lines.push(single[key])
  }
  return lines.filter((line) => typeof line === 'string')
}

/**
 * The cookies of a request. Only the first `=` separates, the first cookie of a name wins, a malformed `%` stays as
 * it is, and a bare word is a cookie without a value (AWS's own samples have them).
 */
export function readCookies(header: string | undefined): Record<string, string> {
  const cookies = emptyMap<string>()
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    const name = (equals < 0 ? pair : pair.slice(0, equals)).trim()
    if (name === '' || name in cookies) continue
    const value = equals < 0 ? '' : pair.slice(equals + 1).trim()
    cookies[name] = decodeLeniently(
      value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value,
    )
  }
  return cookies
}

function decodeLeniently(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A map for names that a client chooses. */
export function emptyMap<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>
}
