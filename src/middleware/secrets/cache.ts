import { atEndOfTick } from '../../core/end-of-tick.ts'
import { SecretNotFoundError, SecretPendingDeletionError } from '../../errors/index.ts'
import { type Logger, defaultLogger, logSafely } from '../../core/logger.ts'
import { bypassExtension } from './extension-bypass.ts'
import { type LocatedSecret, locate } from './value.ts'
import { HeldValues } from './held-values.ts'
import { Outage } from './outage.ts'
import { isOfOneName } from './read-error.ts'
import { SecretReading } from './reading.ts'
import { RunningInvocations } from './running.ts'
import { mayBeSame } from './same-secret.ts'
import type { HeldValue, Outcome, SecretRef, SecretStore, SecretValue } from './store.ts'
import { TimeLimit, atMost, atMostThawed } from './time-limit.ts'

/** How long values are held, and how long a read may take. */
export interface SecretCacheOptions {
  /** Seconds for which a value is used without asking again; fractions are allowed. @default 300 */
  readonly ttl?: number
  /** Seconds after that for which the old value is used while the store gives errors. @default 3600 */
  readonly staleIfError?: number
  /** Seconds that a call may take, in any case no longer than the invocation has left. @default 3 */
  readonly timeout?: number
  /** Told once for each outage that old values are used. @default console */
  readonly logger?: Logger
}

/** All caches of the process: what is written through one is old in the others, too. */
const caches = new Set<WeakRef<SecretCache>>()

/**
 * The values of one store that a process holds, for all of its invocations. One secret asked for many times at once is
 * read once, and what is asked for in one tick is read together. Errors are never held.
 */
export class SecretCache {
  readonly store: SecretStore
  readonly invocations: RunningInvocations = new RunningInvocations()
  readonly #timeout: number
  readonly #logger: Logger
  readonly #values: HeldValues
  readonly #outage = new Outage()
  /** What is being read, by keys. */
  readonly #pending = new Map<string, SecretReading>()
  /** What is being written, by names. */
  readonly #writes = new Map<string, object>()
  #queue: SecretReading[] = []
  /** Where plain paths lead: most handlers ask for the same few, over and over. */
  readonly #located = new Map<string, LocatedSecret>()

  constructor(
    store: SecretStore,
    { ttl = 300, staleIfError = 3600, timeout = 3, logger = defaultLogger }: SecretCacheOptions = {},
  ) {
    this.store = store
    this.#timeout = timeout
    this.#logger = logger
    this.#values = new HeldValues(ttl, staleIfError)
    caches.add(new WeakRef(this))
  }

