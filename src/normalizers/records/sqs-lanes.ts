import { asRecord, asString } from '../../core/record.ts'
import type { SQSRecord } from 'aws-lambda'
import { lanesByKey } from './lanes.ts'
import type { EachRecordOptions } from './options.ts'
import type { AnsweredBatch, RecordLanes } from './record-source.ts'

/**
 * The records that have to wait for one another, in order: a group of a FIFO queue, or the whole batch. On a standard
 * queue nothing waits, also where messages have groups: only the queue's name tells. None if all records are worked, and
 * nothing waits.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export function sqsLanes(
  { Records, ids }: AnsweredBatch<SQSRecord>,
  { fifo = 'auto', deduplicate = false }: EachRecordOptions<never>,
): RecordLanes | undefined {
  if (fifo === 'auto' && !deduplicate && !Records.some(isFifo)) return undefined
  const keyOf = (record: SQSRecord): string | undefined =>
    fifo === 'batch' ? '' : fifo === 'group' || isFifo(record) ? groupKey(record) : undefined
  if (!deduplicate) return { lanes: lanesByKey(Records, keyOf) }
  const copies = copiesIn(ids)
  return { lanes: lanesByKey(Records, keyOf, (index) => !copies.has(index)), copies }
}

/** The copies of a message before its last one in the batch, whose receipt handle is the one that counts. */
function copiesIn(ids: readonly string[]): Map<number, number> {
  const last = new Map(ids.map((id, index) => [id, index]))
  const copies = new Map<number, number>()
  for (const [index, id] of ids.entries()) {
    const copy = last.get(id)
    if (id && copy !== undefined && copy !== index) copies.set(index, copy)
  }
  return copies
}

function isFifo(record: unknown): boolean {
  const eventSourceARN = asString(asRecord(record)?.['eventSourceARN'])
  return eventSourceARN?.endsWith('.fifo') === true
}

function groupKey(record: unknown): string {
  const { eventSourceARN, attributes } = asRecord(record) ?? {}
  return `${asString(eventSourceARN)} ${asString(asRecord(attributes)?.['MessageGroupId']) ?? ''}`
}
