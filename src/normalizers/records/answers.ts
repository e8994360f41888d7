import type { SQSBatchItemFailure, SQSBatchResponse } from 'aws-lambda'
import type { SqsBatch } from '../sqs-batch.ts'

type Ids = Pick<SqsBatch, 'messageIds'>

/** A handler may answer by itself, as long as every id that it lists is of this batch (any other fails it whole). */
export function isBatchResponse(response: unknown, { messageIds }: Ids): response is SQSBatchResponse {
  const failures = (response as Partial<SQSBatchResponse> | null | undefined)?.batchItemFailures as unknown
  if (!Array.isArray(failures)) return false
  const ids = new Set(messageIds)
  return failures.every((item: unknown) => {
    const id = (item as { itemIdentifier?: unknown } | null)?.itemIdentifier
    return typeof id === 'string' && id !== '' && ids.has(id)
  })
}

/** An answer, with what another answer to the same batch lists besides: what is not listed is deleted. */
export function withFailuresOf(answer: SQSBatchResponse, other: unknown, batch: Ids): SQSBatchResponse {
  if (other === answer || !isBatchResponse(other, batch)) return answer
  const listed = new Set([...answer.batchItemFailures, ...other.batchItemFailures].map(idOf))
  const ids = new Set(batch.messageIds.filter((id) => listed.has(id)))
  return { batchItemFailures: Array.from(ids, (itemIdentifier) => ({ itemIdentifier })) }
}

function idOf({ itemIdentifier }: SQSBatchItemFailure): string {
  return itemIdentifier
}
