import type { Context } from 'aws-lambda'
import { parseJson } from '../json.ts'
import type { Authorizer } from './authorizer.ts'
import {
  type HeaderLists,
  type HeaderMap,
  emptyMap,
  readCookies,
  readHeaderLines,
  readHeaders,
} from './headers.ts'
import { type BasePath, canonicalPath, decodeParameter, matchBasePath } from './path.ts'
import { type Fields, fields } from './wire.ts'

/** The event sources that speak HTTP. */
export type HttpSource = 'alb' | 'rest-api' | 'http-api' | 'function-url'

/**
 * How one source spells a request in its event. Every member is a pure reader of the event and is called at most once
 * per request, when somebody looks.
 */
export interface HttpWire {
  method(raw: Fields): string
  rawPath(raw: Fields): string
  /** What stands in front of the application's own path: a stage, a custom domain's mapping. */
  prefix(raw: Fields, path: string): string
  rawQueryString(raw: Fields): string
  query(raw: Fields): URLSearchParams
  headers(raw: Fields): HeaderMap
  headerLists(raw: Fields): HeaderLists
  /** Cookies that the source takes out of the headers. */
  cookies(raw: Fields): readonly string[] | null | undefined
  pathParameters(raw: Fields): Record<string, string>
  resource(raw: Fields): string | undefined
  stage(raw: Fields): string | undefined
  body(raw: Fields): string | null | undefined
  isBase64Encoded(raw: Fields): boolean
  domainName(raw: Fields): string | null | undefined
  protocol(request: HttpRequest): 'http' | 'https'
  clientIp(raw: Fields, request: HttpRequest, trustedProxies: number | undefined): string | undefined
  requestId(raw: Fields, request: HttpRequest): string | undefined
  authorizer(raw: Fields, request: HttpRequest): Authorizer
  isHealthCheck(request: HttpRequest): boolean
}

/** The options of a normalizer that decide how a request is read. */
export interface HttpRequestOptions {
  /**
   * How many proxies that you run stand in front of the function and append to `X-Forwarded-For`.
   * @default 1 on ALB (the load balancer itself), 0 on the gateways (they tell the peer themselves)
   */
  readonly trustedProxies?: number
  /** A prefix, or several, to take off the path; it ends at a `/`. */
  readonly basePath?: BasePath
  /** Whether an HTTP API's stage is taken off the path. @default true */
  readonly stripStage?: boolean
}

const hostPattern = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i
const utf8 = new TextDecoder('utf-8')

/**
 * One HTTP request, whichever source it came from. Everything but `method` is read from the event when it is first
 * looked at; the event itself (`raw`) is never changed.
 *
 * Fields that Middy's own HTTP middlewares write (`headers`, `body`, `pathParameters`, …) can be written.
 *
 * @example
 * ```ts
 * import type { HttpRequest } from 'clearskies-middy/normalizers/http-request'
 *
 * export const greet = (request: HttpRequest) => `Hello ${request.query.get('name') ?? request.clientIp}`
 * ```
 */
export class HttpRequest<TSource extends HttpSource = HttpSource, TRaw = unknown> {
  readonly kind = 'http'
  readonly source: TSource
  /** The event as AWS sent it. */
  readonly raw: TRaw
  readonly lambdaContext: Context
  /** Upper case. Verbs that nobody has heard of pass. */
  method: string
  isBase64Encoded: boolean

  readonly #wire: HttpWire
  readonly #event: Fields
  readonly #options: HttpRequestOptions
  #path: string | undefined
  #basePath: string | undefined
  #query: URLSearchParams | undefined
  #headers: Record<string, string> | undefined
  #cookies: Record<string, string> | undefined
  #pathParameters: Record<string, string> | undefined
  #body: unknown
  #replacedBody = false
  #bytes: Uint8Array | undefined
  #text: string | undefined
  #json: { readonly value: unknown } | undefined
  #data: { readonly value: unknown } | undefined
  #url: URL | undefined
  #authorizer: Authorizer | undefined

  /** @internal */
  constructor(
    source: TSource,
    wire: HttpWire,
    raw: TRaw,
    lambdaContext: Context,
    options: HttpRequestOptions,
  ) {
    this.source = source
    this.raw = raw
    this.lambdaContext = lambdaContext
    this.method = wire.method(raw as Fields).toUpperCase()
    this.isBase64Encoded = wire.isBase64Encoded(raw as Fields)
    this.#wire = wire
    this.#event = raw as Fields
    this.#options = options
    this.#body = wire.body(raw as Fields) ?? undefined
  }

