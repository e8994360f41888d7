import { type UnknownRecord, asRecord, asString } from '../core/record.ts'
import type { Context } from 'aws-lambda'
import { addProperties, passForPlainData } from '../core/plain-data.ts'
import type { HttpSource } from '../events/event-sources.ts'
import type { Authorizer } from './http/authorizer.ts'
import { RequestBody } from './http/body.ts'
import { clientOf, protocolOf, signalOf } from './http/client.ts'
import { RequestHeaders, readCookies } from './http/headers.ts'
import { believedHost } from './http/hosts.ts'
import { type ResponseTarget, contextOf } from './http/http-source.ts'
import { type SplitPath, readPathParameters, routeTemplate, splitPath } from './http/path.ts'
import { RequestQuery } from './http/query.ts'
import { type RequestOrigin, noOrigin, printedMembers } from './http/request-options.ts'
import { addressOf, webRequest } from './http/web-request.ts'

export type { HttpRequestOptions, HttpSource } from './http/request-options.ts'

/**
 * One HTTP request, whichever source it came from. What it holds is read from the event when it is first looked at; the
 * event itself (`raw`) is never changed. What Middy's own HTTP middlewares write (`headers`, `body`, `pathParameters`, …) can
 * be written. A log and a copy have `method`, `path`, `queryStringParameters`, `pathParameters`, `headers`, `body`, never `raw`.
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
  /** None: nobody delivers an HTTP request again. */
  declare readonly id: undefined
  /** Upper case. Verbs that nobody has heard of pass. */
  method: string
  isBase64Encoded: boolean
  /** The body as the event has it, or what a body parser put in its place. `undefined` if there is none. */
  body: unknown

  readonly #raw: TRaw
  readonly #origin: RequestOrigin
  readonly #event: UnknownRecord
  readonly #headers: RequestHeaders
  readonly #query: RequestQuery
  readonly #content: RequestBody
  #path: string | undefined
  #split: SplitPath | undefined
  #cookies: Record<string, string> | undefined
  #pathParameters: Record<string, string> | undefined
  #url: URL | undefined
  #signal: AbortSignal | undefined

  static readonly #members = passForPlainData(HttpRequest.prototype, printedMembers)

  // Between two invocations no request is alive. If a garbage collection finds none, V8 throws away all code that it has
  // compiled for their shape, and the next invocations are slow again: so one stays.
  static readonly #specimen: unknown = new HttpRequest({ body: '' }, noOrigin)

  private constructor(raw: TRaw, origin: RequestOrigin) {
    const { wire } = origin
    const event = wire.view === undefined ? (raw as UnknownRecord) : wire.view(raw as UnknownRecord)
    this.source = wire.source as TSource
    this.method = (asString(wire.method(event)) ?? 'GET').toUpperCase()
    this.isBase64Encoded = event['isBase64Encoded'] === true
    this.body = event['body'] ?? undefined
    this.#raw = raw
    this.#origin = origin
    this.#event = event
    this.#headers = new RequestHeaders(event)
    this.#query = new RequestQuery(event, wire)
    this.#content = new RequestBody(event, this.#headers, origin.options.decompress)
    addProperties(this, HttpRequest.#members)
  }

  /** @internal */
  static of<TSource extends HttpSource, TRaw>(raw: TRaw, origin: RequestOrigin): HttpRequest<TSource, TRaw> {
    return new HttpRequest(raw, origin)
  }

  /** @internal How the request's source takes a response. */
  static targetOf(request: HttpRequest): ResponseTarget {
    return request.#origin.wire.target
  }

  /** The event as AWS sent it. */
  get raw(): TRaw {
    return this.#raw
  }
  get lambdaContext(): Context {
    return this.#origin.lambdaContext
  }

  /** Canonical and percent-encoded, without stage and base path; starts with `/`. */
  get path(): string {
    return (this.#path ??= this.#place.path)
  }
  set path(value: string) {
    this.#path = value
  }

  /** What the client's address has in front of the path, `''` if nothing. Links that a client shall follow need it. */
  get basePath(): string {
    const { whole, prefix } = this.#place
    return (this.#origin.wire.clientPrefix?.(this.#event, whole) ?? '') + prefix
  }
  get #place(): SplitPath {
    return (this.#split ??= splitPath(this.#event, this.#origin.wire, this.#origin.options))
  }

  /** The path as the event has it: encoded on ALB, REST API and function URL, decoded on HTTP API. */
  get rawPath(): string {
    return asString(this.#origin.wire.path(this.#event)) || '/'
  }

  /** The query as sent, without `?`; rebuilt where the source sends it taken apart. */
  get rawQueryString(): string {
    return this.#query.raw
  }

  /** The route's template (`/products/{id}`), where the source knows routes. */
  get resource(): string | undefined {
    return this.#origin.wire.route && routeTemplate(this.#event[this.#origin.wire.route])
  }

  get stage(): string | undefined {
    return this.source === 'function-url' ? undefined : asString(contextOf(this.#event)['stage'])
  }
  /** The address that the client used: host, base path, path and query. */
  get url(): URL {
    return (this.#url ??= new URL(addressOf(this, this.basePath)))
  }

  /** Lower-case names, no prototype. Lines of one name are joined with `, `, cookies with `; `. */
  get headers(): Record<string, string> {
    return this.#headers.all
  }
  set headers(value: Record<string, string>) {
    this.#headers.all = value
  }

  /** One header, whatever the spelling. */
  header(name: string): string | undefined {
    return this.#headers.get(name)
  }

  /** Every line of one header, in order. HTTP API, function URLs and ALB's single-value mode send one line per name. */
  headerValues(name: string): string[] {
    return this.#headers.linesOf(name)
  }

  /** The query, decoded once; repeated names keep their order. */
  get query(): URLSearchParams {
    return this.#query.parameters
  }
  set query(value: URLSearchParams) {
    this.#query.parameters = value
  }

  /** The first cookie of each name; no prototype. */
  get cookies(): Record<string, string> {
    return (this.#cookies ??= readCookies(this.headers['cookie']))
  }

  /** Decoded once; no prototype. A malformed escape is a `BadRequestError`. */
  get pathParameters(): Record<string, string> {
    return (this.#pathParameters ??= readPathParameters(
      asRecord(this.#event['pathParameters']),
      () => this.#origin.wire.encoded === 'path-parameters',
    ))
  }
  set pathParameters(value: Record<string, string>) {
    // Routers match the encoded path, so what they find in it is decoded here; what was there already is not, twice.
    const decoded = this.pathParameters
    this.#pathParameters = readPathParameters(value, (name, text) => text !== decoded[name])
  }

  get hasBody(): boolean {
    return (this.#event['body'] ?? '') !== '' || this.#content.isUnread
  }
  /**
   * The body's bytes, without base64 and, unless the option `decompress` says otherwise, without gzip, deflate and br.
   * @throws HttpError (413) for one that unpacks to more than the limit, BadRequestError for one that does not unpack
   */
  bytes(): Uint8Array {
    return this.#content.bytes()
  }

  /** The body as text (UTF-8), without a byte order mark. */
  text(): string {
    return this.#content.text()
  }

  /**
   * The body as it was sent, packed or not, piece by piece. Behind `serve()` a body of more than `maxBodyBytes`, which
   * nothing else reads, arrives as the client sends it, and once.
   */
  stream(): ReadableStream<Uint8Array> {
    const { stream } = this.#origin.wire
    return this.#content.isUnread && stream !== undefined ? stream(this.#raw) : this.#content.stream()
  }

  /**
   * The body parsed as JSON, whatever the content type says; `undefined` without a body.
   * @throws MalformedJsonError (400)
   */
  json(): unknown {
    return this.#content.json()
  }

  /** What the caller sent, parsed: the JSON body, or what a body parser or `validate()` made of it. */
  get data(): unknown {
    return this.#content.dataOf(this.body)
  }
  set data(value: unknown) {
    this.#content.putData(value, this.body)
  }

  /** The client's address, as far as trusted proxies vouch for it. */
  get clientIp(): string | undefined {
    return clientOf(this.#origin, this.#event, this.header('x-forwarded-for'))
  }

  get protocol(): 'http' | 'https' {
    return protocolOf(this.#origin, this.#event, (name) => this.header(name))
  }

  /** The `Host` header if it is one, and one of the option `allowedHosts`; else the gateway's domain name. */
  get host(): string | undefined {
    const { domainName } = contextOf(this.#event)
    return believedHost(this.header('host'), domainName, this.#origin.options.allowedHosts)
  }

  /** Who the source says the caller is. */
  get authorizer(): Authorizer {
    return this.#origin.wire.authorizer(this.#event, (name) => this.header(name))
  }

  /** The gateway's id of the request; on ALB, which has none, the trace id. */
  get requestId(): string | undefined {
    return asString(contextOf(this.#event)['requestId']) ?? this.traceId
  }

  /**
   * Aborted with a `DeadlineError` when the invocation's time is nearly up: 5 % of it are left, 250 ms at the least. Behind
   * `serve()` aborted with an `AbortError` when the client leaves, too.
   */
  get signal(): AbortSignal {
    return (this.#signal ??= signalOf(this.#origin, this.#raw))
  }

  /** The X-Ray header. */
  get traceId(): string | undefined {
    return this.header('x-amzn-trace-id')
  }

  /** Whether this is a load balancer's own health check, which does not pass its listener: nobody is forwarded. */
  get isHealthCheck(): boolean {
    const isChecker = this.header('user-agent')?.startsWith('ELB-HealthChecker/') === true
    return isChecker && this.source === 'alb' && this.header('x-forwarded-for') === undefined
  }

  /**
   * The request of the web standard, for frameworks that take one. Its path is the application's: without base path.
   * @throws BadRequestError for one that the standard does not know, such as TRACE
   */
  toWebRequest(): Request {
    return webRequest(this, this.#content)
  }

  // The payload 1.0 view, which Middy's own HTTP code (router, CORS, …) reads and now and then writes.

  get httpMethod(): string {
    return this.method
  }
  get version(): '1.0' {
    return '1.0'
  }
  get requestContext(): Record<string, unknown> {
    return contextOf(this.#event)
  }
  get queryStringParameters(): Record<string, string> {
    return this.#query.single
  }
  set queryStringParameters(value: Record<string, string>) {
    this.#query.single = value
  }
  get multiValueQueryStringParameters(): Record<string, string[]> {
    return this.#query.lists
  }
  set multiValueQueryStringParameters(value: Record<string, string[]>) {
    this.#query.lists = value
  }
  get multiValueHeaders(): Record<string, string[]> {
    return this.#headers.lists
  }
  set multiValueHeaders(value: Record<string, string[]>) {
    this.#headers.lists = value
  }
}
