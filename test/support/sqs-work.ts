import type { Context, SQSEvent } from 'aws-lambda'
import middy from '@middy/core'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { type EachRecordOptions, eachRecord } from 'clearskies-middy/normalizers/each-record'
import { type SqsOptions, sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { type DescribedMessage, invoke, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import { inspect } from 'node:util'
import { expect } from 'vitest'
import type { useSqs } from './engines.ts'
import { RecordingLogger } from './recording-logger.ts'

export const fifoArn = 'arn:aws:sqs:eu-central-1:123456789012:orders.fifo'

/** Records a, b and c. */
export const abc = ['a', 'b', 'c'].map((messageId) => ({ messageId, body: { id: messageId } }))

/** Records a, b and c, where b has another body. */
export const withB = (body: unknown, more: Partial<DescribedMessage> = {}): DescribedMessage[] => [
  abc[0]!,
  { ...more, messageId: 'b', body },
  abc[2]!,
]

/** Records of a FIFO queue, whose group is the first letter of their id. */
export const grouped = (...ids: readonly string[]): DescribedMessage[] =>
  ids.map((messageId) => ({ messageId, body: {}, groupId: messageId.charAt(0).toUpperCase() }))

export interface Work {
  readonly fn?: (request: SqsRequest) => unknown
  readonly options?: EachRecordOptions<SqsRequest>
  readonly sqsOptions?: SqsOptions
  readonly queueArn?: string
  readonly context?: Context
}

/** The ids that an answer lists; fails unless it is an answer that SQS takes, and nothing else. */
export function listed(answer: unknown): string[] {
  const { batchItemFailures } = answer as { batchItemFailures: { itemIdentifier: string }[] }
  const ids = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
  expect(answer).toEqual({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) })
  return ids
}

/** Works a batch: what it lists, which records the function was called for, and what the loggers saw. */
export async function work(
  batch: readonly DescribedMessage[] | SQSEvent,
  { fn = () => undefined, options, sqsOptions, queueArn, context = lambdaContext() }: Work = {},
) {
  const logger = new RecordingLogger()
  const called: string[] = []
  const handler = middy()
    .use(sqs({ logger, ...sqsOptions }))
    .handler(
      eachRecord(
        (request) => {
          called.push(request.messageId)
          return fn(request)
        },
        { logger, ...options },
      ),
    )
  const event = 'Records' in batch ? batch : sqsEvent(batch, queueArn === undefined ? {} : { queueArn })
  const answer = await invoke(handler, event, context)
  return { failed: listed(answer), called, logger }
}

/** Fails the record of an id, and says so. */
export const failing =
  (...ids: readonly string[]) =>
  ({ messageId }: SqsRequest): void => {
    if (ids.includes(messageId)) throw new Error(`${messageId} fails`)
  }

/** Lets other work go on for a number of turns of promises. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

/** What the loggers were told, in their order of severity. */
export const told = ({ errors, warnings }: RecordingLogger): string[] =>
  [...errors, ...warnings].map(({ message }) => message)

/** Everything that a logger would print, details and causes included. */
export const printed = (logger: RecordingLogger): string => inspect(logger, { depth: Infinity })

/**
 * Sends messages to a queue of its own, and receives them as the event that Lambda would make of them. The engine gives
 * one message of a group at a time; the others are in the event with a receipt handle that it does not know.
 */
export async function received(
  engine: ReturnType<typeof useSqs>,
  name: string,
  messages: readonly { readonly body: string; readonly groupId?: string }[],
) {
  const url = engine.createQueue(name, {
    VisibilityTimeout: '600',
    ...(name.endsWith('.fifo') && { FifoQueue: 'true', ContentBasedDeduplication: 'true' }),
  })
  const ids = messages.map(({ body, groupId }) => {
    const options = groupId === undefined ? {} : { messageGroupId: groupId }
    return engine.server.sendMessage(name, body, options).messageId
  })
  const handles = new Map<string | undefined, string>()
  const receive = new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 })
  for (;;) {
    const { Messages = [] } = await engine.client.send(receive)
    if (Messages.length === 0) break
    for (const { MessageId, ReceiptHandle = '' } of Messages) handles.set(MessageId, ReceiptHandle)
  }
  const described = messages.map((message, index) => ({
    ...message,
    messageId: ids[index]!,
    receiptHandle: handles.get(ids[index]) ?? 'not received',
  }))
  const queueArn = `arn:aws:sqs:eu-central-1:000000000000:${name}`
  return { url, ids, event: sqsEvent(described, { queueArn }) }
}
