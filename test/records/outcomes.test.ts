// What becomes of a record that fails, takes too long or is done, and what operators and hooks learn of it.
import middy from '@middy/core'
import {
  DeadlineError,
  MalformedJsonError,
  PermanentFailureError,
  RetryLaterError,
  ValidationError,
} from 'clearskies-middy/errors'
import { validate } from 'clearskies-middy/middleware/validate'
import { type EachRecordOptions, eachRecord } from 'clearskies-middy/normalizers/each-record'
import { sns } from 'clearskies-middy/normalizers/sns'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { invoke, lambdaContext, snsEvent, sqsEvent } from 'clearskies-middy/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { RecordingLogger } from '../support/recording-logger.ts'
import { cores } from '../support/gated-queue.ts'
import { abc, failing, fifoArn, grouped, listed, printed, told, withB, work } from '../support/sqs-work.ts'

const deadLetter = { queueUrl: 'https://sqs.eu-central-1.amazonaws.com/123456789012/dead' }

/** A client of SQS that takes everything, and what it was asked. */
function queueClient() {
  const visibilities: unknown[] = []
  const dead: string[] = []
  const client = {
    send({
      input,
    }: {
      input: { Entries?: { Id: string; VisibilityTimeout?: number; MessageBody?: string }[] }
    }) {
      const { Entries = [] } = input
      for (const { VisibilityTimeout, MessageBody } of Entries)
        if (MessageBody === undefined) visibilities.push(VisibilityTimeout)
        else dead.push(MessageBody)
      return Promise.resolve({ Successful: Entries.map(({ Id }) => ({ Id, MessageId: Id })), Failed: [] })
    },
  }
  return { client: client as NonNullable<EachRecordOptions['client']>, visibilities, dead }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a delay', () => {
  const twelveHours = 43_200

  /** The visibility that is set for a delay, of a record that was received so many seconds before the invocation. */
  async function visibilityFor(
    delaySeconds: number | (() => number),
    { receivedAgo = 0, receiveCount = 1, hasTime = true } = {},
  ) {
    const { client, visibilities } = queueClient()
    const batch = sqsEvent(withB(1, { receiveCount }))
    Object.assign(batch.Records[1]!.attributes, {
      ApproximateFirstReceiveTimestamp: hasTime ? String(Date.now() - receivedAgo * 1000) : undefined,
    })
    const { failed } = await work(batch, {
      options: { client },
      fn({ messageId }) {
        if (messageId === 'b') throw new RetryLaterError({ delaySeconds })
      },
    })
    expect(failed).toEqual(['b'])
    return visibilities[0] as number
  }

  it.each([0, 17, 290])(
    'R10: of twelve hours ends within what SQS takes, %s s after the receipt',
    async (receivedAgo) => {
      for (const delay of [twelveHours, twelveHours + 1, 1e9, () => twelveHours - 5]) {
        const known = await visibilityFor(delay, { receivedAgo })
        expect(known + receivedAgo).toBeLessThanOrEqual(twelveHours)
        expect(known).toBeGreaterThanOrEqual(twelveHours - 301)
        // Of a message that was received before, nobody tells when it was received this time.
        for (const unknown of [{ receiveCount: 2 }, { hasTime: false }])
          expect((await visibilityFor(delay, { receivedAgo, ...unknown })) + receivedAgo).toBeLessThanOrEqual(
            twelveHours,
          )
      }
    },
  )

  it('R10: far from the limit stays as it is, and is never below 0', async () => {
    expect(await visibilityFor(40_000, { hasTime: false })).toBe(40_000)
    expect(await visibilityFor(() => 1.4)).toBe(1)
    expect(await visibilityFor(-7)).toBe(0)
  })
})

