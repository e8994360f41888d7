import type {
  DeleteMessageBatchRequestEntry,
  GetQueueAttributesCommandOutput,
  Message,
  ReceiveMessageCommandOutput,
} from '@aws-sdk/client-sqs'
import type * as sdkTypes from '@aws-sdk/client-sqs'
import type { SQSEvent, SQSRecord } from 'aws-lambda'
import type { AwsClient } from '../aws/client.ts'
import { defaultLogger, logSafely } from '../core/logger.ts'
import { optionalImport } from '../core/optional-import.ts'
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
  const { concurrency = 1 } = options
  const stopping = new AbortController()
  const workers = Array.from({ length: concurrency }, () => work(queueUrl, handler, options, stopping.signal))
  const stop = async (): Promise<void> => {
    stopping.abort()
    await Promise.all(workers)
  }
  return { stop, [Symbol.asyncDispose]: stop }
}

async function work(
  queueUrl: string,
  handler: AnyHandler,
  options: PollOptions,
  signal: AbortSignal,
): Promise<void> {
  const { onError = (error) => logSafely(defaultLogger, 'error', 'The poller goes on after', error) } =
    options
  const sdk = await optionalImport('@aws-sdk/client-sqs', () => import('@aws-sdk/client-sqs'))
  const client = options.client ?? new sdk.SQSClient({})
  let arn: string | undefined
  while (!isAborted(signal)) {
    try {
      arn ??= await queueArn(sdk, client, queueUrl)
      const messages = await receive(sdk, client, queueUrl, options, signal)
      if (messages.length > 0) await workBatch(sdk, client, queueUrl, arn, messages, handler, options)
    } catch (error) {
      if (isAborted(signal)) return
      onError(error)
      // The one wait that nothing can end early: a queue that refuses calls shall not be called in a tight loop.
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

type Sdk = Pick<
  typeof sdkTypes,
  'DeleteMessageBatchCommand' | 'GetQueueAttributesCommand' | 'ReceiveMessageCommand'
>

/** Asked anew each time: the compiler takes a signal that was not aborted for one that never will be. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

async function queueArn(
  { GetQueueAttributesCommand }: Sdk,
  client: AwsClient,
  QueueUrl: string,
): Promise<string> {
  const { Attributes } = (await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  )) as GetQueueAttributesCommandOutput
  return Attributes?.['QueueArn'] ?? ''
}

/** Up to a whole batch: SQS gives at most ten messages a call. */
async function receive(
  { ReceiveMessageCommand }: Sdk,
  client: AwsClient,
  QueueUrl: string,
  { batchSize = 10, waitTime = 1, visibilityTimeout }: PollOptions,
  signal: AbortSignal,
): Promise<Message[]> {
  const messages: Message[] = []
  while (messages.length < batchSize) {
    const command = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: Math.min(10, batchSize - messages.length),
      WaitTimeSeconds: messages.length === 0 ? waitTime : 0,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
      ...(visibilityTimeout !== undefined && { VisibilityTimeout: visibilityTimeout }),
    })
    const { Messages = [] } = (await client.send(
      command,
      messages.length === 0 ? { abortSignal: signal } : {},
    )) as ReceiveMessageCommandOutput
    if (Messages.length === 0) break
    messages.push(...Messages)
  }
  return messages
}

async function workBatch(
  sdk: Sdk,
  client: AwsClient,
  QueueUrl: string,
  arn: string,
  messages: readonly Message[],
  handler: AnyHandler,
  options: PollOptions,
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
  for (let index = 0; index < entries.length; index += 10) {
    await client.send(
      new sdk.DeleteMessageBatchCommand({ QueueUrl, Entries: entries.slice(index, index + 10) }),
    )
  }
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
