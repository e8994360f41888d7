/** What an error of a client tells of the attempts that it made. */
interface AttemptedError {
  readonly name?: string
  readonly $metadata?: {
    readonly httpStatusCode?: number
    readonly attempts?: number
    readonly lost?: boolean
  }
  readonly $response?: { readonly statusCode?: number }
}

/** Errors of a client whose request was not answered. */
const withoutAnswer: ReadonlySet<string> = new Set(['AbortError', 'TimeoutError'])

/**
 * How the attempts of one call ended. A client tries again by itself and tells only of its last attempt: a write that was
 * refused then may have been made by an attempt before, whose answer was lost.
 */
export class Attempts {
  #failed = 0
  #isLost = false

  /** Notes how a call of a client that looks after its own attempts failed. */
  callFailed(error: unknown): void {
    const { $metadata: { lost = false } = {} }: AttemptedError = new Object(error)
    if (lost) this.#isLost = true
  }

  /** Notes how an attempt failed. An answer below 500 says that nothing was done. */
  failed(error: unknown): void {
    this.#failed++
    const { $metadata: metadata, $response: response }: AttemptedError = new Object(error)
    const status = metadata?.httpStatusCode ?? response?.statusCode ?? 0
    if (status < 400 || status >= 500) this.#isLost = true
  }

  /**
   * Whether an attempt may have done its work without an answer.
   *
   * @param error - What the call was rejected with
   */
  mayBeDone(error: unknown): boolean {
    if (this.#isLost) return true
    const { name = '', $metadata: metadata = {} }: AttemptedError = new Object(error)
    const { attempts = 1, lost, httpStatusCode: status = 0 } = metadata
    // A client that is only a "send" notes nothing here.
    return lost ?? (this.#failed === 0 && (attempts > 1 || status >= 500 || withoutAnswer.has(name)))
  }
}
