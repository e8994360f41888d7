import type { Interruption } from './interruption.ts'

/** Room for so many requests at once. Those that wait go in the order in which they came. */
export class Slots {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  /** Takes a slot; gives a promise where none is free. */
  take(interruption: Interruption): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--
      return undefined
    }
    return interruption.wait<void>((resolve) => {
      this.#waiting.add(resolve)
      return () => this.#waiting.delete(resolve)
    })
  }

  /** Gives a slot back. */
  give(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
