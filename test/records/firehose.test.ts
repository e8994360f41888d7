// Transformations of Firehose: firehose() with eachRecord(), cases E51 to E57.
import middy from '@middy/core'
import httpErrorHandler from '@middy/http-error-handler'
import {
  ConfigurationError,
  type FirehoseOptions,
  type FirehoseRequest,
  InvalidEventError,
  MalformedJsonError,
  ResponseTooLargeError,
  UnidentifiedRecordError,
  eachRecord,
  firehose,
} from 'clearskies-middy'
import { type DescribedFirehoseRecord, firehoseEvent, invoke } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../support/failure-of.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

interface Entry {
  readonly recordId: string
  readonly result: string
  readonly data: string
}

interface Work {
  readonly records?: readonly DescribedFirehoseRecord[]
  readonly options?: FirehoseOptions
  readonly event?: unknown
}

const three = ['a', 'b', 'c'].map((recordId) => ({ recordId, data: { recordId } }))
const logger = new RecordingLogger()

/** The answer, with the data as text. */
async function transform(fn: (request: FirehoseRequest) => unknown, work: Work = {}): Promise<Entry[]> {
  const { records = three, options, event = firehoseEvent(records) } = work
  const handler = middy()
    .use(firehose({ logger, ...options }))
    .handler(eachRecord(fn, { logger }))
  const answer = await invoke<{ records: Entry[] }>(handler, event)
  return answer.records.map((entry) => ({ ...entry, data: Buffer.from(entry.data, 'base64').toString() }))
}

const ok = (recordId: string, data: string): Entry => ({ recordId, result: 'Ok', data })
const failed = (recordId: string): Entry => ({
  recordId,
  result: 'ProcessingFailed',
  data: `{"recordId":"${recordId}"}`,
})

describe('firehose(): what a function returns', () => {
  it.each<[string, unknown, string]>([
    ['an object', { n: 1 }, '{"n":1}\n'],
    ['a list', [1, 'é'], '[1,"é"]\n'],
    ['a text', 'é\t', 'é\t'],
    ['an empty text', '', ''],
    ['bytes', Buffer.from('bytes'), 'bytes'],
    ['a number', 0, '0\n'],
    ['false', false, 'false\n'],
    ['null', null, 'null\n'],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"\n'],
  ])('E51: %s becomes the data of its record', async (_, value, data) => {
    expect(await transform(() => value, { records: three.slice(0, 1) })).toEqual([ok('a', data)])
    expect(await transform(async () => Promise.resolve(value), { records: three.slice(0, 1) })).toEqual([
      ok('a', data),
    ])
  })

  it('E51: bytes stay bytes, whatever they are', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const handler = middy()
      .use(firehose({ body: 'bytes' }))
      .handler(eachRecord((request) => request.bytes()))
    const { records } = firehoseEvent([{ recordId: 'a', data: bytes }])
    expect(await invoke(handler, firehoseEvent([{ recordId: 'a', data: bytes }]))).toEqual({
      records: [{ recordId: 'a', result: 'Ok', data: records[0]?.data }],
    })
  })

  it('E51: nothing drops the record', async () => {
    const [entry] = await transform(() => undefined, { records: three.slice(0, 1) })
    expect(entry).toMatchObject({ recordId: 'a', result: 'Dropped' })
  })

  it.each([
    { result: 'Dropped', data: 'x' },
    { statusCode: 500 },
    { recordId: 'z', result: 'ProcessingFailed' },
    { records: [] },
    { batchItemFailures: [{ itemIdentifier: 'a' }] },
  ])('E52: %j is data as any other', async (value) => {
    expect(await transform(() => value, { records: three.slice(0, 1) })).toEqual([
      ok('a', `${JSON.stringify(value)}\n`),
    ])
  })

  it.each<[string, unknown]>([
    ['a bigint in an object', { n: 1n }],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
  ])('E53: %s is no data and fails its record alone', async (_, value) => {
    const fn = ({ id }: FirehoseRequest): unknown => (id === 'b' ? value : id)
    expect(await transform(fn)).toEqual([ok('a', 'a'), failed('b'), ok('c', 'c')])
  })

  it('E53: a function that throws fails its record, with the data that came; the others are done', async () => {
    const fn = ({ id }: FirehoseRequest): string => {
      if (id === 'b') throw new Error('no b')
      return id
    }
    expect(await transform(fn)).toEqual([ok('a', 'a'), failed('b'), ok('c', 'c')])
    expect(logger.errors.at(-1)?.message).toBe('Record b failed')
  })

  it('E53: a record that is no JSON fails, its function is not called, and the log does not show it', async () => {
    const seen: string[] = []
    const fn = ({ id }: FirehoseRequest): string => {
      seen.push(id)
      return id
    }
    const records = [three[0]!, { recordId: 'b', data: '{"secret' }, three[2]!]
    expect(await transform(fn, { records })).toEqual([
      ok('a', 'a'),
      { recordId: 'b', result: 'ProcessingFailed', data: '{"secret' },
      ok('c', 'c'),
    ])
    expect(seen).toEqual(['a', 'c'])
    expect(logger.errors.at(-1)?.details).toBeInstanceOf(MalformedJsonError)
    expect(JSON.stringify(logger.errors)).not.toContain('secret')
  })

  it('E54: the answer is in the order of the event, whichever record ends first', async () => {
    const gates = new Map(three.map(({ recordId }) => [recordId, Promise.withResolvers<void>()]))
    const fn = async ({ id }: FirehoseRequest): Promise<string> => {
      if (id === 'c') gates.get('b')?.resolve()
      else await gates.get(id)?.promise
      if (id === 'b') gates.get('a')?.resolve()
      return id
    }
    expect(await transform(fn)).toEqual([ok('a', 'a'), ok('b', 'b'), ok('c', 'c')])
  })

  it('E56: an answer that Lambda would not deliver fails the invocation with its size', async () => {
    const half = 'x'.repeat(3_000_000)
    expect(await transform(() => half, { records: three.slice(0, 1) })).toHaveLength(1)
    const failure = await failureOf(transform(() => half))
    expect(failure).toBeInstanceOf(ResponseTooLargeError)
    expect(String(failure)).toMatch(/12000\d{3} bytes, and at most 6291556/)
  })

  it('E57: a record that comes from Kafka is read and answered under its own name', async () => {
    const event = firehoseEvent(three, { fromKafka: true })
    const handler = middy()
      .use(firehose({ logger }))
      .handler(
        eachRecord(({ data, id }) => {
          if (id === 'b') throw new Error('no b')
          return id === 'a' ? data : undefined
        }),
      )
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    expect(await invoke(handler, event)).toEqual({
      records: [
        { recordId: 'a', result: 'Ok', kafkaRecordValue: base64('{"recordId":"a"}\n') },
        { recordId: 'b', result: 'ProcessingFailed', kafkaRecordValue: base64('{"recordId":"b"}') },
        { recordId: 'c', result: 'Dropped', kafkaRecordValue: base64('{"recordId":"c"}') },
      ],
    })
  })
})

