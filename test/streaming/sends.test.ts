// What is sent while a response streams is acknowledged before the stream ends. Against a real queue.
import middy from '@middy/core'
import { respond } from 'clearskies-middy'
import { SqsSendError } from 'clearskies-middy/errors'
import { backends } from 'clearskies-middy/middleware/backends'
import { nodeHttp } from 'clearskies-middy/normalizers/node-http'
import { serve } from 'clearskies-middy/serve'
import { lambdaContext } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { useSqs } from '../support/engines.ts'
import { gatedQueue } from '../support/gated-queue.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { Wire, readWire, streamingSources } from '../support/streamed.ts'

const engine = useSqs()
type Queue = ReturnType<typeof gatedQueue>['backend']

/** Sends one message that nobody awaits, in the middle of a stream. */
function sendsInside(queue: Queue) {
  return respond.stream(
    (async function* () {
      yield 'first,'
      void queue.create({ id: '7' })
      yield 'second'
    })(),
  )
}

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

describe.each(streamingSources)('a stream that sends, $name', (source) => {
  it('P9: the stream ends when the message is acknowledged', async () => {
    const { backend, gate, reached, state } = gatedQueue(engine)
    const wire = new Wire()
    const handler = source.chain(
      () => sendsInside(backend),
      new RecordingLogger(),
      backends({ queue: backend }),
    )
    const running = handler(source.event(), wire, lambdaContext()) as Promise<unknown>
    await reached.promise
    await turns()
    expect([readWire(Buffer.concat(wire.chunks)).bytes.toString(), wire.writableEnded]).toEqual([
      'first,second',
      false,
    ])
    gate.resolve(undefined)
    await running
    expect([wire.writableFinished, state.acknowledged]).toEqual([true, 1])
  })

  it('P9: a message that fails unawaited breaks the stream off, and the log has the error', async () => {
    const { backend, gate } = gatedQueue(engine, false)
    gate.resolve(undefined)
    const wire = new Wire()
    const logger = new RecordingLogger()
    const handler = source.chain(() => sendsInside(backend), logger, backends({ queue: backend }))
    await expect(handler(source.event(), wire, lambdaContext())).rejects.toThrow(SqsSendError)
    expect(wire.writableFinished).toBe(false)
    expect(logger.errors).toMatchObject([{ details: { name: 'SqsSendError' } }])
  })

  it('P9: a message of a stream whose reader has left is waited for, and its failure is logged', async () => {
    const { backend, gate, reached } = gatedQueue(engine, false)
    const logged = Promise.withResolvers<unknown>()
    const logger = new RecordingLogger()
    logger.error = (_, details) => {
      logged.resolve(details)
    }
    const wire = new Wire()
    const handler = source.chain(() => sendsInside(backend), logger, backends({ queue: backend }))
    const running = handler(source.event(), wire, lambdaContext()) as Promise<unknown>
    running.catch(() => undefined)
    await reached.promise
    wire.destroy()
    gate.resolve(undefined)
    expect(await logged.promise).toBeInstanceOf(SqsSendError)
  })
})

describe('a stream that sends, serve()', () => {
  async function served(exists: boolean) {
    const queue = gatedQueue(engine, exists)
    const logger = new RecordingLogger()
    const chain = middy()
      .use(nodeHttp({ logger }))
      .use(backends({ queue: queue.backend }))
      .handler(() => sendsInside(queue.backend))
    return { ...queue, logger, server: await serve(chain, { port: 0, host: '127.0.0.1', logger }) }
  }

  it('P9: the response ends when the message is acknowledged', async () => {
    const { gate, reached, state, server } = await served(true)
    await using _ = server
    const response = await fetch(server.url)
    const text = response.text().then((value) => ({ value, acknowledged: state.acknowledged }))
    await reached.promise
    await turns()
    gate.resolve(undefined)
    expect(await text).toEqual({ value: 'first,second', acknowledged: 1 })
  })

  it('P9: a message that fails unawaited breaks the response off', async () => {
    const { gate, server, logger } = await served(false)
    await using _ = server
    gate.resolve(undefined)
    const response = await fetch(server.url)
    await expect(response.text()).rejects.toThrow()
    expect(logger.errors).toMatchObject([{ details: { name: 'SqsSendError' } }])
  })

  it('P9: with fifty responses beside each other each waits for its own message', async () => {
    const { gate, server, state } = await served(true)
    await using _ = server
    gate.resolve(undefined)
    const texts = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(server.url)).text()))
    expect([new Set(texts), state.acknowledged]).toEqual([new Set(['first,second']), 50])
  })
})
