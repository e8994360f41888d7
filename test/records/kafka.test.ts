// Kafka, of MSK and of one's own: kafka() with eachRecord(), cases E17 and E40 to E50.
import middy from '@middy/core'
import {
  type EachRecordOptions,
  type KafkaOptions,
  type KafkaRequest,
  MalformedJsonError,
  UnidentifiedRecordError,
  eachRecord,
  kafka,
} from 'clearskies-middy'
import { type DescribedKafkaRecord, invoke, kafkaEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../support/failure-of.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

const quiet = { error() {}, warn() {} }

interface Work {
  readonly fn?: (request: KafkaRequest) => unknown
  readonly options?: EachRecordOptions<KafkaRequest>
  readonly kafkaOptions?: KafkaOptions
}

/** A batch that was worked: its answer, and the requests of the records whose function was called. */
async function work(event: unknown, { fn = () => undefined, options, kafkaOptions }: Work = {}) {
  const called: KafkaRequest[] = []
  const skipped: unknown[] = []
  const handler = middy()
    .use(kafka({ logger: quiet, ...kafkaOptions }))
    .handler(
      eachRecord(
        (request) => {
          called.push(request)
          return fn(request)
        },
        { logger: quiet, onSkip: ({ id }) => skipped.push(id), ...options },
      ),
    )
  const { batchItemFailures } = await invoke<{ batchItemFailures: { itemIdentifier: unknown }[] }>(
    handler,
    event,
  )
  return { answer: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), called, skipped }
}

async function requestOf(
  record: DescribedKafkaRecord,
  kafkaOptions: KafkaOptions = {},
): Promise<KafkaRequest> {
  const { called } = await work(kafkaEvent([record]), { kafkaOptions })
  return called[0]!
}

function throwFor(...ids: readonly string[]) {
  return ({ id }: KafkaRequest): void => {
    if (ids.includes(id)) throw new Error(`no ${id}`)
  }
}

/** The only record of an event, changed. */
function changed(members: object, record: DescribedKafkaRecord = { value: { n: 1 } }) {
  const event = kafkaEvent([record])
  Object.assign(Object.values(event.records)[0]?.[0] ?? {}, members)
  return event
}

