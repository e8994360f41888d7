// Middy's own middlewares around sqs(), on both majors of Middy; and loggers and hooks that throw.
import type { SQSEvent } from 'aws-lambda'
import middy from '@middy/core'
import errorLogger from '@middy/error-logger'
import inputOutputLogger from '@middy/input-output-logger'
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure'
import warmup from '@middy/warmup'
import { InvalidEventError, PermanentFailureError, RetryLaterError } from 'clearskies-middy/errors'
import { type EachRecordOptions, eachRecord } from 'clearskies-middy/normalizers/each-record'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { invoke, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { abc, failing, fifoArn, grouped, listed, withB } from '../support/sqs-work.ts'

const rejections: unknown[] = []
const remember = (reason: unknown): void => void rejections.push(reason)
beforeAll(() => void process.on('unhandledRejection', remember))
afterAll(async () => {
  await new Promise(setImmediate)
  process.off('unhandledRejection', remember)
  expect(rejections).toEqual([])
})
afterEach(() => {
  vi.restoreAllMocks()
})

const cores = [
  ['@middy/core 7', middy],
  ['@middy/core 6.4.5', middy6 as unknown as typeof middy],
] as const

const places = ['in front of', 'behind'] as const

describe.each(cores)('on %s', (_, core) => {
  describe.each(places)('%s sqs()', (place) => {
    /** A chain with middlewares in that place. */
    function chained(middlewares: readonly object[], fn: (request: SqsRequest) => unknown) {
      const logger = new RecordingLogger()
      const chain = core()
      const use = (): void => {
        for (const middleware of middlewares) chain.use(middleware as never)
      }
      if (place === 'in front of') use()
      chain.use(sqs({ logger }))
      if (place === 'behind') use()
      return { handler: chain.handler(eachRecord(fn) as never), logger }
    }

    describe('@middy/sqs-partial-batch-failure', () => {
      const own = () => sqsPartialBatchFailure({ logger: () => undefined })
      const list = async (
        event: SQSEvent,
        fn: (request: SqsRequest) => unknown,
        more: readonly object[] = [],
      ) => listed(await invoke(chained([own(), ...more], fn).handler, event))

      it('lists what failed, and nothing else', async () => {
        expect(await list(sqsEvent(abc), () => undefined)).toEqual([])
        expect(await list(sqsEvent(abc), failing('b'))).toEqual(['b'])
        expect(await list(sqsEvent(abc), failing('a', 'b', 'c'))).toEqual(['a', 'b', 'c'])
        expect(await list(sqsEvent(withB('{oops')), failing('c'))).toEqual(['b', 'c'])
        expect(await list(sqsEvent([]), () => undefined)).toEqual([])
      })

      it('lists the rest of a group', async () => {
        const event = sqsEvent(grouped('a1', 'b1', 'a2', 'b2'), { queueArn: fifoArn })
        expect(await list(event, failing('a1'))).toEqual(['a1', 'a2'])
      })

      it('lists an id once that came twice', async () => {
        expect(await list(sqsEvent([...abc, abc[1]!]), failing('b'))).toEqual(['b'])
      })

      it('tells its own logger as it does alone', async () => {
        const logger = vi.fn()
        const { handler } = chained([sqsPartialBatchFailure({ logger })], failing('b'))
        await invoke(handler, sqsEvent(abc))
        if (place === 'behind') expect(logger.mock.calls).toEqual([[new Error('b fails'), expect.anything()]])
        else expect(logger).not.toHaveBeenCalled()
      })

      it('lists all when a before fails', async () => {
        const before = (): never => {
          throw new Error('no')
        }
        expect(await list(sqsEvent(abc), () => undefined, place === 'behind' ? [{ before }] : [])).toEqual(
          place === 'behind' ? ['a', 'b', 'c'] : [],
        )
      })

      it('fails the batch for a failed record without an id', async () => {
        const event = sqsEvent(abc)
        Object.assign(event.Records[1]!, { messageId: undefined })
        const fn = ({ messageId }: { messageId?: string }): void => {
          if (messageId === undefined) throw new Error('no')
        }
        await expect(invoke(chained([own()], fn).handler, event)).rejects.toThrow()
      })

      it.each([{}, { source: 'aws.events' }, 'text'])(
        'does not answer an event of another source: %j',
        async (event) => {
          await expect(invoke(chained([own()], () => undefined).handler, event)).rejects.toThrow(
            InvalidEventError,
          )
        },
      )

      it.each([{ Records: [{ eventSource: 'aws:kinesis', kinesis: {} }] }, null])(
        'does not answer an event that it cannot read itself: %j',
        async (event) => {
          await expect(invoke(chained([own()], () => undefined).handler, event)).rejects.toThrow()
        },
      )
    })

    it('@middy/warmup lets batches pass', async () => {
      const { handler } = chained([warmup()], failing('b'))
      expect(listed(await invoke(handler, sqsEvent(abc)))).toEqual(['b'])
      const warm = invoke(handler, { source: 'serverless-plugin-warmup' })
      if (place === 'in front of') expect(await warm).toBe('warmup')
      else await expect(warm).rejects.toThrow(InvalidEventError)
    })

    it('@middy/error-logger is told what fails a batch, and not what fails a record', async () => {
      const seen: unknown[] = []
      const logger = ({ error }: { error: unknown }): void => void seen.push(error)
      const { handler } = chained([errorLogger({ logger: logger as never })], failing('b'))
      expect(listed(await invoke(handler, sqsEvent(abc)))).toEqual(['b'])
      expect(seen).toEqual([])
      await expect(invoke(handler, {})).rejects.toThrow(InvalidEventError)
      expect(seen).toEqual([expect.any(InvalidEventError)])
    })

    it('@middy/input-output-logger writes what comes and what goes', async () => {
      const seen: Record<string, unknown>[] = []
      const logger = (message: unknown): void => {
        seen.push(JSON.parse(JSON.stringify(message)) as Record<string, unknown>)
      }
      const { handler } = chained([inputOutputLogger({ logger })], failing('b'))
      expect(listed(await invoke(handler, sqsEvent(abc)))).toEqual(['b'])
      expect(seen[0]?.['event']).toMatchObject({
        Records: [{ messageId: 'a' }, { messageId: 'b' }, { messageId: 'c' }],
      })
      // Behind, the results are not yet an answer.
      if (place === 'in front of')
        expect(seen[1]).toEqual({ response: { batchItemFailures: [{ itemIdentifier: 'b' }] } })
      else expect(seen[1]?.['response']).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected' }, {}])
    })
  })

  it('no body is in what the console is told by default', async () => {
    const told: unknown[] = []
    for (const level of ['error', 'warn', 'log', 'info'] as const)
      vi.spyOn(console, level).mockImplementation((...args: unknown[]) => void told.push(...args))
    const handler = core()
      .use(sqs({ unwrap: true }))
      .handler(
        eachRecord(
          (request) => {
            if (request.messageId === 'later') throw new RetryLaterError({ delaySeconds: 1 })
            if (request.messageId === 'never') throw new PermanentFailureError()
            return { statusCode: 500 }
          },
          {
            client: { send: () => Promise.reject(new Error('denied')) },
            deadLetter: { queueUrl: 'https://sqs.eu-central-1.amazonaws.com/123456789012/dead' },
          },
        ),
      )
    const body = '{"card":"hunter2"}'
    const pointer = '["software.amazon.payloadoffloading.PayloadS3Pointer","hunter2"'
    const sns = { Type: 'Notification', TopicArn: 'x', Message: 'hunter2' }
    const event = sqsEvent([
      ...['status', 'later', 'never'].map((messageId) => ({ messageId, body })),
      ...['{"hunter2', 'hunter2', pointer, sns].map((broken, index) => ({
        messageId: `b${index}`,
        body: broken,
      })),
    ])
    expect(listed(await invoke(handler, event))).toHaveLength(7)
    expect(told.length).toBeGreaterThanOrEqual(18)
    expect(inspect(told, { depth: Infinity })).not.toContain('hunter2')
  })

  const throwing = (): never => {
    throw new Error('hunter')
  }
  const rejecting = () => Promise.reject(new Error('hunter'))
  const rejectingLater = () => new Promise((_, reject) => setImmediate(reject, new Error('hunter')))

  describe.each<[string, () => unknown]>([
    ['throws', throwing],
    ['rejects', rejecting],
    ['rejects later', rejectingLater],
    [
      'is no promise that rejects',
      () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject(1) }),
    ],
    ['throws nothing', () => Promise.reject(undefined)],
  ])('one that %s', (_, bad) => {
    const logger = { error: bad, warn: bad } as never

    async function list(options: EachRecordOptions<SqsRequest>, fn: (request: SqsRequest) => unknown) {
      const handler = core().use(sqs({ logger })).handler(eachRecord(fn, options))
      const event = sqsEvent(grouped('a1', 'b1', 'a2', 'c1'), { queueArn: fifoArn })
      return listed(await invoke(handler, event, lambdaContext()))
    }

    it('as a logger fails no batch', async () => {
      expect(await list({ logger }, failing('a1'))).toEqual(['a1', 'a2'])
      expect(await list({ logger }, () => undefined)).toEqual([])
    })

    it('as a logger fails no batch whose calls to SQS fail', async () => {
      const client = { send: () => Promise.reject(new Error('denied')) }
      const deadLetter = { queueUrl: 'https://sqs.eu-central-1.amazonaws.com/123456789012/dead' }
      const fn = ({ messageId }: SqsRequest): void => {
        if (messageId === 'a1') throw new RetryLaterError({ delaySeconds: 5 })
        if (messageId === 'b1') throw new PermanentFailureError()
      }
      expect(await list({ logger, client, deadLetter }, fn)).toEqual(['a1', 'b1', 'a2'])
    })

    it('as a hook fails no batch, and is told', async () => {
      const quiet = new RecordingLogger()
      const told: string[] = []
      const options = {
        logger: quiet,
        onFailure: (_: unknown, { messageId }: SqsRequest) => {
          told.push(`failed ${messageId}`)
          return bad()
        },
        onSkip: ({ messageId }: SqsRequest) => {
          told.push(`skipped ${messageId}`)
          return bad()
        },
      }
      expect(await list(options, failing('a1', 'c1'))).toEqual(['a1', 'a2', 'c1'])
      expect(told.toSorted()).toEqual(['failed a1', 'failed c1', 'skipped a2'])
      expect(quiet.warnings.map(({ message }) => message)).toEqual(
        new Array<string>(3).fill('A hook of eachRecord() threw'),
      )
    })

    it('as a logger fails no batch that a middleware has failed', async () => {
      const handler = core()
        .use(sqs({ logger }))
        .before(throwing)
        .handler(eachRecord(() => undefined))
      expect(listed(await invoke(handler, sqsEvent(abc)))).toEqual(['a', 'b', 'c'])
    })
  })
})
