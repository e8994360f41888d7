import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure'
import type { SQSBatchResponse } from 'aws-lambda'
import type { Logger } from '../../core/logger.ts'
import { failedOf, logFailure } from './answers.ts'

/** Lists the failed messages, each once, by Middy's own middleware. */
export async function listFailures(
  results: readonly PromiseSettledResult<unknown>[],
  ids: readonly string[],
  logger: Logger,
): Promise<SQSBatchResponse> {
  const failed = failedOf(results, ids)
  if (failed.length === 0) return { batchItemFailures: [] }
  // A message can come twice in a batch; it is listed once.
  const once = [...new Map(failed.map((index) => [ids[index], index])).values()]
  const partial = sqsPartialBatchFailure({
    logger: (reason: unknown, { messageId }: { messageId: string }) => {
      logFailure(logger, messageId, reason)
    },
  })
  const request = {
    event: { Records: once.map((index) => ({ messageId: ids[index] })) },
    response: once.map((index) => results[index]),
  }
  await partial.after?.(request as never)
  return request.response as unknown as SQSBatchResponse
}
