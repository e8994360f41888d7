// A record is done when what it sent is acknowledged: its own sends, and no others. Against a real queue.
import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import { model } from 'clearskies-middy/backends/model'
import { type SendOrigin, SqsBackend, type SqsBackendOptions } from 'clearskies-middy/backends/sqs'
import { SqsFlushTimeoutError, SqsSendError } from 'clearskies-middy/errors'
import { backends } from 'clearskies-middy/middleware/backends'
import { type LooseContext, eachRecord } from 'clearskies-middy/normalizers/each-record'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import type { SqsRequest } from 'clearskies-middy/normalizers/sqs-request'
import { invoke, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import middy6 from 'middy-core-6'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../support/engines.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { listed, turns } from '../support/sqs-work.ts'

const engine = useSqs()
const schema = z.object({ id: z.string() })
type Message = z.infer<typeof schema>
let queues = 0

/** A queue, a backend for it, and the ids in each request to it. */
function open({ fifo = false, ...options }: SqsBackendOptions<Message> & { readonly fifo?: boolean } = {}) {
  const name = `sends-${++queues}${fifo ? '.fifo' : ''}`
  const url = engine.createQueue(name, fifo ? { FifoQueue: 'true' } : {})
  const requests: string[][] = []
  const client = {
    send(command: SendMessageBatchCommand) {
      const bodies = (command.input.Entries ?? []).map(({ MessageBody = '' }) => MessageBody)
      requests.push(bodies.map((body) => (JSON.parse(body) as Message).id))
      return engine.client.send(command)
    },
  }
  const queue = new SqsBackend(model({ name: url, schema }), { client, ...options })
  return { name, queue, requests, arrived: () => arrived(name) }
}

function arrived(name: string): string[] {
  const { ready } = engine.server.inspectQueue(name)!.messages
  return ready.map(({ body }) => (JSON.parse(body) as Message).id).toSorted()
}

/** Fails what is sent with some ids, as SQS does entry by entry. */
const failing = (...ids: readonly string[]) => ({
  async send(command: SendMessageBatchCommand) {
    const { Entries = [], QueueUrl } = command.input
    const isBad = (body = '') => ids.includes((JSON.parse(body) as Message).id)
    const good = Entries.filter(({ MessageBody }) => !isBad(MessageBody))
    const { SendMessageBatchCommand: Command } = await import('@aws-sdk/client-sqs')
    const { Successful } =
      good.length === 0 ? {} : await engine.client.send(new Command({ QueueUrl, Entries: good }))
    const Failed = Entries.filter(({ MessageBody }) => isBad(MessageBody)).map(({ Id }) => ({
      Id,
      Code: 'InvalidMessageContents',
      SenderFault: true,
    }))
    return { Successful, Failed }
  },
})

const ten = sqsEvent(Array.from({ length: 10 }, (_, index) => ({ messageId: `r${index}`, body: index })))
const ids = ten.Records.map(({ messageId }) => messageId)

const cores = [
  ['@middy/core 7', middy],
  ['@middy/core 6.4.5', middy6 as unknown as typeof middy],
] as const

type Backend = ReturnType<typeof open>['queue']

describe.each(cores)('on %s', (_, core) => {
  /** Works ten records; the function finds the queue in the context or knows it. */
  async function work(
    queue: Backend,
    fn: (request: SqsRequest, queue: Backend) => unknown,
    inContext = true,
  ) {
    const logger = new RecordingLogger()
    const chain = core().use(sqs({ logger }))
    if (inContext) chain.use(backends({ queue }) as never)
    const handler = chain.handler(
      eachRecord((request, context: LooseContext) =>
        fn(request, inContext ? (context['backends'] as { queue: Backend }).queue : queue),
      ),
    )
    return { failed: listed(await invoke(handler, ten)), logger }
  }

  const ways: [string, (queue: Backend, id: string) => unknown][] = [
    ['awaited', (queue, id) => queue.create({ id })],
    [
      'awaited inside',
      async (queue, id) => {
        await queue.create({ id })
      },
    ],
    ['not awaited', (queue, id) => void queue.create({ id })],
    [
      'not awaited, after a wait',
      async (queue, id) => {
        await turns(3)
        void queue.create({ id })
      },
    ],
    ['not awaited, as a list', (queue, id) => void queue.createMany([{ id }])],
  ]

  describe.each([true, false])('through the context: %s', (inContext) => {
    it.each(ways)('ten records with a create each, %s, make one call', async (_, create) => {
      const { queue, requests, arrived } = open()
      const { failed } = await work(queue, ({ messageId }, its) => create(its, messageId), inContext)
      expect([failed, requests, arrived()]).toEqual([[], [ids], ids])
    })

    it.each(ways)('a create that fails, %s, lists just its record', async (_, create) => {
      const { queue, arrived } = open({ client: failing('r3', 'r8') })
      const { failed, logger } = await work(queue, ({ messageId }, its) => create(its, messageId), inContext)
      expect([failed, arrived()]).toEqual([['r3', 'r8'], ids.filter((id) => id !== 'r3' && id !== 'r8')])
      expect(logger.errors.map(({ details }) => details)).toEqual([
        expect.any(SqsSendError),
        expect.any(SqsSendError),
      ])
    })
  })

  it('a record ends after its own sends, and does not wait for those of others', async () => {
    const gate = Promise.withResolvers<undefined>()
    const ended: string[] = []
    const { queue } = open({
      client: {
        async send(command: SendMessageBatchCommand) {
          const [entry] = command.input.Entries ?? []
          if (entry?.MessageBody === '{"id":"r0"}') await gate.promise
          return engine.client.send(command)
        },
      },
    })
    const handler = core()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(
        eachRecord(async ({ messageId }) => {
          // The first has a call of its own.
          if (messageId !== 'r0') await new Promise(setImmediate)
          void queue.create({ id: messageId })
        }),
      )
    // The last lets the first go: had any waited for another's, none would end.
    const last = ten.Records.at(-1)!
    const watched = core()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(
        eachRecord(
          (request) => {
            ended.push(request.messageId)
            if (request.messageId === last.messageId) gate.resolve(undefined)
          },
          { concurrency: 1 },
        ),
      )
    const first = invoke(handler, { Records: ten.Records.slice(0, 5) }).then(listed)
    await invoke(watched, ten)
    expect([await first, ended]).toEqual([[], ids])
  })

  it('what a record sends when it is done, in vain and unseen, ends the process', async () => {
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    const rejected = Promise.withResolvers<unknown>()
    process.once('unhandledRejection', rejected.resolve)
    const { queue } = open({ client: failing('late') })
    const { failed } = await work(queue, ({ messageId: id }, its) => {
      if (id === 'r3') setImmediate(() => void its.create({ id: 'late' }))
    })
    expect(failed).toEqual([])
    expect(await rejected.promise).toBeInstanceOf(SqsSendError)
    for (const listener of others) process.on('unhandledRejection', listener)
  })

  it('what a record awaits and catches does not fail it', async () => {
    const { queue } = open({ client: failing('r3') })
    const { failed } = await work(queue, ({ messageId: id }, its) =>
      its.create({ id }).catch(() => undefined),
    )
    expect(failed).toEqual([])
  })

  it('a create with data that fits no schema fails its record, not awaited, too', async () => {
    const { queue, arrived } = open()
    const { failed } = await work(queue, ({ messageId: id }, its) => {
      void its.create(id === 'r3' ? ({} as Message) : { id })
    })
    expect([failed, arrived()]).toEqual([['r3'], ids.filter((id) => id !== 'r3')])
  })

  it('a record that fails is listed, and what it sent before arrives all the same', async () => {
    const { queue, arrived } = open()
    const { failed, logger } = await work(queue, ({ messageId: id }, its) => {
      void its.create({ id })
      if (id === 'r3') throw new Error('own')
    })
    expect([failed, arrived()]).toEqual([['r3'], ids])
    expect(logger.errors[0]?.details).toEqual(new Error('own'))
  })

  it('a record that fails is not over before what it sent is acknowledged', async () => {
    const gate = Promise.withResolvers<undefined>()
    const sending = Promise.withResolvers<undefined>()
    const { queue } = open({
      client: {
        async send(command: SendMessageBatchCommand) {
          sending.resolve(undefined)
          await gate.promise
          return engine.client.send(command)
        },
      },
    })
    let isOver = false
    const handler = core()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(
        eachRecord(({ messageId: id }) => {
          void queue.create({ id })
          throw new Error('own')
        }),
      )
    const working = invoke(handler, { Records: ten.Records.slice(0, 1) }).finally(() => {
      isOver = true
    })
    await sending.promise
    await new Promise(setImmediate)
    expect(isOver).toBe(false)
    gate.resolve(undefined)
    expect(listed(await working)).toEqual(['r0'])
  })

  it("a record's own middlewares send for the record, with its origin", async () => {
    const origins: (SendOrigin | undefined)[] = []
    const { queue, arrived } = open({
      fifo: true,
      groupId: ({ id }) => id,
      deduplicationId: ({ id }, origin) => {
        origins.push(origin)
        return id
      },
    })
    const perRecord = core()
      .use(backends({ queue }))
      .before(({ context }) => void context.backends.queue.create({ id: 'early' }))
      .handler((async ({ messageId: id }: SqsRequest) => {
        await turns(1)
        void queue.create({ id })
      }) as never) as unknown as (request: SqsRequest, context: object) => unknown
    const handler = core()
      .use(sqs({ logger: new RecordingLogger() }))
      .handler(eachRecord(perRecord))
    const [record] = ten.Records
    expect(listed(await invoke(handler, { Records: [record] }))).toEqual([])
    expect(origins).toEqual([
      { messageId: 'r0', ordinal: 0 },
      { messageId: 'r0', ordinal: 1 },
    ])
    expect(arrived()).toEqual(['early', 'r0'])
  })

  it('what a middleware sends outside of any record, in vain, has the whole batch come again', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const bad = { client: failing('outside') }
    const sending = ({ context }: { context: { backends: { queue: Backend } } }): void => {
      void context.backends.queue.create({ id: 'outside' })
    }
    const invalid = ({ context }: { context: { backends: { queue: Backend } } }): void => {
      void context.backends.queue.create({} as Message)
    }
    const boom = (): never => {
      throw new Error('boom')
    }
    const middlewares: object[] = [
      { before: sending },
      { after: sending },
      { before: invalid },
      { before: sending, after: boom },
      { before: sending, after: () => 'early' },
      { before: sending, after: boom, onError: () => 'handled' },
      {
        before: sending,
        after: boom,
        onError: (request: { response: unknown }) => {
          request.response = 'handled'
        },
      },
    ]
    for (const middleware of middlewares) {
      const chain = core()
        .use(sqs({ logger: new RecordingLogger() }))
        .use(backends({ queue: open(bad).queue }))
      chain.use(middleware as never)
      const handler = chain.handler(eachRecord(() => undefined) as never)
      await expect(invoke(handler, ten)).rejects.toThrow(SqsSendError)
    }
    vi.restoreAllMocks()
  })

  /** A chain of sqs() and backends() with one middleware between and one behind. */
  function outside(queue: Backend, between: object, behind: object) {
    const chain = core().use(sqs({ logger: new RecordingLogger() }))
    chain.use(between as never)
    chain.use(backends({ queue }) as never)
    chain.use(behind as never)
    return chain.handler(eachRecord(() => undefined) as never)
  }
  const sending = ({ context }: { context: { backends: { queue: Backend } } }): void => {
    void context.backends.queue.create({ id: 'outside' })
  }

  it('an onError that returns a value does not hide what got lost outside of any record', async () => {
    const { queue } = open({ client: failing('outside') })
    const handler = outside(queue, { onError: () => 'handled' }, { before: sending })
    await expect(invoke(handler, ten)).rejects.toThrow(SqsSendError)
  })

  it('what is on its way outside of any record when the time is up has the whole batch come again', async () => {
    const gate = Promise.withResolvers<object>()
    const { queue } = open({ client: { send: () => gate.promise } })
    const handler = outside(queue, { after: () => undefined }, { before: sending })
    const context = { ...lambdaContext(), getRemainingTimeInMillis: () => 50 }
    await expect(invoke(handler, ten, context)).rejects.toThrow(new SqsFlushTimeoutError(0, 1))
    gate.resolve({ Successful: [{ Id: '0' }] })
  })
})
