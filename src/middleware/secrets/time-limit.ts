import { elapsedSince } from '../../core/elapsed.ts'
import { longestTimer } from '../../invocation/deadline.ts'
import { currentScope } from '../../invocation/scope.ts'

/** Milliseconds that are left to answer when a call was given up. */
const answerReserve = 100

/** Milliseconds by which a timer is late only if the process was frozen meanwhile. */
const frozen = 1000

/** How long a caller waits: so many seconds, and never longer than its own invocation has left. */
export class TimeLimit {
  readonly #timeout: number
  readonly #deadline: number

  /**
   * @param seconds - The option `timeout`
   * @param deadline - When the invocation ends that was given the secrets, as `Date.now()` counts. It is for code outside
   * of any invocation.
   */
  constructor(seconds: number, deadline: number = Infinity) {
    this.#timeout = Math.min(seconds * 1000, longestTimer)
    this.#deadline = deadline
  }

  /** For a call that begins now. */
  get milliseconds(): number {
    const left = currentScope()?.remainingTime ?? this.#deadline - Date.now()
    // Once the deadline is over, so is its invocation.
    return left > 0 ? Math.min(this.#timeout, Math.max(left - answerReserve, left / 2)) : this.#timeout
  }

  /** Runs a call, which is aborted when its time is up, or when the caller says so. */
  async run<T>(
    call: (signal: AbortSignal) => Promise<T>,
    late: (seconds: number) => Error,
    caller?: AbortSignal,
  ): Promise<T> {
    caller?.throwIfAborted()
    const { milliseconds } = this
    const abort = new AbortController()
    const timer = setTimeout(() => {
      abort.abort(late(milliseconds / 1000))
    }, milliseconds)
    const signal = caller === undefined ? abort.signal : AbortSignal.any([abort.signal, caller])
    try {
      return await unlessAborted(call(signal), signal)
    } finally {
      clearTimeout(timer)
    }
  }
}

/** What work gives, or the signal's reason, whichever comes first. The work goes on. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error)
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
  }
}

/** What work gives within a time, or `undefined`. The work goes on. */
export async function atMost<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined)
    }, milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The same for work that no invocation waits for. A process may be frozen meanwhile; after that its timers come before
 * the answer that lies in the socket, so the time begins anew.
 */
export async function atMostThawed<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let begunAt: number
  let value: T | undefined
  do {
    begunAt = Date.now()
    value = await atMost(milliseconds, work)
  } while (value === undefined && elapsedSince(begunAt) > milliseconds + frozen)
  return value
}
