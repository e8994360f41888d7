import { asRecord, asString } from '../core/record.ts'
import { SqsFlushTimeoutError, SqsSendError } from '../errors/index.ts'
import { remainingTimeOf } from './remaining-time.ts'
import { requestIdOf } from './request-id.ts'
import { Sends } from './sends.ts'

// Not by `import`: the facade of an ES module takes twice as long.
const { AsyncLocalStorage } = process.getBuiltinModule('node:async_hooks')

/** What an invocation is about: Middy's request. */
export interface Work {
  readonly event: unknown
  readonly context: object
}

/** Milliseconds left for the response itself. */
const timeReserve = 50

/**
 * All that belongs to one unit of work, an invocation or one record of it: its deadline and what it has sent. It follows
 * the asynchronous work that begins in it. Nothing of an invocation is kept on a module or on a middleware, because a
 * process works many at once.
 */
export abstract class Scope {
  readonly parent: Scope | undefined
  /** The id of the record, if this is a record's scope. */
  readonly recordId: string | undefined
  readonly #context: object
  #deadline: number | undefined
  #sends: Sends | undefined
  #origins = 0
  #hasEnded = false
  /** How many streams the answer still has. */
  #streams = 0

  /** @param context - Lambda's, or one that has its methods */
  constructor(context: object, parent: Scope | undefined, recordId?: string) {
    this.#context = context
    this.parent = parent
    this.recordId = recordId
  }

  /** The normalized request, or the event as it came. */
  abstract get event(): unknown

  /** Whether somebody waits for what is sent here. A record is waited for by its batch. */
  protected abstract get hasWaiter(): boolean

  /** When the invocation is ended, as `Date.now()` counts; `Infinity` where nobody tells. */
  get deadline(): number {
    return (this.#deadline ??= Date.now() + remainingTimeOf(this.#context))
  }

  get #isOver(): boolean {
    return this.#hasEnded && this.#streams === 0
  }

  /** Milliseconds that are left. `Infinity` for what goes on behind the answer: no deadline is known for that. */
  get remainingTime(): number {
    return this.#isOver ? Infinity : this.deadline - Date.now()
  }

  /** The source of the request; `undefined` for an event that no normalizer has read. */
  get source(): string | undefined {
    const { kind, source } = asRecord(this.event) ?? {}
    return asString(kind) === undefined ? undefined : asString(source)
  }

  /** Lambda's id of the invocation. */
  get requestId(): string | undefined {
    return requestIdOf(this.#context)
  }

  /** Whether somebody waits for what is sent here, before the unit of work is done. */
  get isAwaited(): boolean {
    return !this.#isOver && (this.#streams > 0 || this.hasWaiter)
  }

  /** Whether somebody waits for the answer. While that is so the process is not frozen. */
  get isRunning(): boolean {
    return !this.#isOver && this.remainingTime > 0
  }

  /** Whether nothing is on its way, and nothing has failed unseen. */
  get isSettled(): boolean {
    return this.#sends === undefined || this.#sends.isEmpty
  }

  /** Whether something is on its way, or has failed, that nobody awaits. */
  get isUnawaited(): boolean {
    return this.#sends?.isUnawaited === true
  }

  /** What is sent; made with the first send, because most units of work send nothing. */
  get sends(): Sends {
    return (this.#sends ??= new Sends())
  }

  /** The number of sends before this one, for `SendOrigin`. */
  nextOrdinal(): number {
    return this.#origins++
  }

  /** Says that the unit of work is done. Code that goes on behind it may still send. */
  end(): void {
    this.#hasEnded = true
  }

  /** Says that a stream of the answer goes on when the rest of the work is done. It waits for what is sent. */
  hold(): void {
    this.#streams++
  }

  /** Says that such a stream has ended. */
  release(): void {
    this.#streams--
  }

  /**
   * Waits for everything that was sent, as long as the time that is left allows.
   *
   * @throws SqsSendError for the first that failed unseen; SqsFlushTimeoutError
   */
  async settle(): Promise<void> {
    try {
      await this.#sends?.settle(remainingTimeOf(this.#context) - timeReserve)
    } catch (error) {
      if (error instanceof SqsSendError || error instanceof SqsFlushTimeoutError) throw error
      // Nobody awaited it, so it is not for the caller, whatever status the error has.
      const code = (error as Partial<Error> | undefined)?.name ?? 'Unknown'
      throw new SqsSendError(code, 'A message that nobody awaited was not sent', { cause: error })
    }
  }
}

/** The scope of one invocation. */
export class InvocationScope extends Scope {
  readonly #work: Work
  /** The middlewares that still wait for what is sent. */
  #waiters: object[] | undefined
  #isAnswered = false
  #onAnswer: (() => void) | undefined

  constructor(work: Work, parent: Scope | undefined) {
    super(work.context, parent)
    this.#work = work
  }

  override get event(): unknown {
    return this.#work.event
  }

  protected override get hasWaiter(): boolean {
    return this.#waiters !== undefined && this.#waiters.length > 0
  }

  override get isRunning(): boolean {
    return !this.#isAnswered && super.isRunning
  }

  /** Says that a middleware will call `settle()`. */
  addWaiter(waiter: object): void {
    if (this.#waiters === undefined) this.#waiters = [waiter]
    else if (!this.#waiters.includes(waiter)) this.#waiters.push(waiter)
  }

  /** Says that a middleware waits no more. With the last one the invocation is over. */
  removeWaiter(waiter: object): void {
    const waiters = this.#waiters ?? []
    const index = waiters.indexOf(waiter)
    if (index >= 0) waiters.splice(index, 1)
    if (waiters.length === 0) this.end()
  }

  /** Calls a function once an answer is there, whoever gave it. */
  onAnswer(fn: () => void): void {
    this.#onAnswer = fn
  }

  /** Says that an answer is there. */
  answered(): void {
    this.#isAnswered = true
    this.#onAnswer?.()
  }
}

const storage = new AsyncLocalStorage<Scope | undefined>()

// Before Node 24 a storage follows promises only from its first use on. That must not be in the middle of a chain: the scope
// would be put on what the caller of the handler runs in, too.
storage.run(new InvocationScope({ event: undefined, context: {} }, undefined), () => undefined)

/** The scope that the calling code runs in, if any. */
export function currentScope(): Scope | undefined {
  return storage.getStore()
}

/** Runs a function within a scope. Arguments cost less than a closure. */
export function inScope<T, TArgs extends unknown[]>(
  scope: Scope,
  run: (...args: TArgs) => T,
  ...args: TArgs
): T {
  return storage.run(scope, run, ...args)
}

/** Puts what follows in this asynchronous context into a scope, or out of any. */
export function enterScope(scope: Scope | undefined): void {
  if (storage.getStore() !== scope) storage.enterWith(scope)
}

/** The same for a scope that is new: to ask first is a tenth of what a record costs. */
export function enterNewScope(scope: Scope): void {
  storage.enterWith(scope)
}

/** Milliseconds that the invocation has left for work; `Infinity` outside of one. */
export function remainingTime(): number {
  return currentScope()?.remainingTime ?? Infinity
}

/** The scope whose end waits for what the calling code sends: the nearest that somebody waits for. */
export function awaitedScope(): Scope | undefined {
  let scope = currentScope()
  while (scope !== undefined && !scope.isAwaited) scope = scope.parent
  return scope
}

/** The scope of the record that the calling code works on. */
export function recordScope(): Scope | undefined {
  let scope = currentScope()
  while (scope !== undefined && scope.recordId === undefined) scope = scope.parent
  return scope
}