describe.each(cores)('on %s', (_, core) => {
  const odd: readonly (readonly [what: string, thrown: () => unknown])[] = [
    [
      'a revoked proxy',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {})
        revoke()
        return proxy
      },
    ],
    [
      'a revoked function',
      () => {
        const { proxy, revoke } = Proxy.revocable(() => 1, {})
        revoke()
        return proxy
      },
    ],
    [
      'a proxy whose traps throw',
      () =>
        new Proxy(new Error('no'), {
          get: failWith,
          getPrototypeOf: failWith,
          has: failWith,
          ownKeys: failWith,
        }),
    ],
    [
      'an error whose getters throw',
      () =>
        Object.defineProperties(new Error('no'), {
          cause: { get: failWith },
          name: { get: failWith },
          message: { get: failWith },
        }),
    ],
    [
      'an error that is its own cause',
      () => {
        const error = new Error('no')
        error.cause = error
        return error
      },
    ],
    ['nothing', () => undefined],
    ['null', () => null],
    ['a symbol', () => Symbol('no')],
    ['a frozen error', () => Object.freeze(new Error('no'))],
  ]

  it.each(odd)('R15: %s fails its own record alone', async (_what, thrown) => {
    const permanent = { deadLetter, client: queueClient().client, isPermanent: isPermanentFailure }
    for (const isPromise of [false, true])
      for (const options of [{}, permanent]) {
        const logger = new RecordingLogger()
        const called: string[] = []
        const fn = ({ messageId }: SqsRequest): unknown => {
          called.push(messageId)
          if (messageId !== 'a') return undefined
          const reason: unknown = thrown()

          if (isPromise) return Promise.reject(reason)
          throw reason
        }
        const handler = core()
          .use(sqs({ logger }))
          .handler(eachRecord(fn, { logger, concurrency: 1, ...options }) as never)
        expect(listed(await invoke(handler, sqsEvent([...abc, { messageId: 'd', body: 1 }])))).toEqual(['a'])
        expect(called).toEqual(['a', 'b', 'c', 'd'])
      }
  })
})

function isPermanentFailure(error: unknown): boolean {
  return error instanceof PermanentFailureError
}

function failWith(): never {
  throw new Error('a trap')
}

describe('the margin', () => {
  it.each([
    [900_000, 895_000],
    [300_000, 295_000],
    [60_000, 57_000],
    [3000, 2750],
  ])('R18: of a function of %s ms lets a record run for %s ms', async (timeout, milliseconds) => {
    vi.useFakeTimers()
    let aborted = 0
    const started = Date.now()
    const working = work(withB(1), {
      context: lambdaContext({ timeout }),
      fn({ messageId, signal }) {
        if (messageId !== 'b') return undefined
        signal.addEventListener('abort', () => (aborted = Date.now() - started))
        return new Promise(() => undefined)
      },
    })
    await vi.advanceTimersByTimeAsync(timeout)
    expect([(await working).failed, aborted]).toEqual([['b'], milliseconds])
  })
})

describe('an error with a meaning', () => {
  const wrapped = (error: Error) => new Error('outer', { cause: new Error('inner', { cause: error }) })

  it('R19: is found where others have wrapped it', async () => {
    const { client, visibilities, dead } = queueClient()
    const { failed } = await work(abc, {
      options: { client, deadLetter },
      fn({ messageId }) {
        if (messageId === 'a') throw wrapped(new RetryLaterError({ delaySeconds: 60 }))
        if (messageId === 'b') throw wrapped(new PermanentFailureError())
      },
    })
    expect([failed, visibilities, dead]).toEqual([['a'], [60], ['{"id":"b"}']])
  })

  describe.each([
    ['malformed JSON', '{oops'],
    ['a body that does not fit its schema', { n: 'x' }],
  ])('%s', (_, body) => {
    it.each([
      [
        'the option says so',
        (error: unknown) => error instanceof MalformedJsonError || error instanceof ValidationError,
        true,
      ],
      ['nothing says so', undefined, false],
      ['the option denies it', () => false, false],
      ['the option throws', failWith, false],
      ['the option answers with a promise', () => Promise.resolve(true) as never, false],
    ])('R19: goes to the dead-letter queue, or comes again: %s', async (_what, isPermanent, isDead) => {
      const { client, dead } = queueClient()
      const logger = new RecordingLogger()
      const chain = middy()
        .use(validate({ data: z.looseObject({ n: z.number().optional() }) }))
        .handler(() => 1)
      const handler = middy()
        .use(sqs({ logger }))
        .handler(eachRecord(chain, { client, deadLetter, logger, ...(isPermanent && { isPermanent }) }))
      const failed = listed(await invoke(handler, sqsEvent(withB(body))))
      expect([failed, dead.length]).toEqual(isDead ? [[], 1] : [['b'], 0])
    })
  })
})

