// Streams of an answer, piece by piece: events, sources and bytes.
import { Readable } from 'node:stream'
import { InvalidResponseError } from 'clearskies-middy'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import { httpApiEvent, lambdaContext } from 'clearskies-middy/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ignore } from '../../src/core/ignore.ts'
import { bodyStream, discard } from '../../src/normalizers/http/body-stream.ts'
import { EventText, type ServerSentEvent } from '../../src/normalizers/http/server-sent-events.ts'
import { readerOf } from '../../src/normalizers/http/source-reader.ts'
import { checkStreaming, whyBuffered } from '../../src/normalizers/http/streaming.ts'
import { pieces } from '../support/streamed.ts'

describe('events as text', () => {
  const textOf = async (...events: readonly unknown[]): Promise<string[]> => {
    const texts: string[] = []
    for await (const text of new EventText(pieces(...events) as AsyncIterable<ServerSentEvent>, undefined))
      texts.push(text)
    return texts
  }

  it('have a line for each field, and for each line of data', async () => {
    expect(
      await textOf({ data: 'a\r\nb\rc\nd', event: 'tick', id: 7, retry: 0 }, {}, { data: { a: 1 } }),
    ).toEqual([
      'event: tick\nid: 7\nretry: 0\ndata: a\ndata: b\ndata: c\ndata: d\n\n',
      '\n',
      'data: {"a":1}\n\n',
    ])
  })

  it.each<[unknown, string]>([
    ['text', 'An event is an object with data, and this is a string'],
    [null, 'An event is an object with data, and this is null'],
    [{ event: 'a\nb' }, "An event's event is one line of text"],
    [{ event: {} }, "An event's event is one line of text"],
    [{ id: 'a\0' }, "An event's id is one line of text"],
    [{ id: 'a\rb' }, "An event's id is one line of text"],
    [{ data: ignore }, "An event's data cannot be a function"],
    [{ retry: -1 }, "An event's retry is a whole number of milliseconds"],
    [{ retry: 1.5 }, "An event's retry is a whole number of milliseconds"],
    [{ retry: '1' }, "An event's retry is a whole number of milliseconds"],
  ])('%o is refused', async (event, message) => {
    await expect(textOf(event)).rejects.toThrow(new InvalidResponseError(message))
  })

  describe('in silence', () => {
    beforeEach(() => {
      vi.useFakeTimers()
    })
    afterEach(() => {
      vi.useRealTimers()
    })

    const quiet = (keepAlive: number | undefined) => {
      const source = Promise.withResolvers<ServerSentEvent>()
      async function* events() {
        yield await source.promise
      }
      return { text: new EventText(events(), keepAlive), source }
    }

    it('have a comment after each span, and then what was waited for', async () => {
      const { text, source } = quiet(5)
      for (let count = 0; count < 2; count++) {
        const next = text.next()
        await vi.advanceTimersByTimeAsync(5000)
        expect(await next).toEqual({ done: false, value: ':\n\n' })
      }
      const last = text.next()
      source.resolve({ data: 'x' })
      expect(await last).toEqual({ done: false, value: 'data: x\n\n' })
      expect(await text.next()).toEqual({ done: true, value: undefined })
      expect(vi.getTimerCount()).toBe(0)
    })

    it('wait without a timer where nobody asked for comments', async () => {
      const { text, source } = quiet(undefined)
      const next = text.next()
      expect(vi.getTimerCount()).toBe(0)
      source.resolve({ data: 'x' })
      expect(await next).toEqual({ done: false, value: 'data: x\n\n' })
    })

    it('leave no timer when they are closed', async () => {
      let isCancelled = false
      const source = new ReadableStream<ServerSentEvent>({
        cancel() {
          isCancelled = true
        },
      })
      const text = new EventText(source, 5)
      const next = text.next()
      await Promise.resolve()
      expect(vi.getTimerCount()).toBe(1)
      expect(await text.return()).toEqual({ done: true, value: undefined })
      expect([vi.getTimerCount(), isCancelled, await next]).toEqual([
        0,
        true,
        { done: true, value: undefined },
      ])
    })
  })
})

describe('a source that is read', () => {
  it('may have a field getReader that is no method', async () => {
    const source = Object.assign(pieces('a'), { getReader: 5 })
    expect(await readerOf(source).next()).toEqual({ done: false, value: 'a' })
  })

  it('may have no way to be closed', () => {
    const source = {
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
    }
    expect(() => readerOf(source).close()).not.toThrow()
  })

  it('is closed by its own destroy(), at once', () => {
    const source = Readable.from(['a'])
    readerOf(source).close()
    expect(source.destroyed).toBe(true)
  })
})

describe('bytes of a source, outside of any invocation', () => {
  it('come in pieces, without the empty ones, and no character is cut', async () => {
    const smile = '\u{1f642}'
    const source = pieces<unknown>(
      'a',
      '',
      smile.charAt(0),
      `${smile.charAt(1)}b`,
      new Uint8Array(0),
      Buffer.from('c'),
      'd\ud83d',
    )
    const read: unknown[] = await bodyStream(source, ignore).toArray()
    expect(read.map(String)).toEqual(['a', `${smile}b`, 'c', 'd', '\ufffd'])
  })

  it('break off with an Error, whatever the source throws', async () => {
    async function* failing() {
      yield 'a'
      throw 'text'
    }
    const told: unknown[] = []
    const stream = bodyStream(failing(), (error) => told.push(error))
    await expect(stream.toArray()).rejects.toMatchObject({ message: 'The stream has failed', cause: 'text' })
    expect(told).toEqual(['text'])
  })

  it('are not asked of a query', () => {
    const query = Object.assign(pieces(), { where: 1, page: 1, first: 1 })
    expect(() => bodyStream(query, ignore)).toThrow('A query was returned')
  })

  it('that nobody reads, or not to the end, close their source once', async () => {
    let closed = 0
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 'a' }),
        return: async () => {
          closed++
          return { done: true, value: undefined }
        },
      }),
    }
    discard(source, ignore)
    expect(closed).toBe(1)
    const stream = bodyStream(source, ignore)
    const iterator = stream[Symbol.asyncIterator]()
    expect(String((await iterator.next()).value)).toBe('a')
    await iterator.return?.()
    stream.destroy()
    expect(closed).toBe(2)
  })

  it('that cannot be closed are no failure', async () => {
    const told: unknown[] = []
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 'a' }),
        return: () => Promise.reject(new Error('busy')),
      }),
    }
    discard(source, (error) => told.push(error))
    await new Promise(setImmediate)
    expect(told).toEqual([])
  })
})

describe('the option streaming', () => {
  const request = httpApiRequest(httpApiEvent(), lambdaContext())
  const wire = (streams?: 'always' | 'by option') => ({ target: { ...(streams && { streams }) } })
  const source = (streams?: 'always' | 'by option') =>
    ({ factory: 'alb', wires: { alb: wire(streams) } }) as never

  it('is an error where no source takes it', () => {
    const message = 'alb() has no option "streaming": only function URLs and REST APIs stream'
    for (const streams of [undefined, 'always'] as const)
      expect(() => {
        checkStreaming(source(streams), { streaming: true })
      }).toThrow(new TypeError(message))
    expect(() => {
      checkStreaming(source('by option'), { streaming: true })
      checkStreaming(source(), { streaming: false })
    }).not.toThrow()
  })

  it('says which request it is not for', () => {
    expect(whyBuffered(request, {})).toBeUndefined()
    expect(whyBuffered(request, { streaming: true })).toBe(
      'The option "streaming" is for function URLs and REST APIs, and this request came from the source "http-api"',
    )
  })
})
