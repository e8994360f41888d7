import { passForPlainData } from '../core/plain-data.ts'
import { InvalidResponseError } from '../errors/index.ts'
import { isStatus } from './http/envelope.ts'
import { headerEntries, nameOfKind } from './http/response-headers.ts'
import { EventText, type ServerSentEvent } from './http/server-sent-events.ts'
import { type Cookie, setCookieLine } from './http/set-cookie.ts'

export type { ServerSentEvent } from './http/server-sent-events.ts'
export type { Cookie } from './http/set-cookie.ts'

/** Header values as a handler writes them; a list is sent as several lines, `null` and `undefined` not at all. */
export type ResponseHeaders = Readonly<
  Record<string, string | number | boolean | readonly string[] | null | undefined>
>

/** Options of {@link respond}. */
export interface ResponseOptions {
  /** @default 200, or 204 without a value */
  readonly status?: number
  /** An object; or the `Headers` of a web response, or a `Map`. */
  readonly headers?: ResponseHeaders | Iterable<readonly [string, string | readonly string[]]>
  /** Cookies to set, as objects or as finished `Set-Cookie` lines. */
  readonly cookies?: readonly (Cookie | string)[]
}

/**
 * A response before it takes its source's form. The names are those of Lambda's envelope, so that Middy's own HTTP
 * middlewares can read and change it.
 *
 * @example
 * ```ts
 * import { HttpResponse } from 'clearskies-middy/normalizers/respond'
 *
 * export const isError = (result: unknown) => result instanceof HttpResponse && result.statusCode >= 400
 * ```
 */
export class HttpResponse {
  statusCode: number
  headers: Record<string, string | number | boolean | readonly string[] | null | undefined>
  /** Finished `Set-Cookie` lines. */
  cookies: string[]
  body: unknown

  static {
    passForPlainData(HttpResponse.prototype)
  }

  constructor(body: unknown, options: ResponseOptions = {}) {
    const { status = body === undefined ? 204 : 200, headers, cookies = [] } = checkedOptions(options)
    if (!isStatus(status))
      throw new InvalidResponseError(`A status is a whole number from 100 to 599, not ${shownStatus(status)}`)
    if (!Array.isArray(cookies))
      throw new InvalidResponseError(
        'Cookies are a list, of objects with a name and a value, or of finished lines',
      )
    this.statusCode = status
    this.headers = givenHeaders(headers)
    // Lambda's envelope has null for no body; here it is a value.
    if (body === null) this.headers = { 'content-type': 'application/json; charset=utf-8', ...this.headers }
    this.cookies = cookies.map(setCookieLine)
    this.body = body === null ? 'null' : body
  }
}

/** Makes an object of headers that can be iterated. What is no headers at all is refused where it would be sent. */
function givenHeaders(headers: ResponseOptions['headers']): HttpResponse['headers'] {
  const isMap = typeof headers === 'object' && !Array.isArray(headers)
  return (isMap ? Object.fromEntries(headerEntries(headers)) : (headers ?? {})) as HttpResponse['headers']
}

/** @throws InvalidResponseError for an option that would be lost */
function checkedOptions(options: ResponseOptions): ResponseOptions {
  for (const name in options) {
    if (name !== 'status' && name !== 'headers' && name !== 'cookies')
      throw new InvalidResponseError(`respond() has no option "${name}"; it has status, headers, cookies`)
  }
  return options
}

/** @throws InvalidResponseError */
function checkedSource<TSource>(method: string, source: TSource): TSource {
  if (typeof source === 'object' && source !== null && Symbol.asyncIterator in source) return source
  throw new InvalidResponseError(
    `respond.${method}() takes a stream or another async iterable, not ${nameOfKind(source)}`,
  )
}

function isKeepAlive(seconds: unknown): boolean {
  return typeof seconds === 'number' && seconds > 0 && seconds <= 86_400
}

function shownStatus(status: unknown): string {
  return typeof status === 'number' ? String(status) : nameOfKind(status)
}

