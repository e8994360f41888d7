import { ignore } from '../../core/ignore.ts'
import { defaultLogger, logSafely } from '../../core/logger.ts'
import { asRecord } from '../../core/record.ts'
import { InvalidResponseError } from '../../errors/index.ts'
import type { ResponseState } from '../../invocation/middy-request.ts'
import type { HttpRequest } from '../http-request.ts'
import type { HttpResponse } from '../respond.ts'
import { type EncodeOptions, encodeEnvelope, encodeResponse } from './encode-response.ts'
import {
  type Envelope,
  type ShownResponse,
  envelopeOf,
  isResponse,
  isText,
  shownResponse,
} from './envelope.ts'
import { type ErrorFormat, errorFacts, errorResponse } from './errors.ts'
import { headerEntries } from './response-headers.ts'

/** The option of a normalizer that decides how errors are answered. */
export interface ErrorOptions {
  /**
   * How thrown errors are answered: as a problem document (RFC 9457), in clearskies' envelope, or by your function, which
   * gives a response at once: a promise is refused. It sees every error as it is: the place to log those of the caller.
   * @default 'problem'
   */
  readonly errors?: ErrorFormat | ((error: unknown, request: HttpRequest) => HttpResponse)
}

export type Response = object | Promise<object>

/** Answers the requests of one normalizer. Each method answers an error on its way as well, and never throws. */
export class Responder {
  readonly #options: EncodeOptions & ErrorOptions

  constructor(options: EncodeOptions & ErrorOptions) {
    this.#options = options
  }

  /** What other middlewares find of a result. */
  show(result: unknown, request: HttpRequest): ShownResponse {
    try {
      return shownResponse(result)
    } catch (error) {
      return this.showError(error, request)
    }
  }

  /** What other middlewares find of an error. */
  showError(error: unknown, request: HttpRequest): ShownResponse {
    try {
      return shownResponse(this.#answerTo(error, request))
    } catch (failure) {
      return this.#lastResort(failure)
    }
  }

  /** Writes a result that no other middleware has looked at. */
  send(result: unknown, request: HttpRequest): Response {
    try {
      const response = encodeResponse(result, request, this.#options)
      if (!(response instanceof Promise)) return response
      return response.catch((error: unknown) => this.sendError(error, request))
    } catch (error) {
      return this.sendError(error, request)
    }
  }

  /** Writes what other middlewares have made of a response. */
  sendShown(state: ResponseState, request: HttpRequest): Response {
    const shown = asEnvelope(state.response)
    const failed = (error: unknown): Response =>
      this.sendError(error, request, addedHeaders(shown, state.given))
    try {
      const response = encodeEnvelope(typed(shown, state.given), request, this.#options)
      return response instanceof Promise ? response.catch(failed) : response
    } catch (error) {
      return failed(error)
    }
  }

  /** Writes an error, with the headers that other middlewares have given to what it stands for. */
  sendError(error: unknown, request: HttpRequest, headers: object = {}): Response {
    const otherwise = (failure: unknown): Response => {
      const last = this.#lastResort(failure)
      return encodeEnvelope(withHeaders(last, headers), request, this.#options)
    }
    try {
      const answer = withHeaders(envelopeOf(this.#answerTo(error, request)), headers)
      const response = encodeEnvelope(answer, request, this.#options)
      return response instanceof Promise ? response.catch(otherwise) : response
    } catch (failure) {
      return otherwise(failure)
    }
  }

  /** The response to an error. Logs the error, unless it is the caller's. */
  #answerTo(error: unknown, request: HttpRequest): unknown {
    // A thrown response is one: so a middleware can answer before the handler, and every source gets it in its form.
    if (isResponse(error) && !(error instanceof Error)) return error
    const { errors = 'problem', logger = defaultLogger } = this.#options
    const facts = errorFacts(error)
    if (!facts.exposed) logSafely(logger, 'error', failureMessage(request), error)
    if (typeof errors !== 'function') return errorResponse(facts, errors)
    const answer: unknown = errors(error, request)
    if (answer instanceof Promise) answer.catch(ignore)
    if (isResponse(answer)) return answer
    throw new InvalidResponseError(
      'The option "errors" gave no response: return respond(…), and no promise',
      {
        cause: error,
      },
    )
  }

  #lastResort(failure: unknown): ShownResponse {
    logSafely(this.#options.logger ?? defaultLogger, 'error', 'The error could not be answered', failure)
    return errorResponse(errorFacts(undefined), 'problem')
  }
}

/** `GET /products failed (request 1-67…)`. An event that somebody made up may have anything in place of these. */
function failureMessage({ method, path, requestId }: HttpRequest): string {
  const id = requestId === undefined ? '' : ` (request ${printable(requestId)})`
  return `${printable(method)} ${printable(path)} failed${id}`
}

function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, (odd) => encodeURIComponent(odd.toWellFormed()))
}

/** What other middlewares have written to: a response, whatever else they have put there. */
function asEnvelope(response: unknown): Envelope {
  const record = asRecord(response) ?? {}
  return { statusCode: undefined, ...record, body: record['body'] ?? '' }
}

/** Text that another middleware has compressed is text all the same. */
function typed(shown: Envelope, given: unknown): Envelope {
  if (shown.isBase64Encoded !== true || !isText(given)) return shown
  return withHeaders(shown, { 'content-type': 'text/plain; charset=utf-8' })
}

function withHeaders(envelope: Envelope, headers: object): Envelope {
  return { ...envelope, headers: { ...headers, ...Object.fromEntries(headerEntries(envelope.headers)) } }
}

/** What other middlewares have added, but for what describes the body that is not sent. */
function addedHeaders({ headers }: Envelope, given: unknown): object {
  const own = new Map(headerEntries(given === undefined ? undefined : envelopeOf(given).headers))
  const added = headerEntries(headers).filter(
    ([name, value]) => own.get(name) !== value && !/^content-(?!security-policy)/i.test(name),
  )
  return Object.fromEntries(added)
}
