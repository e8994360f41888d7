import middy from '@middy/core'
import {
  ConfigurationError,
  type EachRecordOptions,
  type SqsOptions,
  type SqsRequest,
  eachRecord,
  invocation,
  respond,
  sqs,
  validate,
} from 'clearskies-middy'
import {
  type DescribedMessage,
  albEvent,
  invoke,
  lambdaContext,
  restApiEvent,
  sqsEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RecordingLogger } from '../support/recording-logger.ts'

const fifoArn = 'arn:aws:sqs:eu-central-1:123456789012:orders.fifo'

interface Work {
  readonly messages: readonly DescribedMessage[]
  readonly fn?: (request: SqsRequest) => unknown
  readonly options?: EachRecordOptions<SqsRequest>
  readonly sqsOptions?: SqsOptions
  readonly queueArn?: string
}

async function work({ messages, fn = () => undefined, options, sqsOptions, queueArn }: Work) {
  const logger = new RecordingLogger()
  const handler = middy()
    .use(sqs({ logger, ...sqsOptions }))
    .handler(eachRecord(fn, options))
  const { batchItemFailures } = await invoke<{ batchItemFailures: { itemIdentifier: string }[] }>(
    handler,
    sqsEvent(messages, queueArn === undefined ? {} : { queueArn }),
  )
  return { failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), logger }
}

const abc = ['a', 'b', 'c'].map((messageId) => ({ messageId, body: { messageId } }))

