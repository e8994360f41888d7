import type { Message } from '@aws-sdk/client-sqs'
import type { SNSEventRecord } from 'aws-lambda'
import { parseIfJson } from '../core/json.ts'
import { InvalidDataError } from '../errors/index.ts'
import { isSnsNotification, snsRecordOf } from '../wire/sns-notification.ts'
import type { AnyHandler } from './invoke.ts'
import { type InvocationOutcome, invokeBatch } from './mapping.ts'
import { type PollInvocation, type PollOptions, type Poller, pollQueue } from './queue-poller.ts'

/** Options of {@link pollSns}. */
export interface SnsPollOptions extends Omit<PollOptions, 'batchSize' | 'reportBatchItemFailures'> {
  /** How often a failed invocation is made again: Lambda's 0 to 2. @default 2 */
  readonly maximumRetryAttempts?: number
  /** Told of a message that is given up, where Lambda would send it to its dead-letter queue or destination. */
  readonly onFailure?: (invocation: PollInvocation) => void
}

/**
 * Stands for a topic's subscription of a function, by way of a queue that is subscribed to the topic without raw message
 * delivery: SNS and each of its emulators can deliver to one. As Lambda invokes asynchronously, each message is one
 * invocation, an answer means nothing, and an error repeats it, here after the queue's visibility timeout.
 *
 * @throws ConfigurationError for what is not the URL of a queue
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord, sns } from 'clearskies-middy'
 * import { pollSns } from 'clearskies-middy/testing'
 *
 * const worker = middy().use(sns()).handler(eachRecord(async ({ subject, data }) => { console.log(subject, data) }))
 * const poller = pollSns('http://127.0.0.1:4566/000000000000/of-the-topic', worker)
 * await poller.stop()
 * ```
 */
export function pollSns(queueUrl: string, handler: AnyHandler, options: SnsPollOptions = {}): Poller {
  const { timeout, maximumRetryAttempts = 2, onFailure, ...rest } = options
  const invoke = async ([message]: readonly Message[]): Promise<InvocationOutcome> => {
    const { MessageId: id = '', Body = '', Attributes } = message ?? {}
    const event = { Records: [toRecord(id, Body)] }
    const settings = { reportBatchItemFailures: false, ...(timeout !== undefined && { timeout }) }
    const outcome = await invokeBatch({ handler, event, ids: [id] }, settings)
    const isGivenUp = Number(Attributes?.['ApproximateReceiveCount'] ?? 1) > maximumRetryAttempts
    if (outcome.failed.length === 0 || !isGivenUp) return outcome
    onFailure?.({ messageIds: [id], ...outcome })
    return { ...outcome, failed: [] }
  }
  return pollQueue({ queueUrl, invoke }, { ...rest, batchSize: 1 })
}

function toRecord(id: string, body: string): SNSEventRecord {
  const notification = parseIfJson(body)
  if (isSnsNotification(notification)) return snsRecordOf(notification)
  throw new InvalidDataError(
    `Message ${id} is no notification of SNS: subscribe the queue without raw message delivery`,
  )
}
