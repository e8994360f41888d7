// Kinesis data streams: kinesis() with eachRecord(), cases E24 to E32 and E17.
import { gunzipSync, gzipSync } from 'node:zlib'
import middy from '@middy/core'
import {
  type EachRecordOptions,
  InvalidEventError,
  type KinesisOptions,
  type KinesisRequest,
  MalformedJsonError,
  UnidentifiedRecordError,
  eachRecord,
  kinesis,
} from 'clearskies-middy'
import { invoke, kinesisEvent, lambdaContext } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../support/failure-of.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

const quiet = { error() {}, warn() {} }

interface Work {
  readonly fn?: (request: KinesisRequest) => unknown
  readonly options?: EachRecordOptions<KinesisRequest>
  readonly kinesisOptions?: KinesisOptions
}

/** A batch that was worked: its answer, what was called, failed and skipped, by the records' data. */
async function work(event: unknown, { fn = () => undefined, options, kinesisOptions }: Work = {}) {
  const called: unknown[] = []
  const failed: unknown[] = []
  const skipped: unknown[] = []
  const handler = middy()
    .use(kinesis({ logger: quiet, ...kinesisOptions }))
    .handler(
      eachRecord(
        (request) => {
          called.push(request.data)
          return fn(request)
        },
        {
          logger: quiet,
          onFailure: (_, request) => failed.push(request.sequenceNumber),
          onSkip: (request) => skipped.push(request.data),
          ...options,
        },
      ),
    )
  const answer = await invoke<{ batchItemFailures: { itemIdentifier: string }[] }>(handler, event)
  return {
    answer: answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
    called,
    failed,
    skipped,
  }
}

/** Records of these keys; each has its place in the list as its data and as its number. */
const ofKeys = (...keys: readonly string[]) =>
  kinesisEvent(
    keys.map((partitionKey, index) => ({ partitionKey, data: index, sequenceNumber: `100${index}` })),
  )

function throwFor(...failing: readonly unknown[]) {
  return ({ data }: KinesisRequest): void => {
    if (failing.includes(data)) throw new Error(`no ${String(data)}`)
  }
}

async function requestOf(event: unknown, kinesisOptions?: KinesisOptions): Promise<KinesisRequest> {
  const requests: KinesisRequest[] = []
  await work(event, { fn: (request) => requests.push(request), ...(kinesisOptions && { kinesisOptions }) })
  const [request] = requests
  if (request === undefined) throw new Error('There was no call')
  return request
}

