/** A request as a client sends it; what is left out is made up. */
export interface DescribedRequest {
  /** @default POST with a body, GET without */
  readonly method?: string
  /** Percent-encoded, with or without a query. @default '/' */
  readonly path?: string
  /** More of the query: pairs, or the text as it stands behind `?`. */
  readonly query?: string | URLSearchParams | Readonly<Record<string, string | readonly string[]>>
  /** A list is sent as several lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly cookies?: Readonly<Record<string, string>>
  /** Text and bytes as they are, anything else as JSON. */
  readonly body?: unknown
  /** @default '203.0.113.7' */
  readonly clientIp?: string
  readonly protocol?: 'http' | 'https'
}

/** The same, taken apart: what a gateway reads off the wire. */
export interface DescribedParts {
  readonly method: string
  /** As sent: percent-encoded. */
  readonly path: string
  /** As sent, without `?`. */
  readonly rawQuery: string
  /** The query's pairs, encoded as they were sent. */
  readonly rawPairs: readonly (readonly [name: string, value: string])[]
  /** In order, names spelled as sent. */
  readonly lines: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  readonly clientIp: string
  readonly protocol: 'http' | 'https'
}

export function parseRequest({
  method,
  path = '/',
  query,
  headers = {},
  cookies,
  body,
  clientIp = '203.0.113.7',
  protocol = 'https',
}: DescribedRequest): DescribedParts {
  const [pathname = '/', ...inline] = path.split('?')
  const rawQuery = [inline.join('?'), queryText(query)].filter((part) => part !== '').join('&')
  const bytes = encodedBody(body)
  return {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    path: pathname === '' ? '/' : pathname,
    rawQuery,
    rawPairs: queryPairs(rawQuery),
    lines: headerLines({ headers, body, ...(cookies && { cookies }) }, bytes),
    body: bytes,
    clientIp,
    protocol,
  }
}

/** The lines that are sent: what was described, and what a client adds by itself. */
function headerLines(
  { headers = {}, cookies, body }: DescribedRequest,
  bytes: Uint8Array,
): (readonly [name: string, value: string])[] {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((line) => [name, line] as const),
  )
  const has = (wanted: string): boolean => lines.some(([name]) => name.toLowerCase() === wanted)
  if (cookies !== undefined) {
    const pairs = Object.entries(cookies).map(([name, value]) => `${name}=${value}`)
    lines.push(['cookie', pairs.join('; ')])
  }
  if (typeof body === 'object' && body !== null && !(body instanceof Uint8Array) && !has('content-type'))
    lines.push(['content-type', 'application/json'])
  if (bytes.length > 0 && !has('content-length')) lines.push(['content-length', String(bytes.length)])
  return lines
}

function queryPairs(rawQuery: string): (readonly [name: string, value: string])[] {
  const pairs = rawQuery.split('&').filter((pair) => pair !== '')
  return pairs.map((pair) => {
    const equals = pair.indexOf('=')
    return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
  })
}

/** The query as a source has it that decodes: names and values decoded once. */
export function decodedPairs({ rawPairs }: DescribedParts): (readonly [name: string, value: string])[] {
  return rawPairs.map(([name, value]) => [decodePart(name), decodePart(value)])
}

function queryText(query: DescribedRequest['query']): string {
  if (query === undefined || typeof query === 'string') return query ?? ''
  if (query instanceof URLSearchParams) return query.toString()
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    for (const each of typeof value === 'string' ? [value] : value) parameters.append(name, each)
  return parameters.toString()
}

export function encodedBody(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0)
  if (body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

/** The value of a header, its lines joined. */
export function headerOf({ lines }: DescribedParts, wanted: string): string | undefined {
  const values = lines.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** A query part decoded as forms are: `+` is a space. A malformed escape stays. */
export function decodePart(part: string): string {
  return new URLSearchParams(`x=${part}`).get('x') ?? ''
}

/** Content types whose bodies load balancers and HTTP APIs hand over as text; everything else comes as base64. */
export function isTextBody(request: DescribedParts): boolean {
  const type = headerOf(request, 'content-type') ?? ''
  return (
    headerOf(request, 'content-encoding') === undefined &&
    /^(?:text\/|application\/(?:json|javascript|xml)\b)/i.test(type)
  )
}

/** The path parameters of a template, as they stand in the path; `undefined` if the path does not fit. */
export function matchTemplate(path: string, template: string): Record<string, string> | undefined {
  const names: string[] = []
  const pattern = template.split('/').map((part) => {
    const parameter = /^\{(.+?)(\+?)\}$/.exec(part)
    if (parameter === null) return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    names.push(parameter[1] as string)
    return parameter[2] === '+' ? '(.+)' : '([^/]+)'
  })
  const match = new RegExp(`^${pattern.join('/')}/?$`).exec(path)
  return match === null
    ? undefined
    : Object.fromEntries(names.map((name, index) => [name, match[index + 1] as string]))
}

export const region = 'eu-central-1'
export const accountId = '123456789012'
export const traceId = 'Root=1-5e1b4151-5ac6c58f3b1a2b3c4d5e6f70'
