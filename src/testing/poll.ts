import type { DeleteMessageBatchRequestEntry, Message } from '@aws-sdk/client-sqs'
import type * as sdk from '@aws-sdk/client-sqs'
import type { SQSEvent, SQSRecord } from 'aws-lambda'
import type { AwsClient } from '../aws/client.ts'
import type { Port } from '../aws/port.ts'
import { queuePort } from '../aws/sqs.ts'
import { chunks } from '../core/chunks.ts'
import { defaultLogger, logSafely } from '../core/logger.ts'
import { MissingDependencyError } from '../errors/index.ts'
import { type AnyHandler, invoke } from './invoke.ts'
import { lambdaContext } from './lambda-context.ts'

/** What became of one batch. */
export interface PollInvocation {
  readonly messageIds: readonly string[]
  /** The ids that were not deleted, so that they come again. */
  readonly failed: readonly string[]
  readonly milliseconds: number
  /** What the handler threw, if it did. */
  readonly error?: unknown
}

/** Options of {@link poll}. */
export interface PollOptions {
  /** An `SQSClient`, or anything else with its `send`. @default one made from the environment */
  readonly client?: AwsClient
  /** @default 10 */
  readonly batchSize?: number
  /** How many batches are worked at once. @default 1 */
  readonly concurrency?: number
  /** How long one receive waits for messages, in seconds. @default 1 */
  readonly waitTime?: number
  /** Overrides the queue's visibility timeout, in seconds. */
  readonly visibilityTimeout?: number
  /** The function's timeout in milliseconds. @default 30_000 */
  readonly timeout?: number
  /** Whether the mapping has `ReportBatchItemFailures`. Without it any answer deletes the batch. @default true */
  readonly reportBatchItemFailures?: boolean
  /** Told of every batch. */
  readonly onInvocation?: (invocation: PollInvocation) => void
  /** Told when a call to SQS fails; it is made again. @default console.error */
  readonly onError?: (error: unknown) => void
}

