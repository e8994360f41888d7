import { atEndOfTick } from '../../core/end-of-tick.ts'
import { SecretNotFoundError, SecretPendingDeletionError, SecretTimeoutError } from '../../errors/index.ts'
import { type Logger, defaultLogger, logSafely } from '../../core/logger.ts'
import { bypassExtension } from './extension-bypass.ts'
import { SecretReading } from './reading.ts'
import type { Outcome, SecretRef, SecretStore, SecretValue } from './store.ts'
import { TimeLimit, atMost } from './time-limit.ts'

/** How long values are held, and how long a read may take. */
export interface SecretCacheOptions {
  /** Seconds for which a value is used without asking again; fractions are allowed. @default 300 */
  readonly ttl?: number
  /** Seconds after that for which the old value is used while the store gives errors. @default 3600 */
  readonly staleIfError?: number
  /** Seconds that a call may take, in any case no longer than the invocation has left. @default 3 */
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

/** More secrets than any handler names: where names are made at run time, the least recently read go first. */
const maxEntries = 1000

/** All caches of the process: what is written through one is old in the others, too. */
const caches = new Set<WeakRef<SecretCache>>()

/**
 * The values of one store that a process holds. One secret asked for many times at once is read once, and what is asked
 * for in one tick is read together. Errors are never held.
 */
export class SecretCache {
  readonly store: SecretStore
  readonly limit: TimeLimit
  readonly #ttl: number
  readonly #staleIfError: number
  readonly #logger: Logger
  readonly #entries = new Map<string, Entry>()
  /** What is being read, by keys. */
  readonly #pending = new Map<string, SecretReading>()
  /** What is being written, by names. */
  readonly #writes = new Map<string, { readonly name: string }>()
  #queue: SecretReading[] = []
  #invocation = 0

  constructor(
    store: SecretStore,
    { ttl = 300, staleIfError = 3600, timeout = 3, logger = defaultLogger }: SecretCacheOptions = {},
  ) {
    this.store = store
    this.limit = new TimeLimit(timeout)
    this.#ttl = ttl * 1000
    this.#staleIfError = staleIfError * 1000
    this.#logger = logger
    caches.add(new WeakRef(this))
  }

  /** Says when the invocation that now begins will be ended, if that is known; no call takes longer. */
  beginInvocation(deadline: number): void {
    this.#invocation++
    this.limit.beginInvocation(deadline)
  }

  /** The value if it is held and fresh. */
  fresh({ key }: SecretRef): SecretValue | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && Date.now() - entry.readAt < this.#ttl ? entry.value : undefined
  }

