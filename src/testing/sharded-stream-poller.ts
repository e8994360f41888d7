import { setTimeout } from 'node:timers/promises'
import { ignore } from '../core/ignore.ts'
import { MissingDependencyError } from '../errors/index.ts'
import { tellSafely } from './queue-poller.ts'
import { ShardReader, type ShardWork } from './shard-reader.ts'
import type { StreamInvocation, StreamPoller } from './stream-poller.ts'

/** A poller of a stream that is read shard by shard. */
export class ShardedStreamPoller implements StreamPoller {
  readonly #work: ShardWork
  readonly #readers = new Map<string, ShardReader>()
  #isFirstRound = true
  /** Whether the last round has found nothing to do. */
  #isAtEnd = false
  /** The rounds run one after the other, whoever asks for them. */
  #round: Promise<unknown> = Promise.resolve()

  constructor(work: ShardWork) {
    this.#work = work
  }

  once(): Promise<StreamInvocation[]> {
    const round = this.#round.then(() => this.#workRound())
    this.#round = round.catch(ignore)
    return round
  }

  async drain(): Promise<StreamInvocation[]> {
    const invocations: StreamInvocation[] = []
    do {
      for (const invocation of await this.once()) invocations.push(invocation)
    } while (!this.#isAtEnd)
    return invocations
  }

  async run(signal: AbortSignal): Promise<void> {
    const { interval = 1000, onError } = this.#work.options
    while (!signal.aborted) {
      let mayWait = true
      try {
        const invocations = await this.once()
        mayWait = this.#isAtEnd || invocations.some(({ failed }) => failed.length > 0)
      } catch (error) {
        tellSafely(error, onError)
        // A package that is not installed does not come by waiting.
        if (error instanceof MissingDependencyError) return
      }
      if (mayWait) await setTimeout(interval, undefined, { signal }).catch(ignore)
    }
  }

  /** A shard is read when those that it goes on from are done. */
  get #open(): ShardReader[] {
    const isOpen = (id: string): boolean => this.#readers.get(id)?.isDone === false
    return [...this.#readers.values()].filter(({ isDone, shard }) => !isDone && !shard.parents.some(isOpen))
  }

  async #workRound(): Promise<StreamInvocation[]> {
    const { onInvocation } = this.#work.options
    await this.#findShards()
    const next = async (reader: ShardReader): Promise<StreamInvocation | undefined> => {
      const invocation = await reader.next()
      if (invocation !== undefined) onInvocation?.(invocation)
      return invocation
    }
    const readers = this.#open
    const results = await Promise.allSettled(readers.map(next))
    this.#isAtEnd = readers.every(({ isAtEnd }) => isAtEnd)
    const invocations: StreamInvocation[] = []
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason
      if (result.value !== undefined) invocations.push(result.value)
    }
    return invocations
  }

  async #findShards(): Promise<void> {
    const { stream, options } = this.#work
    const { startingPosition = 'TRIM_HORIZON' } = options
    const start = this.#isFirstRound ? startingPosition : 'TRIM_HORIZON'
    for (const { id, parents } of await stream.shards()) {
      // Nothing of what is in front of the latest record is read: there is nothing to wait for.
      const shard = { id, parents: start === 'LATEST' ? [] : parents }
      if (!this.#readers.has(id)) this.#readers.set(id, new ShardReader(shard, { start }, this.#work))
    }
    this.#isFirstRound = false
  }
}
