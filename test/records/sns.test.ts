// SNS, the second record source: sns() with eachRecord(), cases E2, E3 and E6 to E11.
import middy from '@middy/core'
import httpErrorHandler from '@middy/http-error-handler'
import {
  ConfigurationError,
  DeadlineError,
  type EachRecordOptions,
  FailedRecordError,
  InvalidEventError,
  MalformedJsonError,
  RetryLaterError,
  type SnsOptions,
  type SnsRequest,
  eachRecord,
  sns,
  validate,
} from 'clearskies-middy'
import {
  type PublishedMessage,
  albEvent,
  invoke,
  lambdaContext,
  snsEvent,
  sqsEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RecordingLogger } from '../support/recording-logger.ts'

const three = ['a', 'b', 'c'].map((messageId) => ({ messageId, message: { messageId } }))

interface Work {
  readonly messages?: readonly PublishedMessage[]
  readonly fn?: (request: SnsRequest) => unknown
  readonly options?: EachRecordOptions<SnsRequest>
  readonly snsOptions?: SnsOptions
}

function chain({ fn = () => undefined, options, snsOptions }: Omit<Work, 'messages'>) {
  return middy().use(sns(snsOptions)).handler(eachRecord(fn, options))
}

function work({ messages = three, ...rest }: Work): Promise<unknown> {
  return invoke(chain(rest), snsEvent(messages))
}

/** What a promise is rejected with. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It was not rejected')
    },
    (reason: unknown) => reason,
  )
}

/** What the functions of the records have got. */
async function requestsOf(event: unknown, snsOptions?: SnsOptions): Promise<SnsRequest[]> {
  const requests: SnsRequest[] = []
  const handler = chain({ fn: (request) => requests.push(request), ...(snsOptions && { snsOptions }) })
  expect(await invoke(handler, event)).toBeNull() // As Lambda writes undefined.
  return requests
}

function throwFor(...ids: readonly string[]) {
  return ({ id }: SnsRequest): void => {
    if (ids.includes(id)) throw new Error(`no ${id}`)
  }
}

describe('sns(): a message as a request', () => {
  it.each([
    ['an object', '{"order":12}', { order: 12 }],
    ['a text', 'hello', 'hello'],
    ['an empty JSON text', '""', ''],
    ['JSON that is false', 'false', false],
    ['JSON that is null', 'null', null],
    ['JSON that is 0', '0', 0],
    ['broken JSON', '{"order":', '{"order":'],
    ['nothing', '', ''],
  ])('E6: the data of %s is JSON where the message is JSON, else the text', async (_, message, data) => {
    const [request] = await requestsOf(snsEvent([{ message }]))
    expect([request?.data, request?.text()]).toEqual([data, message])
  })

  it('E7: attributes come by their declared type, and without a prototype', async () => {
    const event = snsEvent([
      {
        message: '',
        attributes: { retries: 3, price: 1.5, bytes: Buffer.from([0, 255]), name: '7', list: ['a', 1] },
      },
    ])
    Object.assign(event.Records[0]?.Sns.MessageAttributes ?? {}, {
      large: { Type: 'Number', Value: '9007199254740993' },
      own: { Type: 'Number.cents', Value: '12' },
      ...JSON.parse('{"__proto__":{"Type":"String","Value":"x"}}'),
    })
    const [request] = await requestsOf(event)
    const attributes = request?.messageAttributes ?? {}
    expect(Object.getPrototypeOf(attributes)).toBeNull()
    expect({ ...attributes, bytes: [...(attributes['bytes'] as Uint8Array)] }).toEqual({
      retries: 3,
      price: 1.5,
      bytes: [0, 255],
      name: '7',
      list: '["a",1]',
      large: '9007199254740993',
      own: 12,
    })
  })

  it('E8: id and messageId are the MessageId, sentAt is a Date, and a subject of null is none', async () => {
    const event = snsEvent([
      { message: 1, messageId: 'n-771', subject: 'Placed' },
      { message: 2, messageId: 'n-772' },
      { message: 3, messageId: 'n-773' },
    ])
    Object.assign(event.Records[0]?.Sns ?? {}, { Timestamp: '2026-10-05T06:07:08.910Z' })
    Object.assign(event.Records[1]?.Sns ?? {}, { Subject: null, MessageAttributes: null })
    const requests = await requestsOf(event)
    expect(requests.map(({ id, messageId, subject }) => [id, messageId, subject])).toEqual([
      ['n-771', 'n-771', 'Placed'],
      ['n-772', 'n-772', undefined],
      ['n-773', 'n-773', undefined],
    ])
    const [first, second] = requests
    expect(first?.sentAt).toEqual(new Date('2026-10-05T06:07:08.910Z'))
    expect(first?.topicArn).toBe('arn:aws:sns:eu-central-1:123456789012:orders')
    expect([first?.kind, first?.source, first?.raw]).toEqual(['sns', 'sns', event.Records[0]])
    expect(second?.messageAttributes).toEqual({})
  })

  it.each<[NonNullable<SnsOptions['body']>, unknown]>([
    ['json', { id: 7 }],
    ['text', '{"id":7}'],
    ['bytes', Buffer.from('{"id":7}')],
    [(bytes: Uint8Array, { Sns }) => [String(bytes), Sns.MessageId], ['{"id":7}', 'a']],
    [(bytes: Uint8Array) => Promise.resolve(bytes.length), 8],
  ])('the option body says what the data is: %s', async (body, data) => {
    const [request] = await requestsOf(snsEvent([{ message: { id: 7 }, messageId: 'a' }]), { body })
    expect(request?.data).toEqual(data)
  })

  it('a message that is no JSON fails its record where JSON is asked for, and its function is not called', async () => {
    let calls = 0
    const failure = await failureOf(
      work({ messages: [{ message: 'secret' }], snsOptions: { body: 'json' }, fn: () => calls++ }),
    )
    expect([failure, calls]).toEqual([expect.any(MalformedJsonError), 0])
    expect(String(failure)).not.toContain('secret')
  })

  it('the event is not changed', async () => {
    const event = snsEvent(three)
    const before = structuredClone(event)
    await requestsOf(event)
    expect(event).toEqual(before)
  })
})

