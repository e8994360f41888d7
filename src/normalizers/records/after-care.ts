import type { MessageAttributeValue } from '@aws-sdk/client-sqs'
import type { SQSRecord } from 'aws-lambda'
import type { ClientOption } from '../../aws/client.ts'
import { queuePort } from '../../aws/sqs.ts'
import { attributeBytes, maxBytes } from '../../backends/sending/message.ts'
import { SqsSender } from '../../backends/sending/sender.ts'
import { chunks } from '../../core/chunks.ts'
import type { SqsRequest } from '../sqs-request.ts'

/** A record whose visibility is to change. */
export interface Delayed {
  readonly request: SqsRequest
  readonly seconds: number
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html: 12 hours since the receipt. */
const maxVisibility = 43_200

/**
 * Changes when SQS gives records again, ten a call. What fails is told and does no harm: the records are listed as failed
 * in any case, and come again when the queue's own timeout ends.
 */
export async function changeVisibility(
  delayed: readonly Delayed[],
  receivedAt: number,
  clientOption: ClientOption | undefined,
  warn: (message: string, error?: unknown) => void,
): Promise<void> {
  const longest = maxVisibility - Math.ceil((Date.now() - receivedAt) / 1000)
  const queues = Map.groupBy(delayed, ({ request }) => request.queueUrl)
  await Promise.all(
    [...queues].flatMap(([QueueUrl, list]) => {
      const queue = queuePort(QueueUrl, clientOption)
      return chunks(list, 10).map(async (chunk) => {
        try {
          const Entries = chunk.map(({ request: { receiptHandle }, seconds }, index) => ({
            Id: String(index),
            ReceiptHandle: receiptHandle,
            VisibilityTimeout: Math.min(longest, Math.max(0, Math.round(seconds))),
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
export type SendToDeadLetterQueue = (request: SqsRequest, error: Error) => Promise<void>

export function deadLetterSender(
  queueUrl: string,
  clientOption: ClientOption | undefined,
): SendToDeadLetterQueue {
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
    const attributes = withReasons(toAttributes(record), {
      'failed-message-id': messageId,
      'failed-in-queue': queueArn,
      failure: error.name,
    })
    const bytes =
      Buffer.byteLength(record.body) +
      Object.entries(attributes).reduce((sum, [name, value]) => sum + attributeBytes(name, value), 0)
    const kept = bytes > maxBytes ? toAttributes(record) : attributes
    return sender.send({
      bytes: Math.min(bytes, maxBytes),
      groupId: fifo ? groupId : undefined,
      entry: {
        MessageBody: record.body,
        ...(fifo && { MessageGroupId: groupId, MessageDeduplicationId: messageId }),
        ...(Object.keys(kept).length > 0 && { MessageAttributes: kept }),
      },
    })
  }
}

function ignore(): void {
  // Nothing to tell.
}

type Attributes = Record<string, MessageAttributeValue>

function toAttributes({ messageAttributes }: SQSRecord): Attributes {
  const sent = (messageAttributes as SQSRecord['messageAttributes'] | null | undefined) ?? {}
  return Object.fromEntries(
    Object.entries(sent).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      {
        DataType: dataType,
        // Null where the event was written by another serializer than Lambda's.
        ...(typeof binaryValue === 'string'
          ? { BinaryValue: Buffer.from(binaryValue, 'base64') }
          : { StringValue: stringValue }),
      },
    ]),
  )
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
