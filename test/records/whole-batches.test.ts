// A batch of which every record failed, with the option `onBatchFailure`.
import httpErrorHandler from '@middy/http-error-handler'
import { RetryLaterError, eachRecord, kinesis, sqs } from 'clearskies-middy'
import { type EachRecordOptions } from 'clearskies-middy/normalizers/each-record'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { invoke, kinesisEvent, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { cores } from '../support/gated-queue.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { abc, failing, fifoArn, grouped, told } from '../support/sqs-work.ts'

const failure = (error: unknown) => (): never => {
  throw error
}

describe.each(cores)('on %s', (_, core) => {
  function working(
    fn: (request: SqsRequest) => unknown,
    onBatchFailure?: EachRecordOptions['onBatchFailure'],
    event: object = sqsEvent(abc),
  ) {
    const logger = new RecordingLogger()
    const options = onBatchFailure === undefined ? {} : { onBatchFailure }
    const chain = core()
    // What answers errors must not answer this one: its answer lists nothing.
    chain.use(httpErrorHandler({ logger: false, fallbackMessage: 'failed' }) as never)
    const handler = chain.use(sqs({ logger })).handler(eachRecord(fn, { logger, ...options }) as never)
    return { answer: invoke(handler, event), logger }
  }

  it.each<[string, (request: SqsRequest) => unknown, object]>([
    ['of one kind', failure(new Error('a fails')), sqsEvent(abc)],
    ['of several', failing('a', 'b', 'c'), sqsEvent(abc)],
    ['behind the first of a group', failing('a1'), sqsEvent(grouped('a1', 'a2'), { queueArn: fifoArn })],
  ])('R21: failures %s fail the invocation where the option says so', async (_kind, fn, event) => {
    const { answer, logger } = working(fn, 'throw', event)
    await expect(answer).rejects.toThrow(/fails$|records failed$/)
    expect(told(logger).length).toBeGreaterThan(1)
  })

  it('R21: the error is that of the records, and holds each', async () => {
    const error = new TypeError('no')
    await expect(working(failure(error), 'throw').answer).rejects.toBe(error)
    const several: unknown = await working(failing('a', 'b', 'c'), 'throw').answer.catch((e: unknown) => e)
    expect((several as AggregateError).errors.map(({ message }: Error) => message)).toEqual([
      'a fails',
      'b fails',
      'c fails',
    ])
  })

  it.each<[string, (request: SqsRequest) => unknown, EachRecordOptions['onBatchFailure'], string[]]>([
    ['without the option', failing('a', 'b', 'c'), undefined, ['a', 'b', 'c']],
    ['with its default', failing('a', 'b', 'c'), 'list', ['a', 'b', 'c']],
    ['where one is done', failing('a', 'c'), 'throw', ['a', 'c']],
    ['where none failed', failing(), 'throw', []],
    ['of wishes alone', failure(new RetryLaterError({ delaySeconds: 0 })), 'throw', ['a', 'b', 'c']],
  ])('R21: failures are listed %s', async (_case, fn, option, failed) => {
    const { answer } = working(fn, option)
    expect(await answer).toEqual({
      batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })),
    })
  })

  it('R21: a batch of no records fails nothing', async () => {
    expect(await working(failing(), 'throw', { Records: [] }).answer).toEqual({ batchItemFailures: [] })
  })

  it('R21: the option holds for a stream', async () => {
    const logger = new RecordingLogger()
    const handler = core()
      .use(kinesis({ logger }))
      .handler(eachRecord(failure(new Error('no')), { logger, onBatchFailure: 'throw' }) as never)
    await expect(invoke(handler, kinesisEvent([{ data: 1 }, { data: 2 }]))).rejects.toThrow(
      '2 records failed',
    )
  })
})

it('R21: another word is refused when the function is made', () => {
  expect(() => eachRecord(() => undefined, { onBatchFailure: 'fail' as never })).toThrow('onBatchFailure')
})
