import type { MiddyRequest } from '../core/middy.ts'
import { Scope, currentScope, enterScope, inScope } from './scope.ts'

type Finish = (response: unknown) => unknown

/** What the library keeps of one of Middy's requests. */
interface RequestState {
  readonly scope: Scope
  context: unknown
  error: unknown
  response: unknown
  /** Who has a last word on a response that leaves past every `after`. */
  readonly finishers: Finish[]
  finished: Promise<unknown> | undefined
  /** What becomes of each response that is set from now on. */
  pin: Finish | undefined
}

const key: unique symbol = Symbol('clearskies-middy')

type KnownRequest = MiddyRequest & { [key]?: RequestState; earlyResponse?: unknown }
type Accessor = PropertyDescriptor & ThisType<KnownRequest & { [key]: RequestState }>

/**
 * Middy reads `context` where it calls the handler, and sets `error` before it calls any `onError`: from there on its own
 * code, and what it calls, runs within the scope. A scope that a `before` entered would end with that hook (Middy 6), or
 * be seen by whoever called the handler (Middy 7).
 *
 * One descriptor for all requests: accessors that are made for each one cost a multiple.
 */
const context: Accessor = {
  configurable: true,
  enumerable: true,
  get() {
    enterScope(this[key].scope)
    return this[key].context
  },
  set(value: unknown) {
    this[key].context = value
  },
}

const error: Accessor = {
  configurable: true,
  enumerable: true,
  get() {
    return this[key].error
  },
  set(value: unknown) {
    const { scope } = this[key]
    enterScope(scope)
    this[key].error = value
    if (value !== undefined) scope.answered()
  },
}

/**
 * Middy leaves past every `after` when a hook returns a value. Then, and only then, it reads `response` once more and
 * awaits what it finds there.
 */
const response: Accessor = {
  configurable: true,
  enumerable: true,
  get() {
    const state = this[key]
    if (!('earlyResponse' in this)) return state.response
    // An error without an answer is thrown on by Middy, as long as it finds nothing here.
    if (state.error !== undefined && state.error !== null && state.response === undefined) return undefined
    if (state.finishers.length === 0 && state.scope.isSettled) return state.response
    return (state.finished ??= finish(state))
  },
  set(value: unknown) {
    const state = this[key]
    state.response = state.pin === undefined ? value : state.pin(value)
    state.finished = undefined
    if (value !== undefined) state.scope.answered()
  },
}

async function finish({ scope, finishers, response }: RequestState): Promise<unknown> {
  if (!scope.isSettled) await scope.settle()
  let value = response
  for (const finisher of finishers) value = await finisher(value)
  scope.end()
  return value
}

function open(request: KnownRequest): RequestState {
  const state: RequestState = {
    scope: new Scope(request, currentScope()),
    context: request.context,
    error: request.error,
    response: request.response,
    finishers: [],
    finished: undefined,
    pin: undefined,
  }
  request[key] = state
  // One after the other: `defineProperties` takes three times as long.
  Object.defineProperty(request, 'context', context)
  Object.defineProperty(request, 'error', error)
  Object.defineProperty(request, 'response', response)
  return state
}

function stateOf(request: KnownRequest): RequestState {
  return request[key] ?? open(request)
}

/** What a hook that has opened a scope returns, so that Middy goes on outside of the caller's frame. */
const opened = Promise.resolve()

/**
 * Runs the work of a `before` within the invocation's scope, which begins with the first hook that asks for it. A chain
 * of a record shares the scope of that record.
 */
export function withinInvocation(
  request: MiddyRequest,
  work: (scope: Scope) => void | Promise<void>,
): void | Promise<void> {
  const known = scopeOf(request)
  if (known !== undefined) return inScope(known, () => work(known))
  const { scope } = open(request)
  return inScope(scope, () => {
    try {
      return work(scope) ?? opened
    } catch (reason) {
      // Thrown at once, it would be caught in the frame of whoever called the handler.
      return opened.then(() => {
        throw reason
      })
    }
  })
}

/** The scope of a request, if a `before` has opened one. */
export function scopeOf(request: KnownRequest): Scope | undefined {
  const state = request[key]
  if (state !== undefined) return state.scope
  const scope = currentScope()
  return scope?.recordId !== undefined && scope.event === request.event ? scope : undefined
}

/** Says, in a `before`, that a middleware will call `settleSends()`. */
export function awaitSends(request: MiddyRequest, waiter: object): void {
  scopeOf(request)?.addWaiter(waiter)
}

/**
 * Waits, in an `after` or `onError`, for what was sent in the invocation. `undefined` where nothing is on its way. What a
 * record has sent is waited for by its batch.
 *
 * @throws SqsSendError, SqsFlushTimeoutError
 */
export function settleSends(request: MiddyRequest, waiter: object): Promise<void> | undefined {
  const scope = scopeOf(request)
  if (scope === undefined || scope.recordId !== undefined) return undefined
  if (!scope.isSettled)
    return scope.settle().finally(() => {
      scope.removeWaiter(waiter)
    })
  scope.removeWaiter(waiter)
  return undefined
}

/**
 * Lets a middleware have a last word on a response that Middy leaves with past every `after`: when a `before` returns a
 * value, or a later `after` or `onError` does.
 */
export function finalizeResponse(request: MiddyRequest, finisher: Finish): void {
  stateOf(request).finishers.push(finisher)
}

/** From now on, what any middleware sets as the response is what `pin` makes of it; so is what is there already. */
export function pinResponse(request: MiddyRequest, pin: Finish): void {
  const state = stateOf(request)
  state.pin = pin
  request.response = state.response
}
