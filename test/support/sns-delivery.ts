import {
  CreateTopicCommand,
  type MessageAttributeValue,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns'
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import type { SNSEvent } from 'aws-lambda'
import { type SnsRequest, eachRecord, sns } from 'clearskies-middy'
import { type AnyHandler, type PollInvocation, type SnsPollOptions, pollSns } from 'clearskies-middy/testing'
import { expect, it } from 'vitest'
import { RecordingLogger } from './recording-logger.ts'

/** From a topic through a queue to the function, beside whatever speaks SNS and SQS. */
export function snsDelivery(endpoint: () => string): void {
  let topics = 0

  async function subscribed(attributes: Record<string, string> = {}) {
    const [topics_, queues] = [
      new SNSClient({ endpoint: endpoint() }),
      new SQSClient({ endpoint: endpoint() }),
    ]
    const name = `placed-${++topics}`
    const { TopicArn } = await topics_.send(new CreateTopicCommand({ Name: name }))
    const { QueueUrl = '' } = await queues.send(
      new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: '0' } }),
    )
    const { Attributes } = await queues.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    )
    await topics_.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: 'sqs',
        Endpoint: Attributes?.['QueueArn'],
        Attributes: attributes,
      }),
    )
    return {
      TopicArn: TopicArn ?? '',
      async publish(
        Message: string,
        more: { Subject?: string; MessageAttributes?: Record<string, MessageAttributeValue> } = {},
      ) {
        const { MessageId } = await topics_.send(new PublishCommand({ TopicArn, Message, ...more }))
        return MessageId
      },
      /** Polls until the handler was invoked so often. */
      async pollUntil(count: number, handler: AnyHandler, options: SnsPollOptions = {}) {
        const invocations: PollInvocation[] = []
        const enough = Promise.withResolvers<undefined>()
        await using _ = pollSns(QueueUrl, handler, {
          client: queues,
          ...options,
          onInvocation(invocation) {
            if (invocations.push(invocation) === count) enough.resolve(undefined)
          },
          onError: enough.reject,
        })
        await enough.promise
        return invocations
      },
    }
  }

  it('pollSns() invokes with the event that Lambda makes of a notification', async () => {
    const { TopicArn, publish, pollUntil } = await subscribed()
    const messageId = await publish('{"order":12}', {
      Subject: 'Placed',
      MessageAttributes: { retries: { DataType: 'Number', StringValue: '3' } },
    })
    const events: SNSEvent[] = []
    const requests: SnsRequest[] = []
    const worker = middy()
      .use(sns())
      .handler(eachRecord((request) => void requests.push(request))) as AnyHandler
    await pollUntil(1, (event, context) => {
      events.push(event as SNSEvent)
      return worker(event, context)
    })
    const [{ Sns, ...record } = {}] = events[0]?.Records ?? []
    expect(record).toEqual({
      EventSource: 'aws:sns',
      EventVersion: '1.0',
      // moto names one region in all of its links.
      EventSubscriptionArn: expect.stringMatching(/^arn:aws:sns:[\w-]+:\d+:placed-\d+:[\w-]+$/) as string,
    })
    expect(Object.keys(Sns ?? {}).toSorted()).toEqual(
      expect.arrayContaining(['SigningCertUrl', 'UnsubscribeUrl', 'MessageAttributes']),
    )
    expect(Sns).toMatchObject({
      Type: 'Notification',
      MessageId: messageId,
      TopicArn,
      Subject: 'Placed',
      Message: '{"order":12}',
      MessageAttributes: { retries: { Type: 'Number', Value: '3' } },
    })
    const [request] = requests
    expect(request).toMatchObject({
      data: { order: 12 },
      subject: 'Placed',
      messageAttributes: { retries: 3 },
    })
    expect(Math.abs((request?.sentAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
  })

  it('pollSns() invokes once for each message, and again after an error, twice at most', async () => {
    const { publish, pollUntil } = await subscribed()
    for (const message of ['a', 'b', 'c']) await publish(message)
    const logger = new RecordingLogger()
    const seen: string[] = []
    const givenUp: PollInvocation[] = []
    const worker = middy()
      .use(sns({ logger }))
      .handler(
        eachRecord(
          ({ data }) => {
            seen.push(String(data))
            if (data === 'b') throw new Error('Not b')
          },
          { logger },
        ),
      )
    const invocations = await pollUntil(5, worker, { onFailure: (invocation) => givenUp.push(invocation) })
    expect(seen.toSorted()).toEqual(['a', 'b', 'b', 'b', 'c'])
    expect(invocations.map(({ messageIds }) => messageIds.length)).toEqual([1, 1, 1, 1, 1])
    expect(givenUp.map(({ error }) => String(error))).toEqual(['Error: Not b'])
  })

  it('pollSns() refuses what is not in the envelope of SNS', async () => {
    const { publish, pollUntil } = await subscribed({ RawMessageDelivery: 'true' })
    await publish('{"order":12}')
    await expect(pollUntil(1, () => undefined)).rejects.toThrow(/^Message .* is no notification of SNS/)
  })
}
