import type { LightMetadata } from './light-error.ts'

/** What a call that its signal has ended is rejected with, as the SDK's calls are. */
function abortError({ reason }: AbortSignal, $metadata: LightMetadata): Error {
  const error = new Error('The call was aborted', { cause: reason })
  return Object.assign(error, { name: 'AbortError', $metadata })
}

/** Undoes a wait that is not over. */
type Undo = () => void

/** Lets a call's signal end whatever the call waits for. It listens once, and leaves nothing on the signal. */
export class Interruption {
  readonly #signal: AbortSignal | undefined
  readonly #metadata: LightMetadata
  readonly #interrupt: () => void
  #stop: ((error: Error) => void) | undefined

  constructor(signal: AbortSignal | undefined, metadata: LightMetadata) {
    this.#signal = signal
    this.#metadata = metadata
    this.#interrupt = () => {
      if (signal !== undefined) this.#stop?.(abortError(signal, metadata))
    }
    signal?.addEventListener('abort', this.#interrupt)
  }

  /** @throws an AbortError, whose cause is the signal's reason */
  check(): void {
    if (this.#signal?.aborted === true) throw abortError(this.#signal, this.#metadata)
  }

  /** A wait that ends when the signal is aborted. */
  wait<T>(
    start: (resolve: (value: T) => void, reject: (error: unknown) => void) => Undo | undefined,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.check()
      const undo = start(resolve, reject)
      this.#stop = (error) => {
        undo?.()
        reject(error)
      }
    })
  }

  /** Waits for what others may wait for, too. It goes on without this call. */
  until<T>(shared: Promise<T>): Promise<T> {
    return this.wait<T>((resolve, reject) => {
      shared.then(resolve, reject)
      return undefined
    })
  }

  delay(milliseconds: number): Promise<void> {
    return this.wait<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      return () => clearTimeout(timer)
    })
  }

  /** The call is over. */
  end(): void {
    this.#stop = undefined
    this.#signal?.removeEventListener('abort', this.#interrupt)
  }
}