  /** What a path means. @throws SecretError for a name that the store could not hold */
  locate(path: string): LocatedSecret {
    let located = this.#located.get(path)
    if (located === undefined) {
      located = locate(this.store, path)
      if (this.#located.size < 1000) this.#located.set(path, located)
    }
    return located
  }

  /** How long an invocation waits that ends at a deadline. */
  limitUntil(deadline?: number): TimeLimit {
    return new TimeLimit(this.#timeout, deadline)
  }

  /**
   * The value that nobody has to wait for: a fresh one, or in an outage the one from before. In that case the store is
   * asked again now and then, behind the invocation.
   */
  atHand(ref: SecretRef): HeldValue | undefined {
    const fresh = this.#values.fresh(ref)
    if (fresh !== undefined || !this.#outage.concerns(ref.key)) return fresh
    const stale = this.#values.usable(ref)
    if (stale !== undefined && this.#outage.isDue && !this.#pending.has(ref.key))
      void this.#refreshBehind(this.#enqueue(ref, false))
    return stale
  }

  /** Reads the value from the store, along with what else is asked for in this tick. */
  async read(ref: SecretRef, limit: TimeLimit, isRefresh: boolean): Promise<HeldValue> {
    const pending = this.#pending.get(ref.key)
    const reading = pending?.serves(isRefresh) === true ? pending : this.#enqueue(ref, isRefresh)
    const outcome = this.#orStale(ref, await this.#wait(reading, limit))
    if (outcome instanceof Error) throw outcome
    return outcome
  }

  /** Reads what a handler declares, at cold start and whenever it has grown old. None of the promises rejects. */
  load(refs: readonly SecretRef[], limit: TimeLimit, waiting: typeof atMost = atMost): Promise<Outcome>[] {
    const own: SecretReading[] = []
    const waits = refs.map(async (ref) => {
      let reading = this.#pending.get(ref.key)
      if (reading === undefined) own.push((reading = this.#begin(ref, false)))
      return this.#orStale(ref, await this.#wait(reading, limit, waiting))
    })
    if (own.length > 0) this.#send(own, false, this.store.readDeclared.bind(this.store))
    return waits
  }

  /** Reads ahead what a handler declares, while the process starts. */
  prefetch(refs: readonly SecretRef[]): void {
    void Promise.all(this.load(refs, new TimeLimit(this.#timeout), atMostThawed))
  }

  /**
   * What was begun while no invocation ran may have been frozen since: half of the time is spent on waiting for it, and if
   * it does not come or fails, it is begun again. What arrives first ends the waiting.
   */
  async #wait(reading: SecretReading, limit: TimeLimit, waiting: typeof atMost = atMost): Promise<Outcome> {
    const { milliseconds } = limit
    if (reading.era === this.invocations.era) return reading.wait(milliseconds, waiting)
    const first = reading.wait(milliseconds)
    const outcome = await atMost(milliseconds / 2, first)
    if (outcome !== undefined && !(outcome instanceof Error)) return outcome
    return this.#again(reading).wait(limit.milliseconds)
  }

  /** Another reading in place of one that may be frozen. */
  #again(frozen: SecretReading): SecretReading {
    const { ref, isRefresh } = frozen
    const current = this.#pending.get(ref.key)
    if (current !== undefined && current !== frozen) return current
    const reading = this.#enqueue(ref, isRefresh)
    void frozen.outcome.then((outcome) => {
      if (!(outcome instanceof Error) && !frozen.isOutdated) reading.settle(outcome)
    })
    return reading
  }

  /** Asks the store again in an outage. No invocation waits for it, and none limits it. */
  async #refreshBehind(reading: SecretReading): Promise<void> {
    this.#orStale(reading.ref, await reading.wait(this.#timeout * 1000, atMostThawed))
  }

  #begin(ref: SecretRef, isRefresh: boolean): SecretReading {
    const { era } = this.invocations
    const options = { title: this.store.title, isRefresh, era }
    const reading: SecretReading = new SecretReading(ref, options, (outcome) => {
      if (this.#pending.get(ref.key) === reading) this.#pending.delete(ref.key)
      if (!reading.isOutdated) this.#hear(ref, outcome)
    })
    const replaced = this.#pending.get(ref.key)
    if (replaced !== undefined && isRefresh) replaced.isOutdated = true
    this.#pending.set(ref.key, reading)
    return reading
  }

  /** Holds what a reading has come to, if it is a value; but what is gone is gone. */
  #hear(ref: SecretRef, outcome: Outcome): void {
    if (outcome instanceof Error && !isGone(outcome)) return
    this.#outage.end(ref.key)
    if (outcome instanceof Error) this.#values.delete(ref)
    else this.#values.hold(ref, outcome)
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
      const isRefresh = readings.some((reading) => reading.isRefresh)
      this.#send(readings, isRefresh, this.store.read.bind(this.store))
    }
  }

  /** Every reading arrives for itself, also where the whole call fails. The call lasts while anybody waits. */
  #send(readings: readonly SecretReading[], isRefresh: boolean, read: SecretStore['read']): void {
    const refs = [...new Map(readings.map(({ ref }) => [ref.key, ref])).values()]
    const abort = new AbortController()
    const onLeft = (): void => {
      if (!readings.every(({ isLeft }) => isLeft)) return
      for (const reading of readings) reading.giveUp()
      abort.abort()
    }
    for (const reading of readings) reading.onLeft(onLeft)
    const milliseconds = Math.max(...readings.map(({ patience }) => patience))
    const answer = read(refs, { signal: abort.signal, milliseconds, isRefresh })
    for (const reading of readings) void this.#arrive(reading, answer, refs)
  }

  async #arrive(
    reading: SecretReading,
    answer: ReturnType<SecretStore['read']>,
    refs: readonly SecretRef[],
  ): Promise<void> {
    const { key } = reading.ref
    try {
      const outcome = await (await answer)[refs.findIndex((ref) => ref.key === key)]
      reading.answer(outcome ?? new SecretNotFoundError(key, this.store.title))
    } catch (error) {
      reading.answer(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /**
   * Runs a write. What any cache of this process holds, or is about to, is forgotten: also what is read meanwhile, and
   * also if the write fails, for it may have come through all the same.
   *
   * @param value - What is known to be stored if nobody else writes at the same time
   */
  async write<T>(name: string, value: SecretValue | undefined, write: () => Promise<T>): Promise<T> {
    const mark = {}
    let isAlone = false
    forgetEverywhere(name)
    this.#writes.set(name, mark)
    try {
      const result = await write()
      isAlone = this.#writes.get(name) === mark
      return result
    } finally {
      forgetEverywhere(name)
      if (isAlone && value !== undefined) this.#values.hold({ key: name, name }, value)
    }
  }

  /** Forgets all versions of a secret that is written or deleted. */
  forget(name: string): void {
    this.#values.forget(name)
    for (const [key, reading] of this.#pending) {
      if (!mayBeSame(reading.ref.name, name)) continue
      reading.isOutdated = true
      this.#pending.delete(key)
    }
    for (const other of this.#writes.keys()) if (mayBeSame(other, name)) this.#writes.delete(other)
  }

  /** For an error, what was held before, as long as that is not too old. */
  #orStale(ref: SecretRef, outcome: Outcome): Outcome {
    if (!(outcome instanceof Error) || isGone(outcome)) return outcome
    const value = this.#values.usable(ref)
    if (value === undefined) return outcome
    if (this.#outage.begin(ref.key, !isOfOneName(outcome))) {
      const message = `${this.store.title} did not give "${ref.key}" anew, so the value from before is used`
      logSafely(this.#logger, 'warn', message, outcome)
    }
    return value
  }
}

function isGone(outcome: Error): boolean {
  return outcome instanceof SecretNotFoundError || outcome instanceof SecretPendingDeletionError
}

function forgetEverywhere(name: string): void {
  bypassExtension(name, true)
  for (const weak of caches) {
    const cache = weak.deref()
    if (cache === undefined) caches.delete(weak)
    else cache.forget(name)
  }
}
