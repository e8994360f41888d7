import { findCause } from '../core/causes.ts'
import type { AnyHandler } from './invoke.ts'
import { type InvocationOutcome, invokeBatch } from './mapping.ts'
import type { StreamInvocation, StreamPollerOptions } from './stream-poller.ts'

/** A record of a shard, as Lambda's event has it. */
export interface ShardRecord {
  readonly sequenceNumber: string
  readonly record: object
}

/** What one read of a shard gives. */
export interface ShardPage {
  readonly records: readonly ShardRecord[]
  /** Where the next read goes on; none at the end of a closed shard. */
  readonly next: string | undefined
  /** Whether there is more already. */
  readonly isBehind: boolean
}

/** A place in a shard: behind a record, or where the reading starts. */
export type ShardPosition =
  { readonly after: string } | { readonly start: NonNullable<StreamPollerOptions['startingPosition']> }

/** A stream that is read shard by shard. */
export interface Stream {
  shards(): Promise<readonly Shard[]>
  iterator(shardId: string, position: ShardPosition): Promise<string | undefined>
  read(iterator: string, shardId: string): Promise<ShardPage>
}

/** A shard. */
export interface Shard {
  readonly id: string
  /** The shards that it goes on from. They are worked before it. */
  readonly parents: readonly string[]
}

interface WaitingBatch {
  readonly records: readonly ShardRecord[]
  /** How often its first record has failed. */
  readonly failures: number
}

/** What a shard's batches are worked with. */
export interface ShardWork {
  readonly stream: Stream
  readonly handler: AnyHandler
  readonly options: StreamPollerOptions
}

/** Reads one shard, and keeps its checkpoint: a batch is worked whole, or given up, before the next is read. */
export class ShardReader {
  readonly shard: Shard
  /** Whether all of a closed shard is read and worked. */
  isDone = false
  /** Whether the last read has found nothing, and nothing is to come before something new is written. */
  isAtEnd = false
  readonly #work: ShardWork
  #position: ShardPosition
  #iterator: string | undefined
  #isClosed = false
  /** What has to be worked before the shard is read on, in order. */
  #waiting: readonly WaitingBatch[] = []

  constructor(shard: Shard, position: ShardPosition, work: ShardWork) {
    this.shard = shard
    this.#position = position
    this.#work = work
  }

  /** Works one batch: what failed before, or else what it reads. Nothing if there is none. */
  async next(): Promise<StreamInvocation | undefined> {
    if (this.#waiting.length === 0) await this.#read()
    const [batch, ...rest] = this.#waiting
    this.isAtEnd &&= batch === undefined
    let invocation: StreamInvocation | undefined
    if (batch !== undefined) {
      const outcome = await this.#invoke(batch)
      const again = this.#afterFailure(batch, outcome)
      this.#waiting = [...again, ...rest]
      const { id: shardId } = this.shard
      invocation = { shardId, sequenceNumbers: numbersOf(batch), ...outcome }
      if (outcome.failed.length > 0 && again.length === 0) this.#work.options.onFailure?.(invocation)
    }
    this.isDone = this.#isClosed && this.#waiting.length === 0
    return invocation
  }

  async #read(): Promise<void> {
    const { stream } = this.#work
    const { id } = this.shard
    this.#iterator ??= await stream.iterator(id, this.#position)
    try {
      const page = this.#iterator === undefined ? undefined : await stream.read(this.#iterator, id)
      this.#iterator = page?.next
      this.#isClosed = page?.next === undefined
      // Others go on from a shard that is closed.
      this.isAtEnd = !this.#isClosed && page?.isBehind !== true
      const last = page?.records.at(-1)
      if (page === undefined || last === undefined) return
      this.#position = { after: last.sequenceNumber }
      this.#waiting = [{ records: page.records, failures: 0 }]
    } catch (error) {
      // The same iterator goes on. A new one of the latest record would skip what has been written meanwhile.
      if (findCause(error, isExpired) === undefined) throw error
      // After five minutes, or fifteen: the place stays.
      this.#iterator = undefined
    }
  }

  #invoke(batch: WaitingBatch): Promise<InvocationOutcome> {
    const { handler, options } = this.#work
    const event = { Records: batch.records.map(({ record }) => record) }
    return invokeBatch({ handler, event, ids: numbersOf(batch) }, options)
  }

  /** What has to be worked again: everything from the first failure on, unless it has failed too often. */
  #afterFailure(
    { records, failures }: WaitingBatch,
    { failed, error }: InvocationOutcome,
  ): readonly WaitingBatch[] {
    if (failed.length === 0) return []
    const { maximumRetryAttempts = Infinity, bisectBatchOnFunctionError = false } = this.#work.options
    const isFailed = new Set(failed)
    const first = records.findIndex(({ sequenceNumber }) => isFailed.has(sequenceNumber))
    // An error is of the whole batch. To split it costs no attempt.
    if (error !== undefined && bisectBatchOnFunctionError && records.length > 1) {
      const middle = Math.ceil(records.length / 2)
      return [records.slice(0, middle), records.slice(middle)].map((half) => ({ records: half, failures }))
    }
    const again = { records: records.slice(first), failures: first === 0 ? failures + 1 : 1 }
    return again.failures > maximumRetryAttempts ? [] : [again]
  }
}

function numbersOf({ records }: WaitingBatch): string[] {
  return records.map(({ sequenceNumber }) => sequenceNumber)
}

function isExpired(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ExpiredIteratorException'
}
