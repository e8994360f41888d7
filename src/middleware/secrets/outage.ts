import { elapsedSince } from '../../core/elapsed.ts'

/** Milliseconds for which a store that has failed is not asked again, at first and at most. */
const firstPause = 10_000
const longestPause = 60_000

/** More names than any handler reads. */
const maxOutages = 1000

/**
 * What a cache knows of the failures of its store. While there are some, values at hand are used without waiting, and the
 * store is asked again after a pause, which grows.
 */
export class Outage {
  /** The names that failed since they were last read. */
  readonly #names = new Set<string>()
  /** Whether the store itself has failed, and not only one name of it. */
  #isOfStore = false
  #failedAt = 0
  #pause = 0

  /** Whether nobody should wait for this name. */
  concerns(key: string): boolean {
    return this.#isOfStore || this.#names.has(key)
  }

  /** Whether it is time to ask the store again. */
  get isDue(): boolean {
    return elapsedSince(this.#failedAt) >= this.#pause
  }

  /** Remembers a failure. Gives whether it begins an outage that nobody was told of. */
  begin(key: string, isOfStore: boolean): boolean {
    const isNew = isOfStore ? !this.#isOfStore && !this.#names.has(key) : this.#names.size === 0
    // Many fail at once, and that is one failure.
    if (this.isDue) {
      this.#pause = Math.min(this.#pause * 2 || firstPause, longestPause)
      this.#failedAt = Date.now()
    }
    this.#isOfStore ||= isOfStore
    if (this.#names.size < maxOutages) this.#names.add(key)
    return isNew
  }

  /** Remembers that the store has answered. */
  end(key: string): void {
    this.#names.delete(key)
    this.#isOfStore = false
    if (this.#names.size === 0) this.#pause = 0
  }
}
