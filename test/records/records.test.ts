// The catalogue of record cases, C1 to C11, C16 and C17: what is in a record, and how its handler may end. The others:
// sqs-redrive (C12 to C15, C38), sqs-deadline (C18, C27, C40), sqs-identity (C19 to C24), sqs-batches (C25, C26, C28 to
// C32), sqs-fifo (C33 to C37, C39).
import middy from '@middy/core'
import { MalformedJsonError, PayloadPointerError } from 'clearskies-middy/errors'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { respond } from 'clearskies-middy/normalizers/respond'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { invoke, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { abc, failing, listed, printed, told, withB, work } from '../support/sqs-work.ts'

/** What the function found in record b. */
async function seenInB(body: unknown, options: Parameters<typeof work>[1] = {}) {
  let seen: { data: unknown; request: SqsRequest } | undefined
  const done = await work(withB(body), {
    ...options,
    fn(request) {
      if (request.messageId === 'b') seen = { data: request.data, request }
    },
  })
  return { ...done, seen }
}

describe('payload', () => {
  it.each(['{oops', '{"card":"hunter2"', 'hunter2', '', '{"a":1}}', "{'a':1}", 'undefined', '\u0000'])(
    'sqs C1 a malformed body fails alone, without a call, and is not quoted: %j',
    async (body) => {
      const { failed, called, logger } = await work(withB(body))
      expect([failed, called, told(logger)]).toEqual([['b'], ['a', 'c'], ['Record b failed']])
      const error = logger.errors[0]?.details as MalformedJsonError
      expect(error).toBeInstanceOf(MalformedJsonError)
      expect(error.message).toBe(
        `The body of message b is not valid JSON: it breaks at position ${error.position}`,
      )
      expect(printed(logger)).not.toContain('hunter2')
    },
  )

  it.each([['"text"'], ['123'], ['null'], ['true'], ['[]'], ['{}'], ['\ufeff7']])(
    'sqs C2 the JSON value %s is delivered as that value',
    async (body) => {
      const { failed, called, seen } = await seenInB(body)
      expect([failed, called]).toEqual([[], ['a', 'b', 'c']])
      expect(seen?.data).toEqual(JSON.parse(body.replace('\ufeff', '')))
    },
  )

  it('sqs C3 a body that is no JSON is text where the option says so, and fails where it does not', async () => {
    const csv = 'id;name\n7;hunter2'
    const text = await seenInB(csv, { sqsOptions: { body: 'text' } })
    expect([text.failed, text.seen?.data]).toEqual([[], csv])
    const rows = await seenInB(csv, { sqsOptions: { body: (body) => body.split('\n') } })
    expect([rows.failed, rows.seen?.data]).toEqual([[], ['id;name', '7;hunter2']])
    expect(await work(withB(csv))).toMatchObject({ failed: ['b'], called: ['a', 'c'] })
  })

  it('sqs C4 a key called __proto__ is an own key, and pollutes nothing', async () => {
    const body = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}'
    for (const unwrap of [false, true]) {
      const { failed, called, seen } = await seenInB(body, { sqsOptions: { unwrap } })
      expect([failed, called]).toEqual([[], ['a', 'b', 'c']])
      expect(Object.keys(seen?.data as object)).toEqual(['__proto__', 'constructor'])
      expect((seen?.data as { admin?: unknown }).admin).toBeUndefined()
      expect(({} as { admin?: unknown }).admin).toBeUndefined()
    }
  })

  const notification = (Message: string, more: object = {}) => ({
    Type: 'Notification',
    MessageId: 'sns-1',
    TopicArn: 'arn:aws:sns:eu-central-1:123456789012:orders',
    Message,
    Timestamp: '2026-03-10T00:00:00.000Z',
    ...more,
  })

  it("sqs C5 an SNS notification is taken off, with the publisher's attributes", async () => {
    const MessageAttributes = {
      tenant: { Type: 'String', Value: 'x' },
      size: { Type: 'Number', Value: '5' },
      bytes: { Type: 'Binary', Value: 'AQI=' },
    }
    const { failed, seen } = await seenInB(notification('{"orderId":7}', { MessageAttributes }), {
      sqsOptions: { unwrap: true },
    })
    expect([failed, seen?.data]).toEqual([[], { orderId: 7 }])
    expect({ ...seen?.request.messageAttributes }).toEqual({
      tenant: 'x',
      size: 5,
      bytes: Buffer.from([1, 2]),
    })
  })

  it('sqs C5 an SNS notification of malformed JSON fails alone', async () => {
    const { failed, called, logger } = await work(withB(notification('{hunter2')), {
      sqsOptions: { unwrap: true },
    })
    expect([failed, called]).toEqual([['b'], ['a', 'c']])
    expect(printed(logger)).not.toContain('hunter2')
  })

  it('sqs C5 nothing is taken off unless the option says so', async () => {
    const { seen } = await seenInB(notification('{"orderId":7}'))
    expect(seen?.data).toMatchObject({ Type: 'Notification', Message: '{"orderId":7}' })
  })

  const s3Test = {
    Service: 'Amazon S3',
    Event: 's3:TestEvent',
    Time: '2026-03-10T00:00:00.000Z',
    Bucket: 'uploads',
    RequestId: '5582815E1AEA5ADF',
    HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR',
  }
  const s3 = (...keys: readonly string[]) => ({
    Records: keys.map((key) => ({ eventSource: 'aws:s3', s3: { bucket: { name: 'x' }, object: { key } } })),
  })
  const unwrapping = { sqsOptions: { unwrap: true } }

  it.each([
    ['directly', s3Test],
    ['through SNS', notification(JSON.stringify(s3Test))],
  ])('sqs C6 the test message of S3, %s, is done without a call', async (_, body) => {
    expect(await work(withB(body), unwrapping)).toMatchObject({ failed: [], called: ['a', 'c'] })
  })

  it('sqs C6 a record with three objects of S3 is one unit, which one of them fails', async () => {
    const keys: string[] = []
    const { failed, called } = await work(withB(s3('one', 'zwei+und+drei', 'vier%2B%C5%BC')), {
      ...unwrapping,
      fn({ messageId, data }) {
        if (messageId !== 'b') return
        for (const { s3 } of (data as { Records: { s3: { object: { key: string } } }[] }).Records) {
          keys.push(s3.object.key)
          if (s3.object.key === 'vier+ż') throw new Error('no')
        }
      },
    })
    expect([failed, called, keys]).toEqual([['b'], ['a', 'b', 'c'], ['one', 'zwei und drei', 'vier+ż']])
  })

  it('sqs C7 a key of S3 that cannot be decoded fails its record alone', async () => {
    const { failed, called } = await work(withB(s3('good', '%E0%A4%A')), unwrapping)
    expect([failed, called]).toEqual([['b'], ['a', 'c']])
  })

  const pointer = ['software.amazon.payloadoffloading.PayloadS3Pointer', { s3BucketName: 'x', s3Key: 'y' }]

  it.each(['json', 'text'] as const)(
    'sqs C8 a pointer to a payload elsewhere fails its record, and is not handed over as %s',
    async (body) => {
      const { failed, called, logger } = await work(withB(pointer), { sqsOptions: { body } })
      expect([failed, called]).toEqual([['b'], ['a', 'c']])
      expect(logger.errors[0]?.details).toEqual(new PayloadPointerError('x', 'y'))
    },
  )

  it('sqs C8 a pointer is followed where it can be, and fails alone where that fails', async () => {
    const resolvePayload = ({ bucket, key }: { bucket: string; key: string }) =>
      Promise.resolve(JSON.stringify({ bucket, key }))
    const { failed, seen } = await seenInB(pointer, { sqsOptions: { resolvePayload } })
    expect([failed, seen?.data]).toEqual([[], { bucket: 'x', key: 'y' }])
    const denied = { resolvePayload: () => Promise.reject(new Error('denied')) }
    expect(await work(withB(pointer), { sqsOptions: denied })).toMatchObject({
      failed: ['b'],
      called: ['a', 'c'],
    })
  })
})

