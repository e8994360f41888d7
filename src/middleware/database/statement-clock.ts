import { longestTimer } from '../../invocation/deadline.ts'
import { timeForWork } from './patience.ts'

/**
 * Watches the statements of one connection, which it works one after the other. The time is kept here and not in the
 * database: a setting there is a round trip for each invocation, and RDS Proxy pins a session that has one.
 */
export class StatementClock {
  readonly #limit: number
  readonly #onTimeout: (milliseconds: number) => void
  /** When the invocation of each open statement has to be done. */
  readonly #deadlines: number[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(limit: number | undefined, onTimeout: (milliseconds: number) => void) {
    this.#limit = limit ?? longestTimer
    this.#onTimeout = onTimeout
  }

  /** Whether a statement is being worked. */
  get isBusy(): boolean {
    return this.#deadlines.length > 0
  }

  /** A statement was given to the connection. */
  begin(): void {
    this.#deadlines.push(Date.now() + timeForWork())
    if (this.#deadlines.length === 1) this.#start()
  }

  /** The statement that was begun first has ended. */
  finish(): void {
    clearTimeout(this.#timer)
    this.#deadlines.shift()
    this.#start()
  }

  /** The connection has ended. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#deadlines.length = 0
  }

  #start(): void {
    const [deadline] = this.#deadlines
    if (deadline === undefined) return
    const milliseconds = Math.round(Math.max(1, Math.min(this.#limit, deadline - Date.now())))
    if (milliseconds >= longestTimer) return
    this.#timer = setTimeout(() => {
      this.stop()
      this.#onTimeout(milliseconds)
    }, milliseconds)
  }
}
