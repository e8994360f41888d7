import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import { InvalidDataError, SqsSendError, ValidationError, backends, model } from 'clearskies-middy'
import { SqsBackend, type SqsBackendOptions } from 'clearskies-middy/backends/sqs'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../../support/engines.ts'

const sqs = useSqs()
const schema = z.object({ id: z.string(), text: z.string().optional() })
type Message = z.infer<typeof schema>

let queues = 0

/** A queue of its own, a backend for it, and what was sent to it. */
function open(options: SqsBackendOptions<Message> = {}, suffix = '') {
  const name = `queue-${++queues}${suffix}`
  const url = sqs.createQueue(name, suffix === '' ? {} : { FifoQueue: 'true' })
  const requests: string[][] = []
  const client = {
    send(command: SendMessageBatchCommand) {
      requests.push((command.input.Entries ?? []).map(({ MessageBody = '' }) => MessageBody))
      return sqs.client.send(command)
    },
  }
  return {
    name,
    url,
    requests,
    backend: new SqsBackend(model({ name: url, schema }), { client, ...options }),
  }
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

describe('SqsBackend', () => {
  it('sends a message, and gives the data when it was acknowledged', async () => {
    const { url, backend } = open()
    expect(await backend.create({ id: '7', text: 'ż' })).toEqual({ id: '7', text: 'ż' })
    expect((await receive(url)).map(({ Body }) => Body)).toEqual(['{"id":"7","text":"ż"}'])
  })

  it('sends the creates of one tick in requests of ten', async () => {
    const { requests, backend } = open()
    await Promise.all(Array.from({ length: 25 }, (_, index) => backend.create({ id: String(index) })))
    expect(requests.map(({ length }) => length)).toEqual([10, 10, 5])
    expect(requests.flat()).toEqual(Array.from({ length: 25 }, (_, index) => `{"id":"${index}"}`))
  })

  it('sends several messages in their order, and gives their data in it', async () => {
    const { url, backend } = open()
    const list = [{ id: '7' }, { id: '8', text: 'a' }, { id: '7' }]
    expect(await backend.createMany(list)).toEqual(list)
    expect((await receive(url)).map(({ Body }) => Body)).toEqual(list.map((item) => JSON.stringify(item)))
  })

  it('sends and gives what the schema has made of the data', async () => {
    const { url } = open()
    const order = z.object({ id: z.coerce.string(), state: z.string().default('new') })
    const backend = new SqsBackend(model({ name: url, schema: order }), { client: sqs.client })
    expect(await backend.create({ id: 7 })).toEqual({ id: '7', state: 'new' })
    expect((await receive(url)).map(({ Body }) => Body)).toEqual(['{"id":"7","state":"new"}'])
  })

  it.each([
    [30, 30],
    [({ id }: Message) => Number(id), 7],
  ])('delays a message by %s seconds', async (delaySeconds, seconds) => {
    const { name, backend } = open({ delaySeconds })
    await backend.create({ id: '7' })
    const [message] = sqs.server.inspectQueue(name)?.messages.delayed ?? []
    expect((message?.delayUntil ?? 0) - (message?.sentTimestamp ?? 0)).toBe(seconds * 1000)
  })

  it.each([
    ['ordering', 'loose'],
    ['onGroupError', 'ignore'],
    ['onUnknown', 'resend'],
    ['maxInFlight', 0],
    ['linger', -1],
    ['delaySeconds', 901],
    ['groupId', 'a'],
    ['client', {}],
    ['groupid', () => 'a'],
  ])('refuses the option %s: %j when it is made', (name, value) => {
    expect(() => open({ [name]: value })).toThrow(TypeError)
    expect(() => open({ [name]: value })).toThrow(`"${name}"`)
  })

  it('sends group, deduplication id, delay and attributes', async () => {
    const { url, backend } = open(
      {
        groupId: ({ id }) => `group-${id}`,
        deduplicationId: ({ id }) => `once-${id}`,
        attributes: ({ id }) => ({ id, size: 5, bytes: new Uint8Array([1]) }),
      },
      '.fifo',
    )
    await Promise.all([backend.create({ id: '7' }), backend.create({ id: '7' })])
    const [message, ...others] = await receive(url)
    expect(others).toEqual([])
    expect(message?.Attributes).toMatchObject({ MessageGroupId: 'group-7', MessageDeduplicationId: 'once-7' })
    expect(message?.MessageAttributes).toMatchObject({
      id: { DataType: 'String', StringValue: '7' },
      size: { DataType: 'Number', StringValue: '5' },
      bytes: { DataType: 'Binary' },
    })
  })

  it('refuses here what SQS would refuse, and sends the rest', async () => {
    const { requests, backend } = open()
    const outcomes = await Promise.allSettled([
      backend.create({ id: 'good' }),
      backend.create({ id: 7 } as never),
      backend.create({ id: 'big', text: 'x'.repeat(1_048_576) }),
    ])
    expect(
      outcomes.map((outcome) =>
        outcome.status === 'rejected' ? (outcome.reason as Error).constructor : undefined,
      ),
    ).toEqual([undefined, ValidationError, InvalidDataError])
    expect(requests).toEqual([['{"id":"good"}']])
    await expect(open({}, '.fifo').backend.create({ id: '7' })).rejects.toThrow(
      'A FIFO queue needs a group id',
    )
  })

  it('rejects with the code of SQS, and without the body', async () => {
    const backend = new SqsBackend(model({ name: `${sqs.server.address}/000000000000/none`, schema }), {
      client: sqs.client,
    })
    const error = await backend.create({ id: 'hunter2' }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SqsSendError)
    expect((error as SqsSendError).code).toBe('QueueDoesNotExist')
    expect(String(error)).not.toContain('hunter2')
  })

  it('has sent everything before the response leaves, awaited or not', async () => {
    const { url, backend } = open()
    const handler = middy()
      .use(invocation())
      .use(backends({ orders: backend }))
      .handler((_, { backends: { orders } }) => {
        void orders.create({ id: '7' })
        return 'done'
      })
    expect(await invoke(handler, {})).toBe('done')
    expect(await receive(url)).toHaveLength(1)
  })
})
