import middy from '@middy/core'
import {
  ConfigurationError,
  InvalidDataError,
  PermanentFailureError,
  SqsFlushTimeoutError,
  SqsSendError,
  backends,
  model,
} from 'clearskies-middy'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { sqs as sqsSource } from 'clearskies-middy/normalizers/sqs'
import { invoke, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import type { SQSMessageAttribute } from 'aws-lambda'
import { describe, expect, it } from 'vitest'
import { queuePort } from '../../../src/aws/sqs.ts'
import { regionOfQueue } from '../../../src/clients/light/queue-region.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { type Item, items, reasonOf, schema, useFaultySqs } from '../../support/sqs-sending.ts'

const sqs = useFaultySqs()
const invalid = { Code: 'InvalidMessageContents', SenderFault: true } as const

/** A batch of so many records. */
const batchOf = (count: number) => sqsEvent(items(count).map((body) => ({ body, messageId: `m${body.id}` })))

/** A handler that calls a function per record. */
const worker = (fn: (item: Item) => unknown) =>
  middy()
    .use(sqsSource({ logger: new RecordingLogger() }))
    .handler(eachRecord(({ data }) => fn(data as Item)))

describe('before Lambda freezes', () => {
  it('sqs D6 a record is done when what it sent without waiting is acknowledged', async () => {
    const { backend, hold, ids } = await sqs.open()
    const { reached, release } = hold(1)
    let answered = false
    const answer = invoke(
      worker((item) => void backend.create(item)),
      batchOf(1),
    ).then((result) => {
      answered = true
      return result
    })
    await reached
    expect([answered, ids()]).toEqual([false, []])
    release()
    expect(await answer).toEqual({ batchItemFailures: [] })
    expect(ids()).toEqual(['0'])
  })

  it('sqs D6 a message that is not taken fails its record, and no other', async () => {
    const { backend, onSend, ids } = await sqs.open()
    onSend(({ entries }) => ({
      entries: new Map(
        entries.flatMap(({ MessageBody }, index) => (MessageBody === '{"id":"2"}' ? [[index, invalid]] : [])),
      ),
    }))
    const answer = await invoke(
      worker((item) => void backend.create(item)),
      batchOf(5),
    )
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm2' }] })
    expect(ids()).toEqual(['0', '1', '3', '4'])
  })

  it('sqs D6 an error that the record handles does not fail it', async () => {
    const { backend, onSend } = await sqs.open()
    onSend(() => ({ entries: new Map([[0, invalid]]) }))
    const answer = await invoke(
      worker(async (item) => {
        expect(await reasonOf(backend.create(item))).toBeInstanceOf(SqsSendError)
      }),
      batchOf(1),
    )
    expect(answer).toEqual({ batchItemFailures: [] })
  })

  it('sqs D6 records that run at once share requests', async () => {
    const { backend, proxy } = await sqs.open()
    await invoke(
      worker((item) => backend.create(item)),
      batchOf(10),
    )
    expect(proxy.sent.map(({ entries }) => entries.length)).toEqual([10])
  })

  it('sqs D6 an invocation fails when a message that nobody awaited is not taken', async () => {
    const { backend, onSend } = await sqs.open()
    onSend(() => ({ entries: new Map([[0, invalid]]) }))
    const handler = middy()
      .use(invocation())
      .use(backends({ orders: backend }))
      .handler((_, { backends: { orders } }) => void orders.create({ id: '7' }))
    expect(await reasonOf(invoke(handler, {}))).toMatchObject({ code: 'InvalidMessageContents' })
  })

  it('sqs D6 waits also for the rest of a createMany that has failed', async () => {
    const { backend, ids } = await sqs.open()
    const answer = await invoke(
      worker(() => void backend.createMany([{ id: 7 } as never, { id: '8' }])),
      batchOf(1),
    )
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] })
    expect(ids()).toEqual(['8'])
  })

  it('sqs D6 an invocation fails when the time does not suffice', async () => {
    const { backend, hold } = await sqs.open()
    const { release } = hold(1)
    const handler = middy()
      .use(invocation())
      .use(backends({ orders: backend }))
      .handler((_, { backends: { orders } }) => void orders.createMany(items(3)))
    const error = await reasonOf(invoke(handler, {}, lambdaContext({ timeout: 60 })))
    expect(error).toBeInstanceOf(SqsFlushTimeoutError)
    release()
    await backend.flush()
  })

  it('sqs D6 flush() waits for everything that is on its way', async () => {
    const { backend, ids } = await sqs.open()
    void backend.createMany(items(25))
    await backend.flush()
    expect(ids()).toHaveLength(25)
  })
})

