import { invalidEvent } from '../../events/advice.ts'
import type { Context } from 'aws-lambda'
import { InvalidEventError } from '../../errors/index.ts'
import { defaultLogger, logSafely } from '../../core/logger.ts'
import { checkOptions, is, isCount, isLogger } from '../../core/options.ts'
import { awaitSends, settleSends, withinInvocation } from '../../invocation/middy-request.ts'
import type { MiddyRequest, Middleware } from '../../core/middy.ts'
import { eventKind } from '../../events/event-kind.ts'
import { type ErrorFormat, errorFacts, errorResponse } from './errors.ts'
import { HttpRequest, type HttpRequestOptions, type HttpSource } from '../http-request.ts'
import { type HttpResponseOptions, isResponse } from './encode-response.ts'
import type { HttpResponse } from '../respond.ts'
import type { Wire } from './http-source.ts'

/** The options that all HTTP normalizers take. */
export interface HttpNormalizerOptions extends HttpRequestOptions, HttpResponseOptions {
  /**
   * How thrown errors are answered: as a problem document (RFC 9457), in clearskies' envelope, or by your function.
   * @default 'problem'
   */
  readonly errors?: ErrorFormat | ((error: unknown, request: HttpRequest) => HttpResponse)
}

const optionChecks = {
  trustedProxies: isCount,
  basePath: (value: unknown) => value instanceof RegExp || [value].flat().every(is('string')),
  stripStage: is('boolean'),
  errors: (value: unknown) => value === 'problem' || value === 'clearskies' || typeof value === 'function',
  isBinary: is('function'),
  logger: isLogger,
}

/**
 * Makes the request of an event that one of the wires knows.
 *
 * @throws InvalidEventError if none does
 */
export function readEvent<TSource extends HttpSource, TRaw>(
  factory: string,
  wires: Readonly<Record<string, Wire>>,
  event: unknown,
  context: Context,
  options: HttpRequestOptions = {},
): HttpRequest<TSource, TRaw> {
  const kind = eventKind(event)
  const wire = wires[kind]
  if (wire === undefined) throw invalidEvent(factory, Object.keys(wires), kind)
  return HttpRequest.of<TSource, TRaw>(wire, event as TRaw, context, options)
}

type Read<TRequest> = (event: unknown, context: Context, options: HttpRequestOptions) => TRequest
type Write = (result: unknown, request: HttpRequest, options: HttpResponseOptions) => object | Promise<object>

/** Joins the two functions of a source, event to request and result to response, to Middy's hooks. */
export function httpNormalizer<TRequest extends HttpRequest>(
  factory: string,
  read: Read<TRequest>,
  write: Write,
  options: HttpNormalizerOptions,
): Middleware<TRequest> {
  checkOptions(factory, options, optionChecks)
  const { errors = 'problem', logger = defaultLogger } = options

  /** Writes a result. An error on the way is written instead, and an error of that as the bare 500 that always can be. */
  function respond(result: unknown, request: HttpRequest): Response {
    try {
      const response = write(result, request, options)
      return response instanceof Promise ? response.catch((error: unknown) => fail(error, request)) : response
    } catch (error) {
      return fail(error, request)
    }
  }

  function fail(error: unknown, request: HttpRequest): Response {
    const otherwise = (failure: unknown): Response => {
      logSafely(logger, 'error', 'The error could not be answered', failure)
      return write(errorResponse(errorFacts(undefined), 'problem'), request, options)
    }
    try {
      const response = write(answerTo(error, request), request, options)
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

  function before(request: MiddyRequest): void | Promise<void> {
    return withinInvocation(request, () => {
      awaitSends(request, middleware)
      request.event = read(request.event, request.context, options)
    })
  }

  function after(request: MiddyRequest): void | Promise<void> {
    const settling = settleSends(request, middleware)
    return settling === undefined ? encode(request) : settling.then(() => encode(request))
  }

  function encode(request: MiddyRequest): void | Promise<void> {
    const { event, response } = request
    if (!(event instanceof HttpRequest)) throw invalidEvent(factory, ['its own request'], 'another')
    return settle(request, respond(response, event as HttpRequest))
  }

  function onError(request: MiddyRequest): void | Promise<void> {
    // A middleware in front has failed, or this one: to an event of another source no response is the only right one,
    // because to a queue, for one, any response says that all went well.
    if (!(request.event instanceof HttpRequest)) {
      if (request.error instanceof InvalidEventError) return
      request.event = read(request.event, request.context, options)
    }
    const settling = settleSends(request, middleware)
    if (settling === undefined) return answerError(request, request.error)
    return settling.then(
      () => answerError(request, request.error),
      (error: unknown) => {
        request.response = undefined
        return answerError(request, error)
      },
    )
  }

  function answerError(request: MiddyRequest, error: unknown): void | Promise<void> {
    const event = request.event as HttpRequest
    const { response } = request
    return settle(request, response === undefined ? fail(error, event) : respond(response, event))
  }

  const name = (hook: string, fn: object): object =>
    Object.defineProperty(fn, 'name', { value: factory + hook })
  const middleware = {
    before: name('Before', before),
    after: name('After', after),
    onError: name('OnError', onError),
  } as Middleware<TRequest>
  return middleware
}

type Response = object | Promise<object>

/** Kept synchronous where nothing has to be read, so that Middy does not wait a turn. */
function settle(request: MiddyRequest, response: Response): void | Promise<void> {
  if (response instanceof Promise) {
    return response.then((settled: object) => {
      request.response = settled
    })
  }
  request.response = response
}
