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
