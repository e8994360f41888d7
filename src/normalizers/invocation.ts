import { invalidEvent } from '../events/advice.ts'
import type { Context } from 'aws-lambda'
import { normalizesEvent } from '../invocation/single-event.ts'
import type { Middleware } from '../core/middy.ts'
import { type OwnProperties, addProperties, passForPlainData } from '../core/plain-data.ts'
import { cloneJson } from '../core/json.ts'
import { requestIdOf } from '../invocation/request-id.ts'
import { eventKind } from '../events/event-kind.ts'

/**
 * A direct invocation: the payload is the data, any JSON value. A log, a copy and a clone have the payload's keys, but for
 * those that a request has itself; or `data`, if the payload is no object.
 *
 * @example
 * ```ts
 * import type { InvocationRequest } from 'clearskies-middy/normalizers/invocation'
 *
 * export const total = ({ data }: InvocationRequest<readonly number[]>) => data.reduce((sum, one) => sum + one, 0)
 * ```
 */
export class InvocationRequest<TData = unknown> {
  readonly kind = 'invocation'
  readonly source = 'invocation'
  readonly #raw: unknown
  readonly #lambdaContext: Context
  #data: TData

  static readonly #members: OwnProperties = passForPlainData(InvocationRequest.prototype, ['data'])

  private constructor(payload: unknown, lambdaContext: Context) {
    this.#raw = payload
    this.#lambdaContext = lambdaContext
    // What a handler changes in the data is not changed in what was sent.
    this.#data = cloneJson(payload) as TData
    addProperties(this, printedOf(payload, this) ?? InvocationRequest.#members)
  }

  /** The payload as it was sent. */
  get raw(): unknown {
    return this.#raw
  }

  /** Lambda's id of the invocation, the same when Lambda tries it again; `undefined` where the context has none. */
  get id(): string | undefined {
    return requestIdOf(this.#lambdaContext)
  }

  get lambdaContext(): Context {
    return this.#lambdaContext
  }

  get data(): TData {
    return this.#data
  }
  set data(value: TData) {
    this.#data = value
  }

  /** @internal */
  static of(payload: unknown, lambdaContext: Context): InvocationRequest {
    return new InvocationRequest(payload, lambdaContext)
  }
}

/** The payload's keys. A name that the request has itself stays the request's. */
function printedOf(payload: unknown, request: object): OwnProperties | undefined {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined
  return Object.entries(payload).flatMap(([name, value]: [string, unknown]) =>
    name in request ? [] : [[name, { value, enumerable: true, writable: true, configurable: true }]],
  )
}

/**
 * Takes the payload of a direct invocation, whatever it is: `null`, a number, an object that looks like HTTP.
 *
 * @throws InvalidEventError if another normalizer has been there already
 * @example
 * ```ts
 * import { invocationRequest } from 'clearskies-middy/normalizers/invocation'
 * import { lambdaContext } from 'clearskies-middy/testing'
 *
 * console.log(invocationRequest([1, 2], lambdaContext()).data) // [ 1, 2 ]
 * ```
 */
export function invocationRequest(payload: unknown, context: Context): InvocationRequest {
  // A payload may have any keys. Only a request of ours is no plain JSON.
  if (eventKind(payload) === 'normalized' && !isPlainPayload(payload))
    throw invalidEvent('invocation', ['direct invocations'], 'normalized')
  return InvocationRequest.of(payload, context)
}

function isPlainPayload(payload: unknown): boolean {
  const prototype: unknown = Object.getPrototypeOf(payload)
  return prototype === Object.prototype || prototype === null
}

/**
 * Returns the handler's value as it is; nothing becomes `null`, which is what JSON has for it.
 *
 * @example
 * ```ts
 * import { invocationResponse } from 'clearskies-middy/normalizers/invocation'
 *
 * console.log(invocationResponse(undefined)) // null
 * ```
 */
export function invocationResponse(result: unknown): unknown {
  return result ?? null
}

/**
 * Puts the handler behind direct invocations (`Invoke`, Step Functions, the console's test button). Errors propagate
 * to the caller.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { invocation } from 'clearskies-middy/normalizers/invocation'
 *
 * export const handler = middy()
 *   .use(invocation())
 *   .handler(async ({ data }) => ({ received: data }))
 * ```
 */
export function invocation(): Middleware<InvocationRequest> {
  return normalizesEvent(invocationRequest, invocationResponse)
}