describe('sns(): the answer', () => {
  it('E2: a batch without records is done without a call', async () => {
    expect(await requestsOf({ Records: [] })).toEqual([])
  })

  it.each([301, 404, 500])('E3: a function that answers %i fails its record', async (statusCode) => {
    const failure = await failureOf(work({ messages: three.slice(0, 1), fn: () => ({ statusCode }) }))
    expect(failure).toEqual(new FailedRecordError(statusCode))
  })

  it('E9: one failed record fails the invocation with its own error', async () => {
    const error = new Error('no')
    const fn = ({ id }: SnsRequest) => (id === 'b' ? Promise.reject(error) : undefined)
    expect(await failureOf(work({ fn }))).toBe(error)
  })

  it('E10: all records run, and several failures are in one AggregateError and in the log', async () => {
    const logger = new RecordingLogger()
    const seen: string[] = []
    const fn = (request: SnsRequest): void => {
      seen.push(request.id)
      throwFor('a', 'c')(request)
    }
    const failure = await failureOf(work({ fn, snsOptions: { logger } }))
    expect(seen).toEqual(['a', 'b', 'c'])
    expect(failure).toBeInstanceOf(AggregateError)
    expect((failure as AggregateError).errors).toEqual([new Error('no a'), new Error('no c')])
    expect(logger.errors.map(({ message }) => message)).toEqual(['Record a failed', 'Record c failed'])
  })

  describe.each(['in front of', 'behind'])('E11: with an error handler %s sns()', (where) => {
    function guarded(middlewares: readonly middy.MiddlewareObj[], handler: () => unknown) {
      const encoder = {
        onError: (request: middy.Request) => {
          request.response = { statusCode: 500, body: String(request.error) }
        },
      }
      const all = where === 'behind' ? [sns(), encoder] : [encoder, sns()]
      return invoke(
        middy()
          .use([...all, ...middlewares] as middy.MiddlewareObj[])
          .handler(handler as never),
        snsEvent(three),
      )
    }
    const failing = eachRecord(throwFor('b'))

    it('a failed record fails the invocation', async () => {
      expect(await failureOf(guarded([], failing as never))).toEqual(new Error('no b'))
    })

    it.each(['before', 'after'] as const)('a %s that throws fails the invocation', async (hook) => {
      const error = new Error('gone')
      const broken = { [hook]: () => Promise.reject(error) }
      expect(await failureOf(guarded([broken], eachRecord(() => 1) as never))).toBe(error)
    })

    it.each([{ statusCode: 500 }, undefined, { batchItemFailures: [] }])(
      'a handler without eachRecord() that answers %j fails the invocation',
      async (response) => {
        expect(await failureOf(guarded([], () => response))).toEqual(expect.any(ConfigurationError))
      },
    )

    it("a failed record fails the invocation past Middy's own handler, too", async () => {
      const encoder = httpErrorHandler({ logger: false, fallbackMessage: 'encoded' })
      const all = where === 'behind' ? [sns(), encoder] : [encoder, sns()]
      const handler = middy()
        .use(all as middy.MiddlewareObj[])
        .handler(failing as never)
      expect(await failureOf(invoke(handler, snsEvent(three)))).toEqual(new Error('no b'))
    })

    it.each(['before', 'onError'] as const)('an %s that answers early loses no message', async (hook) => {
      const early = { [hook]: () => ({ statusCode: 200 }) }
      expect(await failureOf(guarded([early], failing as never))).toBeInstanceOf(Error)
    })
  })

  it('records that are not done in time fail the invocation', async () => {
    const fn = ({ id, signal }: SnsRequest) =>
      id === 'b' ? new Promise((resolve) => signal.addEventListener('abort', resolve)) : undefined
    const failure = await failureOf(invoke(chain({ fn }), snsEvent(three), lambdaContext({ timeout: 300 })))
    expect(failure).toEqual(expect.any(DeadlineError))
  })

  it('a RetryLaterError is a failure like any other', async () => {
    const error = new RetryLaterError({ delaySeconds: 5 })
    expect(await failureOf(work({ messages: three.slice(1, 2), fn: () => Promise.reject(error) }))).toBe(
      error,
    )
  })
})

