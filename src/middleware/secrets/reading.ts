import type { Outcome, SecretRef } from './store.ts'

/** One secret that is being read, for all who asked for it. */
export class SecretReading {
  readonly ref: SecretRef
  /** The invocation in which it was begun. */
  readonly invocation: number
  /** Never rejects. */
  readonly outcome: Promise<Outcome>
  readonly isRefresh: boolean
  readonly #resolve: (outcome: Outcome) => void
  #arrive: ((outcome: Outcome) => Outcome) | undefined

  /** @param arrive - Turns what the store gives into what those who asked get */
  constructor(ref: SecretRef, isRefresh: boolean, invocation: number, arrive: (outcome: Outcome) => Outcome) {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.ref = ref
    this.isRefresh = isRefresh
    this.invocation = invocation
    this.outcome = promise
    this.#resolve = resolve
    this.#arrive = arrive
  }

  get name(): string {
    return this.ref.name
  }

  /**
   * Whether it will do for one more who asks. Who wants the newest value is not served by an answer that may be on its
   * way already, or come from a cache in between.
   */
  serves(isRefresh: boolean): boolean {
    return !isRefresh || this.isRefresh
  }

  /** The first time counts. */
  settle(outcome: Outcome): void {
    const arrive = this.#arrive
    this.#arrive = undefined
    if (arrive !== undefined) this.#resolve(arrive(outcome))
  }
}
