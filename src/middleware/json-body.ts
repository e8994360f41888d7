import { ConfigurationError, HttpError } from '../errors/index.ts'
import { seenEvent } from '../events/advice.ts'
import { HttpRequest } from '../normalizers/http-request.ts'
import { checkOptions, is } from '../core/options.ts'
import { asRecord } from '../core/record.ts'
import type { MiddyRequest, Middleware } from '../core/middy.ts'

/** Options of {@link jsonBody}, those of `@middy/http-json-body-parser`. */
export interface JsonBodyOptions {
  /** The second argument of `JSON.parse`. */
  readonly reviver?: (key: string, value: unknown) => unknown
  /** Parses whatever the content type says. @default false */
  readonly disableContentTypeCheck?: boolean
  /** Leaves a body of another content type alone, instead of answering 415. @default false */
  readonly disableContentTypeError?: boolean
}

/** `application/json`, `application/problem+json`, `text/json`, with or without parameters. */
const jsonType = /^(?:application|text)\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

type Parser = (request: { event: { headers: object; body: unknown } }) => void

/**
 * Parses a JSON body before the handler runs, so that the content type and the JSON are checked whether or not the
 * handler looks: 415 for another content type, 422 for malformed JSON and for keys that would change prototypes. A
 * request without a body passes. Composes `@middy/http-json-body-parser`.
 *
 * @throws ConfigurationError without an HTTP normalizer in front
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { jsonBody } from 'clearskies-middy/middleware/json-body'
 * import { alb } from 'clearskies-middy/normalizers/alb'
 *
 * export const handler = middy()
 *   .use(alb())
 *   .use(jsonBody())
 *   .handler(async (request) => ({ received: request.data }))
 * ```
 */
export function jsonBody(options: JsonBodyOptions = {}): Middleware {
  checkOptions('jsonBody', options, {
    reviver: is('function'),
    disableContentTypeCheck: is('boolean'),
    disableContentTypeError: is('boolean'),
  })
  let parse: Parser | undefined
  // Loaded here and not by an import, because what it imports loads the module facade of node:http.
  const loading = import('@middy/http-json-body-parser').then(({ default: parser }) => {
    parse = parser(options).before as unknown as Parser
  })
  loading.catch(() => {})

  function before({ event }: MiddyRequest): void | Promise<void> {
    if (!(event instanceof HttpRequest))
      throw new ConfigurationError(
        `jsonBody() needs an HTTP normalizer in front, as httpApi(), and got ${seenEvent(event)}`,
      )
    const request = event as HttpRequest
    if (!request.hasBody) return
    if (parse === undefined)
      return loading.then(() => {
        parseBody(request, parse)
      })
    parseBody(request, parse)
  }

  return {
    before: function jsonBodyBefore(request: MiddyRequest): void | Promise<void> {
      return before(request)
    },
  }
}

function parseBody(request: HttpRequest, parse: Parser | undefined): void {
  const type = request.header('content-type') ?? ''
  // Base64 is decoded and a byte order mark skipped, which the parser does not do; and it is strict about spaces.
  const event = {
    headers: { 'content-type': jsonType.test(type) ? 'application/json' : type },
    body: request.text() as unknown,
  }
  const { body } = event
  try {
    parse?.({ event })
  } catch (error) {
    throw withoutBody(error)
  }
  if (event.body !== body) request.body = event.body
}

/** The parser's error has the body in its cause, and V8's message, which quotes it: a log would have it, too. */
function withoutBody(error: unknown): unknown {
  const { statusCode } = asRecord(error) ?? {}
  if (statusCode === 415) return new HttpError(415, 'Unsupported Media Type')
  return statusCode === 422 ? new HttpError(422, 'Invalid or malformed JSON was provided') : error
}
