import type { Context } from 'aws-lambda'
import { ConfigurationError, InvalidEventError } from '../errors.ts'
import { defaultLogger, say } from '../logger.ts'
import { checkOptions, isCount, isLogger } from '../options.ts'
import type { MiddyRequest, Middleware } from '../types.ts'
import { describeEvent } from './event-kind.ts'
import { type ErrorFormat, errorResponse, isExposed } from './http-error.ts'
import { HttpRequest, type HttpRequestOptions, type HttpSource } from './http-request.ts'
import type { HttpResponseOptions } from './http-response.ts'
import type { HttpResponse } from './respond.ts'

/** The options that all HTTP normalizers take. */
export interface HttpNormalizerOptions extends HttpRequestOptions, HttpResponseOptions {
  /**
   * How thrown errors are answered: as a problem document (RFC 9457), in clearskies' envelope, or by your function.
   * The request is `undefined` if the event could not be read.
   * @default 'problem'
   */
  readonly errors?: ErrorFormat | ((error: unknown, request: HttpRequest) => HttpResponse)
}

type Read<TSource extends HttpSource, TRaw> = (
  event: unknown,
  context: Context,
  options: HttpRequestOptions,
) => HttpRequest<TSource, TRaw>
type Write = (result: unknown, request: HttpRequest, options: HttpResponseOptions) => object | Promise<object>

/** Refuses what a normalizer was not given. */
export function checkHttpOptions(factory: string, options: HttpNormalizerOptions): void {
  checkOptions(factory, options, {
    trustedProxies: isCount,
    basePath: (value: unknown) =>
      typeof value === 'string' ||
      value instanceof RegExp ||
      (Array.isArray(value) && value.every((one) => typeof one === 'string')),
    stripStage: 'boolean',
    errors: (value: unknown) => value === 'problem' || value === 'clearskies' || typeof value === 'function',
    isBinary: 'function',
    logger: isLogger,
  })
}

/** @throws InvalidEventError always */
export function refuseEvent(factory: string, expected: string, event: unknown): never {
  throw new InvalidEventError(expected, describeEvent(event), `${factory} takes no other`)
}

/** Joins the two functions of a source, event to request and result to response, to Middy's hooks. */
export function httpNormalizer<TSource extends HttpSource, TRaw>(
  factory: string,
  read: Read<TSource, TRaw>,
  write: Write,
  options: HttpNormalizerOptions,
): Middleware<HttpRequest<TSource, TRaw>> {
  const { errors = 'problem', logger = defaultLogger } = options

  /** Reads the event where that has not happened, because a middleware in front has failed. */
  function requestOf({ event, context }: MiddyRequest): HttpRequest<TSource, TRaw> | undefined {
    if (event instanceof HttpRequest) return event as HttpRequest<TSource, TRaw>
    try {
      return read(event, context, options)
    } catch {
      return undefined
    }
  }

  function fail(error: unknown, request: HttpRequest): object | Promise<object> {
    if (!isExposed(error)) say(logger, 'error', `${request.method} ${request.path} failed`, error)
    if (typeof errors !== 'function') return write(errorResponse(error, errors), request, options)
    try {
      return write(errors(error, request), request, options)
    } catch (failure) {
      say(logger, 'error', 'The option "errors" gave no response', failure)
      return write(errorResponse(error, 'problem'), request, options)
    }
  }

  /** The response to a result, or to the error that writing it ends in. */
  function respond(result: unknown, request: HttpRequest): object | Promise<object> {
    try {
      const response = write(result, request, options)
      return response instanceof Promise ? response.catch((error: unknown) => fail(error, request)) : response
    } catch (error) {
      return fail(error, request)
    }
  }

  function before(request: MiddyRequest): void {
    request.event = read(request.event, request.context, options)
  }

  function after(request: MiddyRequest): void | Promise<void> {
    const event = requestOf(request)
    if (event === undefined)
      throw new ConfigurationError(`${factory}: another middleware has replaced the request`)
    return settle(request, respond(request.response, event))
  }

  function onError(request: MiddyRequest): void | Promise<void> {
    const event = requestOf(request)
    // An event of another source gets no response: to a queue, for one, any response says that all went well.
    if (event === undefined) return
    return settle(
      request,
      request.response === undefined
        ? respondToError(request.error, event)
        : respond(request.response, event),
    )
  }

  function respondToError(error: unknown, request: HttpRequest): object | Promise<object> {
    try {
      return fail(error, request)
    } catch (failure) {
      return fail(failure, request)
    }
  }

  return {
    before: named(`${factory}Before`, before),
    after: named(`${factory}After`, after),
    onError: named(`${factory}OnError`, onError),
  }
}

/** Kept synchronous where nothing has to be read, so that Middy does not wait a turn. */
function settle(request: MiddyRequest, response: object | Promise<object>): void | Promise<void> {
  if (!(response instanceof Promise)) {
    request.response = response
    return
  }
  return response.then((settled) => {
    request.response = settled
  })
}

/** Middy passes a hook's name to its plugins and stack traces show it. */
function named<TFunction extends (request: MiddyRequest) => unknown>(
  name: string,
  hook: TFunction,
): TFunction {
  return Object.defineProperty(hook, 'name', { value: name })
}
