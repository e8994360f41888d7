import type { MiddyRequest } from '../core/middy.ts'
import { openContext } from './open-context.ts'
import { Scope, currentScope, enterScope, inScope } from './scope.ts'

type Finish = (response: unknown) => unknown

/** What the library keeps of one of Middy's requests. */
interface RequestState {
  readonly scope: Scope
  context: unknown
  error: unknown
  response: unknown
  /** Who has a last word on a response that leaves past every `after`. */
  finishers: Finish[] | undefined
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
    if (state.finishers === undefined && state.scope.isSettled) return state.response
    return (state.finished ??= finish(state))
  },
  set(value: unknown) {
    const state = this[key]
    state.response = state.pin === undefined ? value : state.pin(value)
    state.finished = undefined
    // A handler may answer with nothing.
    state.scope.answered()
  },
}

async function finish({ scope, finishers = [], response }: RequestState): Promise<unknown> {
  if (!scope.isSettled) await scope.settle()
  let value = response
  for (const finisher of finishers) value = await finisher(value)
  scope.end()
  return value
}

/** Puts the accessors in place, with what the request has by then. */
function watch(request: KnownRequest, state: RequestState): void {
  state.context = request.context
  state.error = request.error
  state.response = state.pin === undefined ? request.response : state.pin(request.response)
  // One after the other: `defineProperties` takes three times as long.
  Object.defineProperty(request, 'context', context)
  Object.defineProperty(request, 'error', error)
  Object.defineProperty(request, 'response', response)
}

/** What a hook that has opened a scope returns, so that Middy goes on outside of the caller's frame. */
const opened = Promise.resolve()

type Hook = (request: MiddyRequest) => void | Promise<void>

/**
 * Runs a `before` that begins an invocation: its scope is there from the first hook that asks for it. A chain of a record
 * shares the scope of that record.
 *
 * The first hook may run in the frame of whoever called the handler, who must not be put into the scope: so the accessors
 * come behind it, what it throws is thrown later, and it always returns a promise.
 */
export function opensInvocation(request: KnownRequest, before: Hook): void | Promise<void> {
  if (scopeOf(request) !== undefined) return before(request)
  openContext(request)
  const state: RequestState = {
    scope: new Scope(request, currentScope()),
    context: undefined,
    error: undefined,
    response: undefined,
    finishers: undefined,
    finished: undefined,
    pin: undefined,
  }
  request[key] = state
  try {
    return before(request) ?? opened
  } catch (reason) {
    return opened.then(() => {
      throw reason
    })
  } finally {
    watch(request, state)
  }
}

/** The same, with the work and whatever it calls within the scope: `remainingTime()` is the invocation's. */
export function withinInvocation(
  request: MiddyRequest,
  work: (scope: Scope) => void | Promise<void>,
): void | Promise<void> {
  return opensInvocation(request, () => {
    const scope = scopeOf(request)
    return scope && inScope(scope, work, scope)
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
 * value, or a later `after` or `onError` does. For hooks of an invocation that has begun.
 */
export function finalizeResponse(request: KnownRequest, finisher: Finish): void {
  const state = request[key]
  if (state === undefined) return
  if (state.finishers === undefined) state.finishers = [finisher]
  else state.finishers.push(finisher)
}

/** From now on, what any middleware sets as the response is what `pin` makes of it; so is what is there already. */
export function pinResponse(request: KnownRequest, pin: Finish): void {
  const state = request[key]
  if (state === undefined) return
  state.pin = pin
  // Written through the accessor, if that is there; else it is when it comes.
  const { response } = request
  request.response = response
}
