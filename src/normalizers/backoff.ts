/** How long to wait, in seconds, before a message's next attempt, by how often it has been received. */
export type Backoff = (receiveCount: number) => number

/** Options of the backoffs. */
export interface BackoffOptions {
  /** Seconds. @default 10 */
  readonly base?: number
  /** Seconds; SQS allows 43,200. @default 900 */
  readonly max?: number
  /** The share of the wait that is left to chance, 0 to 1, so that what failed together does not come back together. @default 0 */
  readonly jitter?: number
  /** Gives numbers from 0 to 1. @default Math.random */
  readonly random?: () => number
}

/**
 * 10, 20, 40, 80, … seconds.
 *
 * @example
 * ```ts
 * import { RetryLaterError, exponentialBackoff } from 'clearskies-middy'
 *
 * const delaySeconds = exponentialBackoff({ base: 5, jitter: 0.5 })
 * export const busy = (): never => {
 *   throw new RetryLaterError({ delaySeconds })
 * }
 * ```
 */
export function exponentialBackoff(options: BackoffOptions = {}): Backoff {
  return backoff((count) => 2 ** (count - 1), options)
}

/**
 * 10, 20, 30, 40, … seconds.
 *
 * @example
 * ```ts
 * import { linearBackoff } from 'clearskies-middy/normalizers/backoff'
 *
 * console.log([1, 2, 3].map(linearBackoff({ base: 30 }))) // [ 30, 60, 90 ]
 * ```
 */
export function linearBackoff(options: BackoffOptions = {}): Backoff {
  return backoff((count) => count, options)
}

/**
 * 10, 10, 20, 30, 50, … seconds.
 *
 * @example
 * ```ts
 * import { fibonacciBackoff } from 'clearskies-middy/normalizers/backoff'
 *
 * console.log([1, 2, 3, 4].map(fibonacciBackoff())) // [ 10, 10, 20, 30 ]
 * ```
 */
export function fibonacciBackoff(options: BackoffOptions = {}): Backoff {
  return backoff(fibonacci, options)
}

function backoff(
  factor: (count: number) => number,
  { base = 10, max = 900, jitter = 0, random = Math.random }: BackoffOptions,
): Backoff {
  return (receiveCount) => {
    const wait = Math.min(max, base * factor(Math.max(1, receiveCount)))
    return Math.round(wait * (1 - jitter * random()))
  }
}

function fibonacci(count: number): number {
  let [before, current] = [0, 1]
  // Past this the wait is at its limit, whatever the limit.
  for (let index = 1; index < Math.min(count, 70); index++) [before, current] = [current, before + current]
  return current
}