describe('kafka(): a record as a request', () => {
  it('E40: the offset is a bigint on the request, and a number in the answer', async () => {
    const event = kafkaEvent([{ value: 1, offset: 2 ** 40 }])
    const { answer, called } = await work(event, { fn: () => Promise.reject(new Error('no')) })
    expect([called[0]?.offset, answer]).toEqual([2n ** 40n, [{ partition: 'orders-0', offset: 2 ** 40 }]])
  })

  it.each(['orders-eu', 'a-1', '-', 'x-', '__proto__', 'a.b_c-0', 'constructor'])(
    'E41: topic and partition of %s come from the record',
    async (topic) => {
      const event = kafkaEvent([{ topic, partition: 12, value: 1, offset: 5 }])
      const { answer, called } = await work(event, { fn: () => Promise.reject(new Error('no')) })
      expect([called[0]?.topic, called[0]?.partition]).toEqual([topic, 12])
      expect(answer).toEqual([{ partition: `${topic}-12`, offset: 5 }])
    },
  )

  it('E41: a partition and an offset may be digits', async () => {
    const { answer, called } = await work(changed({ partition: '3', offset: '815' }), {
      fn: () => Promise.reject(new Error('no')),
    })
    expect([called[0]?.partition, called[0]?.offset]).toEqual([3, 815n])
    expect(answer).toEqual([{ partition: 'orders-3', offset: 815 }])
  })

  it.each([{ value: null }, { value: undefined }])(
    'E44: a value of %j is a tombstone, and no body is read',
    async (none) => {
      const body = () => {
        throw new Error('It was read')
      }
      const { answer, called } = await work(changed(none), { kafkaOptions: { body } })
      expect([answer, called[0]?.isTombstone, called[0]?.data, called[0]?.bytes().length]).toEqual([
        [],
        true,
        undefined,
        0,
      ])
    },
  )

  it('E44: a value of no bytes is no tombstone', async () => {
    const request = await requestOf({ value: '' }, { body: 'text' })
    expect([request.isTombstone, request.data]).toEqual([false, ''])
  })

  it('E45: the bytes of headers are signed, and their text is UTF-8', async () => {
    const event = changed({ headers: [{ city: [77, -61, -68] }, { raw: [-1, 0, 127, -128] }] })
    const [request] = (await work(event)).called
    expect(request?.headers['city']).toBe('Mü')
    expect(request?.headerValues('raw').map((bytes) => [...bytes])).toEqual([[255, 0, 127, 128]])
  })

  it('E45: headers in base64 are taken, and those that are not signed', async () => {
    const event = changed({
      headers: [{ city: Buffer.from('Mü').toString('base64') }, { town: [77, 195, 188] }],
    })
    const [request] = (await work(event)).called
    expect({ ...request?.headers }).toEqual({ city: 'Mü', town: 'Mü' })
  })

  it('E46: a name that comes twice has its values in order, and the last is in the map', async () => {
    const request = await requestOf({ value: 1, headers: { trace: ['a', 'b'], other: 'c' } })
    expect(request.headerValues('trace').map((bytes) => [...bytes])).toEqual([[97], [98]])
    expect([request.headers['trace'], request.headers['other']]).toEqual(['b', 'c'])
    expect(request.headerValues('none')).toEqual([])
  })

  it('E46: names such as __proto__ are names', async () => {
    const event = changed({ headers: JSON.parse('[{"__proto__":[97]},{"constructor":[98]}]') as unknown })
    const [request] = (await work(event)).called
    expect(Object.getPrototypeOf(request?.headers)).toBeNull()
    expect(Object.entries(request?.headers ?? {})).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
    expect(request?.headerValues('toString')).toEqual([])
  })

  it.each([{ headers: null }, { headers: undefined }, { headers: [{ none: null }] }])(
    'E46: %j are no headers',
    async (none) => {
      const [request] = (await work(changed(none))).called
      expect([{ ...request?.headers }, request?.headerValues('none')]).toEqual([{}, []])
    },
  )

  it('E47: a key is text, and bytes where it is none; without one there is none', async () => {
    const bytes = new Uint8Array([0, 255, 254])
    expect((await requestOf({ value: 1, key: 'kéy' })).key).toBe('kéy')
    expect([...((await requestOf({ value: 1, key: bytes })).keyBytes() ?? [])]).toEqual([...bytes])
    for (const event of [kafkaEvent([{ value: 1 }]), changed({ key: null })]) {
      const [request] = (await work(event)).called
      expect([request?.key, request?.keyBytes()]).toEqual([undefined, undefined])
    }
    expect((await requestOf({ value: 1, key: '' })).key).toBe('')
  })

  it('E48: a value that is no JSON fails its record, its function is not called, and the log does not show it', async () => {
    const logger = new RecordingLogger()
    const { answer, called } = await work(kafkaEvent([{ value: '{"secret' }]), { kafkaOptions: { logger } })
    expect([answer, called]).toEqual([[{ partition: 'orders-0', offset: 815 }], []])
    expect(logger.errors[0]?.details).toBeInstanceOf(MalformedJsonError)
    expect(JSON.stringify(logger.errors)).not.toContain('secret')
  })

  it('E49: the id is topic, partition and offset', async () => {
    const request = await requestOf({
      value: { n: 1 },
      topic: 'orders-eu',
      partition: 2,
      offset: 9,
      timestamp: new Date(5),
    })
    const { kind, source, id, timestamp, data } = request
    expect([kind, source, id, timestamp, data]).toEqual([
      'kafka',
      'kafka',
      'orders-eu-2-9',
      new Date(5),
      { n: 1 },
    ])
  })

  it.each<[NonNullable<KafkaOptions['body']>, unknown]>([
    ['text', '{"n":1}'],
    ['bytes', Buffer.from('{"n":1}')],
    [(bytes: Uint8Array, { topic }) => Promise.resolve([bytes.length, topic]), [7, 'orders']],
  ])('the option body says what the data is: %s', async (body, data) => {
    expect((await requestOf({ value: { n: 1 } }, { body })).data).toEqual(data)
  })
})

