import { remainingTime } from '../../invocation/scope.ts'

/** Milliseconds for a connection to be made or to become free, where nobody says how many. */
const longestPatience = 10_000

/**
 * Milliseconds that the calling invocation may wait for the database: what it has left, less a tenth (50 to 1,000) for its
 * answer and for what has to be cancelled. `Infinity` outside of an invocation.
 */
export function timeForWork(): number {
  const left = remainingTime()
  // What goes on behind the deadline is no work of that invocation any more.
  if (left <= 0) return Infinity
  return Math.max(1, left - Math.min(1000, Math.max(50, left / 10)))
}

/** How long the making of a connection may take, which both drivers read where they begin to make one. */
export class ConnectTimeout {
  readonly #given: number | undefined
  #own: number | undefined

  constructor(given: unknown) {
    this.#given = typeof given === 'number' && given > 0 ? given : undefined
  }

  /** Milliseconds for the calling invocation: below the time that it has left, so that the driver can tell what is wrong. */
  get ofCaller(): number {
    return this.#given ?? Math.floor(Math.min(longestPatience, timeForWork()))
  }

  /**
   * Milliseconds for the driver. A pool also makes connections where another invocation gives one back, for whoever waits:
   * then the time of the one that gives back does not count.
   */
  get ofDriver(): number {
    return this.#own ?? this.#given ?? longestPatience
  }

  /** Has a connection made, or one waited for, in the calling invocation's time. */
  apply(make: () => void): void {
    this.#own = this.ofCaller
    try {
      make()
    } finally {
      this.#own = undefined
    }
  }
}