  /** Canonical and percent-encoded, without stage and base path; starts with `/`. */
  get path(): string {
    if (this.#path === undefined) this.#splitPath()
    return this.#path as string
  }
  set path(value: string) {
    this.#path = value
  }

  /** What was taken off the front of the path, `''` if nothing. Links that a client shall follow need it. */
  get basePath(): string {
    if (this.#basePath === undefined) this.#splitPath()
    return this.#basePath as string
  }

  #splitPath(): void {
    const { basePath, stripStage = true } = this.#options
    const whole = canonicalPath(this.#wire.rawPath(this.#event))
    const prefix = stripStage ? this.#wire.prefix(this.#event, whole) : ''
    const path = whole.slice(prefix.length)
    const base = basePath === undefined ? '' : matchBasePath(path, basePath)
    this.#basePath = prefix + base
    this.#path ??= path.slice(base.length) || '/'
  }

  /** The path as the event has it: encoded on ALB, REST API and function URL, decoded on HTTP API. */
  get rawPath(): string {
    return this.#wire.rawPath(this.#event)
  }

  /** The query as sent, without `?`; rebuilt on REST API, which sends it taken apart. */
  get rawQueryString(): string {
    return this.#wire.rawQueryString(this.#event)
  }

  /** The route's template (`/products/{id}`), where the source knows routes. */
  get resource(): string | undefined {
    return this.#wire.resource(this.#event)
  }

  get stage(): string | undefined {
    return this.#wire.stage(this.#event)
  }

  /** The address that the client used: host, base path, path and query. */
  get url(): URL {
    return (this.#url ??= new URL(
      `${this.protocol}://${this.host ?? 'localhost'}${this.basePath}${this.path}${this.#search()}`,
    ))
  }

  #search(): string {
    const query = this.rawQueryString
    return query === '' ? '' : `?${query.replaceAll('#', '%23')}`
  }

