import { invalidEvent } from '../../events/advice.ts'
import type { Context } from 'aws-lambda'
import { ConfigurationError, InvalidEventError } from '../../errors/index.ts'
import { checkOptions, is, isCount, isLogger } from '../../core/options.ts'
import {
  type ResponseHooks,
  awaitSends,
  interceptResponses,
  opensInvocation,
  responseState,
  sendResponse,
  settleSends,
} from '../../invocation/middy-request.ts'
import type { MiddyRequest, Middleware } from '../../core/middy.ts'
import { eventKind } from '../../events/event-kind.ts'
import { HttpRequest, type HttpRequestOptions, type HttpSource } from '../http-request.ts'
import type { HttpResponseOptions } from './encode-response.ts'
import { isDecompress } from './decompress.ts'
import { isHostList, refuseForeignHost } from './hosts.ts'
import type { HttpSourceSpec } from './http-source.ts'
import { RequestHook, type RequestHookOptions } from './request-hook.ts'
import { type ErrorOptions, Responder, type Response } from './responder.ts'
import { type StreamingOptions, checkStreaming, whyBuffered } from './streaming.ts'

/** The options that all HTTP normalizers take. */
export interface HttpNormalizerOptions
  extends HttpRequestOptions, HttpResponseOptions, ErrorOptions, RequestHookOptions {}

/** The options of the normalizers whose sources can take a stream. */
export interface StreamingNormalizerOptions extends HttpNormalizerOptions, StreamingOptions {}

const optionChecks = {
  trustedProxies: isCount,
  allowedHosts: isHostList,
  basePath: (value: unknown) => value instanceof RegExp || [value].flat().every(is('string')),
  stripStage: is('boolean'),
  decompress: isDecompress,
  errors: (value: unknown) => value === 'problem' || value === 'clearskies' || typeof value === 'function',
  isBinary: is('function'),
  logger: isLogger,
  onRequest: is('function'),
  streaming: is('boolean'),
}

/** Reads an event of one source. */
export type HttpReader<TSource extends HttpSource, TRaw> = (
  event: unknown,
  context: Context,
  options?: HttpRequestOptions,
) => HttpRequest<TSource, TRaw>

/** Turns a handler's result into what the request's source takes. */
export type HttpWriter<TResult extends object> = (
  result: unknown,
  request: HttpRequest,
  options?: HttpResponseOptions,
) => TResult | Promise<TResult>

/** Puts a handler behind one source. */
export type HttpNormalizer<TSource extends HttpSource, TRaw, TOptions = HttpNormalizerOptions> = (
  options?: TOptions,
) => Middleware<HttpRequest<TSource, TRaw>>

const noRequestOptions: HttpRequestOptions = {}

/** The function that makes the request of an event that one of the wires knows. */
export function reads<TSource extends HttpSource, TRaw>({
  factory,
  wires,
}: HttpSourceSpec): HttpReader<TSource, TRaw> {
  return (event, lambdaContext, options = noRequestOptions) => {
    const kind = eventKind(event)
    const wire = wires[kind]
    if (wire === undefined) throw invalidEvent(factory, Object.keys(wires), kind)
    return HttpRequest.of<TSource, TRaw>(event as TRaw, { wire, lambdaContext, options })
  }
}

/** The factory that joins the two, event to request and result to response, to Middy's hooks. */
export function normalizes<TSource extends HttpSource, TRaw>(
  spec: HttpSourceSpec,
): HttpNormalizer<TSource, TRaw, StreamingNormalizerOptions> {
  const read = reads<TSource, TRaw>(spec)
  return (options = {}) => httpNormalizer(spec, read, options)
}

function httpNormalizer<TRequest extends HttpRequest>(
  spec: HttpSourceSpec,
  read: (event: unknown, context: Context, options: HttpRequestOptions) => TRequest,
  options: StreamingNormalizerOptions,
): Middleware<TRequest> {
  const { factory } = spec
  checkOptions(factory, options, optionChecks)
  checkStreaming(spec, options)
  const responder = new Responder(options)
  const hook = options.onRequest && new RequestHook(options)
  const hooks: ResponseHooks = {
    show: (result, { event }) => responder.show(result, requestOf(event)),
    showError: (error, { event }) => responder.showError(error, requestOf(event)),
    send: lastForm,
    sendError: lastError,
  }

  function before(request: MiddyRequest): void | Promise<void> {
    return opensInvocation(request, begin)
  }

  function begin(request: MiddyRequest): void {
    awaitSends(request, middleware)
    const made = receive(request)
    const reason = whyBuffered(made, options)
    if (reason !== undefined) throw new ConfigurationError(reason)
    interceptResponses(request, hooks)
    if (options.allowedHosts !== undefined) refuseForeignHost(made.header('host'), options.allowedHosts)
  }

  function after(request: MiddyRequest): void | Promise<void> {
    const settling = settleSends(request, middleware)
    if (settling !== undefined) return settling.then(() => settle(request, lastForm(request)))
    return settle(request, lastForm(request))
  }

  function onError(request: MiddyRequest): void | Promise<void> {
    // A middleware in front has failed, or this one: to an event of another source no response is the only right one,
    // because to a queue, for one, any response says that all went well.
    if (!isRequest(request.event)) {
      if (request.error instanceof InvalidEventError) return
      receive(request)
    }
    if (whyBuffered(requestOf(request.event), options) !== undefined) return
    const settling = settleSends(request, middleware)
    if (settling === undefined) return settle(request, lastForm(request))
    return settling.then(
      () => settle(request, lastForm(request)),
      (error: unknown) => settle(request, lastError(error, request)),
    )
  }

  function receive(request: MiddyRequest): TRequest {
    const made = read(request.event, request.context, options)
    request.event = made
    hook?.begin(made)
    return made
  }

  /** What there is, in the form of the source. */
  function lastForm(request: MiddyRequest): Response {
    const made = requestOf(request.event)
    return told(encoded(request, made), made)
  }

  function lastError(error: unknown, { event }: MiddyRequest): Response {
    const made = requestOf(event)
    return told(responder.sendError(error, made), made)
  }

  function told(response: Response, made: HttpRequest): Response {
    if (hook === undefined) return response
    if (response instanceof Promise) return response.then((ready: object) => told(ready, made))
    hook.end(made, response)
    return response
  }

  /** A result or an error that nobody has looked at, or what others made of it. */
  function encoded(request: MiddyRequest, made: HttpRequest): Response {
    const state = responseState(request)
    if (state?.stage === 'shown') return responder.sendShown(state, made)
    // Without a state this one has not begun the invocation: a middleware in front has failed.
    const hasFailed = state === undefined ? request.response === undefined : state.stage === 'failed'
    return hasFailed
      ? responder.sendError(request.error, made)
      : responder.send(state === undefined ? request.response : state.response, made)
  }

  function requestOf(event: unknown): HttpRequest {
    if (isRequest(event)) return event
    throw invalidEvent(factory, ['its own request'], 'another')
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

function isRequest(event: unknown): event is HttpRequest {
  return event instanceof HttpRequest
}

/** Kept synchronous where nothing has to be read, so that Middy does not wait a turn. */
function settle(request: MiddyRequest, response: Response): void | Promise<void> {
  if (!(response instanceof Promise)) {
    sendResponse(request, response)
    return
  }
  return response.then((settled: object) => {
    sendResponse(request, settled)
  })
}
