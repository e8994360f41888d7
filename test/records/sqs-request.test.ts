import { MalformedJsonError, PayloadPointerError } from 'clearskies-middy/errors'
import { type SqsBatch, sqsBatch } from 'clearskies-middy/normalizers/sqs-batch'
import type { SqsBatchOptions } from 'clearskies-middy/normalizers/sqs-batch'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { type DescribedMessage, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import { work } from '../support/sqs-work.ts'
import { afterEach, describe, expect, it, vi } from 'vitest'

afterEach(() => {
  vi.unstubAllEnvs()
})

const batchOf = (messages: readonly DescribedMessage[], options?: SqsBatchOptions): SqsBatch =>
  sqsBatch(sqsEvent(messages), lambdaContext(), options)

const unwrapped = (body: unknown): SqsRequest => batchOf([{ body }], { unwrap: true }).requests[0]!

describe('a batch', () => {
  it('gives its requests in order, always the same', () => {
    const context = lambdaContext()
    const event = sqsEvent([
      { messageId: 'a', body: 1 },
      { messageId: 'b', body: 2 },
    ])
    const batch = sqsBatch(event, context)
    expect([batch.kind, batch.source, batch.raw, batch.data]).toEqual(['sqs-batch', 'sqs', event, [1, 2]])
    expect(batch.requests.map(({ messageId }) => messageId)).toEqual(['a', 'b'])
    expect(batch.requests[1]).toBe(batch.requests[1])
    expect(batch.requestOf(1)).toBe(batch.requests[1])
    expect(batch.requests[1]!.raw).toBe(event.Records[1])
    expect(batch.requests[1]!.lambdaContext).toBe(context)
    expect(batch.requests[1]!.signal).toBe(batch.signal)
  })

  it('stops at malformed data where all of it is asked for', () => {
    expect(() => batchOf([{ body: 1 }, { body: '{' }]).data).toThrow(MalformedJsonError)
  })
})

describe('a request', () => {
  it('reads its data once, and keeps what was put there', () => {
    let parsed = 0
    const [request] = batchOf([{ body: 'x' }], { body: (body) => ({ body, times: ++parsed }) }).requests
    expect([request!.data, request!.data]).toEqual([
      { body: 'x', times: 1 },
      { body: 'x', times: 1 },
    ])
    request!.data = { body: 'y' }
    expect(request!.data).toEqual({ body: 'y' })
    expect(parsed).toBe(1)
  })

  it.each([
    ['arn:aws:sqs:eu-central-1:1:orders', 'https://sqs.eu-central-1.amazonaws.com/1/orders'],
    ['arn:aws-cn:sqs:cn-north-1:1:orders', 'https://sqs.cn-north-1.amazonaws.com.cn/1/orders'],
    ['arn:aws-us-gov:sqs:us-gov-west-1:1:orders', 'https://sqs.us-gov-west-1.amazonaws.com/1/orders'],
  ])('knows the address of its queue: %s', (queueArn, url) => {
    for (const name of ['AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL']) vi.stubEnv(name, undefined)
    const [request] = sqsBatch(sqsEvent([{ body: 1 }], { queueArn }), lambdaContext()).requests
    expect(request!.queueUrl).toBe(url)
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://localhost:4566//')
    expect(request!.queueUrl).toBe('http://localhost:4566/1/orders')
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', 'http://localhost/sqs/')
    expect(request!.queueUrl).toBe('http://localhost/sqs/1/orders')
  })

  it.each([
    ['Number', '7', 7],
    ['Number.float', '-0.5', -0.5],
    ['Number', '9007199254740991', 9_007_199_254_740_991],
    ['Number', '9007199254740993', '9007199254740993'],
    ['Number', '1e999', '1e999'],
    ['Number', 'x', 'x'],
    ['String', '7', '7'],
    ['String.custom', '007', '007'],
    ['Numbers', '7', '7'],
  ])('types a message attribute by what was declared: %s %s', (dataType, stringValue, value) => {
    const event = sqsEvent([{ body: 1 }])
    Object.assign(event.Records[0]!, { messageAttributes: { it: { dataType, stringValue } } })
    const { messageAttributes } = sqsBatch(event, lambdaContext()).requests[0]!
    expect(messageAttributes['it']).toBe(value)
    expect(Object.getPrototypeOf(messageAttributes)).toBeNull()
  })

  it('reads an attribute without a value as an empty one', () => {
    const event = sqsEvent([{ body: 1 }])
    const messageAttributes = { text: { dataType: 'String' }, bytes: { dataType: 'Binary' } }
    Object.assign(event.Records[0]!, { messageAttributes })
    const read = sqsBatch(event, lambdaContext()).requests[0]!.messageAttributes
    expect({ ...read }).toEqual({ text: '', bytes: Buffer.alloc(0) })
  })
})

const notification = { Type: 'Notification', TopicArn: 'arn:aws:sns:eu-central-1:1:t', Message: '{"id":7}' }
const event = { 'detail-type': 'Order Placed', source: 'shop', detail: { id: 7 } }

describe('unwrapping', () => {
  it('takes off what SNS put around the data', () => {
    const { data, envelopes } = unwrapped(notification)
    expect([data, envelopes]).toEqual([{ id: 7 }, [notification]])
    expect(unwrapped(notification).envelopes).toEqual([notification])
    const MessageAttributes = { none: {}, size: { Type: 'Number', Value: '5' } }
    const { messageAttributes } = unwrapped({ ...notification, MessageAttributes })
    expect({ ...messageAttributes }).toEqual({ none: '', size: 5 })
    expect({ ...unwrapped('{').messageAttributes }).toEqual({})
  })

  it('takes off what EventBridge put around the data', () => {
    const { data, envelopes } = unwrapped(event)
    expect([data, envelopes]).toEqual([{ id: 7 }, [event]])
    expect(unwrapped({ ...event, detail: null }).data).toBeNull()
  })

  it('takes off three envelopes at the most, from the outside in', () => {
    const around = (Message: unknown) => ({ ...notification, Message: JSON.stringify(Message) })
    const two = unwrapped(around(event))
    expect([two.data, two.envelopes]).toEqual([{ id: 7 }, [around(event), event]])
    const four = unwrapped(around(around(around(event))))
    expect([four.data, four.envelopes.length]).toEqual([event, 3])
  })

  it.each([
    [{ ...notification, Type: 'SubscriptionConfirmation' }],
    [{ ...notification, Message: { id: 7 } }],
    [{ ...notification, TopicArn: undefined }],
    [{ ...event, 'detail-type': 7 }],
    [{ ...event, source: undefined }],
    [{ 'detail-type': 'Order Placed', source: 'shop' }],
    [{ id: 7 }],
    [[event]],
    ['text'],
    [7],
    [null],
  ])('leaves alone what is no envelope: %j', (body) => {
    const { data, envelopes } = unwrapped(JSON.stringify(body))
    expect([data, envelopes]).toEqual([JSON.parse(JSON.stringify(body)), []])
  })

  it('has no envelopes where the option does not ask for it', () => {
    const [request] = batchOf([{ body: notification }]).requests
    expect([request!.envelopes, request!.data]).toEqual([[], notification])
  })

  it.each([
    [[{ s3: { object: { key: 'a+b%2Fc' } } }], [{ s3: { object: { key: 'a b/c' } } }]],
    [
      [{ s3: { object: { key: 'a+b' } } }, { s3: { object: { key: 'c+d' }, bucket: 'x' }, id: 1 }],
      [{ s3: { object: { key: 'a b' } } }, { s3: { object: { key: 'c d' }, bucket: 'x' }, id: 1 }],
    ],
    [
      [{ s3: { object: { key: 'a+b' } } }, { id: 1 }],
      [{ s3: { object: { key: 'a+b' } } }, { id: 1 }],
    ],
    [[null], [null]],
    [[{ s3: 7 }], [{ s3: 7 }]],
  ])('decodes the keys of S3 where all records are its: %j', (Records, expected) => {
    expect(unwrapped({ Records, more: 1 }).data).toEqual({ Records: expected, more: 1 })
  })
})

describe('a payload elsewhere', () => {
  it.each([
    ['malformed', '{', ['it']],
    [
      'the test of a notification',
      '{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"","Bucket":"b","RequestId":"","HostId":""}',
      [],
    ],
  ])('that is %s reaches no function', async (_, payload, failed) => {
    const done = await work([{ messageId: 'it', body: [pointerClass, { s3BucketName: 'b', s3Key: 'k' }] }], {
      sqsOptions: { unwrap: true, resolvePayload: () => Promise.resolve(payload) },
    })
    expect(done).toMatchObject({ failed, called: [] })
  })

  const pointerClass = 'software.amazon.payloadoffloading.PayloadS3Pointer'

  it('is not data without the option that reads it', () => {
    const [request] = batchOf([{ body: [pointerClass, { s3BucketName: 'b', s3Key: 'k' }] }]).requests
    expect(() => request!.data).toThrow(expect.objectContaining({ bucket: 'b', key: 'k' }))
    expect(() => request!.data).toThrow(PayloadPointerError)
  })

  it('is named as far as it can be read', () => {
    const [request] = batchOf([{ body: `["${pointerClass}",` }]).requests
    expect(() => request!.data).toThrow(expect.objectContaining({ bucket: '', key: '' }))
  })

  it.each([[` ["${pointerClass}",{}]`], [`["x${pointerClass}",{}]`], [`["${pointerClass}x",{}]`]])(
    'is none where a body only looks like it: %s',
    (body) => {
      expect(batchOf([{ body }]).requests[0]!.data).toEqual(JSON.parse(body))
    },
  )
})
