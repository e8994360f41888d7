// How work grows with what comes in one event: n and 4n records, up to what their sources send.
import middy from '@middy/core'
import {
  type Middleware,
  type RecordRequest,
  dynamodbStream,
  eachRecord,
  firehose,
  kafka,
  kinesis,
  logs,
  s3,
  sns,
  webSocket,
} from 'clearskies-middy'
import {
  type AnyHandler,
  dynamodbStreamEvent,
  firehoseEvent,
  kafkaEvent,
  kinesisEvent,
  lambdaContext,
  logsEvent,
  s3Event,
  snsEvent,
  webSocketEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { growsLinearly } from '../support/growth.ts'

const quiet = { error: () => undefined, warn: () => undefined }
const listOf = <T>(size: number, make: (index: number) => T): T[] =>
  Array.from({ length: size }, (_, at) => make(at))

/** The sources of records, and how many of them one invocation may get. */
const sources: readonly [string, Middleware<never>, (size: number) => object, number][] = [
  [
    'Kinesis, a key each',
    kinesis({ logger: quiet }),
    (n) => kinesisEvent(listOf(n, (id) => ({ data: { id }, partitionKey: `k${id}` }))),
    2500,
  ],
  [
    'Kinesis, one key',
    kinesis({ logger: quiet }),
    (n) => kinesisEvent(listOf(n, (id) => ({ data: { id }, partitionKey: 'k' }))),
    2500,
  ],
  [
    'DynamoDB',
    dynamodbStream({ logger: quiet }),
    (n) => dynamodbStreamEvent(listOf(n, (id) => ({ keys: { id }, newItem: { id, text: 'x' } }))),
    2500,
  ],
  [
    'Kafka, many partitions',
    kafka({ logger: quiet }),
    (n) => kafkaEvent(listOf(n, (id) => ({ value: { id }, partition: id % 100, offset: id }) as never)),
    2500,
  ],
  [
    'Firehose',
    firehose({ logger: quiet }),
    (n) => firehoseEvent(listOf(n, (id) => ({ data: { id } }))),
    2500,
  ],
  ['logs', logs({ logger: quiet }), (n) => logsEvent(listOf(n, (id) => ({ message: { id } }))), 2500],
  ['S3', s3({ logger: quiet }), (n) => s3Event(listOf(n, (id) => ({ key: `a b/${id}` }))), 250],
  ['SNS', sns({ logger: quiet }), (n) => snsEvent(listOf(n, (id) => ({ message: { id } }))), 250],
]

describe('the work grows with the number of records', () => {
  const modes = [
    ['all of which succeed', () => false],
    ['of which some fail', (id: string) => id.endsWith('7')],
  ] as const

  it.each(
    sources.flatMap(([name, ...source]) =>
      modes.map(([mode, fails]) => [name, mode, fails, ...source] as const),
    ),
  )('from %s, %s', async (_, __, fails, normalizer, event, size) => {
    let worked = 0
    const handler = middy()
      .use(normalizer as Middleware)
      .handler(
        eachRecord(({ data, id = '' }: RecordRequest) => {
          worked++
          if (fails(id)) throw new Error(`this one fails: ${typeof data}`)
        }) as never,
      ) as AnyHandler
    await growsLinearly((count) => {
      const made = event(count)
      return () => Promise.resolve(handler(made, lambdaContext())).catch(() => undefined)
    }, size)
    expect(worked).toBeGreaterThan(fails('7') ? 0 : size * 4)
  })

  it('with the headers of a record of Kafka', async () => {
    const handler = middy()
      .use(kafka())
      .handler(
        eachRecord(({ headers, headerValues }) => [Object.keys(headers).length, headerValues('h1').length]),
      )
    await growsLinearly((count) => {
      const [partition] = Object.entries(kafkaEvent([{ value: 1 }]).records)
      const headers = listOf(count, (at) => ({ [`h${at % 10}`]: [...Buffer.from(`v${at}`)] }))
      const [name = '', [record] = []] = partition ?? []
      const event = { eventSource: 'aws:kafka', records: { [name]: [{ ...record, headers }] } }
      return () => (handler as AnyHandler)(event, lambdaContext())
    }, 5000)
  })

  it('with a message of a WebSocket, of up to 128 KB', async () => {
    const handler = middy()
      .use(webSocket())
      .handler(({ data }) => ({ data }))
    await growsLinearly((count) => {
      const event = webSocketEvent({ body: listOf(count, String) })
      return () => (handler as AnyHandler)(event, lambdaContext())
    }, 4000)
  })
})