describe('firehose(): a record as a request', () => {
  it.each<[NonNullable<FirehoseOptions['body']>, unknown]>([
    ['json', { recordId: 'a' }],
    ['text', '{"recordId":"a"}'],
    ['bytes', Buffer.from('{"recordId":"a"}')],
    [(bytes: Uint8Array, { recordId }) => Promise.resolve([bytes.length, recordId]), [16, 'a']],
  ])('the option body says what the data is: %s', async (body, data) => {
    const seen: unknown[] = []
    await transform((request) => seen.push(request.data), { records: three.slice(0, 1), options: { body } })
    expect(seen).toEqual([data])
  })

  it('has its id and time, and the event is not changed', async () => {
    const event = firehoseEvent(three)
    const before = structuredClone(event)
    const seen: unknown[] = []
    await transform(
      ({ kind, source, id, recordId, arrivedAt }) => seen.push([kind, source, id, recordId, arrivedAt]),
      { event },
    )
    expect(seen[0]).toEqual(['firehose', 'firehose', 'a', 'a', new Date(1_773_100_000_000)])
    expect(event).toEqual(before)
  })
})

describe('firehose(): a batch that was not worked', () => {
  const broken = { before: () => Promise.reject(new Error('gone')) }
  const handlerOf = (...middlewares: readonly middy.MiddlewareObj[]): never =>
    middy()
      .use(middlewares as middy.MiddlewareObj[])
      .handler(eachRecord(() => 1) as never) as never

  it('fails the invocation, so that Firehose tries again', async () => {
    for (const chain of [
      handlerOf(firehose() as middy.MiddlewareObj, broken),
      handlerOf(
        httpErrorHandler({ logger: false }) as middy.MiddlewareObj,
        firehose() as middy.MiddlewareObj,
        broken,
      ),
    ])
      expect(await failureOf(invoke(chain, firehoseEvent(three)))).toEqual(new Error('gone'))
  })

  it('fails the invocation where a middleware answers early', async () => {
    const early = { before: () => ({ statusCode: 200 }) }
    const failure = await failureOf(
      invoke(handlerOf(firehose() as middy.MiddlewareObj, early), firehoseEvent(three)),
    )
    expect(failure).toBeInstanceOf(ConfigurationError)
  })

  it('a handler may answer by itself, if every id is there once', async () => {
    const answer = (...ids: readonly string[]) => ({
      records: ids.map((recordId) => ({ recordId, result: 'Dropped' })),
    })
    const chain = (value: unknown) =>
      middy()
        .use(firehose())
        .handler(() => value)
    expect(await invoke(chain(answer('c', 'a', 'b')), firehoseEvent(three))).toEqual(answer('c', 'a', 'b'))
    for (const value of [
      answer('a', 'b'),
      answer('a', 'b', 'b'),
      answer('a', 'b', 'z'),
      { records: null },
      undefined,
    ])
      expect(await failureOf(invoke(chain(value), firehoseEvent(three)))).toBeInstanceOf(ConfigurationError)
  })

  it('a record without an id fails the invocation', async () => {
    const { records, ...event } = firehoseEvent(three)
    for (const none of [null, {}, { data: '' }, { recordId: 7, data: 'e30=' }])
      expect(
        await failureOf(transform(() => 1, { event: { ...event, records: [...records, none] } })),
      ).toBeInstanceOf(UnidentifiedRecordError)
  })

  it('of no records is answered with none', async () => {
    expect(await transform(() => 1, { records: [] })).toEqual([])
  })

  it('an event of another source is refused', async () => {
    const failure = await failureOf(transform(() => 1, { event: { order: 7 } }))
    expect(failure).toBeInstanceOf(InvalidEventError)
  })
})
