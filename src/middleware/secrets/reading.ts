import { SecretTimeoutError } from '../../errors/index.ts'
import type { Outcome, SecretRef } from './store.ts'
import { atMost } from './time-limit.ts'

/** How a reading is begun. */
interface SecretReadingOptions {
  /** The store's name, for messages. */
  readonly title: string
  readonly isRefresh: boolean
  /** Between which halts of the process it was begun. */
  readonly era: number
}

/** One secret that is being read, for all who asked for it, of whichever invocation. */
export class SecretReading {
  readonly ref: SecretRef
  /** Never rejects. */
  readonly outcome: Promise<Outcome>
  readonly isRefresh: boolean
  readonly era: number
  /** Written, deleted or read anew meanwhile: the outcome may be from before, and is not held. */
  isOutdated = false
  readonly #title: string
  readonly #resolve: (outcome: Outcome) => void
  #arrive: ((outcome: Outcome) => void) | undefined
  #isAnswered = false
  #waiting = 0
  #patience = 0
  #onLeft: (() => void) | undefined

  /** @param arrive - Told the outcome, once */
  constructor(
    ref: SecretRef,
    { title, isRefresh, era }: SecretReadingOptions,
    arrive: (outcome: Outcome) => void,
  ) {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.ref = ref
    this.isRefresh = isRefresh
    this.era = era
    this.outcome = promise
    this.#title = title
    this.#resolve = resolve
    this.#arrive = arrive
  }

  /**
   * Whether it will do for one more who asks. Who wants the newest value is not served by an answer that may be on its
   * way already, or come from a cache in between.
   */
  serves(isRefresh: boolean): boolean {
    return !isRefresh || this.isRefresh
  }

  /** Whether nobody waits any more. */
  get isLeft(): boolean {
    return this.#waiting === 0
  }

  /** Milliseconds that the longest waits. */
  get patience(): number {
    return this.#patience
  }

  /** Called when nobody waits any more. */
  onLeft(left: () => void): void {
    this.#onLeft = left
  }

  /** Waits, at most so long. The reading goes on for as long as somebody waits. */
  async wait(milliseconds: number, waiting: typeof atMost = atMost): Promise<Outcome> {
    this.#waiting++
    this.#patience = Math.max(this.#patience, milliseconds)
    const outcome = await waiting(milliseconds, this.outcome)
    this.#waiting--
    if (this.isLeft && !this.#isAnswered) this.#onLeft?.()
    return outcome ?? this.#late(milliseconds)
  }

  /** Takes the store's answer. */
  answer(outcome: Outcome): void {
    this.#isAnswered = true
    this.settle(outcome)
  }

  /** Ends it for all who wait. The first time counts. */
  settle(outcome: Outcome): void {
    const arrive = this.#arrive
    if (arrive === undefined) return
    this.#arrive = undefined
    arrive(outcome)
    this.#resolve(outcome)
  }

  /** Ends it because nobody waits any more. */
  giveUp(): void {
    this.settle(this.#late(this.#patience))
  }

  #late(milliseconds: number): SecretTimeoutError {
    return new SecretTimeoutError(this.ref.key, this.#title, { seconds: milliseconds / 1000 })
  }
}
