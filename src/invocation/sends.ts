import { SqsFlushTimeoutError } from '../errors/index.ts'

/** Why something was not sent. */
export interface SendFailure {
  readonly error: unknown
}

/**
 * The promise of something on its way. It knows whether anybody looks at it: an error that somebody handles is not told
 * a second time.
 */
export class Sending<T = unknown> extends Promise<T> {
  #isObserved = false

  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  constructor(done: Promise<T>) {
    super((resolve, reject) => {
      done.then(resolve, reject)
    })
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#isObserved = true
    return super.then(onFulfilled, onRejected)
  }

  /** Waits without looking. Who calls this takes over an error that nobody else sees, and has to tell it. */
  settled(): Promise<SendFailure | undefined> {
    return super.then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
  }

  /** Whether somebody awaits it, and handles its error. */
  get isObserved(): boolean {
    return this.#isObserved
  }

  /** Says that its error was told. */
  observe(): void {
    this.#isObserved = true
  }
}

/**
 * What was sent within a unit of work, an invocation or a record, and has to arrive before the unit is done. Lambda
 * freezes the process when the handler has returned: what is still on its way then may never arrive.
 */
export class Sends {
  /** What is on its way, and what failed unseen, with the failure. */
  readonly #open = new Map<Sending, SendFailure | undefined>()
  #count = 0

  get isEmpty(): boolean {
    return this.#open.size === 0
  }

  /** Whether something is on its way, or has failed, that nobody awaits. */
  get isUnawaited(): boolean {
    return [...this.#open.keys()].some((sending) => !sending.isObserved)
  }

  add(sending: Sending): void {
    this.#count++
    this.#open.set(sending, undefined)
    void sending.settled().then((failure) => {
      if (failure === undefined || sending.isObserved) this.#open.delete(sending)
      else if (this.#open.has(sending)) this.#open.set(sending, failure)
    })
  }

  /**
   * Waits for all of it, at most `milliseconds`.
   *
   * @throws the first error that nobody else can have seen; SqsFlushTimeoutError if the time does not suffice
   */
  async settle(milliseconds: number = Infinity): Promise<void> {
    const timeout = new Timeout(milliseconds)
    let failure: SendFailure | undefined
    try {
      while (this.#open.size > 0) {
        const sendings = [...this.#open.keys()]
        const outcomes = sendings.map((sending) => sending.settled())
        await Promise.race([Promise.all(outcomes), timeout.passed])
        if (timeout.isOver) throw this.#timeUp()
        for (const sending of sendings) {
          if (!sending.isObserved) failure ??= this.#open.get(sending)
          this.#open.delete(sending)
        }
      }
    } finally {
      timeout.clear()
    }
    if (failure !== undefined) throw failure.error
  }

  /** What is on its way is told with this error, and need not be waited for once more. */
  #timeUp(): SqsFlushTimeoutError {
    const unsent = this.#open.size
    this.#open.clear()
    return new SqsFlushTimeoutError(this.#count - unsent, unsent)
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
      const end = (): void => {
        this.isOver = true
        resolve()
      }
      this.#timer = setTimeout(end, Math.max(0, milliseconds))
    })
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}
