import type { Sending } from '../../invocation/send-scope.ts'

/**
 * The promise that `create()` gives: it tells whether anybody looks. An error that nobody looks at fails the invocation,
 * or the record, instead of ending the process.
 */
export class ObservedPromise<T> extends Promise<T> {
  readonly #sending: Sending

  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  constructor(done: Promise<T>, sending: Sending) {
    super((resolve, reject) => {
      done.then(resolve, reject)
    })
    this.#sending = sending
    super.then(undefined, () => undefined)
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#sending.observed = true
    return super.then(onFulfilled, onRejected)
  }
}