describe('kafka(): order, and where a partition goes on', () => {
  const event = kafkaEvent([
    { value: 1, offset: 9 },
    { value: 2, offset: 10 },
    { value: 3, offset: 11 },
    { value: 4, partition: 1, offset: 100 },
    { value: 5, partition: 1, offset: 101 },
    { value: 6, topic: 'other', offset: 7 },
  ])

  it('E42: of a partition the lowest offset is listed, and each partition for itself', async () => {
    const { answer, skipped } = await work(event, {
      fn: throwFor('orders-0-10', 'orders-0-11', 'orders-1-100'),
    })
    expect(answer).toEqual([
      { partition: 'orders-0', offset: 10 },
      { partition: 'orders-1', offset: 100 },
    ])
    expect(skipped.toSorted()).toEqual(['orders-0-11', 'orders-1-101'])
  })

  it('E42: offsets are compared as numbers, in whatever order they come', async () => {
    const mixed = kafkaEvent([
      { value: 1, offset: 10 },
      { value: 2, offset: 9 },
    ])
    const { answer } = await work(mixed, { fn: throwFor('orders-0-9', 'orders-0-10') })
    expect(answer).toEqual([{ partition: 'orders-0', offset: 9 }])
  })

  it('E43: a record waits for its predecessor, and for no other partition', async () => {
    const gate = Promise.withResolvers<void>()
    const ended: string[] = []
    const fn = async ({ id }: KafkaRequest): Promise<void> => {
      if (id === 'orders-0-9') await gate.promise
      ended.push(id)
      if (id === 'other-0-7') gate.resolve()
    }
    await work(event, { fn })
    expect(ended.filter((id) => id.startsWith('orders-0'))).toEqual([
      'orders-0-9',
      'orders-0-10',
      'orders-0-11',
    ])
    expect(ended.indexOf('other-0-7')).toBeLessThan(ended.indexOf('orders-0-9'))
  })

  it("E50: a cluster of one's own is answered in the same way", async () => {
    const own = kafkaEvent([{ value: 1, offset: 1 }], { eventSource: 'SelfManagedKafka' })
    expect((await work(own, { fn: throwFor('orders-0-1') })).answer).toEqual([
      { partition: 'orders-0', offset: 1 },
    ])
  })

  it('E50: an answer of texts, which would repeat the whole batch, is none', async () => {
    const handlerOf = (batchItemFailures: unknown) =>
      middy()
        .use(kafka({ logger: quiet }))
        .handler(() => ({ batchItemFailures }))
    const good = [{ itemIdentifier: { offset: 10, partition: 'orders-0' } }]
    expect(await invoke(handlerOf(good), event)).toEqual({ batchItemFailures: good })
    const all = ['orders-0 9', 'orders-1 100', 'other-0 7']
    for (const wrong of [
      [{ itemIdentifier: 'orders-0-10' }],
      [{ itemIdentifier: { partition: 'orders-0', offset: 1 } }],
    ]) {
      const { batchItemFailures } = await invoke<{
        batchItemFailures: { itemIdentifier: { partition: string; offset: number } }[]
      }>(handlerOf(wrong), event)
      expect(
        batchItemFailures.map(({ itemIdentifier: { partition, offset } }) => `${partition} ${offset}`),
      ).toEqual(all)
    }
  })

  it.each(['aws:kafka', 'SelfManagedKafka'])(
    'E17: takes the list of a pipe of %s, whose partitions are texts',
    async (eventSource) => {
      const list = Object.entries(event.records).flatMap(([eventSourceKey, records]) =>
        records.map((record) => ({
          ...record,
          eventSource,
          eventSourceKey,
          partition: String(record.partition),
        })),
      )
      const { answer, called } = await work(list, { fn: throwFor('orders-1-101') })
      expect([answer, called.length]).toEqual([[{ partition: 'orders-1', offset: 101 }], 6])
    },
  )

  it('E2: an event of no records is done', async () => {
    for (const none of [{ records: {} }, { records: { 'orders-0': [] } }])
      expect((await work({ ...event, ...none })).answer).toEqual([])
    expect((await work([])).answer).toEqual([])
  })

  it.each([
    { offset: null },
    { offset: 1.5 },
    { offset: '9007199254740993' },
    { offset: -1 },
    { topic: null },
  ])('a record of %j cannot be named: where it fails, the whole batch comes again', async (members) => {
    const failing = work(changed(members), { fn: () => Promise.reject(new Error('no')) })
    expect(await failureOf(failing)).toBeInstanceOf(UnidentifiedRecordError)
  })

  it('records that are none fail the invocation, once the others have run', async () => {
    const called: string[] = []
    const { records } = event
    const hostile = { ...event, records: { ...records, 'x-0': [null], 'y-0': null } }
    expect(await failureOf(work(hostile, { fn: ({ id }) => called.push(id) }))).toBeInstanceOf(
      UnidentifiedRecordError,
    )
    expect(called).toHaveLength(6)
  })
})
