// What one call of a backend may say of its message, and what comes back.
import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import {
  ConfigurationError,
  InvalidDataError,
  PermanentFailureError,
  eachRecord,
  model,
  sqs as sqsSource,
} from 'clearskies-middy'
import { SqsBackend, type SqsBackendOptions } from 'clearskies-middy/backends/sqs'
import { invoke, poll, sqsEvent } from 'clearskies-middy/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../../support/engines.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'

const sqs = useSqs()
let queues = 0
afterEach(() => vi.unstubAllEnvs())

type Entries = NonNullable<SendMessageBatchCommand['input']['Entries']>

/** A queue of its own, a backend for it, and the entries that were sent. */
function open<TItem>(schema: z.ZodType<TItem>, options: SqsBackendOptions<TItem> = {}, suffix = '') {
  const url = sqs.createQueue(`options-${++queues}${suffix}`, suffix === '' ? {} : { FifoQueue: 'true' })
  const sent: Entries[number][] = []
  const client = {
    send(command: SendMessageBatchCommand) {
      sent.push(...(command.input.Entries ?? []))
      return sqs.client.send(command)
    },
  }
  return { url, sent, client, backend: new SqsBackend(model({ name: url, schema }), { client, ...options }) }
}

async function receive(QueueUrl: string) {
  const { Messages = [] } = await sqs.client.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    }),
  )
  return Messages
}

const order = z.object({ id: z.string() })

describe('the options of one message', () => {
  it('R24: delay, group and attributes of a call stand above those of the backend', async () => {
    const { sent, backend } = open(order, {
      groupId: () => 'all',
      delaySeconds: 5,
      attributes: ({ id }) => ({ id, size: 1 }),
    })
    await backend.create(
      { id: '7' },
      { delaySeconds: 0, groupId: 'mine', attributes: { size: 2, more: 'x' } },
    )
    await backend.createMany([{ id: '8' }], { delaySeconds: 9 })
    expect(sent).toMatchObject([
      {
        DelaySeconds: 0,
        MessageGroupId: 'mine',
        MessageAttributes: {
          id: { StringValue: '7' },
          size: { DataType: 'Number', StringValue: '2' },
          more: { StringValue: 'x' },
        },
      },
      { DelaySeconds: 9, MessageGroupId: 'all', MessageAttributes: { size: { StringValue: '1' } } },
    ])
  })

  it('R24: group and deduplication id of a call count on a FIFO queue', async () => {
    const { url, backend } = open(order, {}, '.fifo')
    const ids = { groupId: 'g', deduplicationId: 'd' }
    await Promise.all([backend.create({ id: '7' }, ids), backend.create({ id: '8' }, ids)])
    const messages = await receive(url)
    expect(messages.map(({ Body }) => Body)).toEqual(['{"id":"7"}'])
    expect(messages[0]?.Attributes).toMatchObject({ MessageGroupId: 'g', MessageDeduplicationId: 'd' })
  })

  it.each<[string, unknown, typeof TypeError | typeof InvalidDataError]>([
    ['an unknown one', { delay: 5 }, TypeError],
    ['a group id that is no text', { groupId: 7 }, TypeError],
    ['attributes that are none', { attributes: null }, TypeError],
    ['a number', 7, TypeError],
    ['null', null, TypeError],
    ['a delay out of range', { delaySeconds: 901 }, InvalidDataError],
    ['an id for deduplication on a standard queue', { deduplicationId: 'd' }, InvalidDataError],
  ])('R24: %s is refused, and nothing is sent', async (_, options, kind) => {
    const { sent, backend } = open(order)
    await expect(backend.create({ id: '7' }, options as never)).rejects.toBeInstanceOf(kind)
    await expect(backend.send({ id: '7' }, options as never)).rejects.toBeInstanceOf(kind)
    await expect(backend.createMany([{ id: '7' }], options as never)).rejects.toBeInstanceOf(
      typeof options === 'object' && options !== null && 'deduplicationId' in options ? TypeError : kind,
    )
    expect(sent).toEqual([])
  })
})

describe('send()', () => {
  it('R24: gives the ids that SQS has given to the message', async () => {
    const { url, backend } = open(order, {}, '.fifo')
    const first = await backend.send({ id: '7' }, { groupId: 'g' })
    const [message] = await receive(url)
    expect(first).toEqual({
      data: { id: '7' },
      messageId: message?.MessageId,
      sequenceNumber: message?.Attributes?.['SequenceNumber'],
    })
    expect(first.sequenceNumber).toMatch(/^\d+$/)
  })

  it('R24: tells the messages of one request apart, and has no sequence number on a standard queue', async () => {
    const { url, backend } = open(order)
    const all = await Promise.all(['a', 'b', 'c'].map((id) => backend.send({ id })))
    const received = new Map((await receive(url)).map(({ MessageId, Body }) => [MessageId, Body]))
    expect(all.map(({ messageId }) => received.get(messageId))).toEqual(
      ['a', 'b', 'c'].map((id) => JSON.stringify({ id })),
    )
    expect(Object.keys(all[0]!)).toEqual(['data', 'messageId'])
  })
})

