import type { Context } from 'aws-lambda'
import { DeadlineError } from '../../errors/index.ts'
import type { BatchScope } from './record-request.ts'

/** The time that one record has: when it is up, or the batch's is, the record's signal is aborted. */
export class RecordTimeLimit implements BatchScope {
  readonly lambdaContext: Context
  readonly #batch: BatchScope
  readonly #milliseconds: number
  readonly #abort = new AbortController()
  #signal: AbortSignal | undefined
  isUp = false

  constructor(batch: BatchScope, milliseconds: number) {
    this.lambdaContext = batch.lambdaContext
    this.#batch = batch
    this.#milliseconds = milliseconds
  }

  get signal(): AbortSignal {
    return (this.#signal ??= AbortSignal.any([this.#batch.signal, this.#abort.signal]))
  }

  /** @throws DeadlineError if the work takes longer; what it comes to then does not count */
  async race<T>(work: PromiseLike<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.isUp = true
        const error = new DeadlineError(`The record took longer than ${this.#milliseconds} ms`)
        reject(error)
        this.#abort.abort(error)
      }, this.#milliseconds)
    })
    try {
      return await Promise.race([work, timeout])
    } finally {
      clearTimeout(timer)
    }
  }
}
