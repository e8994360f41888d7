// What a WebSocket API gets when something fails, and what the log has of it.
import middy from '@middy/core'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { model } from 'clearskies-middy/backends/model'
import { type WebSocketRequest, webSocket } from 'clearskies-middy'
import { albEvent, invoke, webSocketEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../support/engines.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

const engine = useSqs()
const event = webSocketEvent({ body: 'x' })

async function answered(handler: () => unknown, more: middy.MiddlewareObj = { after: () => undefined }) {
  const logger = new RecordingLogger()
  const chain = middy()
    .use(webSocket({ logger }))
    .use(more as middy.MiddlewareObj<WebSocketRequest>)
    .handler(handler)
  return { result: await invoke<{ statusCode: number; body?: string }>(chain, event), logger }
}

function failing(error: unknown) {
  return (): never => {
    throw error
  }
}

describe('a message whose handler fails', () => {
  it('is told by its route and its connection', async () => {
    const error = new Error('x')
    const { result, logger } = await answered(failing(error))
    const { connectionId } = event.requestContext
    expect(result.statusCode).toBe(500)
    expect(logger.errors).toEqual([
      { message: `$default failed (connection ${connectionId})`, details: error },
    ])
  })

  it.each<[string, unknown, number]>([
    [
      'an error that has a status, like those of HTTP clients',
      Object.assign(new Error('x'), { statusCode: 201 }),
      500,
    ],
    ['text', 'no', 500],
    ['a response', { statusCode: 418, body: 'tea' }, 418],
  ])('with %s is answered', async (_, error, status) => {
    expect((await answered(failing(error))).result.statusCode).toBe(status)
  })

  it('has the answer of another middleware, if one has made it', async () => {
    const onError = (request: { response: unknown }): void => {
      request.response = { statusCode: 409, body: 'theirs' }
    }
    const { result, logger } = await answered(failing(new Error('x')), { onError } as never)
    expect([result, logger.errors]).toEqual([{ statusCode: 409, body: 'theirs' }, []])
  })
})

describe('a message to a queue that nobody awaits', () => {
  const schema = z.object({ n: z.number() })
  const send = (name: string): void => {
    void new SqsBackend(model({ name, schema }), { client: engine.client }).create({ n: 1 })
  }
  const nowhere = () => `${engine.server.address}/000000000000/nowhere`

  it.each(['by an answer', 'by an error'])('fails the message where it is lost, followed %s', async (how) => {
    const { result, logger } = await answered(() => {
      send(nowhere())
      if (how === 'by an error') throw new Error('mine')
      return 'done'
    })
    expect(result.statusCode).toBe(500)
    expect(logger.errors.map(({ details }) => (details as Error).name)).toEqual(['SqsSendError'])
  })

  it('is waited for where it arrives', async () => {
    const url = engine.createQueue('web-socket')
    const { result } = await answered(() => {
      send(url)
      return 'done'
    })
    expect(result).toEqual({ statusCode: 200, body: 'done' })
    expect(engine.server.inspectQueue('web-socket')?.messages.ready).toHaveLength(1)
  })
})

it('an event of another source is an error of the invocation, which no answer hides', async () => {
  const chain = middy()
    .use(webSocket({ logger: new RecordingLogger() }))
    .handler(() => 'never')
  await expect(invoke(chain, albEvent())).rejects.toMatchObject({
    name: 'InvalidEventError',
    message: expect.stringContaining('webSocket() takes WebSocket') as string,
  })
  expect(() => webSocket({ loger: 1 } as never)).toThrow('webSocket()')
})