describe('the body of a message', () => {
  const text = z.string()

  it.each(['<xml/>', 'ż\t\r\n', '7', '"quoted"'])('R24: the text %j is sent as it is', async (data) => {
    const { url, backend } = open(text, { body: 'text' })
    expect(await backend.create(data)).toBe(data)
    expect((await receive(url))[0]?.Body).toBe(data)
  })

  it('R24: text may have characters of two halves', async () => {
    const bodies: unknown[] = []
    const send = ({ input: { Entries = [] } }: SendMessageBatchCommand): Promise<unknown> => {
      bodies.push(...Entries.map(({ MessageBody }) => MessageBody))
      return Promise.resolve({ Successful: Entries.map(({ Id }) => ({ Id, MessageId: Id })) })
    }
    const name = 'https://sqs.eu-central-1.amazonaws.com/1/orders'
    await new SqsBackend(model({ name, schema: text }), { client: { send }, body: 'text' }).create('😀')
    expect(bodies).toEqual(['😀'])
  })

  it('R24: bytes are sent in base64, and the consumer reads them', async () => {
    const { url, backend } = open(z.instanceof(Uint8Array), { body: 'base64' })
    const bytes = new Uint8Array([9, 0, 255, 128, 7]).subarray(1, 4)
    await backend.create(bytes)
    const read = Promise.withResolvers<unknown>()
    const worker = middy()
      .use(sqsSource({ body: (body) => new Uint8Array(Buffer.from(body, 'base64')) }))
      .handler(eachRecord(({ data }) => read.resolve(data)))
    await using _poller = poll(url, worker, { client: sqs.client })
    expect(await read.promise).toEqual(bytes)
  })

  it('R24: a function writes it', async () => {
    const { url, backend } = open(order, { body: ({ id }) => `<order id="${id}"/>` })
    expect(await backend.create({ id: '7' })).toEqual({ id: '7' })
    expect((await receive(url))[0]?.Body).toBe('<order id="7"/>')
  })

  it.each<[string, SqsBackendOptions['body'], unknown]>([
    ['an object as text', 'text', { id: '7' }],
    ['bytes as text', 'text', new Uint8Array([65])],
    ['text as bytes', 'base64', 'AQI='],
    ['bytes as JSON', 'json', new Uint8Array([65])],
    ['an empty text', 'text', ''],
    ['no bytes', 'base64', new Uint8Array()],
    ['a control character', 'text', 'a\u0000'],
    ['half a character', 'text', 'a\ud83d'],
    ['a character that SQS refuses', 'text', '\uffff'],
    ['what a function gives that is no text', (() => 7) as never, 'x'],
  ])('R24: %s is refused, and nothing is sent', async (_, body, data) => {
    const { sent, backend } = open(z.any(), body === undefined ? {} : { body })
    await expect(backend.create(data)).rejects.toBeInstanceOf(InvalidDataError)
    expect(sent).toEqual([])
  })
})

describe('message attributes with a type of their own', () => {
  it('R24: are sent with it, and read by what stands in front of the dot', async () => {
    const attributes = {
      json: { type: 'String.json', value: '{"a":1}' },
      int: { type: 'Number.int', value: 7 },
      long: { type: 'Number', value: '230.000000000000000001' },
      big: 12345678901234567890n,
      png: { type: 'Binary.png', value: new Uint8Array([1, 2]) },
    }
    const { url, sent, backend } = open(order, { attributes: () => attributes })
    await backend.create({ id: '7' })
    expect(sent[0]?.MessageAttributes).toEqual({
      json: { DataType: 'String.json', StringValue: '{"a":1}' },
      int: { DataType: 'Number.int', StringValue: '7' },
      long: { DataType: 'Number', StringValue: '230.000000000000000001' },
      big: { DataType: 'Number', StringValue: '12345678901234567890' },
      png: { DataType: 'Binary.png', BinaryValue: new Uint8Array([1, 2]) },
    })
    const read = Promise.withResolvers<unknown>()
    const worker = middy()
      .use(sqsSource())
      .handler(eachRecord(({ messageAttributes }) => read.resolve({ ...messageAttributes })))
    await using _poller = poll(url, worker, { client: sqs.client })
    expect(await read.promise).toEqual({
      json: '{"a":1}',
      int: 7,
      long: '230.000000000000000001',
      big: '12345678901234567890',
      png: Buffer.from([1, 2]),
    })
  })

  it.each<[string, unknown]>([
    ['another type', { type: 'Boolean', value: 'true' }],
    ['a type without a label', { type: 'String.', value: 'x' }],
    ['no type', { value: 'x' }],
    ['a number that is none', { type: 'Number.int', value: 'seven' }],
    ['an infinite number', { type: 'Number', value: Infinity }],
    ['a number as text', { type: 'String.json', value: 7 }],
    ['text as bytes', { type: 'Binary.png', value: 'x' }],
    ['bytes as text', { type: 'String', value: new Uint8Array([1]) }],
    ['an empty text', { type: 'String.json', value: '' }],
    ['a control character', 'a\u0007'],
    ['half a character', { type: 'String', value: '\udc00' }],
    ['null', null],
    ['a list', ['a']],
  ])('R24: %s is refused, and nothing is sent', async (_, attribute) => {
    const { sent, backend } = open(order, { attributes: () => ({ it: attribute }) as never })
    await expect(backend.create({ id: '7' })).rejects.toBeInstanceOf(InvalidDataError)
    expect(sent).toEqual([])
  })
})

