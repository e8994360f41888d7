import type { Answer } from './http.ts'

/** From this difference on, in milliseconds, a clock is wrong: a service refuses from 5 minutes on. */
const tolerance = 240_000

/** An answer that was so long under way, in milliseconds, tells nothing of now. */
const maxAge = 900_000

/** The service's time, as far as its answers tell. */
export class ServiceClock {
  #offset = 0

  /** What to add to the time of this machine, in milliseconds. */
  get offset(): number {
    return this.#offset
  }

  /**
   * Reads the time of an answer.
   *
   * @param started - When the request began, by the clock of the process
   * @param signedWith - The offset that the request was signed with
   * @returns whether the request was signed with a wrong time
   */
  read({ header }: Answer, started: number, signedWith: number): boolean {
    const date = header('date')
    // A cached answer has the date of another.
    if (date === undefined || header('age') !== undefined || elapsedTime() - started > maxAge) return false
    const offset = Date.parse(date) - Date.now()
    if (Number.isNaN(offset)) return false
    this.#offset = Math.abs(offset) < tolerance ? 0 : offset
    return Math.abs(offset - signedWith) >= tolerance
  }
}

/** Milliseconds of a clock that nobody sets. Node evaluates a module of its own when `performance` is first named. */
export function elapsedTime(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