describe('a dead-letter queue', () => {
  it('sqs C15 gets a record also where its attributes hold null', async () => {
    const { url, client, messages } = await sqs.open()
    const handler = middy()
      .use(sqsSource({ logger: new RecordingLogger() }))
      .handler(
        eachRecord(() => Promise.reject(new PermanentFailureError()), {
          client,
          deadLetter: { queueUrl: url },
        }),
      )
    const event = batchOf(1)
    const text = { dataType: 'String', stringValue: 'a', binaryValue: null } as unknown as SQSMessageAttribute
    Object.assign(event.Records[0]?.messageAttributes ?? {}, { text })
    expect(await invoke(handler, event)).toEqual({ batchItemFailures: [] })
    expect(messages()[0]?.messageAttributes['text']).toEqual({ DataType: 'String', StringValue: 'a' })
  })
})

describe('the queue’s address', () => {
  it.each([
    ['https://sqs.eu-central-1.amazonaws.com/123456789012/orders', 'eu-central-1'],
    ['https://sqs.us-gov-west-1.amazonaws.com/123456789012/orders', 'us-gov-west-1'],
    ['https://sqs.ap-southeast-10.amazonaws.com/123456789012/orders', 'ap-southeast-10'],
    ['https://sqs-fips.us-east-1.amazonaws.com/123456789012/orders', 'us-east-1'],
    ['https://sqs.cn-north-1.amazonaws.com.cn/123456789012/orders', 'cn-north-1'],
    ['https://sqs.cn-north-1.api.amazonwebservices.com.cn/123456789012/orders', 'cn-north-1'],
    ['https://sqs.eu-west-1.api.aws/123456789012/orders', 'eu-west-1'],
    ['https://sqs.us-iso-east-1.c2s.ic.gov/123456789012/orders', 'us-iso-east-1'],
    ['https://sqs.us-isob-east-1.sc2s.sgov.gov/123456789012/orders', 'us-isob-east-1'],
    ['https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/orders', 'eusc-de-east-1'],
    ['https://vpce-0ab1c-x9yz.sqs.us-east-1.vpce.amazonaws.com/123456789012/orders', 'us-east-1'],
    ['https://vpce-0ab1c-x9yz-us-east-1a.sqs.us-east-1.vpce.amazonaws.com/123456789012/orders', 'us-east-1'],
    ['https://eu-west-1.queue.amazonaws.com/123456789012/orders', 'eu-west-1'],
    ['https://cn-north-1.queue.amazonaws.com.cn/123456789012/orders', 'cn-north-1'],
    ['https://queue.amazonaws.com/123456789012/orders', 'us-east-1'],
    ['http://sqs.eu-west-1.localhost.localstack.cloud:4566/000000000000/orders', 'eu-west-1'],
    ['http://127.0.0.1:4566/000000000000/orders', undefined],
    ['http://localhost:4566/000000000000/sqs.eu-west-1.amazonaws.com', undefined],
    ['https://sqs.internal.example.com/orders', undefined],
    ['orders', undefined],
  ])('sqs D7 %s is in the region %s', (url, region) => {
    expect(regionOfQueue(url)).toBe(region)
  })

  it('sqs D7 one client is made per region, and signs for it', async () => {
    const [first, second, other] = await Promise.all(
      ['eu-west-1.amazonaws.com/1/a', 'eu-west-1.api.aws/1/b', 'eu-west-2.amazonaws.com/1/a'].map((rest) =>
        queuePort(`https://sqs.${rest}`, undefined).client(),
      ),
    )
    expect(second).toBe(first)
    expect(other).not.toBe(first)
    const region = (client: unknown) => (client as { config: { region(): Promise<string> } }).config.region()
    expect(await Promise.all([first, other].map(region))).toEqual(['eu-west-1', 'eu-west-2'])
  })

  it('sqs D7 is asked for when the first message is sent, and tells FIFO queues', async () => {
    const { url, client, ids } = await sqs.open({}, { fifo: true })
    let name = ''
    const backend = new SqsBackend(model({ name: () => name, schema }), { client })
    expect(await reasonOf(backend.create({ id: '7' }))).toBeInstanceOf(ConfigurationError)
    name = url
    expect(await reasonOf(backend.create({ id: '7' }))).toBeInstanceOf(InvalidDataError)
    expect(ids()).toEqual([])
  })

  it('sqs D7 a client that cannot be made is an error of its own, and is made anew the next time', async () => {
    const { url, client, ids } = await sqs.open()
    let calls = 0
    const backend = new SqsBackend(model({ name: url, schema }), {
      client: () => {
        if (calls++ === 0) throw new ConfigurationError('No client yet')
        return client
      },
    })
    expect(String(await reasonOf(backend.create({ id: '7' })))).toBe('ConfigurationError: No client yet')
    await backend.create({ id: '8' })
    expect(ids()).toEqual(['8'])
  })
})
