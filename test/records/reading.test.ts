// What a body is read as: asynchronously, behind pointers, inside notifications.
import {
  MalformedJsonError,
  PayloadPointerError,
  PermanentFailureError,
  ConfigurationError,
} from 'clearskies-middy/errors'
import { sns } from 'clearskies-middy/normalizers/sns'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import { sqsBatch } from 'clearskies-middy/normalizers/sqs-batch'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { invoke, lambdaContext, snsEvent, sqsEvent } from 'clearskies-middy/testing'
import middy from '@middy/core'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { fifoArn, grouped, turns, withB, work, type Work } from '../support/sqs-work.ts'

const notification = (Message: string): object => ({
  Type: 'Notification',
  MessageId: 'n',
  TopicArn: 'arn:aws:sns:eu-central-1:123456789012:orders',
  Message,
})
const event = (detail: unknown): object => ({ 'detail-type': 'order', source: 'shop', detail })

/** What the function was given as the data of record b. */
async function read(body: unknown, sqsOptions: Work['sqsOptions'] = {}) {
  let data: unknown = 'not called'
  const done = await work(withB(body), {
    sqsOptions,
    fn(request) {
      if (request.messageId === 'b') data = request.data
    },
  })
  return { ...done, data, error: done.logger.errors[0]?.details }
}

describe('an asynchronous body', () => {
  const later = async (text: string): Promise<unknown> => {
    await turns(3)
    if (text.includes('"broken"')) throw new Error('cannot be decrypted')
    return JSON.parse(text)
  }

  it('R5: is awaited before the function is called', async () => {
    expect(await read({ n: 1 }, { body: later })).toMatchObject({ failed: [], data: { n: 1 } })
    // Whatever has a `then` is a promise.
    const thenable = (text: string) => ({
      then: (resolve: (value: unknown) => void) => {
        resolve([text])
      },
    })
    expect(await read('x', { body: thenable })).toMatchObject({ failed: [], data: ['x'] })
  })

  it('R5: that fails, fails its record alone, without a call', async () => {
    expect(await read('"broken"', { body: later })).toMatchObject({ failed: ['b'], called: ['a', 'c'] })
  })

  it('R5: that fails stops its group of a FIFO queue, and no other', async () => {
    const { failed, called } = await work(grouped('a1', 'a2', 'b1'), {
      queueArn: fifoArn,
      sqsOptions: {
        body: (_, { messageId }) =>
          messageId === 'a1' ? Promise.reject(new Error('no')) : Promise.resolve(1),
      },
    })
    expect([failed, called]).toEqual([['a1', 'a2'], ['b1']])
  })

  it('R5: a PermanentFailureError of it goes to the dead-letter queue, as one that is thrown at once', async () => {
    for (const body of [
      () => Promise.reject(new PermanentFailureError()),
      () => {
        throw new PermanentFailureError()
      },
    ]) {
      const sent: unknown[] = []
      const client = {
        send: ({ input }: { input: { Entries: { Id: string }[] } }) => {
          sent.push(...input.Entries)
          return Promise.resolve({
            Successful: input.Entries.map(({ Id }) => ({ Id, MessageId: Id })),
            Failed: [],
          })
        },
      }
      const queueUrl = 'https://sqs.eu-central-1.amazonaws.com/123456789012/dead'
      const { failed } = await work(withB('x'), {
        sqsOptions: { body: (_, { messageId }) => (messageId === 'b' ? body() : 1) },
        options: { client: client, deadLetter: { queueUrl } },
      })
      expect([failed, sent.length]).toEqual([[], 1])
    }
  })

  it('R5: of the message inside a notification is awaited, too', async () => {
    const done = await read(notification('{"n":1}'), { unwrap: true, body: later })
    expect(done).toMatchObject({ failed: [], data: { n: 1 } })
    expect(await read(notification('"broken"'), { unwrap: true, body: later })).toMatchObject({
      failed: ['b'],
    })
  })

  it('R5: in a handler of the whole batch is refused by name', () => {
    const batch = sqsBatch(sqsEvent([{ body: {} }]), lambdaContext(), { body: later })
    expect(() => batch.data).toThrow(ConfigurationError)
    expect(() => batch.requests[0]!.data).toThrow(
      'is read asynchronously, and only eachRecord() waits for it',
    )
  })

  it('R5: of an SNS message is awaited, and a failure of it fails the invocation', async () => {
    const seen: unknown[] = []
    const handler = middy()
      .use(sns({ body: (bytes) => later(Buffer.from(bytes).toString()), logger: new RecordingLogger() }))
      .handler(eachRecord(({ data }) => void seen.push(data)))
    await invoke(handler, snsEvent([{ message: '{"n":1}' }]))
    expect(seen).toEqual([{ n: 1 }])
    await expect(invoke(handler, snsEvent([{ message: '"broken"' }]))).rejects.toThrow('cannot be decrypted')
  })
})

