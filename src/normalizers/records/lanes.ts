import type { SqsBatch } from '../sqs-batch.ts'

/** Positions in a batch that are worked one after the other, or the position of one that waits for none. */
export type RecordLane = number | readonly number[]

/**
 * The records that have to wait for one another, in order: a group of a FIFO queue, or the whole batch. On a standard
 * queue nothing waits, also where messages have groups: only the queue's name tells. None if all records are worked, and
 * nothing waits.
 *
 * @param only - Of a message that came several times, the copy to work; all copies if not given
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export function lanesOf(
  { Records, messageIds }: Pick<SqsBatch, 'Records' | 'messageIds'>,
  fifo: 'auto' | 'group' | 'batch',
  only?: ReadonlyMap<string, number>,
): RecordLane[] | undefined {
  if (fifo === 'auto' && only === undefined && !Records.some(isFifo)) return undefined
  const lanes: RecordLane[] = []
  const groups = new Map<string, number[]>()
  for (const [index, record] of Records.entries()) {
    const id = messageIds[index]
    if (only !== undefined && id && only.get(id) !== index) continue
    const isOrdered = fifo !== 'auto' || isFifo(record)
    const group = isOrdered ? groupKey(record, fifo) : undefined
    const lane = group === undefined ? undefined : groups.get(group)
    if (lane !== undefined) {
      lane.push(index)
      continue
    }
    const begun = [index]
    lanes.push(begun)
    if (group !== undefined) groups.set(group, begun)
  }
  return lanes
}

/** For each message, the last copy in the batch: its receipt handle is the one that counts. */
export function lastCopies(messageIds: readonly string[]): Map<string, number> {
  return new Map(messageIds.map((id, index) => [id, index]))
}

function isFifo({ eventSourceARN }: { readonly eventSourceARN?: string | null }): boolean {
  return typeof eventSourceARN === 'string' && eventSourceARN.endsWith('.fifo')
}

function groupKey({ eventSourceARN, attributes }: SqsBatch['Records'][number], fifo: string): string {
  if (fifo === 'batch') return ''
  const { MessageGroupId = '' } = (attributes as { MessageGroupId?: string } | null | undefined) ?? {}
  return `${eventSourceARN} ${MessageGroupId}`
}