describe('sns(): hostile events', () => {
  it.each([null, {}, { EventSource: 'aws:sns' }, { EventSource: 'aws:sns', Sns: null }, 7])(
    'a record that is %j fails the invocation, after the others have run',
    async (none) => {
      const seen: string[] = []
      const { Records } = snsEvent(three)
      const handler = chain({ fn: ({ id }) => seen.push(id) })
      const failure = await failureOf(invoke(handler, { Records: [Records[0], none, Records[1]] }))
      expect([failure, seen]).toEqual([expect.any(Error), ['a', 'b']])
    },
  )

  it('a message that comes twice in one event is worked twice', async () => {
    const [message] = three
    expect(await requestsOf(snsEvent([message!, message!]))).toHaveLength(2)
  })
})

describe('sns() with eachRecord()', () => {
  it.each<EachRecordOptions<SnsRequest>>([
    { fifo: 'batch' },
    { deadLetter: { queueUrl: 'https://sqs.eu-central-1.amazonaws.com/123456789012/dead' } },
    { deduplicate: true },
  ])('the option of SQS %j is a ConfigurationError, and no record is worked', async (options) => {
    let calls = 0
    const failure = await failureOf(work({ options, fn: () => calls++ }))
    expect([failure, calls]).toEqual([expect.any(ConfigurationError), 0])
    expect(String(failure)).toContain(`"${Object.keys(options)[0]}"`)
  })

  it('concurrency and onFailure work as with SQS', async () => {
    let running = 0
    let most = 0
    const failed: string[] = []
    const fn = async (request: SnsRequest): Promise<void> => {
      most = Math.max(most, ++running)
      await Promise.resolve()
      running--
      throwFor('b')(request)
    }
    const options: EachRecordOptions<SnsRequest> = {
      concurrency: 2,
      onFailure: (_, { id }) => failed.push(id),
    }
    await failureOf(work({ fn, options }))
    expect([most, failed]).toEqual([2, ['b']])
  })

  it('middlewares per record see the request of SNS', async () => {
    const seen: unknown[] = []
    const record = middy<SnsRequest>()
      .use(validate({ data: z.object({ messageId: z.string() }) }))
      .handler(({ data, topicArn }) => seen.push([data.messageId, topicArn.split(':').at(-1)]))
    await invoke(middy().use(sns()).handler(eachRecord(record)), snsEvent(three.slice(0, 1)))
    expect(seen).toEqual([['a', 'orders']])
  })

  it.each([
    ['an event of a queue', sqsEvent([{ body: 1 }]), 'sqs()'],
    ['an HTTP event', albEvent(), 'alb()'],
  ])('sns() refuses %s and names its normalizer', async (_, event, normalizer) => {
    const failure = await failureOf(invoke(chain({}), event))
    expect(failure).toBeInstanceOf(InvalidEventError)
    expect(String(failure)).toContain(normalizer)
  })

  it.each([{ body: 'xml' }, { boby: 'json' }, { logger: 1 }])('sns() refuses the options %j', (options) => {
    expect(() => sns(options as never)).toThrow(TypeError)
  })

  it('validate() for a whole batch is a ConfigurationError', async () => {
    const handler = middy()
      .use(sns())
      .use(validate({ data: z.unknown() }))
      .handler(eachRecord(() => undefined) as never)
    expect(await failureOf(invoke(handler as never, snsEvent(three)))).toBeInstanceOf(ConfigurationError)
  })
})