describe('kinesis(): a record as a request', () => {
  it('E24: the time is in milliseconds, fraction included', async () => {
    const event = kinesisEvent([{ data: 1, partitionKey: 'customer-9' }])
    for (const [seconds, milliseconds] of [
      [1_796_450_828.91, 1_796_450_828_910],
      [1_545_084_650.987, 1_545_084_650_987],
      [1_773_100_000.001, 1_773_100_000_001],
      [1_773_100_000, 1_773_100_000_000],
    ] as const) {
      Object.assign(event.Records[0]?.kinesis ?? {}, { approximateArrivalTimestamp: seconds })
      expect((await requestOf(event)).arrivedAt).toEqual(new Date(milliseconds))
    }
  })

  it('E24: has the key, the number, the id and the ARN, which may be that of a consumer', async () => {
    const streamArn = 'arn:aws:kinesis:eu-north-1:111122223333:stream/clicks/consumer/fast:1796450828'
    const event = kinesisEvent([{ data: { n: 1 }, partitionKey: 'customer-9', sequenceNumber: '4967' }], {
      streamArn,
      shardId: 'shardId-000000000007',
    })
    const request = await requestOf(event)
    expect([request.kind, request.source, request.streamArn, request.partitionKey]).toEqual([
      'kinesis',
      'kinesis',
      streamArn,
      'customer-9',
    ])
    expect([request.sequenceNumber, request.id]).toEqual(['4967', 'shardId-000000000007:4967'])
    expect([request.text(), String(Buffer.from(request.bytes()))]).toEqual(['{"n":1}', '{"n":1}'])
    expect(request.raw).toEqual(event.Records[0])
  })

  it.each<[NonNullable<KinesisOptions['body']>, unknown]>([
    ['json', { n: 'é' }],
    ['text', '{"n":"é"}'],
    ['bytes', Buffer.from('{"n":"é"}')],
    [(bytes: Uint8Array, { eventName }) => [bytes.length, eventName], [10, 'aws:kinesis:record']],
    [(bytes: Uint8Array) => Promise.resolve(bytes.length), 10],
  ])('E30: the option body says what the data is: %s', async (body, data) => {
    expect((await requestOf(kinesisEvent([{ data: { n: 'é' } }]), { body })).data).toEqual(data)
  })

  it.each<[string, NonNullable<KinesisOptions['body']>]>([
    ['throws', (): unknown => JSON.parse('{')],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('E30: a body function that %s fails its record, and the function is not called', async (_, body) => {
    const event = ofKeys('a')
    const { answer, called } = await work(event, { kinesisOptions: { body } })
    expect([answer, called]).toEqual([['1000'], []])
  })

  it('E31: packed logs are read by a body function', async () => {
    const body = (bytes: Uint8Array): unknown => JSON.parse(gunzipSync(bytes).toString())
    const event = kinesisEvent([{ data: gzipSync('{"logEvents":[]}') }])
    expect((await requestOf(event, { body })).data).toEqual({ logEvents: [] })
  })

  it.each([
    ['no JSON', '{"secret'],
    ['aggregated by the producer library', Buffer.from('f3899ac20a0161', 'hex')],
    ['empty', ''],
  ])(
    'E29: data that is %s fails its record, its function is not called, and the log does not show it',
    async (_, data) => {
      const logger = new RecordingLogger()
      const event = kinesisEvent([
        { data: 1 },
        { data, partitionKey: 'b', sequenceNumber: '77' },
        { data: 3 },
      ])
      const { answer, called } = await work(event, { kinesisOptions: { logger } })
      expect(answer).toEqual(['77'])
      expect(called).toEqual([1, 3])
      expect(logger.errors[0]?.details).toBeInstanceOf(MalformedJsonError)
      expect(JSON.stringify(logger.errors)).not.toContain('secret')
    },
  )
})

describe('kinesis(): order, and where the stream goes on', () => {
  it('all done is an empty list', async () => {
    expect(await work(ofKeys('a', 'b', 'a'))).toEqual({
      answer: [],
      called: [0, 2, 1],
      failed: [],
      skipped: [],
    })
  })

  it.each([
    [
      'at once',
      (fail: () => void) => {
        fail()
      },
    ],
    [
      'later',
      async (fail: () => void) => {
        await Promise.resolve()
        fail()
      },
    ],
  ])(
    'E25: a failure %s stops its key, another key goes on, and the answer has its number alone',
    async (_, when) => {
      const fn = (request: KinesisRequest): unknown =>
        when(() => {
          throwFor(0)(request)
        })
      const { answer, called, failed, skipped } = await work(ofKeys('a', 'a', 'b'), { fn })
      expect(called).toEqual([0, 2])
      expect([answer, failed, skipped]).toEqual([['1000'], ['1000'], [1]])
    },
  )

  it('E26: of several failures the lowest number is listed, compared as whole numbers', async () => {
    const numbers = ['99999', '100000', '49671000000000000000000000000000000000000000000000000001', '9']
    const event = kinesisEvent(
      numbers.map((sequenceNumber, index) => ({ partitionKey: `k${index}`, data: index, sequenceNumber })),
    )
    for (const [failing, lowest] of [
      [[0, 1, 2, 3], '9'],
      [[1, 0], '99999'],
      [[2, 1], '100000'],
      [[2], numbers[2]],
    ] as const)
      expect((await work(event, { fn: throwFor(...failing) })).answer).toEqual([lowest])
  })

  it('E26: numbers that a double would take for one are two', async () => {
    const [low, high] = [
      '49671000000000000000000000000000000000000001',
      '49671000000000000000000000000000000000000002',
    ]
    const event = kinesisEvent([
      { partitionKey: 'a', data: 'high', sequenceNumber: high },
      { partitionKey: 'b', data: 'low', sequenceNumber: low },
    ])
    expect((await work(event, { fn: throwFor('high', 'low') })).answer).toEqual([low])
  })

  it('E27: what is not begun behind a failure comes again: it is not run, and onSkip tells', async () => {
    const event = ofKeys('a', 'b', 'c', 'd', 'c')
    const { answer, called, skipped } = await work(event, { fn: throwFor(1), options: { concurrency: 1 } })
    expect([answer, called, skipped]).toEqual([['1001'], [0, 1], [2, 4, 3]])
  })

  it('E27: what is in front of a failure is run, because it would not come again', async () => {
    const gate = Promise.withResolvers<void>()
    const fn = async ({ data }: KinesisRequest): Promise<void> => {
      if (data === 0) await gate.promise
      if (data === 1) {
        gate.resolve()
        throw new Error('no')
      }
    }
    const { answer, called } = await work(ofKeys('a', 'b', 'b'), { fn, options: { concurrency: 2 } })
    expect([answer, called]).toEqual([['1001'], [0, 1]])
    const later = await work(ofKeys('a', 'b', 'a', 'b'), {
      options: { concurrency: 2 },
      fn: async ({ data }) => {
        if (data === 3) throw new Error('no')
        if (data === 0) await new Promise(setImmediate)
      },
    })
    expect([later.answer, later.called]).toEqual([['1003'], [0, 1, 3, 2]])
  })

  it('E28: a slow record holds back its key, and no other', async () => {
    const gate = Promise.withResolvers<void>()
    const ended: unknown[] = []
    const fn = async ({ data }: KinesisRequest): Promise<void> => {
      if (data === 0) await gate.promise
      ended.push(data)
      if (ended.length === 2) gate.resolve()
    }
    await work(ofKeys('a', 'a', 'b', 'b'), { fn })
    expect(ended).toEqual([2, 3, 0, 1])
  })

  it('E32: when the time is up, the lowest number that is not done is listed, begun or not', async () => {
    const handler = middy()
      .use(kinesis({ logger: quiet }))
      .handler(
        eachRecord(
          ({ data, signal }) =>
            data === 1 ? new Promise((resolve) => signal.addEventListener('abort', resolve)) : undefined,
          { concurrency: 1, logger: quiet },
        ),
      )
    const answer = await invoke(handler, ofKeys('a', 'b', 'c'), lambdaContext({ timeout: 300 }))
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: '1001' }] })
  })
})

