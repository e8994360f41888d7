import { ignore } from '../../core/ignore.ts'
import type { MessageAttributeValue } from '@aws-sdk/client-sqs'
import type { SQSRecord } from 'aws-lambda'
import type { ClientOption } from '../../aws/client.ts'
import { queuePort } from '../../aws/sqs.ts'
import { attributeBytes } from '../../backends/sending/attributes.ts'
import { maxMessageBytes, traced } from '../../backends/sending/message.ts'
import { SqsSender } from '../../backends/sending/sender.ts'
import { findCause } from '../../core/causes.ts'
import { chunks } from '../../core/chunks.ts'
import { asRecord, asString } from '../../core/record.ts'
import { traceOf } from '../../invocation/trace-header.ts'
import { PermanentFailureError, RetryLaterError } from '../../errors/index.ts'
import type { EachRecordOptions } from './options.ts'
import type { AfterCare, AfterCareTools } from './record-source.ts'
import type { SqsRequest } from '../sqs-request.ts'

/** One sender for all batches of an `eachRecord()`. */
const senders = new WeakMap<object, SendToDeadLetterQueue>()

function senderFor(options: EachRecordOptions<never>): SendToDeadLetterQueue | undefined {
  const { deadLetter, client } = options
  if (deadLetter === undefined) return undefined
  const sender = senders.get(options) ?? deadLetterSender(deadLetter.queueUrl, client)
  senders.set(options, sender)
  return sender
}

/** Gives records again later, as a `RetryLaterError` says, and sends those that never can be worked to a queue. */
export function sqsAfterCare(
  options: EachRecordOptions<SqsRequest>,
  tools: AfterCareTools,
): AfterCare<SqsRequest> {
  const delayed: Delayed[] = []
  const sendToDeadLetterQueue = senderFor(options)
  return {
    failed(error, request) {
      const meaning = findCause(error, hasMeaning)
      if (meaning instanceof RetryLaterError) {
        const seconds = delayOf(meaning, request, tools)
        if (seconds !== undefined) delayed.push({ request, seconds })
        return false
      }
      if (sendToDeadLetterQueue === undefined) return false
      if (meaning === undefined && !isPermanent(error, options, tools)) return false
      return sendToDeadLetterQueue(request, error).then(
        () => true,
        (failure: unknown) => {
          tools.warn(`Message ${request.messageId} did not reach the dead-letter queue`, failure)
          return false
        },
      )
    },
    finish: () => (delayed.length > 0 ? changeVisibility(delayed, options.client, tools) : undefined),
  }
}

/** Whether an error says what is to be done with its record; others may have wrapped it. */
function hasMeaning(error: unknown): error is RetryLaterError | PermanentFailureError {
  return error instanceof RetryLaterError || error instanceof PermanentFailureError
}

function isPermanent(
  error: unknown,
  options: EachRecordOptions<SqsRequest>,
  { warn }: AfterCareTools,
): boolean {
  try {
    return options.isPermanent?.(error) === true
  } catch (failure) {
    warn('The option isPermanent of eachRecord() threw', failure)
    return false
  }
}

function delayOf(
  { delaySeconds }: RetryLaterError,
  request: SqsRequest,
  { warn }: AfterCareTools,
): number | undefined {
  try {
    const seconds = typeof delaySeconds === 'function' ? delaySeconds(request.receiveCount) : delaySeconds
    // An event that was written by hand may not say which queue it is of.
    if (!request.queueArn) warn(`Message ${request.messageId} names no queue to give it again later`)
    else if (Number.isFinite(seconds)) return seconds
    else warn(`Message ${request.messageId} has a delay that is no number`)
  } catch (error) {
    warn(`The delay of message ${request.messageId} could not be computed`, error)
  }
  return undefined
}

/** A record whose visibility is to change. */
interface Delayed {
  readonly request: SqsRequest
  readonly seconds: number
}

/**
 * SQS refuses a visibility that ends later than 12 hours after the receipt, and the queue's own timeout would apply.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 */
const maxVisibility = 43_200

/** Seconds between the receipt and the invocation, at most: the longest batch window of a mapping. */
const longestWindow = 300

/** Seconds since the receipt, at most. SQS tells its moment of the first receipt only. */
function secondsSinceReceipt({ receiveCount, attributes }: SqsRequest, receivedAt: number): number {
  const invoked = (Date.now() - receivedAt) / 1000
  const first = Number(attributes['ApproximateFirstReceiveTimestamp'] ?? NaN)
  const told = receiveCount === 1 && !Number.isNaN(first) ? (Date.now() - first) / 1000 : Infinity
  return Math.ceil(Math.min(Math.max(told, invoked), invoked + longestWindow))
}

