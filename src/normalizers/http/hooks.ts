import type { Context } from 'aws-lambda'
import type { MiddyRequest, Middleware } from '../../core/middy.ts'
import { ConfigurationError, InvalidEventError } from '../../errors/index.ts'
import { invalidEvent } from '../../events/advice.ts'
import {
  type ResponseHooks,
  awaitSends,
  interceptResponses,
  opensInvocation,
  responseState,
  sendResponse,
  settleSends,
} from '../../invocation/middy-request.ts'
import { HttpRequest, type HttpRequestOptions } from '../http-request.ts'
import type { HttpResponseOptions } from './encode-response.ts'
import { refuseForeignHost } from './hosts.ts'
import { RequestHook, type RequestHookOptions } from './request-hook.ts'
import { type ErrorOptions, Responder, type Response } from './responder.ts'
import { type StreamingOptions, whyBuffered } from './streaming.ts'

/** The options that all HTTP normalizers take. */
export interface HttpNormalizerOptions
  extends HttpRequestOptions, HttpResponseOptions, ErrorOptions, RequestHookOptions {}

/** The options of the normalizers whose sources can take a stream. */
export interface StreamingNormalizerOptions extends HttpNormalizerOptions, StreamingOptions {}

type ReadEvent<TRequest> = (event: unknown, context: Context, options: HttpRequestOptions) => TRequest

/** What joins event to request and result to response to Middy's hooks. */
export class HttpHooks<TRequest extends HttpRequest> {
  readonly middleware: Middleware<TRequest>
  readonly #factory: string
  readonly #read: ReadEvent<TRequest>
  readonly #options: StreamingNormalizerOptions
  readonly #responder: Responder
  readonly #hook: RequestHook | undefined
  readonly #responseHooks: ResponseHooks

  constructor(factory: string, read: ReadEvent<TRequest>, options: StreamingNormalizerOptions) {
    const responder = new Responder(options)
    this.#factory = factory
    this.#read = read
    this.#options = options
    this.#responder = responder
    this.#hook = options.onRequest && new RequestHook(options)
    this.#responseHooks = {
      show: (result, { event }) => responder.show(result, this.#requestOf(event)),
      showError: (error, { event }) => responder.showError(error, this.#requestOf(event)),
      send: (request) => this.#lastForm(request),
      sendError: (error, request) => this.#lastError(error, request),
    }
    const begin = this.#begin.bind(this)
    const named = (hook: string, fn: object): object =>
      Object.defineProperty(fn, 'name', { value: factory + hook })
    this.middleware = {
      before: named('Before', (request: MiddyRequest) => opensInvocation(request, begin)),
      after: named('After', (request: MiddyRequest) => this.#after(request)),
      onError: named('OnError', (request: MiddyRequest) => this.#onError(request)),
    } as Middleware<TRequest>
  }

  #begin(request: MiddyRequest): void {
    awaitSends(request, this.middleware)
    const made = this.#receive(request)
    const reason = whyBuffered(made, this.#options)
    if (reason !== undefined) throw new ConfigurationError(reason)
    interceptResponses(request, this.#responseHooks)
    const { allowedHosts } = this.#options
    if (allowedHosts !== undefined) refuseForeignHost(made.header('host'), allowedHosts)
  }

  #after(request: MiddyRequest): void | Promise<void> {
    const settling = settleSends(request, this.middleware)
    if (settling === undefined) return settle(request, this.#lastForm(request))
    return settling.then(() => settle(request, this.#lastForm(request)))
  }

  #onError(request: MiddyRequest): void | Promise<void> {
    // A middleware in front has failed, or this one: to an event of another source no response is the only right one,
    // because to a queue, for one, any response says that all went well.
    if (!isRequest(request.event)) {
      if (request.error instanceof InvalidEventError) return
      this.#receive(request)
    }
    if (whyBuffered(this.#requestOf(request.event), this.#options) !== undefined) return
    const settling = settleSends(request, this.middleware)
    if (settling === undefined) return settle(request, this.#lastForm(request))
    return settling.then(
      () => settle(request, this.#lastForm(request)),
      (error: unknown) => settle(request, this.#lastError(error, request)),
    )
  }

  #receive(request: MiddyRequest): TRequest {
    const made = this.#read(request.event, request.context, this.#options)
    request.event = made
    this.#hook?.begin(made)
    return made
  }

  /** What there is, in the form of the source. */
  #lastForm(request: MiddyRequest): Response {
    const made = this.#requestOf(request.event)
    return this.#told(this.#encoded(request, made), made)
  }

  #lastError(error: unknown, { event }: MiddyRequest): Response {
    const made = this.#requestOf(event)
    return this.#told(this.#responder.sendError(error, made), made)
  }

  #told(response: Response, made: HttpRequest): Response {
    const hook = this.#hook
    if (hook === undefined) return response
    if (response instanceof Promise) return response.then((ready: object) => this.#told(ready, made))
    hook.end(made, response)
    return response
  }

  /** A result or an error that nobody has looked at, or what others made of it. */
  #encoded(request: MiddyRequest, made: HttpRequest): Response {
    const responder = this.#responder
    const state = responseState(request)
    if (state?.stage === 'shown') return responder.sendShown(state, made)
    // Without a state this one has not begun the invocation: a middleware in front has failed.
    const hasFailed = state === undefined ? request.response === undefined : state.stage === 'failed'
    return hasFailed
      ? responder.sendError(request.error, made)
      : responder.send(state === undefined ? request.response : state.response, made)
  }

  #requestOf(event: unknown): HttpRequest {
    if (isRequest(event)) return event
    throw invalidEvent(this.#factory, ['its own request'], 'another')
  }
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
