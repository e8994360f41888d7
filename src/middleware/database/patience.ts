import { remainingTime } from '../../invocation/scope.ts'

/** Milliseconds for a connection to be made or to become free, where nobody says how many. */
const longest = 10_000

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

/** Milliseconds to wait for a connection: below the time that is left, so that the driver can tell what is wrong. */
export function connectTimeout(given: unknown): number {
  return typeof given === 'number' && given > 0 ? given : Math.floor(Math.min(longest, timeForWork()))
}