describe('kinesis(): hostile events', () => {
  it('E17: takes the list of a pipe, whose records are flat', async () => {
    const { Records } = ofKeys('a', 'b')
    const flat = Records.map(({ kinesis: payload, ...record }) => ({ ...payload, ...record }))
    const { answer, called } = await work(flat, { fn: throwFor(1) })
    expect([answer, called]).toEqual([['1001'], [0, 1]])
    const request = await requestOf(flat)
    expect([request.partitionKey, request.sequenceNumber, request.id]).toEqual([
      'a',
      '1000',
      'shardId-000000000000:1000',
    ])
    expect(request.arrivedAt).toEqual(new Date(1_773_100_000_000))
  })

  it('the event of a tumbling window is refused, and the message says why', async () => {
    const event = {
      ...ofKeys('a'),
      window: { start: 'x', end: 'y' },
      state: {},
      isFinalInvokeForWindow: false,
    }
    const failure = await failureOf(work(event))
    expect(failure).toBeInstanceOf(InvalidEventError)
    expect(String(failure)).toContain('tumbling window')
    expect((await work({ ...event, Records: [] })).answer).toEqual([])
  })

  it('a record that nothing can name fails the invocation, once the others have run', async () => {
    const { Records } = ofKeys('a', 'b')
    for (const none of [
      null,
      { eventSource: 'aws:kinesis' },
      { eventSource: 'aws:kinesis', kinesis: null },
    ]) {
      const called: unknown[] = []
      const failure = await failureOf(
        work({ Records: [Records[0], none, Records[1]] }, { fn: ({ data }) => called.push(data) }),
      )
      expect([failure, called]).toEqual([expect.any(UnidentifiedRecordError), [0, 1]])
    }
  })

  it('keys such as __proto__ are keys, and a number twice is listed once', async () => {
    const event = kinesisEvent(
      ['__proto__', 'constructor', '__proto__'].map((partitionKey, data) => ({
        partitionKey,
        data,
        sequenceNumber: '5',
      })),
    )
    const { answer, called } = await work(event, { fn: throwFor(0) })
    expect([answer, called]).toEqual([['5'], [0, 1]])
  })
})
