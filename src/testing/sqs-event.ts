import { createHash, randomUUID } from 'node:crypto'
import type { SQSEvent, SQSMessageAttribute, SQSRecord } from 'aws-lambda'
import { accountId, region } from './described-request.ts'

/** A message as its sender describes it. */
export interface DescribedMessage {
  /** Text as it is, anything else as JSON. */
  readonly body: unknown
  readonly messageId?: string
  readonly receiptHandle?: string
  /** How often it has been received. @default 1 */
  readonly receiveCount?: number
  readonly groupId?: string
  readonly deduplicationId?: string
  /** What the sender added: strings, numbers, bytes. */
  readonly attributes?: Readonly<Record<string, string | number | Uint8Array>>
}

/** Options of {@link sqsEvent}. */
export interface SqsEventOptions {
  /** @default a standard queue called `orders` */
  readonly queueArn?: string
}

/**
 * The event that Lambda makes of messages of a queue.
 *
 * @example
 * ```ts
 * import { sqsEvent } from 'clearskies-middy/testing'
 *
 * export const event = sqsEvent([{ body: { orderId: '7' } }, { body: '{malformed' }])
 * ```
 */
export function sqsEvent(
  messages: readonly DescribedMessage[],
  { queueArn = `arn:aws:sqs:${region}:${accountId}:orders` }: SqsEventOptions = {},
): SQSEvent {
  return { Records: messages.map((message, index) => sqsRecord(message, index, queueArn)) }
}

function sqsRecord(message: DescribedMessage, index: number, queueArn: string): SQSRecord {
  const { body, messageId = randomUUID(), receiptHandle = `handle-${messageId}`, attributes = {} } = message
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    messageId,
    receiptHandle,
    body: text,
    attributes: systemAttributes({ ...message, messageId }, index, queueArn),
    messageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, messageAttribute(value)]),
    ),
    md5OfBody: createHash('md5').update(text).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: queueArn.split(':')[3] ?? region,
  }
}

/** What SQS itself says of a message. */
function systemAttributes(
  { messageId, receiveCount = 1, groupId, deduplicationId = messageId }: DescribedMessage,
  index: number,
  queueArn: string,
): SQSRecord['attributes'] {
  const sentAt = 1_773_100_000_000 + index
  return {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: String(sentAt),
    SenderId: 'AIDAEXAMPLE',
    ApproximateFirstReceiveTimestamp: String(sentAt + 5),
    ...(groupId !== undefined && { MessageGroupId: groupId }),
    ...(queueArn.endsWith('.fifo') && {
      SequenceNumber: String(18_849_496_460_467_696_128n + BigInt(index)),
      ...(deduplicationId !== undefined && { MessageDeduplicationId: deduplicationId }),
    }),
  }
}

function messageAttribute(value: string | number | Uint8Array): SQSMessageAttribute {
  const lists = { stringListValues: [], binaryListValues: [] }
  if (value instanceof Uint8Array)
    return { dataType: 'Binary', binaryValue: Buffer.from(value).toString('base64'), ...lists }
  return {
    dataType: typeof value === 'number' ? 'Number' : 'String',
    stringValue: String(value),
    ...lists,
  }
}
