// The catalogue of record cases, C18, C27 and C40: the answer comes before the function's time is up. On a clock that the
// test turns.
import type { Context } from 'aws-lambda'
import middy from '@middy/core'
import { DeadlineError } from 'clearskies-middy/errors'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { invoke, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { abc, fifoArn, grouped, listed, work } from '../support/sqs-work.ts'

const start = 1_773_100_000_000
beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const never = new Promise<never>(() => undefined)
const lasting = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Works with the clock let go; tells when the answer came, too. */
async function timed(...[batch, options]: Parameters<typeof work>) {
  const working = work(batch, options).then((done) => ({ ...done, after: Date.now() - start }))
  await vi.runAllTimersAsync()
  return working
}

const within = (timeout: number): { context: Context } => ({ context: lambdaContext({ timeout }) })

const running = new DeadlineError('The time was up before the record was done')

/** What the hooks were told. */
function hooks() {
  const told: [string, string, unknown?][] = []
  return {
    told,
    options: {
      onFailure: (error: unknown, { messageId }: SqsRequest) => told.push(['failed', messageId, error]),
      onSkip: ({ messageId }: SqsRequest) => told.push(['skipped', messageId]),
    },
  }
}

it('sqs C18 a record that never settles comes again, alone', async () => {
  const fn = ({ messageId }: SqsRequest) => (messageId === 'a' ? never : lasting(10))
  const { failed, called, after } = await timed(abc, { fn, ...within(10_000) })
  expect([failed, called, after]).toEqual([['a'], ['a', 'b', 'c'], 9_500])
})

describe('sqs C27 at the deadline', () => {
  it('what is done stays done, what runs is aborted, and nothing is begun any more', async () => {
    const { told, options } = hooks()
    let signal: AbortSignal | undefined
    const fn = ({ messageId, signal: itsSignal }: SqsRequest) => {
      if (messageId === 'a') return undefined
      signal = itsSignal
      return lasting(60_000)
    }
    const { failed, called } = await timed(abc, {
      fn,
      options: { concurrency: 1, ...options },
      ...within(1_000),
    })
    expect([failed, called]).toEqual([
      ['b', 'c'],
      ['a', 'b'],
    ])
    expect(signal?.reason).toEqual(running)
    expect(told).toEqual([
      ['failed', 'b', running],
      ['skipped', 'c'],
    ])
  })

  it.each([
    [100, undefined, 50],
    [1_000, undefined, 750],
    [10_000, undefined, 9_500],
    [900_000, undefined, 895_000],
    [10_000, 3_000, 7_000],
    [10_000, 0, 10_000],
    [1_000, 5_000, 0],
  ])(
    'of %d ms with the margin %s, the answer comes after %d ms',
    async (timeout, deadlineMargin, expected) => {
      const { failed, after } = await timed(abc, {
        fn: ({ messageId }) => (messageId === 'a' ? undefined : never),
        options: deadlineMargin === undefined ? {} : { deadlineMargin },
        ...within(timeout),
      })
      expect([failed, after]).toEqual([expected === 0 ? ['a', 'b', 'c'] : ['b', 'c'], expected])
    },
  )

  it('work that never lets the event loop turn begins nothing at the deadline or behind it', async () => {
    const { told, options } = hooks()
    for (const lasted of [9_500, 9_600]) {
      vi.setSystemTime(start)
      const { failed, called } = await timed(abc, {
        fn: ({ messageId }) => {
          if (messageId === 'b') vi.setSystemTime(start + lasted)
        },
        options,
        ...within(10_000),
      })
      expect([failed, called]).toEqual([['c'], ['a', 'b']])
    }
    expect(told).toEqual([
      ['skipped', 'c'],
      ['skipped', 'c'],
    ])
  })

  it('what is listed says whether it was begun', async () => {
    const { logger } = await timed(abc, {
      fn: ({ messageId }) => (messageId === 'b' ? never : undefined),
      options: { concurrency: 1 },
      ...within(1_000),
    })
    expect(logger.errors.map(({ details }) => (details as Error).message)).toEqual([
      'The time was up before the record was done',
      'The time was up before the record was begun',
    ])
  })

  it('an answer in time leaves no timer behind, and a context without a clock sets none', async () => {
    const inTime = work(abc, { fn: () => lasting(10), ...within(10_000) })
    await vi.advanceTimersByTimeAsync(10)
    expect((await inTime).failed).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
    const unlimited = work(abc, { fn: () => lasting(10), context: {} as Context })
    await vi.advanceTimersByTimeAsync(9)
    expect(vi.getTimerCount()).toBe(3)
    await vi.advanceTimersByTimeAsync(1)
    expect((await unlimited).failed).toEqual([])
  })

  it('what ends after the answer changes nothing of it', async () => {
    const { told, options } = hooks()
    const late = Promise.withResolvers<undefined>()
    const fn = ({ messageId }: SqsRequest) => {
      if (messageId === 'a') return late.promise
      return messageId === 'b' ? late.promise.then(() => Promise.reject(new Error('late'))) : undefined
    }
    const { failed } = await timed(abc, { fn, options, ...within(1_000) })
    late.resolve(undefined)
    await vi.runAllTimersAsync()
    expect([failed, told.map(([what, id]) => [what, id])]).toEqual([
      ['a', 'b'],
      [
        ['failed', 'a'],
        ['failed', 'b'],
      ],
    ])
  })

  it('records that stop at the signal are listed like those that do not', async () => {
    const fn = ({ messageId, signal }: SqsRequest) =>
      messageId === 'c'
        ? undefined
        : new Promise((resolve, reject) => {
            signal.addEventListener('abort', () => {
              if (messageId === 'a') resolve(undefined)
              else reject(signal.reason as Error)
            })
          })
    expect((await timed(abc, { fn, ...within(1_000) })).failed).toEqual(['a', 'b'])
  })

  it('a hook that never settles keeps nobody', async () => {
    const { failed, after } = await timed(abc, {
      fn: ({ messageId }) => (messageId === 'b' ? Promise.reject(new Error('no')) : undefined),
      options: { onFailure: () => never },
      ...within(1_000),
    })
    expect([failed, after]).toEqual([['b'], 875])
  })

  it('a call to SQS that never settles keeps nobody', async () => {
    const { RetryLaterError } = await import('clearskies-middy/errors')
    const { failed, after } = await timed(abc, {
      fn: ({ messageId }) =>
        messageId === 'b' ? Promise.reject(new RetryLaterError({ delaySeconds: 5 })) : undefined,
      options: { client: { send: () => never } },
      ...within(1_000),
    })
    expect([failed, after]).toEqual([['b'], 875])
  })

  it.each([
    ['@middy/core 7', middy],
    ['@middy/core 6.4.5', middy6 as unknown as typeof middy],
  ])('the timeout of %s lists what is not done, and no more', async (_, core) => {
    // Middy's timer is not the test's to turn: it fires at once.
    vi.useRealTimers()
    const logger = new RecordingLogger()
    const handler = core({ timeoutEarlyInMillis: 60_000 })
      .use(sqs({ logger }))
      .handler(eachRecord(({ messageId }) => (messageId === 'b' ? never : undefined), { logger }))
    const answer = await invoke(handler, sqsEvent(abc), lambdaContext({ timeout: 60_000 }))
    expect(listed(answer)).toEqual(['b'])
    vi.useFakeTimers()
  })
})

describe('sqs C40 at the deadline of a FIFO batch', () => {
  it('the unfinished record and all later ones of its group are listed, and other groups stay done', async () => {
    const { told, options } = hooks()
    const { failed, called } = await timed(grouped('a1', 'b1', 'a2', 'b2', 'a3', 'c1'), {
      fn: ({ messageId }) => (messageId === 'a2' ? lasting(60_000) : lasting(10)),
      queueArn: fifoArn,
      options,
      ...within(1_000),
    })
    expect(failed).toEqual(['a2', 'a3'])
    expect(called.toSorted()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1'])
    expect(told).toEqual([
      ['failed', 'a2', running],
      ['skipped', 'a3'],
    ])
  })

  it('a group that was not begun is listed whole', async () => {
    const { failed, called } = await timed(grouped('a1', 'b1', 'b2'), {
      fn: () => never,
      queueArn: fifoArn,
      options: { concurrency: 1 },
      ...within(1_000),
    })
    expect([failed, called]).toEqual([['a1', 'b1', 'b2'], ['a1']])
  })

  it('in batch mode all that follows is listed', async () => {
    const { failed, called } = await timed(grouped('a1', 'b1', 'c1'), {
      fn: ({ messageId }) => (messageId === 'b1' ? never : undefined),
      queueArn: fifoArn,
      options: { fifo: 'batch' },
      ...within(1_000),
    })
    expect([failed, called]).toEqual([
      ['b1', 'c1'],
      ['a1', 'b1'],
    ])
  })
})
