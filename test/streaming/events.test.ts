import { once } from 'node:events'
import middy from '@middy/core'
import { InvalidResponseError, respond } from 'clearskies-middy'
import type { ServerSentEvent } from 'clearskies-middy/normalizers/respond'
import { nodeHttp } from 'clearskies-middy/normalizers/node-http'
import { serve } from 'clearskies-middy/serve'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { Wire, run, streamingSources } from '../support/streamed.ts'

afterEach(() => {
  vi.useRealTimers()
})

async function* events(...list: readonly ServerSentEvent[]) {
  for (const event of list) yield event
}

describe.each(streamingSources)('respond.events(), $name', (source) => {
  it.each<[string, ServerSentEvent, string]>([
    ['text', { data: 'hello' }, 'data: hello\n\n'],
    ['an object is JSON', { data: { a: [1] } }, 'data: {"a":[1]}\n\n'],
    ['several lines, whatever ends them', { data: 'a\nb\r\nc\rd' }, 'data: a\ndata: b\ndata: c\ndata: d\n\n'],
    ['empty text', { data: '' }, 'data: \n\n'],
    [
      'all fields',
      { data: 1, event: 'order', id: 7, retry: 500 },
      'event: order\nid: 7\nretry: 500\ndata: 1\n\n',
    ],
    ['no data', { id: '', retry: 0 }, 'id: \nretry: 0\n\n'],
  ])('P2: an event is written as the standard says: %s', async (_, event, expected) => {
    const { metadata, bytes } = await run(source, () => respond.events(events(event)))
    expect(bytes.toString()).toBe(expected)
    expect(metadata['headers']).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    })
  })

  it.each<[string, unknown]>([
    ['text', 'hello'],
    ['null', null],
    ['a name of two lines', { data: 1, event: 'a\nid: 9' }],
    ['an id with NUL', { data: 1, id: 'a\0' }],
    ['an id that is an object', { data: 1, id: {} }],
    ['a retry that is no whole number', { data: 1, retry: 1.5 }],
    ['a negative retry', { data: 1, retry: -1 }],
    ['data without JSON', { data: () => 1 }],
  ])('P6: what is no event breaks the stream off: %s', async (_, event) => {
    const wire = new Wire()
    const logger = new RecordingLogger()
    const running = run(source, () => respond.events(events({ data: 1 }, event as never)), { wire, logger })
    await expect(running).rejects.toThrow(InvalidResponseError)
    expect([wire.writableFinished, logger.errors.length]).toEqual([false, 1])
  })
})

describe('respond.events()', () => {
  it.each([0, -1, 90_000, Number.NaN, '5'])('keepAlive of %s is refused', (keepAlive) => {
    expect(() => respond.events(events(), { keepAlive: keepAlive as number })).toThrow(
      new InvalidResponseError('keepAlive is a number of seconds, above 0 and up to 86,400'),
    )
  })

  it('keepAlive is a day at most', () => {
    expect(() => respond.events(events(), { keepAlive: 86_400 })).not.toThrow()
  })

  it.each([
    ['text', 'a', 'a string'],
    ['null', null, 'null'],
    ['a list', ['a'], 'a list'],
    ['a function', () => events(), 'a function'],
  ])('%s is no stream', (_, nothing, named) => {
    for (const method of ['stream', 'events'] as const) {
      expect(() => respond[method](nothing as never)).toThrow(
        new InvalidResponseError(
          `respond.${method}() takes a stream or another async iterable, not ${named}`,
        ),
      )
    }
  })

  it('P2: after keepAlive seconds of silence a comment is sent, and the event that comes later is not lost', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const later = Promise.withResolvers<ServerSentEvent>()
    const { body } = respond.events(
      (async function* () {
        yield { data: 'first' }
        yield await later.promise
      })(),
      { keepAlive: 15 },
    )
    const text = (body as AsyncIterable<string>)[Symbol.asyncIterator]()
    expect((await text.next()).value).toBe('data: first\n\n')
    for (let round = 0; round < 3; round++) {
      const next = text.next()
      await vi.advanceTimersByTimeAsync(14_999)
      expect(vi.getTimerCount()).toBe(1)
      await vi.advanceTimersByTimeAsync(1)
      expect((await next).value).toBe(':\n\n')
    }
    const next = text.next()
    later.resolve({ data: 'later' })
    expect((await next).value).toBe('data: later\n\n')
    expect((await text.next()).done).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each(['a web stream', 'an iterator that is closed'])(
    'E88: the source is closed when the client leaves, even while an event is awaited: %s',
    async (kind) => {
      const closed = Promise.withResolvers<undefined>()
      const close = (): void => {
        closed.resolve(undefined)
      }
      const web = () =>
        new ReadableStream<ServerSentEvent>({
          start: (controller) => {
            controller.enqueue({ data: 'first' })
          },
          cancel: close,
        })
      const list = (): AsyncIterable<ServerSentEvent> => {
        let count = 0
        return {
          [Symbol.asyncIterator]: () => ({
            next: () =>
              count++ === 0
                ? Promise.resolve({ done: false, value: { data: 'first' } })
                : new Promise(() => undefined),
            return: async () => {
              close()
              return { done: true, value: undefined }
            },
          }),
        }
      }
      const chain = middy()
        .use(nodeHttp())
        .handler(() => respond.events(kind === 'a web stream' ? web() : list(), { keepAlive: 3600 }))
      await using server = await serve(chain, { port: 0, host: '127.0.0.1' })
      const controller = new AbortController()
      const response = await fetch(server.url, { signal: controller.signal })
      await response.body?.getReader().read()
      controller.abort()
      await closed.promise
    },
  )

  it('E88: a generator that waits by request.signal ends when the client leaves', async () => {
    const ended = Promise.withResolvers<undefined>()
    const chain = middy()
      .use(nodeHttp())
      .handler(({ signal }) =>
        respond.events(
          (async function* () {
            yield { data: 'first' }
            await once(signal, 'abort')
            ended.resolve(undefined)
          })(),
        ),
      )
    await using server = await serve(chain, { port: 0, host: '127.0.0.1' })
    const controller = new AbortController()
    const response = await fetch(server.url, { signal: controller.signal })
    await response.body?.getReader().read()
    controller.abort()
    await ended.promise
  })
})