describe('sqs() with eachRecord()', () => {
  it('reports no failures where there are none', async () => {
    const seen: unknown[] = []
    const { failed } = await work({ messages: abc, fn: ({ data }) => seen.push(data) })
    expect([failed, seen]).toEqual([[], [{ messageId: 'a' }, { messageId: 'b' }, { messageId: 'c' }]])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects with nothing', () => Promise.reject(undefined)],
    [
      'throws null',
      () => {
        throw null
      },
    ],
    ['answers 404', () => respond({}, { status: 404 })],
    ['answers an envelope with 500', () => ({ statusCode: 500 })],
    ['answers a web response with 302', () => new Response('', { status: 302 })],
  ])('fails a record alone when the function %s', async (_, fail) => {
    const { failed, logger } = await work({
      messages: abc,
      fn: ({ messageId }) => (messageId === 'b' ? fail() : respond('ok', { status: 201 })),
    })
    expect(failed).toEqual(['b'])
    expect(logger.errors.map(({ message }) => message)).toEqual(['Record b failed'])
  })

  it('fails a record with malformed JSON alone, and does not call the function for it', async () => {
    const seen: string[] = []
    const { failed, logger } = await work({
      messages: [abc[0]!, { messageId: 'b', body: '{hunter2' }, abc[2]!],
      fn: ({ messageId }) => seen.push(messageId),
    })
    expect([failed, seen]).toEqual([['b'], ['a', 'c']])
    expect(String(logger.errors[0]?.details)).toBe(
      'MalformedJsonError: The body of message b is not valid JSON: it breaks at position 1',
    )
  })

  it('gives the body as text, or as a function makes it', async () => {
    const seen: unknown[] = []
    await work({
      messages: [{ body: 'a,b' }],
      fn: ({ data }) => seen.push(data),
      sqsOptions: { body: 'text' },
    })
    await work({
      messages: [{ body: 'a,b' }],
      fn: ({ data }) => seen.push(data),
      sqsOptions: { body: (text) => text.split(',') },
    })
    expect(seen).toEqual(['a,b', ['a', 'b']])
  })

  it('tells what SQS tells of a message', async () => {
    let seen: unknown
    await work({
      messages: [
        {
          messageId: 'a',
          body: 1,
          receiveCount: 3,
          groupId: 'g',
          attributes: { text: 'x', number: 5, bytes: new Uint8Array([1, 2]) },
        },
      ],
      queueArn: fifoArn,
      fn: ({
        kind,
        source,
        messageId,
        receiptHandle,
        receiveCount,
        sentAt,
        groupId,
        sequenceNumber,
        messageAttributes,
        queueArn,
        queueUrl,
        signal,
      }) => {
        seen = {
          kind,
          source,
          messageId,
          receiptHandle,
          receiveCount,
          sentAt,
          groupId,
          sequenceNumber,
          messageAttributes: { ...messageAttributes },
          queueArn,
          queueUrl,
          aborted: signal.aborted,
        }
      },
    })
    expect(seen).toEqual({
      kind: 'sqs',
      source: 'sqs',
      messageId: 'a',
      receiptHandle: 'handle-a',
      receiveCount: 3,
      sentAt: new Date(1_773_100_000_000),
      groupId: 'g',
      sequenceNumber: '18849496460467696128',
      messageAttributes: { text: 'x', number: 5, bytes: Buffer.from([1, 2]) },
      queueArn: fifoArn,
      queueUrl: 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo',
      aborted: false,
    })
  })

  it('runs no more than the limit at once, and keeps the order of results', async () => {
    let running = 0
    let most = 0
    const messages = Array.from({ length: 40 }, (_, index) => ({ messageId: `m${index}`, body: index }))
    const { failed } = await work({
      messages,
      options: { concurrency: 4 },
      async fn({ data }) {
        most = Math.max(most, ++running)
        for (let turn = 0; turn <= (data as number) % 5; turn++) await Promise.resolve()
        running--
        if ((data as number) % 10 === 0) throw new Error('ten')
      },
    })
    expect([most, failed]).toEqual([4, ['m0', 'm10', 'm20', 'm30']])
  })

  describe('on a FIFO queue', () => {
    const messages = ['a1', 'b1', 'a2', 'b2', 'c1', 'a3'].map((messageId) => ({
      messageId,
      body: {},
      groupId: messageId.charAt(0),
    }))
    const failAt = (id: string, seen: string[]) => (request: SqsRequest) => {
      seen.push(request.messageId)
      if (request.messageId === id) throw new Error('no')
    }

    it('does not run the rest of a group after a failure', async () => {
      const seen: string[] = []
      const skipped: string[] = []
      const { failed } = await work({
        messages,
        queueArn: fifoArn,
        fn: failAt('a2', seen),
        options: { onSkip: ({ messageId }) => skipped.push(messageId) },
      })
      expect([failed, skipped, seen.toSorted()]).toEqual([
        ['a2', 'a3'],
        ['a3'],
        ['a1', 'a2', 'b1', 'b2', 'c1'],
      ])
    })

    it('does not run the rest of the batch in batch mode', async () => {
      const seen: string[] = []
      const { failed } = await work({
        messages,
        queueArn: fifoArn,
        fn: failAt('a2', seen),
        options: { fifo: 'batch' },
      })
      expect([failed, seen]).toEqual([
        ['a2', 'b2', 'c1', 'a3'],
        ['a1', 'b1', 'a2'],
      ])
    })

    it('takes groups of a standard queue for what they are: no order', async () => {
      const { failed } = await work({ messages, fn: failAt('a2', []) })
      expect(failed).toEqual(['a2'])
    })
  })

  it('answers an empty batch', async () => {
    expect(await work({ messages: [] })).toMatchObject({ failed: [] })
  })

  it('fails the whole batch when a failed record has no id', async () => {
    const event = sqsEvent([
      { messageId: 'a', body: 1 },
      { messageId: '', body: 2 },
    ])
    const handler = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(
        eachRecord(({ data }) => {
          if (data === 2) throw new Error('no')
        }),
      )
    await expect(invoke(handler, event)).rejects.toThrow('Record 1 failed and has no messageId to report')
  })

  it('returns every record when a middleware fails before the handler', async () => {
    const handler = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .before(() => {
        throw new Error('no')
      })
      .handler(eachRecord(() => 1))
    expect(await invoke(handler, sqsEvent(abc))).toEqual({
      batchItemFailures: abc.map(({ messageId }) => ({ itemIdentifier: messageId })),
    })
  })

  it('does not turn successes into failures when a middleware fails after the handler', async () => {
    const handler = middy()
      .use(sqs({ logger: new RecordingLogger() }))
      .after(() => {
        throw new Error('no')
      })
      .handler(
        eachRecord(({ messageId }) => {
          if (messageId === 'c') throw new Error('no')
        }),
      )
    expect(await invoke(handler, sqsEvent(abc))).toEqual({ batchItemFailures: [{ itemIdentifier: 'c' }] })
  })

  it('lets a handler answer by itself, and returns every record for any other answer', async () => {
    const answering = (value: unknown) =>
      middy()
        .use(sqs({ logger: new RecordingLogger() }))
        .handler(() => value)
    expect(await invoke(answering({ batchItemFailures: [{ itemIdentifier: 'b' }] }), sqsEvent(abc))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'b' }],
    })
    expect(await invoke(answering('warmup'), sqsEvent(abc))).toMatchObject({
      batchItemFailures: { length: 3 },
    })
  })

  it('is not fooled by a throwing logger or hook', async () => {
    const bad = (): never => {
      throw new Error('hook')
    }
    const { failed } = await work({
      messages: abc,
      fn: ({ messageId }) => {
        if (messageId === 'b') throw new Error('no')
      },
      options: { onFailure: bad },
      sqsOptions: { logger: { error: bad, warn: bad } },
    })
    expect(failed).toEqual(['b'])
  })

  it('says what is missing where eachRecord() has no sqs() in front', async () => {
    await expect(eachRecord(() => 1)(sqsEvent(abc) as never, lambdaContext())).rejects.toThrow(
      ConfigurationError,
    )
  })
})

