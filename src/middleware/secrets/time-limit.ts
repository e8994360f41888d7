/** Milliseconds that are left to answer when a call was given up. */
const reserve = 100

/** The longest that a timer can run. */
const longest = 2 ** 31 - 1

/** How long calls may take: so many seconds, and never longer than the invocation has left. */
export class TimeLimit {
  readonly #timeout: number
  #deadline = 0

  constructor(seconds: number) {
    this.#timeout = Math.min(seconds * 1000, longest)
  }

  /** Says when the invocation that now begins will be ended. Milliseconds, as `Date.now()` counts them. */
  beginInvocation(deadline: number): void {
    this.#deadline = deadline
  }

  /** For a call that begins now. */
  get milliseconds(): number {
    const left = this.#deadline - Date.now()
    // Once the deadline is over, so is its invocation.
    return left > 0 ? Math.min(this.#timeout, Math.max(left - reserve, left / 2)) : this.#timeout
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
