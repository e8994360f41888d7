import type { MiddyRequest } from '../core/middy.ts'
import { openContext } from './open-context.ts'
import { guardOperations } from './durable.ts'
import { InvocationScope, type Scope, currentScope, enterScope, inScope } from './scope.ts'

type Finish = (response: unknown) => unknown

/**
 * How far a response is, where {@link interceptResponses} watches over it: nothing is there; an error has come; somebody
 * has given a value; middlewares have found it as a response of theirs; it has its last form.
 */
type Stage = 'open' | 'failed' | 'given' | 'shown' | 'sent'

/** What a middleware makes of the results and errors of a chain, before any other looks at them. */
export interface ResponseHooks {
  /** What middlewares find in place of a result. */
  show(result: unknown, request: MiddyRequest): unknown
  /** What middlewares find as the response to an error. */
  showError(error: unknown, request: MiddyRequest): unknown
  /** The last form of what is there, for a value that leaves past every `after`. */
  send(request: MiddyRequest): unknown
  /** The last form of an error that comes so late. */
  sendError(error: unknown, request: MiddyRequest): unknown
}

/** The response of a chain as far as it is. */
export interface ResponseState {
  readonly stage: Stage
  /** What the handler or a middleware has set. */
  readonly given: unknown
  /** The same, or from the stage `shown` on what middlewares find and write to. */
  readonly response: unknown
}

/** What the library keeps of one of Middy's requests. */
interface RequestState {
  readonly scope: InvocationScope
  context: unknown
  error: unknown
  response: unknown
  /** Who has a last word on a response that leaves past every `after`. */
  finishers: Finish[] | undefined
  finished: Promise<unknown> | undefined
  /** What becomes of each response that is set from now on. */
  pin: Finish | undefined
  hooks: ResponseHooks | undefined
  stage: Stage
  given: unknown
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
    const state = this[key]
    enterScope(state.scope)
    return state.context
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
    const state = this[key]
    const { scope } = state
    enterScope(scope)
    // A middleware may put another error in place of the first, which is then the one to answer.
    if (state.error !== value || state.stage !== 'shown') state.stage = 'failed'
    state.error = value
    state.given = undefined
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
    if (!('earlyResponse' in this)) {
      if (state.hooks !== undefined && (state.stage === 'given' || state.stage === 'failed'))
        show(this, state, state.hooks)
      return state.response
    }
    // An error without an answer is thrown on by Middy, as long as it finds nothing here.
    if (state.error !== undefined && state.error !== null && state.response === undefined) return undefined
    const isDone = state.hooks === undefined || state.stage === 'sent'
    if (isDone && state.finishers === undefined && state.scope.isSettled) return state.response
    return (state.finished ??= finish(this, state))
  },
  set(value: unknown) {
    const state = this[key]
    if (state.stage !== 'sent' && (state.stage !== 'shown' || value !== state.response)) {
      // With an error, nothing is no answer.
      state.stage = value === undefined && state.error !== undefined ? 'failed' : 'given'
      state.given = value
    }
    putResponse(state, value)
  },
}

function putResponse(state: RequestState, value: unknown): void {
  state.response = state.pin === undefined ? value : state.pin(value)
  state.finished = undefined
  // A handler may answer with nothing.
  state.scope.answered()
}

/** Gives middlewares a response that is theirs to change, in place of a value or an error. */
function show(request: KnownRequest, state: RequestState, hooks: ResponseHooks): void {
  state.response =
    state.stage === 'failed' ? hooks.showError(state.error, request) : hooks.show(state.given, request)
  state.stage = 'shown'
}

async function finish(request: KnownRequest, state: RequestState): Promise<unknown> {
  const { scope, finishers = [] } = state
  let value = await lastForm(request, state)
  for (const finisher of finishers) value = await finisher(value)
  scope.end()
  return value
}

async function lastForm(
  request: KnownRequest,
  { scope, stage, hooks, response }: RequestState,
): Promise<unknown> {
  const isOpen = hooks !== undefined && stage !== 'sent'
  try {
    if (!scope.isSettled) await scope.settle()
  } catch (reason) {
    if (isOpen) return hooks.sendError(reason, request)
    throw reason
  }
  return isOpen ? hooks.send(request) : response
}

/** Puts the accessors in place, with what the request has by then. */
function watchRequest(request: KnownRequest, state: RequestState): void {
  state.context = request.context
  state.error = request.error
  state.response = state.pin === undefined ? request.response : state.pin(request.response)
  // One after the other: `defineProperties` takes three times as long.
  Object.defineProperty(request, 'context', context)
  Object.defineProperty(request, 'error', error)
  Object.defineProperty(request, 'response', response)
}

/** What a hook that has opened a scope returns, so that Middy goes on outside of the caller's frame. */
const alreadyOpen = Promise.resolve()

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
    scope: new InvocationScope(request, currentScope()),
    context: undefined,
    error: undefined,
    response: undefined,
    finishers: undefined,
    finished: undefined,
    pin: undefined,
    hooks: undefined,
    stage: 'open',
    given: undefined,
  }
  request[key] = state
  try {
    return before(request) ?? alreadyOpen
  } catch (reason) {
    return alreadyOpen.then(() => {
      throw reason
    })
  } finally {
    watchRequest(request, state)
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
export function awaitSends(request: KnownRequest, waiter: object): void {
  request[key]?.scope.addWaiter(waiter)
  guardOperations(request.context)
}

/**
 * Waits, in an `after` or `onError`, for what was sent in the invocation. `undefined` where nothing is on its way. What a
 * record has sent is waited for by its batch.
 *
 * @throws SqsSendError, SqsFlushTimeoutError
 */
export function settleSends(request: KnownRequest, waiter: object): Promise<void> | undefined {
  const scope = request[key]?.scope
  if (scope === undefined) return undefined
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
  // Where the accessor is still to come, it does the same once more.
  state.response = pin(request.response)
  state.finished = undefined
}

/**
 * From now on other middlewares find results and errors as `hooks` show them, each made when somebody looks: what the
 * handler returned is never what they write to. Until {@link sendResponse}.
 */
export function interceptResponses(request: KnownRequest, hooks: ResponseHooks): void {
  const state = request[key]
  if (state !== undefined) state.hooks = hooks
}

/** How far the response is; `undefined` where nobody watches over it. */
export function responseState(request: KnownRequest): ResponseState | undefined {
  const state = request[key]
  return state?.hooks === undefined ? undefined : state
}

/** Sets the response in its last form. */
export function sendResponse(request: KnownRequest, response: unknown): void {
  const state = request[key]
  if (state === undefined) {
    request.response = response
    return
  }
  // Past the accessor: to write through one costs ten times as much.
  state.stage = 'sent'
  putResponse(state, response)
}
