import type { SNSEventRecord } from 'aws-lambda'
import { asRecord } from '../core/record.ts'

type SnsMessage = SNSEventRecord['Sns']

/** What SNS sends to a queue without raw message delivery. Two members have other names than in Lambda's event. */
export interface SnsNotification
  extends
    Omit<SnsMessage, 'SigningCertUrl' | 'UnsubscribeUrl' | 'MessageAttributes'>,
    Partial<Pick<SnsMessage, 'MessageAttributes'>> {
  readonly SigningCertURL?: string
  readonly UnsubscribeURL?: string
}

/** Whether a parsed body is a notification. */
export function isSnsNotification(value: unknown): value is SnsNotification {
  const { Type, Message, TopicArn } = asRecord(value) ?? {}
  return Type === 'Notification' && typeof Message === 'string' && typeof TopicArn === 'string'
}

/** The record that Lambda makes of the same message. */
export function snsRecordOf({
  SigningCertURL = '',
  UnsubscribeURL = '',
  MessageAttributes = {},
  ...message
}: SnsNotification): SNSEventRecord {
  return {
    EventSource: 'aws:sns',
    EventVersion: '1.0',
    EventSubscriptionArn: URL.parse(UnsubscribeURL)?.searchParams.get('SubscriptionArn') ?? '',
    Sns: {
      ...message,
      SigningCertUrl: SigningCertURL,
      UnsubscribeUrl: UnsubscribeURL,
      MessageAttributes,
    },
  }
}
