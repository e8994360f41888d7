import { elapsedSince } from '../../core/elapsed.ts'
import { mayBeSame } from './same-secret.ts'
import type { HeldValue, SecretRef } from './store.ts'

interface CachedEntry {
  readonly name: string
  readonly value: HeldValue
  /** When it was read, as `Date.now()` counts. */
  readonly readAt: number
}

/** More secrets than any handler names: where names are made at run time, the least recently read go first. */
const maxEntries = 1000

/** The values that were read, and their ages. */
export class HeldValues {
  readonly #ttl: number
  readonly #staleIfError: number
  readonly #entries = new Map<string, CachedEntry>()

  /** @param ttl - Seconds for which a value is fresh; `staleIfError` are those after that */
  constructor(ttl: number, staleIfError: number) {
    this.#ttl = ttl * 1000
    this.#staleIfError = staleIfError * 1000
  }

  /** The value if it may be used without asking again. */
  fresh({ key }: SecretRef): HeldValue | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && elapsedSince(entry.readAt) < this.#ttl ? entry.value : undefined
  }

  /** The value if it may be used where the store gives errors. */
  usable({ key }: SecretRef): HeldValue | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    // After the clock was set back the value is read anew, and serves where that fails.
    const age = Math.max(0, Date.now() - entry.readAt)
    return age < this.#ttl + this.#staleIfError ? entry.value : undefined
  }

  hold({ key, name }: SecretRef, value: HeldValue): void {
    this.#entries.delete(key)
    this.#entries.set(key, { name, value, readAt: Date.now() })
    if (this.#entries.size > maxEntries) this.#entries.delete(this.#entries.keys().next().value as string)
  }

  delete({ key }: SecretRef): void {
    this.#entries.delete(key)
  }

  /** Forgets all versions of a secret, under every name that it may have. */
  forget(name: string): void {
    for (const [key, entry] of this.#entries) if (mayBeSame(entry.name, name)) this.#entries.delete(key)
  }
}
