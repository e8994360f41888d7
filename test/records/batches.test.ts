// The catalogue of record cases, C25, C26 and C28 to C32: the batch as a whole, and several at once.
import { ConfigurationError } from 'clearskies-middy/errors'
import middy from '@middy/core'
import warmup from '@middy/warmup'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { type SqsOptions, sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { invoke, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { abc, failing, fifoArn, grouped, listed, told, turns, work } from '../support/sqs-work.ts'

/** A chain of sqs() and one more middleware, and what it answers to a, b and c. */
async function chained(
  middleware: object,
  fn: (request: SqsRequest) => unknown = () => undefined,
  where: 'behind' | 'in front' = 'behind',
) {
  const logger = new RecordingLogger()
  const called: string[] = []
  const chain = middy()
  if (where === 'in front') chain.use(middleware as never)
  chain.use(sqs({ logger }))
  if (where === 'behind') chain.use(middleware as never)
  const handler = chain.handler(
    eachRecord((request: SqsRequest) => {
      called.push(request.messageId)
      return fn(request)
    }) as never,
  )
  return { failed: listed(await invoke(handler, sqsEvent(abc))), called, logger }
}

const fail = (): never => {
  throw new Error('no')
}

describe('the whole batch', () => {
  it('sqs C25 when all fail all are listed, and the invocation succeeds', async () => {
    const { failed, called, logger } = await work(abc, { fn: fail })
    expect([failed, called]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ])
    expect(told(logger)).toEqual(['Record a failed', 'Record b failed', 'Record c failed'])
  })

  it('sqs C25 options of one handler are not those of the next', async () => {
    const options = { fifo: 'batch', concurrency: 1 } as const
    const batch = grouped('a1', 'b1')
    expect((await work(batch, { fn: failing('a1'), options })).failed).toEqual(['a1', 'b1'])
    expect((await work(batch, { fn: failing('a1') })).failed).toEqual(['a1'])
  })

  it('sqs C26 a before that throws has nothing run, and all come again', async () => {
    for (const before of [fail, () => Promise.reject(new Error('no'))]) {
      const { failed, called } = await chained({ before })
      expect([failed, called]).toEqual([['a', 'b', 'c'], []])
    }
  })

  it.each(['warm', null, {}, { batchItemFailures: null }, { batchItemFailures: [{ itemIdentifier: 'x' }] }])(
    'sqs C26 a before that answers %j past the handler has all come again',
    async (early) => {
      const { failed, called, logger } = await chained({ before: () => early })
      expect([failed, called]).toEqual([['a', 'b', 'c'], []])
      for (const { details } of logger.errors) expect(details).toBeInstanceOf(ConfigurationError)
      expect(logger.errors).toHaveLength(3)
    },
  )

  it('sqs C26 a before that answers as SQS wants it is believed', async () => {
    const early = { batchItemFailures: [{ itemIdentifier: 'b' }] }
    expect(await chained({ before: () => early })).toMatchObject({ failed: ['b'], called: [] })
  })

  it('sqs C26 @middy/warmup in front of sqs() answers its own event, and lets batches pass', async () => {
    const handler = middy()
      .use(warmup())
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(eachRecord(failing('b')))
    expect(await invoke(handler, { source: 'serverless-plugin-warmup' })).toBe('warmup')
    expect(listed(await invoke(handler, sqsEvent(abc)))).toEqual(['b'])
  })

  const setting = (response: unknown) => (request: { response: unknown }) => {
    request.response = response
  }

  describe.each(['behind', 'in front'] as const)('sqs C28 %s of sqs()', (where) => {
    it.each<[string, object]>([
      ['an after that throws', { after: fail }],
      ['an after that rejects', { after: () => Promise.reject(new Error('no')) }],
      ['an after that returns a value', { after: () => 'done' }],
      ['an after that returns a list without failures', { after: () => ({ batchItemFailures: [] }) }],
      ['an after that sets a list without failures', { after: setting({ batchItemFailures: [] }) }],
      ['an after that sets another response', { after: setting({ statusCode: 200 }) }],
      ['an after that sets undefined', { after: setting(undefined) }],
      ['an onError that sets a response', { after: fail, onError: setting({ statusCode: 500 }) }],
      ['an onError that sets an empty list', { after: fail, onError: setting({ batchItemFailures: [] }) }],
      ['an onError that returns a value', { after: fail, onError: () => 'handled' }],
    ])('%s changes nothing of what the records came to', async (_, middleware) => {
      const { failed, called, logger } = await chained(middleware, failing('b'), where)
      expect([failed, called]).toEqual([['b'], ['a', 'b', 'c']])
      expect(told(logger).filter((message) => message.startsWith('Record'))).toEqual(['Record b failed'])
    })

    it('an after that lists more than failed is believed', async () => {
      const after = setting({ batchItemFailures: [{ itemIdentifier: 'a' }] })
      expect((await chained({ after }, failing('c'), where)).failed).toEqual(['a', 'c'])
    })
  })

  it('sqs C29 a handler may answer by itself, with ids of the batch', async () => {
    const answering = async (answer: unknown) => {
      const logger = new RecordingLogger()
      const handler = middy()
        .use(sqs({ logger }))
        .handler(() => answer)
      return { failed: listed(await invoke(handler, sqsEvent(abc))), logger }
    }
    const own = (...ids: unknown[]) => ({
      batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
    })
    expect((await answering(own())).failed).toEqual([])
    expect((await answering(own('c', 'b'))).failed).toEqual(['c', 'b'])
    // Whatever else SQS would take for success, or for a failure of all.
    for (const answer of [undefined, null, {}, 'ok', [], own('x'), own(''), own(null), own('b', undefined)]) {
      const { failed, logger } = await answering(answer)
      expect([failed, told(logger)[0]]).toEqual([['a', 'b', 'c'], 'The batch failed'])
    }
  })

  const many = Array.from({ length: 10_000 }, (_, index) => ({ messageId: `m${index}`, body: index }))
  const bigBatch = sqsEvent(many)

  it.each([1, 3, 10, 50, 10_000])(
    'sqs C30 of 10,000 records %d run at once, and the list is in their order',
    async (concurrency) => {
      for (const seed of [1, 2, 3]) {
        const random = seededRandom(seed * concurrency)
        const durations = many.map(() => Math.floor(random() * 6))
        const fails = many.map(() => random() < 0.1)
        let running = 0
        let most = 0
        const begun: number[] = []
        const { failed } = await work(bigBatch, {
          options: { concurrency },
          async fn({ data }) {
            const index = data as number
            begun.push(index)
            most = Math.max(most, ++running)
            await turns(durations[index]! + 1)
            running--
            if (fails[index]) throw new Error('no')
          },
        })
        expect(most).toBe(concurrency)
        expect(begun).toEqual(begun.toSorted((a, b) => a - b))
        expect(failed).toEqual(many.filter((_, index) => fails[index]).map(({ messageId }) => messageId))
      }
    },
  )

  it('sqs C30 ten run at once unless the option says so', async () => {
    let running = 0
    let most = 0
    const fn = async () => {
      most = Math.max(most, ++running)
      await turns(3)
      running--
    }
    await work(sqsEvent(many.slice(0, 100)), { fn })
    expect(most).toBe(10)
  })
})

/** A batch with an outcome and a duration for each record, which a seed decides. */
function randomBatch(seed: number) {
  const random = seededRandom(seed)
  const groups = 'ABC'
  const records = Array.from({ length: Math.floor(random() * 12) }, (_, index) => ({
    messageId: `${seed}-${index}`,
    groupId: groups.charAt(Math.floor(random() * 3)),
    body: { seed, lasts: Math.floor(random() * 20), fails: random() < 0.3 },
  }))
  const isFifo = random() < 0.5
  const stopped = new Set<string>()
  const expected = records
    .filter(({ groupId, body }) => {
      const isListed = body.fails || (isFifo && stopped.has(groupId))
      if (isListed) stopped.add(groupId)
      return isListed
    })
    .map(({ messageId }) => messageId)
  return { event: sqsEvent(records, isFifo ? { queueArn: fifoArn } : {}), expected }
}

/** One handler for all invocations, as in a process of Lambda. */
function sharedHandler(options: SqsOptions = {}) {
  return middy()
    .use(sqs({ logger: new RecordingLogger(), ...options }))
    .handler(
      eachRecord(async ({ data, messageId }) => {
        const { seed, lasts, fails } = data as { seed: number; lasts: number; fails: boolean }
        await turns(lasts)
        expect(messageId.split('-')[0]).toBe(String(seed))
        if (fails) throw new Error('no')
      }),
    )
}

describe('several invocations', () => {
  it('sqs C31 interleaved in one process share nothing', async () => {
    const handler = sharedHandler()
    for (let round = 0; round < 60; round++) {
      const random = seededRandom(round)
      const batches = Array.from({ length: 8 }, (_, index) => randomBatch(round * 8 + index))
      const answers = await Promise.all(
        batches.map(async ({ event }) => {
          await turns(Math.floor(random() * 30))
          return invoke(handler, event)
        }),
      )
      expect(answers.map(listed)).toEqual(batches.map(({ expected }) => expected))
    }
  })

  it('sqs C32 one after the other in one process remember nothing', async () => {
    const handler = sharedHandler()
    for (let seed = 0; seed < 300; seed++) {
      const { event, expected } = randomBatch(seed)
      expect(listed(await invoke(handler, event))).toEqual(expected)
    }
    const same = sqsEvent(grouped('a1', 'a2', 'b1'), { queueArn: fifoArn })
    let isBroken = true
    const recovering = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(
        eachRecord((request) => {
          if (isBroken) failing('a1')(request)
        }),
      )
    expect(listed(await invoke(recovering, same))).toEqual(['a1', 'a2'])
    isBroken = false
    expect(listed(await invoke(recovering, same))).toEqual([])
  })
})
