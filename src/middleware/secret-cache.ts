import { atEndOfTick } from '../end-of-tick.ts'
import { SecretNotFoundError, SecretTimeoutError } from '../errors.ts'
import { defaultLogger, say } from '../logger.ts'
import type { Logger } from '../types.ts'
import type { Outcome, ReadOptions, SecretRef, SecretStore, SecretValue } from './secret-store.ts'

/** How long values are held, and how long a read may take. */
export interface SecretCacheOptions {
  /** Seconds for which a value is used without asking again; fractions are allowed. @default 300 */
  readonly ttl?: number
  /** Seconds after that for which the old value is used while the store gives errors. @default 3600 */
  readonly staleIfError?: number
  /** Seconds that a read may take, in any case no longer than the invocation has left. @default 3 */
  readonly timeout?: number
  /** Told when an old value is used. @default console */
  readonly logger?: Logger
}

interface Entry {
  readonly name: string
  readonly value: SecretValue
  /** Milliseconds, as `Date.now()` counts them. */
  readonly readAt: number
}

interface Waiting {
  readonly ref: SecretRef
  readonly isRefresh: boolean
  readonly settle: (outcome: Outcome) => void
}

/** More secrets than any handler names: where names are made at run time, the least recently read go first. */
const maxEntries = 1000

/**
 * The values of one store that a process holds. One secret asked for many times at once is read once, and what is asked
 * for in one tick is read together. Errors are never held.
 */
export class SecretCache {
  readonly store: SecretStore
  readonly #ttl: number
  readonly #staleIfError: number
  readonly #timeout: number
  readonly #logger: Logger
  readonly #entries = new Map<string, Entry>()
  readonly #pending = new Map<string, { readonly name: string; readonly outcome: Promise<Outcome> }>()
  #queue: Waiting[] = []
  #endsAt = 0

  constructor(
    store: SecretStore,
    { ttl = 300, staleIfError = 3600, timeout = 3, logger = defaultLogger }: SecretCacheOptions = {},
  ) {
    this.store = store
    this.#ttl = ttl * 1000
    this.#staleIfError = staleIfError * 1000
    this.#timeout = timeout * 1000
    this.#logger = logger
  }

  /** Says when the invocation that now begins has to end; no read takes longer. */
  beginInvocation(endsAt: number): void {
    this.#endsAt = endsAt
  }

  /** The value if it is held and fresh. */
  fresh({ key }: SecretRef): SecretValue | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && Date.now() - entry.readAt < this.#ttl ? entry.value : undefined
  }

  /** The value if it is held at all. */
  held({ key }: SecretRef): SecretValue | undefined {
    return this.#entries.get(key)?.value
  }

  /** Reads the value from the store, along with what else is asked for in this tick. */
  async read(ref: SecretRef, isRefresh: boolean): Promise<SecretValue> {
    const outcome = await (this.#pending.get(ref.key)?.outcome ?? this.#enqueue(ref, isRefresh))
    if (outcome instanceof Error) throw outcome
    return outcome
  }

  #enqueue(ref: SecretRef, isRefresh: boolean): Promise<Outcome> {
    const outcome = new Promise<Outcome>((resolve) => {
      const settle = (result: Outcome): void => {
        // Written or deleted meanwhile: what was read may be from before, and is not held.
        const isCurrent = this.#pending.get(ref.key)?.outcome === outcome
        if (isCurrent) this.#pending.delete(ref.key)
        resolve(isCurrent ? this.#keep(ref, result) : result)
      }
      this.#queue.push({ ref, isRefresh, settle })
      if (this.#queue.length === 1)
        atEndOfTick(() => {
          this.#flush()
        })
    })
    this.#pending.set(ref.key, { name: ref.name, outcome })
    return outcome
  }

  #flush(): void {
    const waiting = new Map(this.#queue.map((item) => [item.ref, item]))
    this.#queue = []
    for (const batch of this.store.batches([...waiting.keys()])) {
      const isRefresh = batch.some((ref) => waiting.get(ref)?.isRefresh)
      // Never rejects; each batch arrives for itself.
      void this.#within(batch, isRefresh, (options) => this.store.read(batch, options)).then((outcomes) => {
        batch.forEach((ref, index) => waiting.get(ref)?.settle(this.#orMissing(ref, outcomes[index])))
      })
    }
  }

  /** Reads what a handler declares, at cold start and whenever it has grown old. */
  async readDeclared(refs: readonly SecretRef[]): Promise<void> {
    const outcomes = await this.#within(refs, false, (options) => this.store.readDeclared(refs, options))
    const errors = refs
      .map((ref, index) => this.#keep(ref, this.#orMissing(ref, outcomes[index])))
      .filter((outcome) => outcome instanceof Error)
    if (errors[0] !== undefined) throw errors[0]
  }

  /** Forgets all versions of a secret that is written or deleted. What is known by its ARN might be the same one. */
  forget(name: string): void {
    for (const map of [this.#entries, this.#pending]) {
      for (const [key, held] of map) {
        if (held.name === name || held.name.startsWith('arn:') || name.startsWith('arn:')) map.delete(key)
      }
    }
  }

  /** One outcome per secret, also where the whole call fails or takes too long. */
  async #within(
    refs: readonly SecretRef[],
    isRefresh: boolean,
    read: (options: ReadOptions) => Promise<Outcome[]>,
  ): Promise<Outcome[]> {
    const abort = new AbortController()
    const left = this.#endsAt - Date.now()
    const limit = left > 0 ? Math.min(this.#timeout, left) : this.#timeout
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<Outcome[]>((resolve) => {
      timer = setTimeout(() => {
        resolve(refs.map(({ key }) => new SecretTimeoutError(this.store.title, { path: key }, limit / 1000)))
        abort.abort()
      }, limit)
    })
    try {
      return await Promise.race([read({ signal: abort.signal, isRefresh }), late])
    } catch (error) {
      return refs.map(() => (error instanceof Error ? error : new Error(String(error))))
    } finally {
      clearTimeout(timer)
    }
  }

  #orMissing({ key }: SecretRef, outcome: Outcome | undefined): Outcome {
    return outcome ?? new SecretNotFoundError(this.store.title, { path: key })
  }

  /** Holds a value; for an error gives what was held before, as long as that is not too old. */
  #keep({ key, name }: SecretRef, outcome: Outcome): Outcome {
    const entry = this.#entries.get(key)
    if (!(outcome instanceof Error)) {
      this.#entries.delete(key)
      this.#entries.set(key, { name, value: outcome, readAt: Date.now() })
      if (this.#entries.size > maxEntries) this.#entries.delete(this.#entries.keys().next().value as string)
      return outcome
    }
    if (entry === undefined || outcome instanceof SecretNotFoundError) return outcome
    if (Date.now() - entry.readAt >= this.#ttl + this.#staleIfError) return outcome
    const message = `${this.store.title} did not give "${key}" anew, so the value from before is used`
    say(this.#logger, 'warn', message, outcome)
    return entry.value
  }
}
