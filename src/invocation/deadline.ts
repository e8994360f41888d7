import { DeadlineError } from '../errors/index.ts'
import { remainingTimeOf } from './remaining-time.ts'

/** setTimeout's limit; a function ends long before. */
export const longestTimer: number = 2 ** 31 - 1

/** What pieces of work that are waited for call. */
export interface Pieces {
  end(this: void): void
  fail(this: void, reason: unknown): void
}

/** The moment at which a batch has to be answered, somewhat before the function's timeout. */
export class Deadline {
  readonly startedAt: number = Date.now()
  readonly #at: number
  readonly #margin: number

  /** @param margin - Milliseconds; by default 5 % of what is left, at least 250, at most 5,000 and half of what is left */
  constructor(context: object, margin?: number) {
    const remaining = remainingTimeOf(context)
    this.#margin = margin ?? defaultMargin(remaining)
    this.#at = this.startedAt + remaining - this.#margin
  }

  /** Asked before each record: work that never lets the event loop turn would keep a timer from firing. */
  get isPast(): boolean {
    return Date.now() >= this.#at
  }

  /** Aborted at the deadline; never where nobody tells when that is. The timer keeps no process alive. */
  signal(message: string): AbortSignal {
    const controller = new AbortController()
    const milliseconds = this.#at - Date.now()
    if (milliseconds <= longestTimer) {
      const abort = (): void => {
        controller.abort(new DeadlineError(message))
      }
      if (milliseconds > 0) setTimeout(abort, milliseconds).unref()
      else abort()
    }
    return controller.signal
  }

  /**
   * Waits until `count` pieces of work have ended, or until the deadline, or into the margin behind it by a share of that;
   * what comes later is ignored.
   *
   * @param begin - Begins the work, whose pieces each call `end` once: that costs less than a promise of each
   */
  limit(count: number, begin: (pieces: Pieces) => void, share = 0): Promise<void> {
    return new Promise((resolve, fail) => {
      let open = count
      let timer: ReturnType<typeof setTimeout> | undefined
      const end = (): void => {
        if (--open > 0) return
        clearTimeout(timer)
        resolve()
      }
      begin({ end, fail })
      if (open === 0) {
        resolve()
        return
      }
      // No timer fires before the promise callbacks that are due have run, and much work is done with them.
      process.nextTick(() => {
        if (open === 0) return
        const milliseconds = this.#at + this.#margin * share - Date.now()
        if (milliseconds <= longestTimer) timer = setTimeout(resolve, Math.max(0, milliseconds))
      })
    })
  }
}

/** Answering and changing visibilities take seconds, however long the function may run. */
function defaultMargin(remaining: number): number {
  return remaining === Infinity ? 0 : Math.min(Math.max(250, remaining * 0.05), 5000, remaining / 2)
}