  /** Lower-case names, no prototype. Lines of one name are joined with `, `, cookies with `; `. */
  get headers(): Record<string, string> {
    return (this.#headers ??= this.#readHeaders())
  }
  set headers(value: Record<string, string>) {
    this.#headers = value
  }

  #readHeaders(): Record<string, string> {
    const headers = readHeaders(this.#wire.headers(this.#event), this.#wire.headerLists(this.#event))
    const cookies = this.#wire.cookies(this.#event)
    if (cookies && cookies.length > 0) headers['cookie'] = cookies.join('; ')
    return headers
  }

  /** One header, whatever the spelling. */
  header(name: string): string | undefined {
    const key = name.toLowerCase()
    // Most sources send one map of lower-case names: no need to build another to read one of them.
    if (this.#headers === undefined && key !== 'cookie' && !this.#wire.headerLists(this.#event)) {
      const value = this.#wire.headers(this.#event)?.[key]
      if (typeof value === 'string') return value
    }
    return this.headers[key]
  }

  /** Every line of one header, in order. HTTP API, function URLs and ALB's single-value mode send one line per name. */
  headerValues(name: string): string[] {
    const key = name.toLowerCase()
    if (key === 'cookie') return this.headers[key] === undefined ? [] : [this.headers[key]]
    return readHeaderLines(this.#wire.headers(this.#event), this.#wire.headerLists(this.#event), key)
  }

  /** The query, decoded once; repeated names keep their order. */
  get query(): URLSearchParams {
    return (this.#query ??= this.#wire.query(this.#event))
  }
  set query(value: URLSearchParams) {
    this.#query = value
  }

  /** The first cookie of each name; no prototype. */
  get cookies(): Record<string, string> {
    return (this.#cookies ??= readCookies(this.headers['cookie']))
  }

  /** Decoded once; no prototype. A malformed escape is a `BadRequestError`. */
  get pathParameters(): Record<string, string> {
    return (this.#pathParameters ??= this.#wire.pathParameters(this.#event))
  }
  set pathParameters(value: Record<string, string>) {
    // Routers match the encoded path, so what they find in it is decoded here; what was there already is not, twice.
    const before = this.pathParameters
    const after = emptyMap<string>()
    for (const name of Object.keys(value))
      after[name] =
        value[name] === before[name] ? (value[name] as string) : decodeParameter(name, value[name])
    this.#pathParameters = after
  }

  /** The body as the event has it, or what a body parser put in its place. `undefined` if there is none. */
  get body(): unknown {
    return this.#body
  }
  set body(value: unknown) {
    this.#body = value
    this.#replacedBody = true
  }

  get hasBody(): boolean {
    const body = this.#wire.body(this.#event)
    return typeof body === 'string' && body !== ''
  }

  /** The body's bytes, base64 removed. */
  bytes(): Uint8Array {
    return (this.#bytes ??= Buffer.from(
      this.#wire.body(this.#event) ?? '',
      this.#wire.isBase64Encoded(this.#event) ? 'base64' : 'utf8',
    ))
  }

  /** The body as text (UTF-8), without a byte order mark. */
  text(): string {
    return (this.#text ??= this.#readText())
  }

  #readText(): string {
    if (this.#wire.isBase64Encoded(this.#event)) return utf8.decode(this.bytes())
    const body = this.#wire.body(this.#event) ?? ''
    return body.charCodeAt(0) === 0xfeff ? body.slice(1) : body
  }

  /**
   * The body parsed as JSON, whatever the content type says; `undefined` without a body.
   * @throws MalformedJsonError (400)
   */
  json(): unknown {
    this.#json ??= { value: this.hasBody ? parseJson(this.text(), 'The request body') : undefined }
    return this.#json.value
  }

  /** What the caller sent, parsed: the JSON body, or what a body parser or `validate()` made of it. */
  get data(): unknown {
    if (this.#data !== undefined) return this.#data.value
    return this.#replacedBody && typeof this.#body !== 'string' ? this.#body : this.json()
  }
  set data(value: unknown) {
    this.#data = { value }
  }

  /** The client's address, as far as trusted proxies vouch for it. */
  get clientIp(): string | undefined {
    return this.#wire.clientIp(this.#event, this, this.#options.trustedProxies)
  }

  get protocol(): 'http' | 'https' {
    return this.#wire.protocol(this)
  }

  /** The `Host` header if it is one, else the gateway's domain name. */
  get host(): string | undefined {
    const host = this.header('host')
    if (host !== undefined && hostPattern.test(host)) return host
    return this.#wire.domainName(this.#event) ?? undefined
  }

  /** Who the source says the caller is. */
  get authorizer(): Authorizer {
    return (this.#authorizer ??= this.#wire.authorizer(this.#event, this))
  }

  /** The gateway's id of the request; on ALB, which has none, the trace id. */
  get requestId(): string | undefined {
    return this.#wire.requestId(this.#event, this)
  }

  /** The X-Ray header. */
  get traceId(): string | undefined {
    return this.header('x-amzn-trace-id')
  }

  /** Whether this is a load balancer's health check, which has neither host nor client. */
  get isHealthCheck(): boolean {
    return this.#wire.isHealthCheck(this)
  }

  /** The request of the web standard, for frameworks that take one. Its path is the application's: without base path. */
  toWebRequest(): Request {
    const headers = new Headers()
    for (const name in this.headers) {
      // What a `Headers` object cannot hold (other alphabets than Latin-1, odd names) it would throw at.
      if (
        /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) &&
        /^[\t\x20-\x7e\x80-\xff]*$/.test(this.headers[name] ?? '')
      )
        headers.append(name, this.headers[name] ?? '')
    }
    const hasBody = this.hasBody && this.method !== 'GET' && this.method !== 'HEAD'
    const url = `${this.protocol}://${this.host ?? 'localhost'}${this.path}${this.#search()}`
    return new Request(url, {
      method: this.method,
      headers,
      ...(hasBody && { body: this.bytes() as Uint8Array<ArrayBuffer> }),
    })
  }

  // The payload 1.0 view, which Middy's own HTTP code (router, CORS, …) reads and now and then writes.

  get httpMethod(): string {
    return this.method
  }
  set httpMethod(value: string) {
    this.method = value
  }

  get version(): '1.0' {
    return '1.0'
  }

  get requestContext(): Record<string, unknown> {
    return fields(this.#event['requestContext']) ?? {}
  }

  get queryStringParameters(): Record<string, string> {
    const map = emptyMap<string>()
    for (const [name, value] of this.query) map[name] = value
    return map
  }
  set queryStringParameters(value: Record<string, string>) {
    override(this, 'queryStringParameters', value)
  }

  get multiValueQueryStringParameters(): Record<string, string[]> {
    const map = emptyMap<string[]>()
    for (const [name, value] of this.query) (map[name] ??= []).push(value)
    return map
  }
  set multiValueQueryStringParameters(value: Record<string, string[]>) {
    override(this, 'multiValueQueryStringParameters', value)
  }

  get multiValueHeaders(): Record<string, string[]> {
    const map = emptyMap<string[]>()
    for (const name in this.headers) map[name] = this.headerValues(name)
    return map
  }
  set multiValueHeaders(value: Record<string, string[]>) {
    override(this, 'multiValueHeaders', value)
  }

  /** What a log of the request shows: what the client sent, once, and nothing twice in two forms. */
  toJSON(): Record<string, unknown> {
    const {
      kind,
      source,
      method,
      path,
      rawQueryString,
      headers,
      pathParameters,
      body,
      isBase64Encoded,
      requestId,
    } = this
    return {
      kind,
      source,
      method,
      path,
      rawQueryString,
      headers,
      pathParameters,
      body,
      isBase64Encoded,
      requestId,
    }
  }
}

/** Puts a written value over a derived one; not enumerable, as the derived one was not. */
function override(request: object, name: string, value: unknown): void {
  Object.defineProperty(request, name, { value, writable: true, configurable: true, enumerable: false })
}
