// How the body of a queue's message is read: pointers, envelopes and what is inside.
import { eventBridgeEvent, snsEvent, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import type { PayloadPointer } from '../../src/normalizers/records/payload-pointer.ts'
import type { SqsReading } from '../../src/normalizers/records/sqs-reading.ts'
import { BodyReader, type Unwrapped } from '../../src/normalizers/records/unwrap.ts'

const [record] = sqsEvent([{ body: '' }]).Records
const read = (body: unknown, reading: Partial<SqsReading> = {}): Unwrapped | PromiseLike<Unwrapped> =>
  new BodyReader({ ...record!, body: body as string }, 'm-1', {
    body: 'json',
    unwrap: true,
    ...reading,
  }).read()

const bus = (detail: unknown) =>
  JSON.stringify({ ...eventBridgeEvent({ detailType: 'Placed', detail: {} }), detail })
const topic = (message: string) =>
  JSON.stringify({ ...snsEvent([{ message: '' }]).Records[0]!.Sns, Message: message })
const pointer = (key: string) =>
  JSON.stringify(['software.amazon.payloadoffloading.PayloadS3Pointer', { s3BucketName: 'b', s3Key: key }])
const stored = (payloads: Readonly<Record<string, string>>) => ({
  resolvePayload: ({ key }: PayloadPointer) => payloads[key]!,
})
const asyncStored = (payloads: Readonly<Record<string, string>>) => ({
  resolvePayload: async ({ key }: PayloadPointer) => payloads[key]!,
})

describe('an envelope', () => {
  it.each([
    ['of EventBridge', bus({ a: 1 }), 1, { a: 1 }],
    ['of EventBridge Scheduler, whose detail is text', bus('{"a":1}'), 1, { a: 1 }],
    ['of EventBridge with a text that is none of JSON', bus('hello'), 1, 'hello'],
    ['of EventBridge without details', bus(null), 1, null],
    ['of SNS', topic('{"a":1}'), 1, { a: 1 }],
    ['of SNS with plain text', topic('hello {"a":1}'), 1, 'hello {"a":1}'],
    ['of EventBridge in SNS', topic(bus({ a: 1 })), 2, { a: 1 }],
    ['of none', '{"a":1}', 0, { a: 1 }],
  ])('%s is taken off', async (_, body, envelopes, data) => {
    const unwrapped = await read(body)
    expect([unwrapped.data, unwrapped.envelopes.length]).toEqual([data, envelopes])
  })

  it('is taken off three times at most', async () => {
    const { data, envelopes } = await read(topic(topic(topic(topic('"x"')))))
    expect([envelopes.length, (data as { Message: string }).Message]).toEqual([3, '"x"'])
  })

  it('stays where nobody asked to have it taken off, and keys of S3 stay as they were sent', async () => {
    const body = JSON.stringify({ Records: [{ s3: { object: { key: 'a+b' } } }] })
    expect(await read(topic('x'), { unwrap: false })).toMatchObject({
      data: { Message: 'x' },
      envelopes: [],
      isTest: false,
    })
    expect(await read(body, { unwrap: false })).toMatchObject({ data: JSON.parse(body) as object })
    expect(await read(body)).toMatchObject({ data: { Records: [{ s3: { object: { key: 'a b' } } }] } })
  })

  it('is AWS’s own JSON, whatever the body inside of it is', async () => {
    expect(await read(topic('a b'), { body: 'text' })).toMatchObject({ data: 'a b' })
    const texts: string[] = []
    const body = (text: string): string => {
      texts.push(text)
      return text.toUpperCase()
    }
    expect(await read(topic('a b'), { body })).toMatchObject({ data: 'A B' })
    expect(await read('"TopicArn" and what not', { body })).toMatchObject({ data: '"TOPICARN" AND WHAT NOT' })
    expect(texts).toEqual(['a b', '"TopicArn" and what not'])
  })

  it('with half an object inside is an error that names the message', () => {
    for (const half of ['{"a":', ' \n {"a":'])
      expect(() => read(topic(half))).toThrow('The body of message m-1 is not valid JSON')
    expect(() => read('hello')).toThrow('The body of message m-1 is not valid JSON')
  })
})

describe('a pointer to a payload', () => {
  it.each([
    ['at once', stored],
    ['later', asyncStored],
  ])('that is followed %s gives the data, and the text that was stored', async (_, store) => {
    expect(await read(pointer('k'), store({ k: '{"a":1}' }))).toMatchObject({
      data: { a: 1 },
      payload: '{"a":1}',
    })
  })

  it('inside an envelope gives the data, and no text of the body', async () => {
    const unwrapped = await read(topic(pointer('k')), stored({ k: '{"a":1}' }))
    expect([unwrapped.data, unwrapped.payload]).toEqual([{ a: 1 }, undefined])
  })

  it('may point to a pointer, three in all', async () => {
    const chain = stored({ a: pointer('b'), b: pointer('c'), c: '7', d: pointer('a') })
    expect(await read(pointer('a'), chain)).toMatchObject({ data: 7, payload: '7' })
    expect(() => read(pointer('d'), chain)).toThrow(expect.objectContaining({ name: 'PayloadPointerError' }))
  })

  it('that nobody follows is an error', () => {
    expect(() => read(pointer('k'))).toThrow(expect.objectContaining({ name: 'PayloadPointerError' }))
  })
})

describe('the test message of S3', () => {
  const test = {
    Service: 'Amazon S3',
    Event: 's3:TestEvent',
    Time: 't',
    Bucket: 'b',
    RequestId: 'r',
    HostId: 'h',
  }
  it.each<[boolean, object]>([
    [true, test],
    [false, { ...test, Event: 's3:ObjectCreated:Put' }],
    [false, { ...test, Service: 'mine' }],
    [false, { ...test, More: 1 }],
  ])('is one: %j for %j', async (isTest, message) => {
    expect((await read(JSON.stringify(message))).isTest).toBe(isTest)
  })
})

it('a body that a middleware has parsed is an error that says so', () => {
  expect(() => read({ a: 1 })).toThrow(
    'The body of message m-1 is not text: leave out the middleware in front that parses it',
  )
})
