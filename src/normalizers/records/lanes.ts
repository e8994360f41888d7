/** Positions in a batch that are worked one after the other, or the position of one that waits for none. */
export type RecordLane = number | readonly number[]

/**
 * Puts records that have the same key into one lane, in which they are worked in order. After a failure the rest of its
 * lane is not run.
 *
 * @param keyOf - The key of a record; undefined for one that waits for none
 * @param only - The records to work; all if not given
 */
export function lanesByKey<TRecord>(
  records: readonly TRecord[],
  keyOf: (record: TRecord) => string | undefined,
  only?: (index: number) => boolean,
): RecordLane[] {
  const lanes: RecordLane[] = []
  const byKey = new Map<string, number[]>()
  for (const [index, record] of records.entries()) {
    if (only !== undefined && !only(index)) continue
    const key = keyOf(record)
    const lane = key === undefined ? undefined : byKey.get(key)
    if (lane !== undefined) {
      lane.push(index)
      continue
    }
    const begun = [index]
    lanes.push(begun)
    if (key !== undefined) byKey.set(key, begun)
  }
  return lanes
}

/** The lanes of a batch that no worker has taken yet; without lanes, each record is one of its own. */
export class LaneQueue {
  readonly length: number
  readonly #lanes: readonly RecordLane[] | undefined
  #next = 0

  constructor(lanes: readonly RecordLane[] | undefined, recordCount: number) {
    this.length = lanes?.length ?? recordCount
    this.#lanes = lanes
  }

  /** Takes one; undefined if none is left. */
  take(): RecordLane | undefined {
    if (this.#next >= this.length) return undefined
    const next = this.#next++
    return this.#lanes === undefined ? next : this.#lanes[next]
  }
}

/** Goes through lane after lane of a queue that all workers share. */
export class LaneWorker {
  /** The position of the record that is worked, or that was the last. */
  index = -1
  /** The record of this lane that failed. */
  failed: number | undefined
  readonly #queue: LaneQueue
  #lane: RecordLane | undefined
  #at = 0

  constructor(queue: LaneQueue) {
    this.#queue = queue
  }

  /** Goes on to the next record. False if none is left. */
  next(): boolean {
    const index = this.#nextOfLane() ?? this.#firstOfNext()
    if (index === undefined) return false
    this.index = index
    return true
  }

  /** Says that the record has failed. */
  fail(): void {
    this.failed = this.index
  }

  #nextOfLane(): number | undefined {
    return typeof this.#lane === 'object' ? this.#lane[++this.#at] : undefined
  }

  #firstOfNext(): number | undefined {
    this.#lane = this.#queue.take()
    this.#at = 0
    this.failed = undefined
    return typeof this.#lane === 'object' ? this.#lane[0] : this.#lane
  }
}
