// Messages of other sources that come by way of a queue, as the requests of those sources' own normalizers.
import middy from '@middy/core'
import {
  ConfigurationError,
  EventBridgeRequest,
  S3Request,
  SnsRequest,
  eachRecord,
  sqs,
} from 'clearskies-middy'
import type { UnwrapSource } from 'clearskies-middy'
import { eventBridgeEvent, invoke, s3Event, snsEvent, sqsEvent } from 'clearskies-middy/testing'
import { expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'

/** What SNS sends to a queue. */
function notification(message: unknown) {
  const [{ Sns } = {}] = snsEvent([{ message, subject: 'Placed', attributes: { retries: 3 } }]).Records
  const { SigningCertUrl, UnsubscribeUrl, ...rest } = Sns ?? {}
  return { ...rest, SigningCertURL: SigningCertUrl, UnsubscribeURL: UnsubscribeUrl }
}

/** Works bodies; gives what the function saw, and the errors of the records that it did not see. */
async function unwrapped(unwrap: UnwrapSource, bodies: readonly unknown[]) {
  const seen: { readonly data: unknown; readonly unwrapped: unknown }[] = []
  const errors: unknown[] = []
  const logger = new RecordingLogger()
  const worker = middy()
    .use(sqs({ unwrap, logger }))
    .handler(
      eachRecord(({ data, unwrapped }) => void seen.push({ data, unwrapped }), {
        logger,
        onFailure: (error) => void errors.push(error),
      }),
    )
  await invoke(worker, sqsEvent(bodies.map((body) => ({ body }))))
  return { seen, errors }
}

it("sqs({ unwrap: 'sns' }): the message is the request that sns() gives", async () => {
  const sent = notification({ order: 12 })
  const { seen } = await unwrapped('sns', [sent])
  const [{ data, unwrapped: request } = {}] = seen
  expect(data).toEqual({ order: 12 })
  expect(request).toBeInstanceOf(SnsRequest)
  expect(request).toMatchObject({
    id: sent.MessageId,
    topicArn: sent.TopicArn,
    subject: 'Placed',
    sentAt: new Date(sent.Timestamp ?? ''),
    messageAttributes: { retries: 3 },
    data: { order: 12 },
  })
  expect((request as SnsRequest).record.EventSubscriptionArn).toMatch(/^arn:aws:sns:[^&]*$/)
})

it("sqs({ unwrap: 'event-bridge' }): the event is the request that eventBridge() gives, inside SNS as well", async () => {
  const event = eventBridgeEvent({ detailType: 'Order Placed', detail: { order: 12 } })
  const { seen } = await unwrapped('event-bridge', [event, notification(event)])
  for (const { data, unwrapped: request } of seen) {
    expect(data).toEqual({ order: 12 })
    expect(request).toBeInstanceOf(EventBridgeRequest)
    expect(request).toMatchObject({ id: event.id, detailType: 'Order Placed', data: { order: 12 } })
  }
  expect(seen).toHaveLength(2)
})

it("sqs({ unwrap: 's3' }): each object is the request that s3() gives, its key decoded once", async () => {
  const event = s3Event([{ key: 'a b+c%2B.txt' }, { key: 'ü' }])
  const { seen } = await unwrapped('s3', [event, notification(event)])
  for (const { unwrapped: requests } of seen) {
    const objects = requests as readonly S3Request[]
    expect(objects.map((object) => object instanceof S3Request)).toEqual([true, true])
    expect(objects.map(({ key, bucket, id }) => id.startsWith(`${bucket}/${key}/`))).toEqual([true, true])
    expect(objects.map(({ key }) => key)).toEqual(['a b+c%2B.txt', 'ü'])
  }
  expect(seen).toHaveLength(2)
})

it("sqs({ unwrap: 's3' }): the test message of a new notification is done without a call", async () => {
  const test = {
    ...{ Service: 'Amazon S3', Event: 's3:TestEvent', Time: 't' },
    Bucket: 'b',
    RequestId: 'r',
    HostId: 'h',
  }
  expect(await unwrapped('s3', [test])).toEqual({ seen: [], errors: [] })
})

it.each<[UnwrapSource, readonly unknown[]]>([
  [
    'sns',
    [{ order: 12 }, [], null, 'text', { Type: 'SubscriptionConfirmation', Message: 'x', TopicArn: 'y' }],
  ],
  ['event-bridge', [{ source: 'shop', detail: {} }, { 'detail-type': 'x', source: 'y' }, 7]],
  ['s3', [{ Records: [{}] }, { Records: [{ s3: null }] }, { Records: 'x' }, notification({ order: 12 })]],
])('sqs({ unwrap: "%s" }): a body of another source fails its record alone', async (source, bodies) => {
  const good = {
    sns: notification('hello'),
    'event-bridge': eventBridgeEvent({ detailType: 'x', detail: 1 }),
    s3: s3Event([{ key: 'k' }]),
  }
  const { seen, errors } = await unwrapped(source, [...bodies, good[source]])
  expect(seen).toHaveLength(1)
  expect(errors).toHaveLength(bodies.length)
  for (const error of errors.filter((error) => error instanceof ConfigurationError))
    expect(error.message).toContain(`is not what sqs({ unwrap: '${source}' }) is for`)
})

it('sqs({ unwrap }): another source is refused when the chain is made', () => {
  expect(() => sqs({ unwrap: 'kinesis' as 'sns' })).toThrow(TypeError)
})

it("sqs({ unwrap: 'sns' }): a message that is plain text is text", async () => {
  const { seen } = await unwrapped('sns', [notification('hello')])
  expect([seen[0]?.data, (seen[0]?.unwrapped as SnsRequest).data]).toEqual(['hello', 'hello'])
})