describe('the time of a record', () => {
  const hanging = (queueArn: string | undefined, ids: readonly string[]) => {
    const seen: unknown[] = []
    const signals: string[] = []
    const working = work(grouped(...ids), {
      ...(queueArn === undefined ? {} : { queueArn }),
      options: { timeout: 1000, concurrency: 1, onFailure: (error) => void seen.push(error) },
      fn({ messageId, signal }) {
        signal.addEventListener('abort', () => signals.push(messageId))
        return messageId === 'a1' ? new Promise(() => undefined) : Promise.resolve()
      },
    })
    return { working, seen, signals }
  }

  it('R20: is up: its signal is aborted, it fails alone, and the next one begins', async () => {
    vi.useFakeTimers()
    const { working, seen, signals } = hanging(undefined, ['a1', 'a2', 'b1'])
    await vi.advanceTimersByTimeAsync(1000)
    expect(await working).toMatchObject({ failed: ['a1'], called: ['a1', 'a2', 'b1'] })
    expect([seen.length, seen[0], signals]).toEqual([1, expect.any(DeadlineError), ['a1']])
  })

  it('R20: is up on a FIFO queue: its group stops, and another goes on', async () => {
    vi.useFakeTimers()
    const { working, signals } = hanging(fifoArn, ['a1', 'a2', 'b1'])
    await vi.advanceTimersByTimeAsync(1000)
    expect(await working).toMatchObject({ failed: ['a1', 'a2'], called: ['a1', 'b1'] })
    expect(signals).toEqual(['a1'])
  })

  it('R20: holds for bodies that are read, and for SNS', async () => {
    vi.useFakeTimers()
    const reading = work(withB(1), {
      options: { timeout: 10 },
      sqsOptions: { body: (_, { messageId }) => (messageId === 'b' ? new Promise(() => undefined) : 1) },
    })
    const topic = middy()
      .use(sns())
      .handler(eachRecord(() => new Promise(() => undefined), { timeout: 10 }))
    const published = invoke(topic, snsEvent([{ message: 'x' }])).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(10)
    expect((await reading).failed).toEqual(['b'])
    expect(await published).toBeInstanceOf(DeadlineError)
  })

  it('R20: ends with the function’s, whichever is first; what comes too late does not count', async () => {
    vi.useFakeTimers()
    const working = work(abc, {
      context: lambdaContext({ timeout: 2000 }),
      options: { timeout: 60_000 },
      fn: ({ messageId, signal }) =>
        messageId === 'b'
          ? new Promise((resolve) => {
              signal.addEventListener('abort', resolve)
            })
          : undefined,
    })
    await vi.advanceTimersByTimeAsync(2000)
    expect((await working).failed).toEqual(['b'])
  })

  it.each([0, -1, NaN, Infinity, '5'])('R20: the limit %s is refused', (timeout) => {
    expect(() => eachRecord(() => 1, { timeout: timeout as number })).toThrow('timeout')
  })
})

