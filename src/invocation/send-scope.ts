import { AsyncLocalStorage } from 'node:async_hooks'
import { SqsFlushTimeoutError } from '../errors/index.ts'

/** One message on its way. */
export interface Sending {
  /** Settles when SQS has acknowledged the message, or will not. */
  readonly done: Promise<unknown>
  /** Whether the sender's promise was looked at: what somebody awaits, somebody handles. */
  observed: boolean
  failure?: { readonly error: unknown }
}

/**
 * The record whose handler sends a message. A record that comes again sends its messages again: by this they can be told
 * from new ones, as long as its handler sends them in the same order.
 */
export interface SendOrigin {
  readonly messageId: string
  /** How many messages the record has sent before. */
  readonly ordinal: number
}

/**
 * What was sent within a unit of work, an invocation or a record of a queue, and has to arrive before the unit is done.
 * Lambda freezes the process when the handler has returned: what is still on its way then may never arrive.
 */
export class SendScope {
  /** When the invocation has to end, as `Date.now()` counts it. */
  endsAt: number
  readonly #open = new Set<Sending>()
  readonly #onFirst: (() => void) | undefined
  readonly #messageId: string | undefined
  #count = 0
  #ordinal = 0
  #isSettling = false
  #isOver = false

  /**
   * @param onFirst - Called with the first message: most units of work send none
   * @param messageId - Of the record that is worked, if one is
   */
  constructor(onFirst?: () => void, messageId?: string) {
    this.endsAt = Infinity
    this.#onFirst = onFirst
    this.#messageId = messageId
  }

  /** Where the next message comes from, if from a record. */
  nextOrigin(): SendOrigin | undefined {
    return this.#messageId ? { messageId: this.#messageId, ordinal: this.#ordinal++ } : undefined
  }

  add(sending: Sending): void {
    if (this.#count++ === 0) this.#onFirst?.()
    this.#open.add(sending)
    const close = (): void => {
      // What has arrived need not be remembered; what has failed unseen is.
      if (sending.failure === undefined || sending.observed) this.#open.delete(sending)
    }
    const isLate = this.#isOver
    sending.done.then(close, (error: unknown) => {
      sending.failure = { error }
      // The unit was done already and can fail no more: where nobody looks, the process has to tell.
      if (isLate && !this.#isSettling && !sending.observed) throw error
    })
  }

  /** Whether it is a record's. */
  get isRecord(): boolean {
    return this.#messageId !== undefined
  }

  /** Says that the unit is done: code that goes on behind it, or comes in its wake, may still send. */
  end(): void {
    this.#isOver = true
    // Whoever called the handler goes on in this scope, and has more time.
    this.endsAt = Infinity
  }

  get isEmpty(): boolean {
    return this.#open.size === 0
  }

  /**
   * Waits for all of it, at most `milliseconds`.
   *
   * @throws the first error that nobody else can have seen; SqsFlushTimeoutError if the time does not suffice
   */
  async settle(milliseconds: number = Infinity): Promise<void> {
    const timeout = new Timeout(milliseconds)
    this.#isSettling = true
    let failure: Sending['failure']
    try {
      while (this.#open.size > 0) {
        const sendings = [...this.#open]
        await Promise.race([Promise.allSettled(sendings.map(({ done }) => done)), timeout.passed])
        if (timeout.isOver) {
          const unsent = this.#open.size
          this.#open.clear() // They are told with this, and need not be waited for once more.
          throw new SqsFlushTimeoutError(this.#count - unsent, unsent)
        }
        for (const sending of sendings) {
          this.#open.delete(sending)
          if (!sending.observed) failure ??= sending.failure
        }
      }
    } finally {
      this.#isSettling = false
      timeout.clear()
    }
    if (failure !== undefined) throw failure.error
  }
}

/** A limit of time, none for `Infinity`. */
class Timeout {
  isOver = false
  readonly passed: Promise<void>
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(milliseconds: number) {
    this.passed = new Promise((resolve) => {
      if (milliseconds === Infinity) return
      this.#timer = setTimeout(
        () => {
          this.isOver = true
          resolve()
        },
        Math.max(0, milliseconds),
      )
    })
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}

const storage = new AsyncLocalStorage<SendScope>()
let sends = false

/** The scope that code runs in, if any. */
export function currentScope(): SendScope | undefined {
  return storage.getStore()
}

/** Milliseconds that the invocation has left for work; `Infinity` outside of one. */
export function remainingTime(): number {
  const endsAt = currentScope()?.endsAt ?? Infinity
  return endsAt === Infinity ? Infinity : endsAt - Date.now()
}

/** Says that code is loaded which sends messages; before, nobody has to follow whose they are. */
export function announceSender(): void {
  sends = true
}

/** Whether anything may be sent in this process. */
export function sendsAnything(): boolean {
  return sends
}

/** Runs a function within a scope. */
export function inScope<T>(scope: SendScope, run: () => T): T {
  return storage.run(scope, run)
}

/** Puts what follows in this asynchronous context into a scope. */
export function enterScope(scope: SendScope): void {
  storage.enterWith(scope)
}