  /** The value if it is held, and not older than any error may make it. */
  held({ key }: SecretRef): SecretValue | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && Date.now() - entry.readAt < this.#ttl + this.#staleIfError
      ? entry.value
      : undefined
  }

  /** Reads the value from the store, along with what else is asked for in this tick. */
  async read(ref: SecretRef, isRefresh: boolean): Promise<SecretValue> {
    const pending = this.#pending.get(ref.key)
    const outcome = await (pending?.serves(isRefresh) === true
      ? this.#join(pending)
      : this.#enqueue(ref, isRefresh).outcome)
    if (outcome instanceof Error) throw outcome
    return outcome
  }

  /** Reads what a handler declares, at cold start and whenever it has grown old. */
  async load(declared: readonly SecretRef[]): Promise<void> {
    const refs = [...new Map(declared.map((ref) => [ref.key, ref])).values()]
    const pending = refs.map(({ key }) => this.#pending.get(key))
    const begun = refs.map((ref, index) => pending[index] ?? this.#begin(ref, false))
    const own = begun.filter((_, index) => pending[index] === undefined)
    if (own.length > 0) this.#send(own, false, this.store.readDeclared.bind(this.store))
    const outcomes = await Promise.all(begun.map((reading) => this.#join(reading)))
    const error = outcomes.find((outcome) => outcome instanceof Error)
    if (error !== undefined) throw error
  }

  /**
   * What was begun before this invocation may have been frozen since: half of the time is spent on waiting for it, and if
   * it fails, it is begun again.
   */
  async #join(reading: SecretReading): Promise<Outcome> {
    if (reading.invocation === this.#invocation) return reading.outcome
    const outcome = await atMost(this.limit.milliseconds / 2, reading.outcome)
    if (outcome !== undefined && !(outcome instanceof Error)) return outcome
    const current = this.#pending.get(reading.ref.key)
    if (current !== undefined && current !== reading) return current.outcome
    return this.#enqueue(reading.ref, reading.isRefresh).outcome
  }

  #begin(ref: SecretRef, isRefresh: boolean): SecretReading {
    const reading: SecretReading = new SecretReading(ref, isRefresh, this.#invocation, (outcome) => {
      // Written, deleted or read anew meanwhile: what was read may be from before, and is not held.
      const isCurrent = this.#pending.get(ref.key) === reading
      if (isCurrent) this.#pending.delete(ref.key)
      if (outcome instanceof Error) return this.#orStale(ref, outcome, isCurrent)
      if (isCurrent) this.#hold(ref, outcome)
      return outcome
    })
    this.#pending.set(ref.key, reading)
    return reading
  }

  #enqueue(ref: SecretRef, isRefresh: boolean): SecretReading {
    const reading = this.#begin(ref, isRefresh)
    this.#queue.push(reading)
    if (this.#queue.length === 1)
      atEndOfTick(() => {
        this.#flush()
      })
    return reading
  }

  #flush(): void {
    // One secret can stand here twice: asked for before a write and after it, or anew, in the same tick.
    const waiting = Map.groupBy(this.#queue, ({ ref }) => ref.key)
    this.#queue = []
    const refs = [...waiting.values()].map(([reading]) => (reading as SecretReading).ref)
    for (const batch of this.store.batches(refs)) {
      const readings = batch.flatMap(({ key }) => waiting.get(key) ?? [])
      this.#send(
        readings,
        readings.some(({ isRefresh }) => isRefresh),
        this.store.read.bind(this.store),
      )
    }
  }

  /** Every reading arrives for itself, also where the whole call fails or takes too long. */
  #send(readings: readonly SecretReading[], isRefresh: boolean, read: SecretStore['read']): void {
    const refs = [...new Map(readings.map(({ ref }) => [ref.key, ref])).values()]
    const { milliseconds } = this.limit
    const abort = new AbortController()
    const timer = setTimeout(() => {
      for (const reading of readings) {
        const { key } = reading.ref
        reading.settle(new SecretTimeoutError(key, this.store.title, { seconds: milliseconds / 1000 }))
      }
      abort.abort()
    }, milliseconds)
    const answer = read(refs, { signal: abort.signal, milliseconds, isRefresh })
    const arrived = readings.map(async (reading) => {
      try {
        const outcome = await (await answer)[refs.findIndex(({ key }) => key === reading.ref.key)]
        reading.settle(outcome ?? new SecretNotFoundError(reading.ref.key, this.store.title))
      } catch (error) {
        reading.settle(error instanceof Error ? error : new Error(String(error)))
      }
    })
    void Promise.all(arrived).then(() => {
      clearTimeout(timer)
    })
  }

  /**
   * Runs a write. What any cache of this process holds, or is about to, is forgotten: also what is read meanwhile, and
   * also if the write fails, for it may have come through all the same.
   *
   * @param value - What is known to be stored if nobody else writes at the same time
   */
  async write<T>(name: string, value: SecretValue | undefined, write: () => Promise<T>): Promise<T> {
    const mark = { name }
    let isAlone = false
    forgetEverywhere(name)
    this.#writes.set(name, mark)
    try {
      const result = await write()
      isAlone = this.#writes.get(name) === mark
      return result
    } finally {
      forgetEverywhere(name)
      if (isAlone && value !== undefined) this.#hold({ key: name, name }, value)
    }
  }

  /** Forgets all versions of a secret that is written or deleted. What is known by its ARN might be the same one. */
  forget(name: string): void {
    for (const map of [this.#entries, this.#pending, this.#writes]) {
      for (const [key, held] of map) {
        if (held.name === name || held.name.startsWith('arn:') || name.startsWith('arn:')) map.delete(key)
      }
    }
  }

  #hold({ key, name }: SecretRef, value: SecretValue): void {
    this.#entries.delete(key)
    this.#entries.set(key, { name, value, readAt: Date.now() })
    if (this.#entries.size > maxEntries) this.#entries.delete(this.#entries.keys().next().value as string)
  }

  /** For an error, what was held before, as long as that is not too old; but what is gone is gone. */
  #orStale(ref: SecretRef, error: Error, isCurrent: boolean): Outcome {
    if (error instanceof SecretNotFoundError || error instanceof SecretPendingDeletionError) {
      if (isCurrent) this.#entries.delete(ref.key)
      return error
    }
    const value = this.held(ref)
    if (value === undefined) return error
    const message = `${this.store.title} did not give "${ref.key}" anew, so the value from before is used`
    logSafely(this.#logger, 'warn', message, error)
    return value
  }
}

function forgetEverywhere(name: string): void {
  bypassExtension(name, true)
  for (const weak of caches) {
    const cache = weak.deref()
    if (cache === undefined) caches.delete(weak)
    else cache.forget(name)
  }
}

/** A cache, and the names that `fetch` declared for it. */
export interface SecretSource {
  readonly cache: SecretCache
  readonly fetch: Readonly<Record<string, string>>
}