describe('what operators see', () => {
  it('R21: the fields that validate() refuses are in the message, their values are not', async () => {
    const logger = new RecordingLogger()
    const schema = z.object({ card: z.number(), lines: z.array(z.object({ sku: z.string() })) })
    const handler = middy()
      .use(sqs({ logger }))
      .handler(
        eachRecord(
          middy()
            .use(validate({ data: schema }))
            .handler(() => 1),
        ),
      )
    await invoke(
      handler,
      sqsEvent([{ messageId: 'm', body: { card: 'hunter2', lines: [{ sku: 'a' }, { sku: 7 }] } }]),
    )
    expect(told(logger)).toEqual(['Record m failed: data.card, data.lines.1.sku'])
    expect(printed(logger)).not.toContain('hunter2')
  })

  it('R21: a wish to get a record later is no error, and onFailure is told', async () => {
    const failures: unknown[] = []
    for (const error of [
      new RetryLaterError({ delaySeconds: 1 }),
      new Error('outer', { cause: new RetryLaterError({ delaySeconds: 1 }) }),
    ]) {
      const { failed, logger } = await work(abc, {
        options: { client: queueClient().client, onFailure: (failure) => void failures.push(failure) },
        fn({ messageId }) {
          if (messageId === 'b') throw error
        },
      })
      expect([failed, told(logger), failures.pop()]).toEqual([['b'], [], error])
    }
  })

  it('R21: each record is told once to the hook for what it came to, and to onRecord', async () => {
    const hooks: string[] = []
    const records: unknown[] = []
    const { failed } = await work(grouped('a1', 'a2', 'b1'), {
      queueArn: fifoArn,
      options: {
        onSuccess: ({ messageId }) => hooks.push(`done ${messageId}`),
        onFailure: (_, { messageId }) => hooks.push(`failed ${messageId}`),
        onSkip: ({ messageId }) => hooks.push(`skipped ${messageId}`),
        onRecord: ({ id, outcome, milliseconds }) => records.push([id, outcome, milliseconds >= 0]),
      },
      fn: failing('a1'),
    })
    expect(failed).toEqual(['a1', 'a2'])
    expect(hooks.toSorted()).toEqual(['done b1', 'failed a1', 'skipped a2'])
    expect(records.toSorted()).toEqual([
      ['a1', 'failed', true],
      ['a2', 'skipped', true],
      ['b1', 'done', true],
    ])
  })

  it('R21: a hook that throws, at once or later, changes nothing', async () => {
    const { failed, logger } = await work(abc, {
      options: { onSuccess: failWith, onRecord: () => Promise.reject(new Error('later')) },
      fn: failing('b'),
    })
    expect(failed).toEqual(['b'])
    expect(logger.warnings).toHaveLength(5)
  })

  it('R21: what was sent to the dead-letter queue is deleted, and was a failure', async () => {
    const { client } = queueClient()
    const outcomes: unknown[] = []
    const { failed } = await work(withB(1), {
      options: { client, deadLetter, onRecord: ({ id, outcome }) => outcomes.push([id, outcome]) },
      fn({ messageId }) {
        if (messageId === 'b') throw new PermanentFailureError()
      },
    })
    expect([failed, outcomes.toSorted()]).toEqual([
      [],
      [
        ['a', 'done'],
        ['b', 'failed'],
        ['c', 'done'],
      ],
    ])
  })
})

describe('a function that nothing would run', () => {
  it.each([
    [
      'a generator',
      function* () {
        yield 1
      },
    ],
    [
      'an asynchronous generator',
      async function* () {
        yield await Promise.resolve(1)
      },
    ],
    ['nothing', undefined],
    ['an object', {}],
  ])('%s is refused when it is given', (_, fn) => {
    expect(() => eachRecord(fn as never)).toThrow(TypeError)
  })
})

describe('a typed record', () => {
  it('R25: has the schema’s type and the source’s members without a cast', async () => {
    const totals: string[] = []
    const chain = middy<SqsRequest>()
      .use(validate({ data: z.object({ total: z.number() }) }))
      .handler(({ data, messageId }) => {
        totals.push(`${messageId} ${data.total.toFixed(2)}`)
      })
    const handler = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(eachRecord(chain))
    const answer = await invoke(
      handler,
      sqsEvent([
        { messageId: 'a', body: { total: 7 } },
        { messageId: 'b', body: { total: 'seven' } },
      ]),
      lambdaContext(),
    )
    expect(totals).toEqual(['a 7.00'])
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'b' }] })
  })
})
