// The catalogue of record cases, C19 to C24: which record it is, and whether it is one.
import type { SQSEvent } from 'aws-lambda'
import middy from '@middy/core'
import { InvalidEventError, UnidentifiedRecordError } from 'clearskies-middy/errors'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { albEvent, invoke, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { abc, failing, fifoArn, grouped, told, work } from '../support/sqs-work.ts'

/** The event of a, b and c where b's id is another, or missing. */
function anonymousB(messageId: unknown, queueArn?: string): SQSEvent {
  const event = sqsEvent(abc, queueArn === undefined ? {} : { queueArn })
  Object.assign(event.Records[1]!, { messageId })
  return event
}

describe('identity', () => {
  describe.each([
    ['missing', undefined],
    ['null', null],
    ['empty', ''],
  ])('where the id is %s', (_, id) => {
    it('sqs C19 a failed record without an id fails the batch explicitly, after all have run', async () => {
      const called: unknown[] = []
      const cause = new Error('no')
      const fn = ({ data }: SqsRequest): void => {
        called.push((data as { id: string }).id)
        if ((data as { id: string }).id === 'b') throw cause
      }
      const error: unknown = await work(anonymousB(id), { fn }).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(UnidentifiedRecordError)
      expect(error).toMatchObject({ index: 1, cause })
      expect(called).toEqual(['a', 'b', 'c'])
    })

    it('sqs C20 a record without an id that succeeds stands in nobody’s way', async () => {
      expect((await work(anonymousB(id), { fn: failing('c') })).failed).toEqual(['c'])
    })
  })

  it('sqs C19 a failed record without an id still stops its group', async () => {
    const event = sqsEvent(grouped('a1', 'a2', 'a3', 'b1'), { queueArn: fifoArn })
    Object.assign(event.Records[1]!, { messageId: undefined })
    const called: (string | undefined)[] = []
    const fn = ({ messageId }: SqsRequest): void => {
      called.push(messageId)
      if ((messageId as string | undefined) === undefined) throw new Error('no')
    }
    await expect(work(event, { fn })).rejects.toThrow(UnidentifiedRecordError)
    expect(called).not.toContain('a3')
    expect(called).toContain('b1')
  })

  const twice = [
    { messageId: 'a', body: 1 },
    { messageId: 'b', body: 2, receiptHandle: 'first' },
    { messageId: 'c', body: 3 },
    { messageId: 'b', body: 2, receiptHandle: 'second' },
  ]

  it.each([[['first']], [['second']], [['first', 'second']]])(
    'sqs C21 an id that came twice is listed once when %j fails',
    async (handles) => {
      const { failed, called, logger } = await work(twice, {
        fn({ receiptHandle }) {
          if (handles.includes(receiptHandle)) throw new Error('no')
        },
      })
      expect([failed, called, told(logger)]).toEqual([['b'], ['a', 'b', 'c', 'b'], ['Record b failed']])
    },
  )

  it('sqs C21 deduplicate runs a message once, with its last receipt handle', async () => {
    const handles: string[] = []
    const deduplicate = (fail: boolean) =>
      work(twice, {
        options: { deduplicate: true },
        fn({ messageId, receiptHandle }) {
          handles.push(receiptHandle)
          if (fail && messageId === 'b') throw new Error('no')
        },
      })
    expect(await deduplicate(true)).toMatchObject({ failed: ['b'], called: ['a', 'c', 'b'] })
    expect(await deduplicate(false)).toMatchObject({ failed: [], called: ['a', 'c', 'b'] })
    expect(handles.filter((handle) => handle === 'first')).toEqual([])
  })

  it.each([['first'], ['second']])(
    'sqs C21 deduplicate takes records without an id for different ones: the %s fails',
    async (handle) => {
      const unnamed = ['first', 'second'].map((receiptHandle) => ({ messageId: '', body: 1, receiptHandle }))
      const called: string[] = []
      const working = work(unnamed, {
        options: { deduplicate: true },
        fn({ receiptHandle }) {
          called.push(receiptHandle)
          if (receiptHandle === handle) throw new Error('no')
        },
      })
      await expect(working).rejects.toThrow(UnidentifiedRecordError)
      expect(called).toEqual(['first', 'second'])
    },
  )

  it('sqs C22 an empty batch is answered without a call', async () => {
    expect(await work([])).toMatchObject({ failed: [], called: [] })
  })

  it.each([
    ['without Records', {}, 'direct'],
    ['whose Records are null', { Records: null }, 'direct'],
    ['of a stream', { Records: [{ eventSource: 'aws:kinesis', kinesis: {} }] }, 'aws:kinesis'],
    ['of SNS', { Records: [{ EventSource: 'aws:sns', Sns: {} }] }, 'aws:sns'],
    ['of a load balancer', albEvent(), 'ALB'],
    ['that is no object', 'text', 'string'],
    ['that is null', null, 'null'],
  ])('sqs C23 an event %s is refused', async (_, event, seen) => {
    const handler = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(eachRecord(() => undefined))
    const error: unknown = await invoke(handler, event).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InvalidEventError)
    expect(error).toMatchObject({ seen, expected: ['aws:sqs'] })
  })

  it('sqs C23 records of two queues in one event each keep their own', async () => {
    const other = 'arn:aws:sqs:eu-west-1:123456789012:invoices.fifo'
    const event: SQSEvent = {
      Records: [
        ...sqsEvent(abc).Records,
        ...sqsEvent([{ messageId: 'd', body: 1 }], { queueArn: other }).Records,
      ],
    }
    const arns: string[] = []
    const { failed } = await work(event, {
      fn({ queueArn, messageId }) {
        arns.push(queueArn)
        if (messageId === 'd') throw new Error('no')
      },
    })
    expect(failed).toEqual(['d'])
    expect(arns.map((arn) => arn.split(':').at(-1))).toEqual(['orders', 'orders', 'orders', 'invoices.fifo'])
  })

  it('sqs C24 a record with nothing but what is needed does not crash', async () => {
    const Records = ['a', 'b'].map((messageId) => ({ eventSource: 'aws:sqs', messageId, body: '1' }))
    const seen: unknown[] = []
    const { failed } = await work({ Records } as unknown as SQSEvent, {
      fn(request) {
        const { receiveCount, groupId, sequenceNumber, sentAt, attributes, messageAttributes } = request
        seen.push([
          receiveCount,
          groupId,
          sequenceNumber,
          sentAt.getTime(),
          attributes,
          { ...messageAttributes },
        ])
        failing('b')(request)
      },
    })
    expect(failed).toEqual(['b'])
    expect(seen[0]).toEqual([1, undefined, undefined, NaN, {}, {}])
  })
})