/** The type of {@link respond}. */
export interface Respond {
  (value: unknown, options?: ResponseOptions): HttpResponse
  /**
   * Sends the client elsewhere. A path is taken as it is: behind a stage or a base path, prefix `request.basePath`.
   * @param status - @default 302
   */
  redirect(url: string | URL, status?: number, options?: Omit<ResponseOptions, 'status'>): HttpResponse
  /** A page. */
  html(text: string, options?: ResponseOptions): HttpResponse
  /** Done, and nothing to say: 204. */
  noContent(options?: Omit<ResponseOptions, 'status'>): HttpResponse
  /**
   * A body that is sent as it is produced, where the source takes that (the option `streaming`, and behind `serve()`);
   * elsewhere it is collected. The source is asked for a piece when the one before it is on its way, and closed when
   * the client leaves.
   * @param source - A web or Node stream, or any other async iterable, of text and bytes
   */
  stream(source: AsyncIterable<string | Uint8Array>, options?: ResponseOptions): HttpResponse
  /** Server-sent events, for a browser's `EventSource`. */
  events(source: AsyncIterable<ServerSentEvent>, options?: EventStreamOptions): HttpResponse
}

/** Options of `respond.events()`. */
export interface EventStreamOptions extends ResponseOptions {
  /** Seconds without an event after which a comment is sent, which keeps proxies from ending the connection. */
  readonly keepAlive?: number
}

/**
 * A response with a status, headers or cookies of its own. The value is encoded as if it had been returned bare:
 * objects as JSON, strings as text, bytes as they are.
 *
 * @throws InvalidResponseError for an option that is unknown or has a wrong value, and for a cookie that cannot be written
 * @example
 * ```ts
 * import { respond } from 'clearskies-middy'
 *
 * export const created = respond({ id: 7 }, { status: 201, headers: { location: '/products/7' } })
 * export const loggedIn = respond.redirect('/', 303, { cookies: [{ name: 'session', value: 's3cr3t', httpOnly: true }] })
 * ```
 */
export const respond: Respond = /* @__PURE__ */ Object.assign(
  (value: unknown, options?: ResponseOptions): HttpResponse => new HttpResponse(value, options),
  {
    redirect(url: string | URL, status = 302, options: Omit<ResponseOptions, 'status'> = {}): HttpResponse {
      if (!(status >= 300 && status <= 399)) {
        throw new InvalidResponseError(`A redirect has a status from 300 to 399, not ${shownStatus(status)}`)
      }
      if (typeof url !== 'string' && !(url instanceof URL))
        throw new InvalidResponseError(`A redirect goes to a text or a URL, not to ${nameOfKind(url)}`)
      const location = String(url).replace(/[^\x21-\x7e]+/g, (odd) => encodeURIComponent(odd.toWellFormed()))
      return new HttpResponse('', {
        ...options,
        status,
        headers: { ...givenHeaders(options.headers), location },
      })
    },
    html(text: string, options: ResponseOptions = {}): HttpResponse {
      const headers = { 'content-type': 'text/html; charset=utf-8', ...givenHeaders(options.headers) }
      return new HttpResponse(text, { ...options, headers })
    },
    noContent(options: Omit<ResponseOptions, 'status'> = {}): HttpResponse {
      return new HttpResponse(undefined, { ...options, status: 204 })
    },
    stream(source: AsyncIterable<string | Uint8Array>, options: ResponseOptions = {}): HttpResponse {
      return new HttpResponse(checkedSource('stream', source), options)
    },
    events(
      source: AsyncIterable<ServerSentEvent>,
      { keepAlive, headers, ...options }: EventStreamOptions = {},
    ): HttpResponse {
      if (keepAlive !== undefined && !isKeepAlive(keepAlive))
        throw new InvalidResponseError('keepAlive is a number of seconds, above 0 and up to 86,400')
      return new HttpResponse(new EventText(checkedSource('events', source), keepAlive), {
        ...options,
        headers: {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-cache',
          ...givenHeaders(headers),
        },
      })
    },
  },
)