describe('the trace of a message', () => {
  const ofRecord = 'Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1'
  const ofInvocation = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=3995c3f42cd8ad8a;Sampled=0'
  const traces = (sent: Entries): unknown[] =>
    sent.map(({ MessageSystemAttributes }) => MessageSystemAttributes?.AWSTraceHeader?.StringValue)

  function traced(...headers: (string | null | undefined)[]) {
    const event = sqsEvent(headers.map((_, index) => ({ body: { id: String(index) } })))
    for (const [index, AWSTraceHeader] of headers.entries())
      Object.assign(event.Records[index]!.attributes, { AWSTraceHeader })
    return event
  }

  it('R24: is that of the record that sends it, else that of the invocation', async () => {
    vi.stubEnv('_X_AMZN_TRACE_ID', ofInvocation)
    const { sent, backend } = open(order)
    const worker = middy()
      .use(sqsSource())
      .handler(eachRecord(({ data }) => void backend.create(data as { id: string })))
    expect(await invoke(worker, traced(ofRecord, undefined, null, ''))).toEqual({ batchItemFailures: [] })
    const byBody = new Map(sent.map((entry) => [entry.MessageBody, entry]))
    const inOrder = ['0', '1', '2', '3'].map((id) => byBody.get(JSON.stringify({ id }))!)
    expect(traces(inOrder)).toEqual([ofRecord, ofInvocation, ofInvocation, ofInvocation])
    // SQS knows no other type of it.
    expect(inOrder[0]?.MessageSystemAttributes?.AWSTraceHeader?.DataType).toBe('String')
  })

  it('R24: outside of a record it is that of the environment, and none without', async () => {
    const { sent, backend } = open(order)
    vi.stubEnv('_X_AMZN_TRACE_ID', ofInvocation)
    await backend.create({ id: '1' })
    vi.stubEnv('_X_AMZN_TRACE_ID', undefined)
    await backend.create({ id: '2' })
    vi.stubEnv('_X_AMZN_TRACE_ID', 'garbage')
    await backend.create({ id: '3' })
    expect(traces(sent)).toEqual([ofInvocation, undefined, undefined])
  })

  it('R24: stays with a record that is sent to the dead-letter queue', async () => {
    vi.stubEnv('_X_AMZN_TRACE_ID', ofInvocation)
    const { url, sent, client } = open(order)
    const worker = middy()
      .use(sqsSource({ logger: new RecordingLogger() }))
      .handler(
        eachRecord(() => Promise.reject(new PermanentFailureError()), {
          client,
          deadLetter: { queueUrl: url },
        }),
      )
    const event = traced(ofRecord, undefined)
    const attributes = {
      gone: null,
      bare: { dataType: 'String', stringValue: null },
      kept: { stringValue: 'x' },
    }
    Object.assign(event.Records[0]!, { messageAttributes: attributes })
    expect(await invoke(worker, event)).toEqual({ batchItemFailures: [] })
    expect(traces(sent)).toEqual([ofRecord, undefined])
    expect(Object.keys(sent[0]?.MessageAttributes ?? {})).toEqual([
      'kept',
      'failed-message-id',
      'failed-in-queue',
      'failure',
    ])
  })
})

describe('the queue of a backend', () => {
  it.each([
    'orders',
    'arn:aws:sqs:eu-central-1:123456789012:orders',
    'sqs.eu-central-1.amazonaws.com/123456789012/orders',
    'https://sqs.eu-central-1.amazonaws.com',
    'https://sqs.eu-central-1.amazonaws.com/',
    'ftp://sqs.eu-central-1.amazonaws.com/1/orders',
    'https://sqs.eu-central-1.amazonaws.com/1/my orders',
  ])('R21: %s is no URL of a queue, and nothing is sent there', async (name) => {
    const send = vi.fn()
    for (const given of [name, () => name]) {
      const backend = new SqsBackend(model({ name: given, schema: order }), { client: { send } })
      const error: unknown = await backend.create({ id: '7' }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(String(error)).toContain(`"${name}"`)
    }
    expect(() => eachRecord(() => undefined, { deadLetter: { queueUrl: name } })).toThrow('"deadLetter"')
    expect(() => poll(name, () => undefined, { client: { send } })).toThrow(ConfigurationError)
    expect(send).not.toHaveBeenCalled()
  })

  it('R21: an error of a send tells which queue it was', async () => {
    const url = `${sqs.server.address}/000000000000/nowhere`
    const backend = new SqsBackend(model({ name: url, schema: order }), { client: sqs.client })
    await expect(backend.create({ id: '7' })).rejects.toMatchObject({
      code: 'QueueDoesNotExist',
      queueUrl: url,
      message: `SQS did not take the message: QueueDoesNotExist; queue ${url}`,
    })
  })
})