/** An error that cannot be read. */
const opaque = () =>
  Object.defineProperties(new Error(), {
    message: {
      get() {
        throw new Error('unreadable')
      },
    },
    stack: {
      get() {
        throw new Error('unreadable')
      },
    },
  })

const unreadable = {
  get statusCode(): number {
    throw new Error('unreadable')
  },
}

describe("the handler's outcome", () => {
  it.each<[string, () => unknown]>([
    [
      'C9 a synchronous throw',
      () => {
        throw new Error('no')
      },
    ],
    ['C10 a rejection with undefined', () => Promise.reject(undefined)],
    [
      'C10 a throw of null',
      () => {
        throw null
      },
    ],
    ['C11 a thrown string', () => Promise.reject('text')],
    ['C11 a frozen error', () => Promise.reject(Object.freeze(new Error('frozen')))],
    ['C11 an error whose message throws', () => Promise.reject(opaque())],
    ['C11 an error with a bigint for a cause', () => Promise.reject(new Error('x', { cause: 1n }))],
    ['C11 a thrown function', () => Promise.reject(failing)],
    ['C16 a status of 300', () => respond({}, { status: 300 })],
    ['C16 a status of 404', () => respond({}, { status: 404 })],
    ['C16 an envelope with 500', () => Promise.resolve({ statusCode: 500 })],
    ['C16 a web response with 302', () => new Response('', { status: 302 })],
    ['C16 an answer whose status cannot be read', () => unreadable],
  ])('%s fails its record alone', async (_, outcome) => {
    const { failed, called, logger } = await work(abc, {
      fn: ({ messageId }) => (messageId === 'b' ? outcome() : undefined),
    })
    expect([failed, called, told(logger)]).toEqual([['b'], ['a', 'b', 'c'], ['Record b failed']])
  })

  it.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['a promise of undefined', () => Promise.resolve()],
    ['null', () => null],
    ['false', () => false],
    ['an error that is returned, not thrown', () => new Error('value')],
    ['a status of 299', () => respond({}, { status: 299 })],
    ['a web response with 204', () => new Response(null, { status: 204 })],
    ['a status that is no number', () => ({ statusCode: 'later' })],
    ['a status that is a text', () => ({ statusCode: '500' })],
    ['a status of another kind of answer', () => ({ status: 500 })],
    ['a list of failures', () => ({ batchItemFailures: [{ itemIdentifier: 'a' }] })],
  ])('sqs C16 a record that gives %s is done', async (_, outcome) => {
    const { failed, logger } = await work(abc, { fn: outcome })
    expect([failed, told(logger)]).toEqual([[], []])
  })

  it('sqs C17 a handler that changes its record and the event changes nothing of the list', async () => {
    const { failed, called } = await work(abc, {
      fn(request) {
        const { record } = request
        ;(record as { messageId: string }).messageId = 'another'
        ;(record as { receiptHandle: string }).receiptHandle = 'another'
        if (request.messageId === 'b') throw new Error('no')
      },
    })
    expect([failed, called]).toEqual([['b'], ['a', 'b', 'c']])
    const emptying = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler((batch, context) => {
        batch.raw.Records.length = 0
        return eachRecord(failing('b', 'c'))(batch, context)
      })
    expect(listed(await invoke(emptying, sqsEvent(abc)))).toEqual(['b', 'c'])
  })
})
