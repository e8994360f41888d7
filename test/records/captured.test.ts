// What a middleware, or a handler of the whole batch, makes of `event.Records`: a message is deleted only if it was worked.
import middy from '@middy/core'
import httpErrorHandler from '@middy/http-error-handler'
import type { SQSRecord } from 'aws-lambda'
import { ConfigurationError } from 'clearskies-middy/errors'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import { SqsBatch, sqsBatch } from 'clearskies-middy/normalizers/sqs-batch'
import { invoke, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { cores } from '../support/gated-queue.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { abc, failing, fifoArn, grouped, listed, withB } from '../support/sqs-work.ts'

interface Event {
  Records: SQSRecord[]
}

const changes: readonly (readonly [what: string, change: (event: Event) => void])[] = [
  [
    'filtered',
    (event) => (event.Records = event.Records.filter(({ messageId }) => !messageId.startsWith('a'))),
  ],
  ['spliced', ({ Records }) => Records.splice(0, 1)],
  ['reversed', ({ Records }) => Records.reverse()],
  ['sorted', ({ Records }) => Records.sort((a, b) => b.messageId.localeCompare(a.messageId))],
  ['swapped', ({ Records }) => ([Records[0], Records[1]] = [Records[1]!, Records[0]!])],
  ['emptied', (event) => (event.Records = [])],
  ['cut by its length', ({ Records }) => (Records.length = 1)],
  ['replaced by copies', (event) => (event.Records = event.Records.map((record) => ({ ...record })))],
  ['replaced by another batch', (event) => (event.Records = sqsEvent([{ messageId: 'x', body: 1 }]).Records)],
]

/** The same batch, as a middleware hands on another object: the message that is left out, or elsewhere, must come again. */
const swaps: readonly (readonly [what: string, swap: (event: Event) => unknown])[] = [
  ['a copy', (event) => ({ ...event })],
  ['a sorted copy', (event) => ({ ...event, Records: event.Records.toReversed() })],
  ['a copy with fewer records', (event) => ({ ...event, Records: event.Records.slice(1) })],
  ['a copy with more records', ({ Records }) => ({ Records: [...Records, ...sqsEvent(withB(1)).Records] })],
  ['a clone of its class', (event) => Object.setPrototypeOf({ ...event }, SqsBatch.prototype) as unknown],
  ['a proxy of it', (event) => new Proxy(event, {})],
  ['another batch', () => sqsBatch(sqsEvent([{ messageId: 'x', body: 1 }]), lambdaContext())],
  ['a batch in another order', ({ Records }) => sqsBatch({ Records: Records.toReversed() }, lambdaContext())],
  ['nothing', () => undefined],
]

const settled: readonly PromiseSettledResult<unknown>[] = [1, 2, 3].map((value) => ({
  status: 'fulfilled',
  value,
}))

const answers: readonly (readonly [what: string, answer: (event: Event) => unknown])[] = [
  ['records that succeed', eachRecord(() => undefined) as never],
  ['settled results', () => settled],
  ['a list of no failures', () => ({ batchItemFailures: [] })],
  ['a list of another failure', () => ({ batchItemFailures: [{ itemIdentifier: 'b' }] })],
]

describe.each(cores)('on %s', (_, core) => {
  describe.each([
    ['a standard queue', sqsEvent(abc)],
    ['a FIFO queue', sqsEvent(grouped('a', 'b', 'c'), { queueArn: fifoArn })],
  ])('of %s', (_queue, event) => {
    it.each(changes)('R3: Records that a middleware has %s: the batch comes again', async (_what, change) => {
      const logger = new RecordingLogger()
      const handler = core()
        .use(sqs({ logger }))
        .before((request: { event: unknown }) => {
          change(request.event as Event)
        })
        .handler(eachRecord(failing('b'), { logger }) as never)
      expect(listed(await invoke(handler, event))).toEqual(['a', 'b', 'c'])
    })

    it.each(changes)(
      'R3: Records %s, and a handler of the whole batch: nothing is deleted',
      async (_what, change) => {
        const logger = new RecordingLogger()
        for (const answer of [
          ({ Records }: Event) => Promise.allSettled(Records.map(() => Promise.resolve(1))),
          () => ({ batchItemFailures: [] }),
        ]) {
          const handler = core()
            .use(sqs({ logger }))
            .before((request: { event: unknown }) => {
              change(request.event as Event)
            })
            .handler(answer as never)
          expect(listed(await invoke(handler, event))).toEqual(['a', 'b', 'c'])
        }
      },
    )

    describe.each(swaps)('R3: the event that a middleware has swapped for %s', (_swap, swap) => {
      it.each(answers)('and %s: the invocation fails, whatever stands in front', async (_what, answer) => {
        const logger = new RecordingLogger()
        const chain = core()
        chain.use(httpErrorHandler({ logger: false }) as never)
        const handler = chain
          .use(sqs({ logger }))
          .before((request: { event: unknown }) => {
            request.event = swap(request.event as Event)
          })
          .handler(answer as never)
        await expect(invoke(handler, event)).rejects.toThrow(/sqs\(\)|private member/)
      })

      it('and a hook that answers early: the invocation fails', async () => {
        const handler = core()
          .use(sqs({ logger: new RecordingLogger() }))
          .before((request: { event: unknown }) => {
            request.event = swap(request.event as Event)
            return settled as never
          })
          .handler(answers[0]![1] as never)
        await expect(invoke(handler, event)).rejects.toThrow('A middleware answered the batch before')
      })

      it('behind the handler: what the records came to stands', async () => {
        const handler = core()
          .use(sqs({ logger: new RecordingLogger() }))
          .after((request: { event: unknown }) => {
            request.event = swap(request.event as Event)
          })
          .handler(eachRecord(failing('b')) as never)
        expect(listed(await invoke(handler, event)).at(0)).toBe('b')
        expect(listed(await invoke(handler, event))).not.toContain('a')
      })
    })

    it('R3: a change in front of sqs() is the batch that arrives', async () => {
      const handler = core()
        .before((request: { event: unknown }) => {
          const { Records } = request.event as Event
          request.event = { Records: Records.filter(({ messageId }) => messageId !== 'a') }
        })
        .use(sqs({ logger: new RecordingLogger() }))
        .handler(eachRecord(failing('b')) as never)
      expect(listed(await invoke(handler, event))).toEqual(['b'])
    })

    it('R3: the list of requests cannot be put in another order', async () => {
      const handler = core()
        .use(sqs({ logger: new RecordingLogger() }))
        .before(
          (request: { event: unknown }) => void (request.event as { requests: unknown[] }).requests.reverse(),
        )
        .handler(eachRecord(failing('b')) as never)
      expect(listed(await invoke(handler, event))).toEqual(['a', 'b', 'c'])
    })
  })
})

describe('a handler of the whole batch', () => {
  async function answering(answer: (ids: readonly string[]) => unknown) {
    const logger = new RecordingLogger()
    const handler = middy()
      .use(sqs({ logger }))
      .handler(({ messageIds }) => answer(messageIds) as never)
    return { failed: listed(await invoke(handler, sqsEvent(abc))), logger }
  }

  it('R17: what Promise.allSettled() gives is taken result by result', async () => {
    const { failed, logger } = await answering((ids) =>
      Promise.allSettled(
        ids.map((id) => (id === 'b' ? Promise.reject(new Error('no')) : Promise.resolve(id))),
      ),
    )
    expect(failed).toEqual(['b'])
    expect(logger.errors.map(({ message }) => message)).toEqual(['Record b failed'])
    expect(
      (await answering((ids) => Promise.allSettled(ids.map((id) => Promise.resolve(id))))).failed,
    ).toEqual([])
  })

  it.each([
    [
      'too short',
      (ids: readonly string[]) => Promise.allSettled(ids.slice(1).map((id) => Promise.resolve(id))),
    ],
    [
      'too long',
      (ids: readonly string[]) => Promise.allSettled([...ids, 'x'].map((id) => Promise.resolve(id))),
    ],
    ['empty', () => []],
    ['of values', (ids: readonly string[]) => ids],
    ['of another status', (ids: readonly string[]) => ids.map(() => ({ status: 'done' }))],
    ['partly of nothing', () => [{ status: 'fulfilled', value: 1 }, null, { status: 'fulfilled', value: 1 }]],
  ])('R17: a list that is %s deletes nothing', async (_, answer) => {
    const { failed, logger } = await answering(answer)
    expect(failed).toEqual(['a', 'b', 'c'])
    expect(logger.errors[0]?.details).toBeInstanceOf(ConfigurationError)
  })

  it('R17: a hook that answers early with such a list is taken at its word', async () => {
    const handler = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .before(() =>
        Promise.allSettled([Promise.resolve(), Promise.reject(new Error('no')), Promise.resolve()]),
      )
      .handler(eachRecord(() => undefined))
    expect(listed(await invoke(handler, sqsEvent(abc)))).toEqual(['b'])
  })
})