describe('a pointer to a payload elsewhere', () => {
  const pointers = [
    'software.amazon.payloadoffloading.PayloadS3Pointer',
    'com.amazon.sqs.javamessaging.MessageS3Pointer',
  ].flatMap((name) => [
    JSON.stringify([name, { s3BucketName: 'b', s3Key: 'k' }]),
    `[ \n"${name}", {"s3BucketName":"b","s3Key":"k"}]`,
  ])
  const places: readonly (readonly [where: string, put: (pointer: string) => unknown])[] = [
    ['in the body', (pointer) => pointer],
    ['in a notification', (pointer) => notification(pointer)],
    ['in a notification in a notification', (pointer) => notification(JSON.stringify(notification(pointer)))],
    ['in a notification in an event', (pointer) => event(notification(pointer))],
  ]

  describe.each(places)('%s', (_, put) => {
    it.each(pointers)('R7: %s is followed where it can be', async (pointer) => {
      const asked: unknown[] = []
      for (const payload of ['{"n":1}', JSON.stringify(event({ n: 1 }))]) {
        const resolvePayload = (at: unknown) => {
          asked.push(at)
          return Promise.resolve(payload)
        }
        expect(await read(put(pointer), { unwrap: true, resolvePayload })).toMatchObject({
          failed: [],
          data: { n: 1 },
        })
      }
      expect(asked).toEqual([
        { bucket: 'b', key: 'k' },
        { bucket: 'b', key: 'k' },
      ])
    })

    it.each(pointers)('R7: %s fails its record where it cannot', async (pointer) => {
      for (const body of ['json', 'text', (text: string) => text] as const) {
        const done = await read(put(pointer), { unwrap: true, body })
        expect(done).toMatchObject({ failed: ['b'], called: ['a', 'c'] })
        expect(done.error).toBeInstanceOf(PayloadPointerError)
      }
    })
  })

  it('R7: that leads to itself ends', async () => {
    const done = await read(pointers[0], { resolvePayload: () => pointers[0]! })
    expect(done.error).toBeInstanceOf(PayloadPointerError)
  })
})

const s3Test = {
  Service: 'Amazon S3',
  Event: 's3:TestEvent',
  Time: '2026-03-10T00:00:00.000Z',
  Bucket: 'uploads',
  RequestId: 'r',
  HostId: 'h',
}

describe('what resembles the test message of S3', () => {
  it.each([
    ['alone', s3Test],
    ['in a notification', notification(JSON.stringify(s3Test))],
  ])('R8: the message itself, %s, is done without a call', async (_, body) => {
    expect(await read(body, { unwrap: true })).toMatchObject({ failed: [], called: ['a', 'c'] })
  })

  it.each([
    { Event: 's3:TestEvent', order: 7 },
    { ...s3Test, order: 7 },
    { ...s3Test, Service: 'Amazon S4' },
    { ...s3Test, HostId: undefined },
    { Service: 'Amazon S3', Event: 's3:TestEvent' },
  ])('R8: %j is data', async (body) => {
    const data: unknown = JSON.parse(JSON.stringify(body))
    expect(await read(body, { unwrap: true })).toMatchObject({ failed: [], data })
    expect(await read(notification(JSON.stringify(body)), { unwrap: true })).toMatchObject({
      failed: [],
      data,
    })
  })
})

describe('plain text in a notification', () => {
  it.each(['hello', '', 'AWS Budgets: 80 %', '12 monkeys', '[ALERT] disk full'])(
    'R9: %j is the data',
    async (text) => {
      for (const put of [notification, (message: string) => event(notification(message))])
        for (const body of ['json', 'text'] as const)
          expect(await read(put(text), { unwrap: true, body })).toMatchObject({ failed: [], data: text })
    },
  )

  it('R9: JSON is JSON, or its text where the option says so', async () => {
    expect(await read(notification('{"n":1}'), { unwrap: true })).toMatchObject({ data: { n: 1 } })
    expect(await read(notification('{"n":1}'), { unwrap: true, body: 'text' })).toMatchObject({
      data: '{"n":1}',
    })
  })

  it.each(['hello', '{"n":'])('R9: a body that is %j itself still fails alone', async (body) => {
    const done = await read(body, { unwrap: true })
    expect(done).toMatchObject({ failed: ['b'], called: ['a', 'c'] })
    expect(done.error).toBeInstanceOf(MalformedJsonError)
  })
})

describe('an event of EventBridge in a message', () => {
  it.each([
    ['{}', {}],
    ['{"order":12}', { order: 12 }],
    ['plain text', 'plain text'],
  ])('E12: a detail of %j is read as eventBridge() reads it', async (detail, data) => {
    const body = { source: 'aws.scheduler', 'detail-type': 'Scheduled Event', detail }
    expect(await read(body, { unwrap: true })).toMatchObject({ failed: [], data })
    expect(await read(notification(JSON.stringify(body)), { unwrap: true })).toMatchObject({
      failed: [],
      data,
    })
  })
})

describe('a record that is none', () => {
  it.each([
    ['is parsed already', { body: { n: 1 } }],
    ['has no body', { body: undefined }],
    ['has null for a body', { body: null }],
  ])('a record that %s fails alone, with the reason', async (_, change) => {
    for (const body of ['json', 'text', (text: string) => text] as const) {
      const batch = sqsEvent(withB(1))
      Object.assign(batch.Records[1]!, change)
      const { failed, called, logger } = await work(batch, { sqsOptions: { body } })
      expect([failed, called]).toEqual([['b'], ['a', 'c']])
      expect(logger.errors[0]?.details).toMatchObject({ message: expect.stringContaining('is not text') })
    }
  })

  it.each([null, 7, 'record'])('the record %j, which no answer can name, fails the batch', async (record) => {
    const batch = sqsEvent(withB(1))
    batch.Records[1] = record as never
    const handler = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(eachRecord(() => undefined))
    await expect(invoke(handler, batch)).rejects.toMatchObject({ name: 'UnidentifiedRecordError', index: 1 })
  })
})
