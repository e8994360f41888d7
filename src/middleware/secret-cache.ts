import { atEndOfTick } from '../end-of-tick.ts'
import { SecretNotFoundError } from '../errors.ts'
import { defaultLogger, say } from '../logger.ts'
import type { Logger } from '../types.ts'
import type { SecretRef, SecretStore, SecretValue } from './secret-store.ts'

/** How long values are held. */
export interface SecretCacheOptions {
  /** Seconds for which a value is used without asking again; fractions are allowed. @default 300 */
  readonly ttl?: number
  /** Seconds after that for which the old value is used while the store gives errors. @default 3600 */
  readonly staleIfError?: number
  /** Told when an old value is used. @default console */
  readonly logger?: Logger
}

interface Entry {
  readonly value: SecretValue
  /** Milliseconds, as `Date.now()` counts them. */
  readonly readAt: number
}

interface Waiting {
  readonly ref: SecretRef
  readonly resolve: (value: SecretValue) => void
  readonly reject: (error: unknown) => void
}

/**
 * The values of one store that a process holds. One secret asked for many times at once is read once, and what is asked
 * for in one tick is read together. Errors are never held.
 */
export class SecretCache {
  readonly store: SecretStore
  readonly #ttl: number
  readonly #staleIfError: number
  readonly #logger: Logger
  readonly #entries = new Map<string, Entry>()
  readonly #pending = new Map<string, Promise<SecretValue>>()
  #queue: Waiting[] = []

  constructor(
    store: SecretStore,
    { ttl = 300, staleIfError = 3600, logger = defaultLogger }: SecretCacheOptions = {},
  ) {
    this.store = store
    this.#ttl = ttl * 1000
    this.#staleIfError = staleIfError * 1000
    this.#logger = logger
  }

  /** The value if it is held and fresh. */
  fresh(ref: SecretRef): SecretValue | undefined {
    const entry = this.#entries.get(ref.key)
    return entry !== undefined && Date.now() - entry.readAt < this.#ttl ? entry.value : undefined
  }

  /** The value if it is held at all. */
  held(ref: SecretRef): SecretValue | undefined {
    return this.#entries.get(ref.key)?.value
  }

  /** Reads the value from the store, along with what else is asked for in this tick. */
  read(ref: SecretRef): Promise<SecretValue> {
    let pending = this.#pending.get(ref.key)
    if (pending === undefined) {
      pending = new Promise<SecretValue>((resolve, reject) => {
        this.#queue.push({ ref, resolve, reject })
        if (this.#queue.length === 1) atEndOfTick(() => void this.#flush())
      })
      this.#pending.set(ref.key, pending)
    }
    return pending
  }

  async #flush(): Promise<void> {
    const waiting = this.#queue
    this.#queue = []
    const refs = waiting.map(({ ref }) => ref)
    const results = await outcomes(() => this.store.read(refs), refs)
    waiting.forEach(({ ref, resolve, reject }, index) => {
      this.#pending.delete(ref.key)
      const result = this.#keep(ref, results[index])
      if (result instanceof Error) reject(result)
      else resolve(result)
    })
  }

  /** Reads what a handler declares, at cold start and whenever it has grown old. */
  async readDeclared(refs: readonly SecretRef[]): Promise<void> {
    const results = await outcomes(() => this.store.readDeclared(refs), refs)
    const errors = refs
      .map((ref, index) => this.#keep(ref, results[index]))
      .filter((result) => result instanceof Error)
    if (errors[0] !== undefined) throw errors[0]
  }

  /** Holds a value; for an error gives what was held before, as long as that is not too old. */
  #keep(
    ref: SecretRef,
    result: SecretValue | Error = new SecretNotFoundError(this.store.title, { path: ref.name }),
  ): SecretValue | Error {
    if (!(result instanceof Error)) {
      this.#entries.set(ref.key, { value: result, readAt: Date.now() })
      return result
    }
    const entry = this.#entries.get(ref.key)
    if (entry === undefined || result instanceof SecretNotFoundError) return result
    if (Date.now() - entry.readAt >= this.#ttl + this.#staleIfError) return result
    say(
      this.#logger,
      'warn',
      `${this.store.title} did not give "${ref.name}" anew, so the value from before is used`,
      result,
    )
    return entry.value
  }
}

/** One result per secret, also where the whole call failed. */
async function outcomes(
  read: () => Promise<(SecretValue | Error)[]>,
  refs: readonly SecretRef[],
): Promise<(SecretValue | Error)[]> {
  try {
    return await read()
  } catch (error) {
    return refs.map(() => (error instanceof Error ? error : new Error(String(error))))
  }
}
