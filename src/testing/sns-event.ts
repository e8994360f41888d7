import { randomUUID } from 'node:crypto'
import type { SNSEvent, SNSEventRecord, SNSMessageAttributes } from 'aws-lambda'
import { serviceHost } from '../wire/partitions.ts'
import { accountId, region } from './described-request.ts'

/** A message as its publisher describes it. */
export interface PublishedMessage {
  /** Text as it is, anything else as JSON. */
  readonly message: unknown
  readonly messageId?: string
  readonly subject?: string
  /** What the publisher adds: strings, numbers, bytes; a list becomes a `String.Array`. */
  readonly attributes?: Readonly<Record<string, string | number | Uint8Array | readonly unknown[]>>
}

/** Options of {@link snsEvent}. */
export interface SnsEventOptions {
  /** @default a topic called `orders` */
  readonly topicArn?: string
}

/**
 * The event that Lambda makes of messages of a topic.
 *
 * @example
 * ```ts
 * import { snsEvent } from 'clearskies-middy/testing'
 *
 * export const event = snsEvent([{ message: { orderId: '7' }, subject: 'Placed' }])
 * ```
 */
export function snsEvent(
  messages: readonly PublishedMessage[],
  { topicArn = `arn:aws:sns:${region}:${accountId}:orders` }: SnsEventOptions = {},
): SNSEvent {
  return { Records: messages.map((message, index) => record(message, index, topicArn)) }
}

function record(
  { message, messageId = randomUUID(), subject, attributes = {} }: PublishedMessage,
  index: number,
  topicArn: string,
): SNSEventRecord {
  const subscription = `${topicArn}:5f3e2a1b-0000-4000-8000-000000000001`
  const [, partition, , topicRegion = region] = topicArn.split(':')
  const host = `https://${serviceHost('sns', topicRegion, partition)}`
  return {
    EventSource: 'aws:sns',
    EventVersion: '1.0',
    EventSubscriptionArn: subscription,
    Sns: {
      Type: 'Notification',
      MessageId: messageId,
      TopicArn: topicArn,
      // Left out where there is none; some events have null there.
      ...(subject !== undefined && { Subject: subject }),
      Message: typeof message === 'string' ? message : JSON.stringify(message),
      Timestamp: new Date(1_773_100_000_000 + index).toISOString(),
      SignatureVersion: '1',
      Signature: 'EXAMPLE',
      SigningCertUrl: `${host}/SimpleNotificationService-0000.pem`,
      UnsubscribeUrl: `${host}/?Action=Unsubscribe&SubscriptionArn=${subscription}`,
      MessageAttributes: snsAttributes(attributes),
    },
  }
}

function snsAttributes(attributes: NonNullable<PublishedMessage['attributes']>): SNSMessageAttributes {
  const list: SNSMessageAttributes = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'string') list[name] = { Type: 'String', Value: value }
    else if (typeof value === 'number') list[name] = { Type: 'Number', Value: String(value) }
    else if (value instanceof Uint8Array)
      list[name] = { Type: 'Binary', Value: Buffer.from(value).toString('base64') }
    else list[name] = { Type: 'String.Array', Value: JSON.stringify(value) }
  }
  return list
}