function visibilityFor(seconds: number, sinceReceipt: number): number {
  return Math.min(maxVisibility - sinceReceipt, Math.max(0, Math.round(seconds)))
}

/**
 * Changes when SQS gives records again, ten a call. What fails is told and does no harm: the records are listed as failed
 * in any case, and come again when the queue's own timeout ends.
 */
async function changeVisibility(
  delayed: readonly Delayed[],
  clientOption: ClientOption | undefined,
  { receivedAt, warn }: AfterCareTools,
): Promise<void> {
  const queues = Map.groupBy(delayed, ({ request }) => request.queueUrl)
  await Promise.all(
    [...queues].flatMap(([QueueUrl, list]) => {
      const queue = queuePort(QueueUrl, clientOption)
      return chunks(list, 10).map(async (chunk) => {
        try {
          const Entries = chunk.map(({ request, seconds }, index) => ({
            Id: String(index),
            ReceiptHandle: request.receiptHandle,
            VisibilityTimeout: visibilityFor(seconds, secondsSinceReceipt(request, receivedAt)),
          }))
          const { Failed = [] } = await queue.call('ChangeMessageVisibilityBatch', { QueueUrl, Entries })
          for (const { Id, Code } of Failed) {
            warn(`The visibility of message ${chunk[Number(Id)]?.request.messageId} was not changed: ${Code}`)
          }
        } catch (error) {
          warn(`The visibility of ${chunk.length} messages was not changed`, error)
        }
      })
    }),
  )
}

/** Sends a record as it came, with the reason, to a dead-letter queue; resolves when that has it. */
type SendToDeadLetterQueue = (request: SqsRequest, error: unknown) => Promise<unknown>

function deadLetterSender(queueUrl: string, clientOption: ClientOption | undefined): SendToDeadLetterQueue {
  const fifo = queueUrl.endsWith('.fifo')
  const sender = new SqsSender({
    queueUrl,
    port: queuePort(queueUrl, clientOption),
    fifo,
    maxInFlight: 6,
    linger: 0,
    ordering: 'batch',
    onGroupError: 'continue',
    onUnknown: 'retry',
    // Records are put aside one by one as they fail: there is no order among them to keep.
    onDisorder: ignore,
    onSwallowed: ignore,
  })
  return ({ record, messageId, groupId = messageId, queueArn }, error) => {
    const attributes = withReasons(sentAgainAttributes(record), {
      'failed-message-id': messageId,
      'failed-in-queue': queueArn,
      failure: errorName(error),
    })
    const bytes =
      Buffer.byteLength(record.body) +
      Object.entries(attributes).reduce((sum, [name, value]) => sum + attributeBytes(name, value), 0)
    const kept = bytes > maxMessageBytes ? sentAgainAttributes(record) : attributes
    return sender.send({
      bytes: Math.min(bytes, maxMessageBytes),
      groupId: fifo ? groupId : undefined,
      entry: {
        MessageBody: record.body,
        ...(fifo && { MessageGroupId: groupId, MessageDeduplicationId: messageId }),
        ...(Object.keys(kept).length > 0 && { MessageAttributes: kept }),
        ...traced(traceOf(record)),
      },
    })
  }
}

function errorName(error: unknown): string {
  try {
    return asString(asRecord(error)?.['name']) ?? ''
  } catch {
    return ''
  }
}

type Attributes = Record<string, MessageAttributeValue>

function sentAgainAttributes({ messageAttributes }: SQSRecord): Attributes {
  const attributes: Attributes = {}
  // Null equals absent. An attribute without a value is left out, because SQS would refuse the message.
  for (const [name, attribute] of Object.entries(asRecord(messageAttributes as unknown) ?? {})) {
    const { dataType, stringValue, binaryValue } = asRecord(attribute) ?? {}
    const bytes = Buffer.from(asString(binaryValue) ?? '', 'base64')
    const text = asString(stringValue) ?? ''
    const DataType = asString(dataType) ?? 'String'
    if (bytes.length > 0) attributes[name] = { DataType, BinaryValue: bytes }
    else if (text !== '') attributes[name] = { DataType, StringValue: text }
  }
  return attributes
}

/** As many reasons as fit beside what the sender added: a message has ten attributes. */
function withReasons(attributes: Attributes, reasons: Readonly<Record<string, string>>): Attributes {
  const room = 10 - Object.keys(attributes).length
  const added = Object.entries(reasons)
    .filter(([name, value]) => !(name in attributes) && value !== '')
    .slice(0, room)
  return {
    ...attributes,
    ...Object.fromEntries(added.map(([name, StringValue]) => [name, { DataType: 'String', StringValue }])),
  }
}