describe('what a chain without its normalizer is told', () => {
  it.each([
    ['a raw "ALB" event', [], albEvent()],
    ['a raw "direct" event', [], { kind: 7, source: 'x' }],
    ['a raw "direct" event', [], { kind: 'x', source: 7 }],
    ['a raw "direct" event', [], {}],
    ['a raw "null" event', [], null],
    ['a request of "invocation"', [invocation()], {}],
  ])('by eachRecord(): %s', async (seen, middlewares, event) => {
    const handler = middy()
      .use(middlewares)
      .handler(eachRecord(() => undefined) as never)
    await expect(invoke(handler, event)).rejects.toThrow(
      `eachRecord() needs .use(sqs()) in front, and got ${seen}`,
    )
  })

  it.each([
    ['got a raw "direct" event: put .use(invocation()) in front', {}],
    ['got a raw "REST API" event: put .use(restApi()) in front', restApiEvent()],
    ['got a raw "EventBridge" event: put .use(eventBridge()) in front', { 'detail-type': 'x', source: 'y' }],
  ])('by validate(): %s', async (seen, event) => {
    const handler = middy()
      .use([validate({ data: z.object({}) })] as middy.MiddlewareObj[])
      .handler(() => undefined)
    const error = (await invoke(handler, event).catch((thrown: unknown) => thrown)) as Error
    expect(error.message).toBe(`validate() needs a normalizer, and ${seen}`)
  })
})

describe("a handler's own answer", () => {
  const own = async (batchItemFailures: unknown, ids: readonly unknown[] = ['a', 'b']) => {
    const logger = new RecordingLogger()
    const event = sqsEvent([{ body: 1 }, { body: 2 }])
    for (const [index, messageId] of ids.entries()) Object.assign(event.Records[index]!, { messageId })
    const handler = middy()
      .use(sqs({ logger }))
      .handler((() => ({ batchItemFailures })) as never)
    return { answer: await invoke(handler, event), told: logger.errors.map(({ message }) => message) }
  }

  it.each([
    ['nothing', []],
    ['one', [{ itemIdentifier: 'b' }]],
    ['all', [{ itemIdentifier: 'a' }, { itemIdentifier: 'b' }]],
  ])('stands: %s', async (_, failures) => {
    expect(await own(failures)).toEqual({ answer: { batchItemFailures: failures }, told: [] })
  })

  it.each([
    ['a list of nothing', [null]],
    ['no id', [{}]],
    ['an empty id', [{ itemIdentifier: '' }]],
    ['a number', [{ itemIdentifier: 7 }]],
    ['an id of another batch', [{ itemIdentifier: 'a' }, { itemIdentifier: 'z' }]],
    ['no list', 'a'],
  ])('that SQS would not take fails the whole batch, and is told: %s', async (_, failures) => {
    const { answer, told } = await own(failures)
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'b' }] })
    expect(told.toSorted()).toEqual(['Record a failed', 'Record b failed', 'The batch failed'])
  })

  it.each([[''], [undefined]])(
    'that lists a record by an id that is none (%j) lets all come again',
    async (id) => {
      await expect(own([{ itemIdentifier: id }], ['a', id])).rejects.toThrow()
    },
  )
})

describe('an error behind sqs()', () => {
  const answered = async (onError: middy.MiddlewareFn | undefined, hook: 'before' | 'after') => {
    const logger = new RecordingLogger()
    const failing = {
      [hook]: () => {
        throw new Error('no')
      },
      ...(onError && { onError }),
    }
    const handler = middy()
      .use([sqs({ logger }), failing] as middy.MiddlewareObj[])
      .handler(
        eachRecord(({ messageId }: SqsRequest) =>
          messageId === 'a' ? undefined : Promise.reject(new Error('x')),
        ) as never,
      )
    const answer = await invoke(
      handler,
      sqsEvent([
        { messageId: 'a', body: 1 },
        { messageId: 'b', body: 2 },
      ]),
    )
    return { answer, told: logger.errors.map(({ message }) => message) }
  }
  const onlyB = { batchItemFailures: [{ itemIdentifier: 'b' }] }
  const answering: middy.MiddlewareFn = (request) => {
    request.response = { batchItemFailures: [{ itemIdentifier: 'b' }] }
  }

  it('before any record fails all, and is told', async () => {
    expect(await answered(undefined, 'before')).toEqual({
      answer: { batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'b' }] },
      told: ['The batch failed', 'Record a failed', 'Record b failed'],
    })
  })

  it('that a middleware answers as SQS wants it is that middleware’s to tell', async () => {
    expect(await answered(answering, 'before')).toEqual({ answer: onlyB, told: [] })
  })

  it('when the records are done changes nothing of their results, and is told', async () => {
    for (const onError of [undefined, answering]) {
      const { answer, told } = await answered(onError, 'after')
      expect([answer, told.toSorted()]).toEqual([onlyB, ['Record b failed', 'The batch failed']])
    }
  })
})
