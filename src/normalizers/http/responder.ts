import { defaultLogger, logSafely } from '../../core/logger.ts'
import type { HttpRequest } from '../http-request.ts'
import { type HttpResponseOptions, encodeResponse, isResponse } from './encode-response.ts'
import type { HttpResponse } from '../respond.ts'
import { type ErrorFormat, errorFacts, errorResponse } from './errors.ts'

/** The option of a normalizer that decides how errors are answered. */
export interface ErrorOptions {
  /**
   * How thrown errors are answered: as a problem document (RFC 9457), in clearskies' envelope, or by your function.
   * @default 'problem'
   */
  readonly errors?: ErrorFormat | ((error: unknown, request: HttpRequest) => HttpResponse)
}

export type Response = object | Promise<object>

interface Responder {
  /** Writes a result. An error on the way is written instead, and an error of that as the bare 500 that always can be. */
  respond(result: unknown, request: HttpRequest): Response
  /** Writes an error. */
  fail(error: unknown, request: HttpRequest): Response
}

/** What answers the requests of one normalizer. */
export function responder(options: HttpResponseOptions & ErrorOptions): Responder {
  const { errors = 'problem', logger = defaultLogger } = options

  function respond(result: unknown, request: HttpRequest): Response {
    try {
      const response = encodeResponse(result, request, options)
      return response instanceof Promise ? response.catch((error: unknown) => fail(error, request)) : response
    } catch (error) {
      return fail(error, request)
    }
  }

  function fail(error: unknown, request: HttpRequest): Response {
    const otherwise = (failure: unknown): Response => {
      logSafely(logger, 'error', 'The error could not be answered', failure)
      return encodeResponse(errorResponse(errorFacts(undefined), 'problem'), request, options)
    }
    try {
      const response = encodeResponse(answerTo(error, request), request, options)
      return response instanceof Promise ? response.catch(otherwise) : response
    } catch (failure) {
      return otherwise(failure)
    }
  }

  function answerTo(error: unknown, request: HttpRequest): unknown {
    // A thrown response is one: so a middleware can answer before the handler, and every source gets it in its form.
    if (isResponse(error) && !(error instanceof Error)) return error
    const facts = errorFacts(error)
    if (!facts.exposed) logSafely(logger, 'error', `${request.method} ${request.path} failed`, error)
    return typeof errors === 'function' ? errors(error, request) : errorResponse(facts, errors)
  }

  return { respond, fail }
}
