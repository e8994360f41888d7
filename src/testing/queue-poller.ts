import type { Message } from '@aws-sdk/client-sqs'
import type * as sdk from '@aws-sdk/client-sqs'
import type { AnyClient } from '../aws/client.ts'
import type { Port } from '../aws/port.ts'
import { queuePort } from '../aws/sqs.ts'
import { chunks } from '../core/chunks.ts'
import { defaultLogger, logSafely } from '../core/logger.ts'
import { MissingDependencyError } from '../errors/index.ts'
import type { InvocationOutcome } from './mapping.ts'

/** What became of one batch. */
export interface PollInvocation {
  readonly messageIds: readonly string[]
  /** The ids that were not deleted, so that they come again. */
  readonly failed: readonly string[]
  readonly milliseconds: number
  /** What the handler threw, or that its time was up, if so. */
  readonly error?: unknown
}

/** Options of `poll()`. */
export interface PollOptions {
  /** An `SQSClient`, anything else with its `send`, or `light()`. @default one made from the environment */
  readonly client?: AnyClient
  /** @default 10 */
  readonly batchSize?: number
  /** How many batches are worked at once. @default 1 */
  readonly concurrency?: number
  /** How long one receive waits for messages, in seconds. @default 1 */
  readonly waitTime?: number
  /** Overrides the queue's visibility timeout, in seconds. */
  readonly visibilityTimeout?: number
  /**
   * The function's timeout in milliseconds. As on Lambda the invocation has failed then, and nothing of its batch is
   * deleted, whatever the handler answers later. @default 30_000
   */
  readonly timeout?: number
  /** Whether the mapping has `ReportBatchItemFailures`. Without it any answer deletes the batch. @default true */
  readonly reportBatchItemFailures?: boolean
  /** Told of every batch. */
  readonly onInvocation?: (invocation: PollInvocation) => void
  /**
   * Told when a call to SQS fails. A receive is made again; messages that were not deleted come again. Without
   * `@aws-sdk/client-sqs` it is told once, and the poller ends. @default console.error
   */
  readonly onError?: (error: unknown) => void
}

/** A poller at work. */
export interface Poller {
  /** Receives no more, and waits for the batches that are under way, each for its timeout at most. */
  stop(): Promise<void>
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What the messages of a queue are polled for. */
export interface QueueWork {
  readonly queueUrl: string
  /** Invokes the function with messages of the queue that has this ARN. */
  readonly invoke: (messages: readonly Message[], queueArn: string) => Promise<InvocationOutcome>
}

/** Receives messages until it is stopped, has them worked, and deletes those that are done. */
export function pollQueue(work: QueueWork, options: PollOptions): Poller {
  const { concurrency = 1, client, onError } = options
  const stopping = new AbortController()
  const polling = {
    ...{ queue: queuePort(work.queueUrl, client), work, options, signal: stopping.signal },
    tell: (error: unknown): void => {
      tellSafely(error, onError)
    },
  }
  const workers = Array.from({ length: concurrency }, () => workMessages(polling))
  const stop = async (): Promise<void> => {
    stopping.abort()
    await Promise.all(workers)
  }
  return { stop, [Symbol.asyncDispose]: stop }
}

/** Tells the user of an error, who may fail at it. */
export function tellSafely(error: unknown, onError: ((error: unknown) => void) | undefined): void {
  try {
    if (onError === undefined) logSafely(defaultLogger, 'error', 'The poller goes on after', error)
    else onError(error)
  } catch (failure) {
    logSafely(defaultLogger, 'error', 'onError of a poller failed', failure)
  }
}

interface Polling {
  readonly queue: Port<typeof sdk>
  readonly work: QueueWork
  readonly options: PollOptions
  readonly signal: AbortSignal
  /** Tells the user of an error. */
  readonly tell: (error: unknown) => void
}

async function workMessages(polling: Polling): Promise<void> {
  const { signal, tell } = polling
  let arn: string | undefined
  while (!isAborted(signal)) {
    try {
      arn ??= await queueArn(polling)
      const messages = await receive(polling)
      if (messages.length > 0) await workBatch(polling, messages, arn)
    } catch (error) {
      if (isAborted(signal)) return
      tell(error)
      // A package that is not installed does not come by waiting.
      if (error instanceof MissingDependencyError) return
      // The one wait that nothing can end early: a queue that refuses calls shall not be called in a tight loop.
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** Asked anew each time: the compiler takes a signal that was not aborted for one that never will be. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

async function queueArn({ queue, work: { queueUrl: QueueUrl } }: Polling): Promise<string> {
  const { Attributes } = await queue.call('GetQueueAttributes', { QueueUrl, AttributeNames: ['QueueArn'] })
  return Attributes?.['QueueArn'] ?? ''
}

/** Up to a whole batch: SQS gives at most ten messages a call. */
async function receive({
  queue,
  work: { queueUrl: QueueUrl },
  options,
  signal,
}: Polling): Promise<Message[]> {
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

async function workBatch(polling: Polling, messages: readonly Message[], arn: string): Promise<void> {
  const { work, options } = polling
  const { failed, ...outcome } = await work.invoke(messages, arn)
  const isFailed = new Set(failed)
  const done = messages.filter(({ MessageId = '' }) => !isFailed.has(MessageId))
  const undeleted = await deleteMessages(polling, done)
  const messageIds = messages.map(({ MessageId = '' }) => MessageId)
  options.onInvocation?.({ messageIds, failed: [...failed, ...undeleted], ...outcome })
}

/** Gives the ids of messages that SQS did not delete, and tells of them. */
async function deleteMessages(
  { queue, work: { queueUrl: QueueUrl }, tell }: Polling,
  done: readonly Message[],
): Promise<string[]> {
  const undeleted: string[] = []
  for (const chunk of chunks(done, 10)) {
    const ids = chunk.map(({ MessageId = '' }) => MessageId)
    const Entries = chunk.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
    try {
      const { Failed = [] } = await queue.call('DeleteMessageBatch', { QueueUrl, Entries })
      for (const { Id, Code } of Failed) {
        const id = ids[Number(Id)] ?? ''
        undeleted.push(id)
        tell(new Error(`SQS did not delete message ${id}, which comes again: ${Code}`))
      }
    } catch (error) {
      undeleted.push(...ids)
      tell(error)
    }
  }
  return undeleted
}
