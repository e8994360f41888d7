import { type Logger, defaultLogger, logSafely } from '../../core/logger.ts'
import { asRecord } from '../../core/record.ts'
import { isThenable } from '../../core/thenable.ts'
import type { HttpRequest } from '../http-request.ts'

/** What one request came to, as `onRequest` is told. */
export interface RequestOutcome {
  readonly method: string
  /** The route's template (`/products/{id}`), where the source knows routes: few values, other than paths. */
  readonly route: string | undefined
  /** The status of the response that leaves. */
  readonly status: number
  /** From the moment at which the normalizer reads the event, with the handler and all middlewares behind the normalizer. */
  readonly milliseconds: number
  /** The gateway's id of the request; on ALB, which has none, the trace id. */
  readonly requestId: string | undefined
}

/** The option of a normalizer that is told of each request. */
export interface RequestHookOptions {
  /**
   * Told of each request, once, when its response is ready: for metrics and access logs. Nobody waits for a promise of it.
   * What it throws or rejects with is a warning of the logger, and changes nothing.
   */
  onRequest?(request: RequestOutcome): unknown
  /** @default console */
  readonly logger?: Logger
}

/** Tells the option `onRequest` of one normalizer's requests. */
export class RequestHook {
  readonly #options: RequestHookOptions
  /** When the requests that are still to be told of were begun, by `performance.now()`. */
  readonly #begun = new WeakMap<HttpRequest, number>()

  constructor(options: RequestHookOptions) {
    this.#options = options
  }

  begin(request: HttpRequest): void {
    this.#begun.set(request, performance.now())
  }

  /** Tells of a request, unless that is done: a middleware in front may fail behind the response. */
  end(request: HttpRequest, response: object): void {
    const startedAt = this.#begun.get(request)
    if (startedAt === undefined) return
    this.#begun.delete(request)
    const milliseconds = performance.now() - startedAt
    const warn = (error: unknown): void => {
      logSafely(this.#options.logger ?? defaultLogger, 'warn', 'The hook onRequest() threw', error)
    }
    try {
      const { method, resource: route, requestId } = request
      const status = Number(asRecord(response)['statusCode'])
      const telling = this.#options.onRequest?.({ method, route, status, milliseconds, requestId })
      if (isThenable(telling)) Promise.resolve(telling).catch(warn)
    } catch (error) {
      warn(error)
    }
  }
}
