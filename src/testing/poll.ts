import type { Message } from '@aws-sdk/client-sqs'
import type { SQSEvent, SQSRecord } from 'aws-lambda'
import type { AnyHandler } from './invoke.ts'
import { invokeBatch } from './mapping.ts'
import { type PollOptions, type Poller, pollQueue } from './queue-poller.ts'

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
  const invoke = (messages: readonly Message[], arn: string): ReturnType<typeof invokeBatch> => {
    const event: SQSEvent = { Records: messages.map((message) => toRecord(message, arn)) }
    return invokeBatch({ handler, event, ids: event.Records.map(({ messageId }) => messageId) }, options)
  }
  return pollQueue({ queueUrl, invoke }, options)
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
