import { type UnknownRecord, asRecord, asString, asStrings, emptyMap } from '../../core/record.ts'

/** Whether a header can be sent, by RFC 9110: a line break in it would begin another header of somebody's choice. */
export function isHeaderLine(name: string, line: string): boolean {
  return /^[\w!#$%&'*+\-.^`|~]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(line)
}

/** Names in lower case; lines of one name are joined in order: cookies with `; ` (RFC 6265), all else with `, `. */
function readHeaders(raw: UnknownRecord): Record<string, string> {
  const single = asRecord(raw['headers'])
  const hasOneMap = single !== undefined && asRecord(raw['multiValueHeaders']) === undefined
  // A copy that loses its prototype is several times as fast as a map that is filled.
  const headers: Record<string, string> =
    hasOneMap && isReady(single) ? { ...single, __proto__: null as never } : joinLines(raw)
  const { cookies } = raw
  // Payload 2.0 takes cookies out of the headers; function URLs send them in both places.
  if (Array.isArray(cookies) && cookies.length > 0) headers['cookie'] = cookies.filter(asString).join('; ')
  return headers
}

/** The names of the request before, all in lower case. To meet the same ones in the same places costs next to nothing. */
let namesBefore: readonly string[] = []

/** Whether a map has one line for each name, spelled as `headers` has it. Most sources send such a map. */
function isReady(map: UnknownRecord): map is Readonly<Record<string, string>> {
  let at = 0
  let isSame = true
  for (const name in map) {
    if (typeof map[name] !== 'string') return false
    if (name === namesBefore[at++]) continue
    if (!isLowerCase(name)) return false
    isSame = false
  }
  if (!isSame) namesBefore = Object.keys(map)
  return true
}

/** Names that are in lower case. Clients send the same ones again and again, and a look costs half of a comparison. */
const lowerCaseNames = new Set<string>()

function isLowerCase(name: string): boolean {
  if (lowerCaseNames.has(name)) return true
  if (name !== name.toLowerCase()) return false
  // Clients choose names: only some are remembered.
  if (lowerCaseNames.size < 1000 && name.length < 50) lowerCaseNames.add(name)
  return true
}

function joinLines(raw: UnknownRecord): Record<string, string> {
  const headers = emptyMap<string>()
  eachLine(raw, (name, line) => {
    const before = headers[name]
    headers[name] = before === undefined ? line : before + (name === 'cookie' ? '; ' : ', ') + line
  })
  return headers
}

/** Every line with its lower-case name. Of a name that both maps have, the lists have every line. */
function eachLine(raw: UnknownRecord, visit: (name: string, line: string) => void): void {
  const lists = asRecord(raw['multiValueHeaders'])
  const single = asRecord(raw['headers'])
  const listed = lists && new Set<string>()
  for (const key in lists) {
    const name = key.toLowerCase()
    for (const line of asStrings(lists[key])) {
      visit(name, line)
      listed?.add(name)
    }
  }
  for (const key in single) {
    const name = key.toLowerCase()
    if (listed?.has(name) !== true) for (const line of asStrings(single[key])) visit(name, line)
  }
}

/** A request's headers. What a middleware writes counts from then on. */
export class RequestHeaders {
  readonly #event: UnknownRecord
  #all: Record<string, string> | undefined
  #lists: Record<string, string[]> | undefined

  constructor(event: UnknownRecord) {
    this.#event = event
  }

  get all(): Record<string, string> {
    return (this.#all ??= readHeaders(this.#event))
  }
  set all(value: Record<string, string>) {
    this.#all = value
  }

  get(name: string): string | undefined {
    const key = name.toLowerCase()
    // One header can be had without reading all; of cookies, which some sources send apart, all are wanted anyway.
    if (this.#all !== undefined || key === 'cookie') return findHeader(this.all, key)
    const lines = readLines(this.#event, key)
    return lines.length > 1 ? lines.join(', ') : lines[0]
  }

  linesOf(name: string): string[] {
    const key = name.toLowerCase()
    const lines = key === 'cookie' ? [] : readLines(this.#event, key)
    return this.#all === undefined && key !== 'cookie' ? lines : linesNow(lines, this.get(key))
  }

  /** For Middy's own middlewares. Reads each line once. */
  get lists(): Record<string, string[]> {
    if (this.#lists !== undefined) return this.#lists
    const sent = new Map<string, string[]>()
    eachLine(this.#event, (name, line) => {
      const lines = sent.get(name)
      if (lines === undefined) sent.set(name, [line])
      else lines.push(line)
    })
    const entries = Object.entries(this.all)
    return Object.fromEntries(entries.map(([name, value]) => [name, linesNow(sent.get(name), value)]))
  }
  set lists(value: Record<string, string[]>) {
    this.#lists = value
  }
}

/** The lines that a header came with, unless somebody has written another value since. */
function linesNow(lines: string[] = [], value: string | undefined): string[] {
  if (value === undefined) return []
  return lines.length > 0 && lines.join(', ') === value ? lines : [value]
}

/** One header among those that are read already; who wrote to them may have spelled names in another way. */
function findHeader(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return headers[name] ?? linesNamed(headers, name)[0]
}

/** `text/html`, in lower case and without parameters. */
export function mediaType(contentType: string | undefined): string | undefined {
  return /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)/.exec(contentType ?? '')?.[1]?.toLowerCase()
}

/** The lines of one header, without reading the others. */
function readLines(raw: UnknownRecord, name: string): string[] {
  const listed = linesNamed(asRecord(raw['multiValueHeaders']), name)
  return listed.length > 0 ? listed : linesNamed(asRecord(raw['headers']), name)
}

function linesNamed(map: UnknownRecord | undefined, name: string): string[] {
  const lines: string[] = []
  for (const key in map) {
    // Lengths are compared first, for they are at hand.
    if (key.length === name.length && key.toLowerCase() === name)
      for (const line of asStrings(map[key])) lines.push(line)
  }
  return lines
}

/**
 * The cookies of a request. Only the first `=` separates, the first cookie of a name wins, a malformed `%` stays as
 * it is, and a bare word is a cookie without a value (AWS's own samples have them).
 */
export function readCookies(header = ''): Record<string, string> {
  const cookies = emptyMap<string>()
  for (const pair of header.split(';')) {
    const separator = pair.indexOf('=')
    const name = (separator < 0 ? pair : pair.slice(0, separator)).trim()
    if (name && !(name in cookies))
      cookies[name] = separator < 0 ? '' : cookieValue(pair.slice(separator + 1))
  }
  return cookies
}

function cookieValue(text: string): string {
  const value = text.trim()
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"')
  return decodeLeniently(isQuoted ? value.slice(1, -1) : value)
}

function decodeLeniently(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