/** A poller at work. */
export interface Poller {
  /** Receives no more, and waits for the batches that are under way. */
  stop(): Promise<void>
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Stands for an SQS event source mapping: receives, invokes, deletes what succeeded and leaves the rest, by Lambda's
 * rules for batch responses.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { eachRecord } from 'clearskies-middy/normalizers/each-record'
 * import { sqs } from 'clearskies-middy/normalizers/sqs'
 * import { poll } from 'clearskies-middy/testing'
 *
 * const worker = middy().use(sqs()).handler(eachRecord(async ({ data }) => { console.log(data) }))
 * const poller = poll('http://127.0.0.1:4566/000000000000/orders', worker, { batchSize: 5 })
 * await poller.stop()
 * ```
 */
export function poll(queueUrl: string, handler: AnyHandler, options: PollOptions = {}): Poller {
  const { concurrency = 1, client } = options
  const stopping = new AbortController()
  const polling = { queue: queuePort(queueUrl, client), queueUrl, handler, options, signal: stopping.signal }
  const workers = Array.from({ length: concurrency }, () => work(polling))
  const stop = async (): Promise<void> => {
    stopping.abort()
    await Promise.all(workers)
  }
  return { stop, [Symbol.asyncDispose]: stop }
}

interface Polling {
  readonly queue: Port<typeof sdk>
  readonly queueUrl: string
  readonly handler: AnyHandler
  readonly options: PollOptions
  readonly signal: AbortSignal
}

async function work(polling: Polling): Promise<void> {
  const { signal, options } = polling
  const { onError = (error) => logSafely(defaultLogger, 'error', 'The poller goes on after', error) } =
    options
  let arn: string | undefined
  while (!isAborted(signal)) {
    try {
      arn ??= await queueArn(polling)
      const messages = await receive(polling)
      if (messages.length > 0) await workBatch(polling, messages, arn)
    } catch (error) {
      if (isAborted(signal)) return
      if (error instanceof MissingDependencyError) throw error
      onError(error)
      // The one wait that nothing can end early: a queue that refuses calls shall not be called in a tight loop.
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** Asked anew each time: the compiler takes a signal that was not aborted for one that never will be. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

async function queueArn({ queue, queueUrl: QueueUrl }: Polling): Promise<string> {
  const { Attributes } = await queue.call('GetQueueAttributes', { QueueUrl, AttributeNames: ['QueueArn'] })
  return Attributes?.['QueueArn'] ?? ''
}

/** Up to a whole batch: SQS gives at most ten messages a call. */
async function receive({ queue, queueUrl: QueueUrl, options, signal }: Polling): Promise<Message[]> {
  const { batchSize = 10, waitTime = 1, visibilityTimeout } = options
  const messages: Message[] = []
  while (messages.length < batchSize) {
    const isFirst = messages.length === 0
    const input: sdk.ReceiveMessageCommandInput = {
      QueueUrl,
      MaxNumberOfMessages: Math.min(10, batchSize - messages.length),
      WaitTimeSeconds: isFirst ? waitTime : 0,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
      ...(visibilityTimeout !== undefined && { VisibilityTimeout: visibilityTimeout }),
    }
    const { Messages = [] } = await queue.call('ReceiveMessage', input, isFirst ? signal : undefined)
    if (Messages.length === 0) break
    messages.push(...Messages)
  }
  return messages
}

async function workBatch(
  { queue, queueUrl: QueueUrl, handler, options }: Polling,
  messages: readonly Message[],
  arn: string,
): Promise<void> {
  const { timeout = 30_000, reportBatchItemFailures = true, onInvocation } = options
  const started = performance.now()
  const messageIds = messages.map(({ MessageId = '' }) => MessageId)
  let failed: readonly string[]
  let thrown: { readonly error?: unknown } = {}
  try {
    const answer = await invoke(
      handler,
      { Records: messages.map((message) => toRecord(message, arn)) } satisfies SQSEvent,
      lambdaContext({ timeout }),
    )
    failed = reportBatchItemFailures ? failedIds(answer, messageIds) : []
  } catch (error) {
    failed = messageIds
    thrown = { error }
  }
  const done = messages.filter(({ MessageId = '' }) => !failed.includes(MessageId))
  const entries = done.map(({ ReceiptHandle }, index): DeleteMessageBatchRequestEntry => ({
    Id: String(index),
    ReceiptHandle,
  }))
  for (const Entries of chunks(entries, 10)) await queue.call('DeleteMessageBatch', { QueueUrl, Entries })
  onInvocation?.({ messageIds, failed, milliseconds: performance.now() - started, ...thrown })
}

/** Lambda's rules: nothing listed means all is well; anything listed that it does not understand means nothing is. */
function failedIds(answer: unknown, messageIds: readonly string[]): readonly string[] {
  if (answer === null || answer === undefined) return []
  const { batchItemFailures } = answer as { batchItemFailures?: unknown }
  if (batchItemFailures === null || batchItemFailures === undefined) return []
  if (!Array.isArray(batchItemFailures)) return messageIds
  const listed = batchItemFailures.map(
    (item: unknown) => (item as { itemIdentifier?: unknown } | null)?.itemIdentifier,
  )
  return listed.every((id): id is string => typeof id === 'string' && messageIds.includes(id))
    ? listed
    : messageIds
}

function toRecord(
  {
    MessageId = '',
    ReceiptHandle = '',
    Body = '',
    Attributes = {},
    MessageAttributes = {},
    MD5OfBody = '',
  }: Message,
  arn: string,
): SQSRecord {
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: Attributes as unknown as SQSRecord['attributes'],
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { DataType = 'String', StringValue, BinaryValue }]) => [
        name,
        {
          dataType: DataType as 'String',
          ...(StringValue !== undefined && { stringValue: StringValue }),
          ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
          stringListValues: [],
          binaryListValues: [],
        },
      ]),
    ),
    md5OfBody: MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    awsRegion: arn.split(':')[3] ?? '',
  }
}
