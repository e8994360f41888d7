// What is done about failed messages beside listing them, as far as it needs no queue: the queue here only takes notes.
import { PermanentFailureError, RetryLaterError } from 'clearskies-middy/errors'
import { sqsBatch } from 'clearskies-middy/normalizers/sqs-batch'
import { lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import type { SQSRecord } from 'aws-lambda'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { sqsAfterCare } from '../../src/normalizers/records/sqs-after-care.ts'

const now = 1_796_450_000_000
afterEach(() => {
  vi.useRealTimers()
})

interface Call {
  readonly Entries: readonly { readonly VisibilityTimeout?: number; readonly MessageAttributes?: object }[]
}

function care(options: object = {}) {
  vi.useFakeTimers({ toFake: ['Date'], now })
  const calls: Call[] = []
  const warnings: string[] = []
  const client = {
    send: async ({ input }: { input: Call }) => {
      calls.push(input)
      return { Successful: input.Entries.map((_, index) => ({ Id: String(index), MessageId: 'm' })) }
    },
  }
  const tools = { receivedAt: now - 10_000, warn: (message: string) => warnings.push(message) }
  const made = sqsAfterCare({ client, ...options }, tools)
  return { ...made, calls, warnings }
}

function requestOf(change: (record: SQSRecord) => void = () => undefined) {
  const event = sqsEvent([{ messageId: 'm-1', body: 'b' }])
  change(event.Records[0]!)
  return sqsBatch(event, lambdaContext()).requests[0]!
}

describe('a message that comes again later', () => {
  const timeoutFor = async (attributes: object) => {
    const { failed, finish, calls } = care()
    const request = requestOf((record) => {
      record.attributes = attributes as never
    })
    expect(failed(new RetryLaterError({ delaySeconds: 50_000 }), request)).toBe(false)
    await finish()
    return calls[0]!.Entries[0]!.VisibilityTimeout
  }
  const first = (secondsAgo: number) => String(now - secondsAgo * 1000)

  it.each<[string, object, number]>([
    [
      'the invocation and the longest window, where it came before',
      { ApproximateReceiveCount: '2', ApproximateFirstReceiveTimestamp: first(20) },
      310,
    ],
    [
      'its first receipt, where this is the first',
      { ApproximateReceiveCount: '1', ApproximateFirstReceiveTimestamp: first(20) },
      20,
    ],
    [
      'the invocation, where the first receipt would be later',
      { ApproximateReceiveCount: '1', ApproximateFirstReceiveTimestamp: first(-20) },
      10,
    ],
    [
      'the longest window, where the first receipt is told to be long ago',
      { ApproximateReceiveCount: '1', ApproximateFirstReceiveTimestamp: first(9000) },
      310,
    ],
    ['the longest window, where no receipt is told', { ApproximateReceiveCount: '1' }, 310],
    [
      'the longest window, where the receipt is no number',
      { ApproximateReceiveCount: '1', ApproximateFirstReceiveTimestamp: 'x' },
      310,
    ],
  ])('twelve hours count from %s', async (_, attributes, since) => {
    expect(await timeoutFor(attributes)).toBe(43_200 - since)
  })

  it('is all that there is to finish', () => {
    const { failed, finish } = care()
    expect(failed(new Error('x'), requestOf())).toBe(false)
    expect(finish()).toBeUndefined()
  })
})

describe('a message for the dead-letter queue', () => {
  const deadLetter = { queueUrl: 'https://sqs.eu-central-1.amazonaws.com/1/dead' }

  it('is one whose error the option isPermanent takes for one; if that throws, it is none, and it is told', async () => {
    const known = new TypeError('x')
    const picky = care({ deadLetter, isPermanent: (error: unknown) => error === known })
    expect([await picky.failed(known, requestOf()), await picky.failed(new Error('x'), requestOf())]).toEqual(
      [true, false],
    )
    const throwing = care({
      deadLetter,
      isPermanent: () => {
        throw new Error('no')
      },
    })
    expect(await throwing.failed(known, requestOf())).toBe(false)
    expect(throwing.warnings).toEqual(['The option isPermanent of eachRecord() threw'])
    expect([throwing.calls, picky.calls.length]).toEqual([[], 1])
  })

  it('is none where there is no such queue', () => {
    const { failed, warnings } = care({ isPermanent: () => true })
    expect([
      failed(new PermanentFailureError(), requestOf()),
      failed(new Error('x'), requestOf()),
      warnings,
    ]).toEqual([false, false, []])
  })

  const sentWith = async (messageAttributes: unknown, error: unknown = new PermanentFailureError()) => {
    const { failed, calls } = care({ deadLetter, isPermanent: () => true })
    const request = requestOf((record) => {
      Object.assign(record, { messageAttributes })
    })
    expect(await failed(error, request)).toBe(true)
    return calls[0]!.Entries[0]!.MessageAttributes
  }
  const reasons = {
    'failed-message-id': { DataType: 'String', StringValue: 'm-1' },
    'failed-in-queue': expect.objectContaining({ DataType: 'String' }) as object,
  }
  const failure = { failure: { DataType: 'String', StringValue: 'PermanentFailureError' } }

  it.each<[string, unknown, object]>([
    ['none', null, {}],
    ['one without a type', { a: { stringValue: 'x' } }, { a: { DataType: 'String', StringValue: 'x' } }],
    [
      'one without a value',
      { a: { dataType: 'String' }, b: { dataType: 'String', stringValue: '' }, c: null },
      {},
    ],
    [
      'bytes',
      { a: { dataType: 'Binary', binaryValue: 'AQI=' } },
      { a: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2]) } },
    ],
  ])('takes its attributes along: %s', async (_, given, sent) => {
    expect(await sentWith(given)).toEqual({ ...sent, ...reasons, ...failure })
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['an object without a name', {}],
    ['an object whose name cannot be read', { get name(): string { throw new Error('no') } }], // prettier-ignore
  ])('has no word for an error that is %s', async (_, error) => {
    expect(await sentWith({}, error)).toEqual(reasons)
  })
})
