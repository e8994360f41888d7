import type { Answer, NoAnswer } from './http.ts'

/** Why an attempt may be followed by another after a wait. */
type WaitingKind = 'throttling' | 'transient'

/** Why an attempt may be followed by another: with a new connection or with new credentials at once. */
export type RetryKind = WaitingKind | 'reconnect' | 'renew'

const throttling: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'KmsThrottled',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
])

const transient: ReadonlySet<string> = new Set([
  'ReplicatedWriteConflictException',
  'RequestTimeout',
  'RequestTimeoutException',
  'TimeoutError',
])

const transientNetwork =
  /^(?:ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/

const transientStatus: ReadonlySet<number> = new Set([500, 502, 503, 504])

const codesOfSkew: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'AuthFailure',
  'InvalidSignatureException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
])

/** Whether and why a request that brought no answer may be made again. */
export function kindOfNoAnswer({ error, isStale }: NoAnswer): RetryKind | undefined {
  if (isStale) return 'reconnect'
  const { name, code = '' }: NodeJS.ErrnoException = error
  return transient.has(name) || transientNetwork.test(code) ? 'transient' : undefined
}

/**
 * Whether and why a request that was refused may be made again. The code tells before the status.
 *
 * @param isSkewed - Whether the request was signed with a clock that differs from the service's
 */
export function kindOfRefusal(
  { name, message }: Error,
  status: number,
  isSkewed: boolean,
): RetryKind | undefined {
  if (throttling.has(name) || status === 429) return 'throttling'
  // A process that was frozen between signature and request sends it too late, and its clock is right all the same.
  const isLate = name === 'InvalidSignatureException' && message.includes('Signature expired')
  if (isLate || transient.has(name) || transientStatus.has(status)) return 'transient'
  return isSkewed && codesOfSkew.has(name) ? 'transient' : undefined
}

/** How long a service wants to be left alone, in milliseconds. */
export function toldDelay({ header }: Pick<Answer, 'header'>): number {
  const milliseconds = header('x-amz-retry-after')
  if (milliseconds !== undefined) return Number(milliseconds) || 0
  const after = header('retry-after')
  if (after === undefined) return 0
  const seconds = Number(after)
  return (Number.isNaN(seconds) ? Date.parse(after) - Date.now() : seconds * 1000) || 0
}

const capacity = 500
const costs: Readonly<Record<WaitingKind, number>> = { throttling: 5, transient: 14 }

/** The retries of all calls of a client: a service that is down meets few of them. */
export class RetryQuota {
  #tokens = capacity

  /** Takes tokens, if there are so many. */
  take(cost: number): boolean {
    if (this.#tokens < cost) return false
    this.#tokens -= cost
    return true
  }

  /** Gives tokens back. */
  give(tokens: number): void {
    this.#tokens = Math.min(capacity, this.#tokens + tokens)
  }
}

/** The attempts that one call may make. */
export class AttemptBudget {
  readonly #quota: RetryQuota
  readonly #baseDelay: number
  readonly #done = new Set<RetryKind>()
  #left: number
  #retries = 0
  /** What a success gives back to the quota. */
  #cost = 1
  /** The wait before an attempt that the quota refused, in milliseconds. */
  refusedDelay = 0

  constructor(quota: RetryQuota, attempts: number, baseDelay: number) {
    this.#quota = quota
    this.#left = attempts
    this.#baseDelay = baseDelay
  }

  /** The call has succeeded. */
  succeed(): void {
    this.#quota.give(this.#cost)
  }

  /** How long to wait before another attempt, in milliseconds; `undefined` where there shall be none. */
  delayAfter(kind: RetryKind | undefined, told: number): number | undefined {
    const isFirst = kind !== undefined && !this.#done.has(kind)
    if (kind !== undefined) this.#done.add(kind)
    this.#left--
    // A kept connection that has ended says nothing of the service. So even the last attempt is made again.
    if (kind === 'reconnect' && isFirst) return 0
    if (this.#left <= 0 || kind === undefined) return undefined
    if (kind === 'renew') return isFirst ? 0 : undefined
    return this.#waitFor(kind === 'reconnect' ? 'transient' : kind, told)
  }

  /** Full jitter: what met once shall not meet again. */
  #waitFor(kind: WaitingKind, told: number): number | undefined {
    const base = kind === 'throttling' ? 1000 : this.#baseDelay
    const own = Math.random() * Math.min(maxDelay, base * 2 ** this.#retries++)
    const delay = Math.max(own, Math.min(told, own + 5000))
    if (this.#quota.take(costs[kind])) {
      this.#cost = costs[kind]
      return delay
    }
    this.refusedDelay = delay
    return undefined
  }
}

/** The longest wait before another attempt, in milliseconds. */
const maxDelay = 20_000
