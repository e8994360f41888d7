import type { SecretRef } from './store.ts'

/** More names than a role is denied. */
const maxApart = 1000

/** The names that fail the calls for several: denied once, they are read apart from the others, until they are given. */
export class NamesApart {
  readonly #keys = new Set<string>()

  has({ key }: SecretRef): boolean {
    return this.#keys.has(key)
  }

  /** Remembers what became of a name that was read singly. */
  remember({ key }: SecretRef, isDenied: boolean): void {
    if (!isDenied) this.#keys.delete(key)
    else if (this.#keys.size < maxApart) this.#keys.add(key)
  }
}
