// Sources and clients that misbehave.
import { once } from 'node:events'
import { connect } from 'node:net'
import middy from '@middy/core'
import { type HttpRequest, HttpError, respond } from 'clearskies-middy'
import { nodeHttp } from 'clearskies-middy/normalizers/node-http'
import { type ServeOptions, serve } from 'clearskies-middy/serve'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { Wire, pieces, run, streamingSources } from '../support/streamed.ts'

describe.each(streamingSources)('a source that misbehaves, $name', (source) => {
  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a number', 7],
    ['an object', {}],
  ])('P6: a generator that yields %s breaks the stream off', async (_, value) => {
    const wire = new Wire()
    await expect(run(source, () => respond.stream(pieces('a', value as never)), { wire })).rejects.toThrow(
      'gives text or bytes',
    )
    expect(wire.writableFinished).toBe(false)
  })

  it.each([
    ['rejects with nothing', () => Promise.reject(undefined as unknown as Error)],
    [
      'throws at once',
      () => {
        throw new Error('now')
      },
    ],
  ])('P6: a source whose next() %s breaks the stream off', async (_, next) => {
    const wire = new Wire()
    const logger = new RecordingLogger()
    const given = { [Symbol.asyncIterator]: () => ({ next }) } as AsyncIterable<string>
    await expect(run(source, () => respond.stream(given), { wire, logger })).rejects.toThrow()
    expect([wire.writableFinished, logger.errors.length]).toEqual([false, 1])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('closing')
      },
    ],
    ['never ends', () => new Promise<never>(() => undefined)],
  ])('E88: a source whose return() %s keeps nobody', async (_, close) => {
    const given = {
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: 'x' }), return: close }),
    }
    const wire = new Wire((chunk) => {
      if (chunk.toString() === 'x') wire.destroy()
    })
    await expect(run(source, () => respond.stream(given as never), { wire })).rejects.toThrow()
  })

  it.each([
    [
      'a stream that is locked',
      () => {
        const stream = new Blob(['x']).stream()
        stream.getReader()
        return respond.stream(stream)
      },
    ],
    [
      'a Response that was read',
      async () => {
        const response = new Response('x')
        await response.text()
        return response
      },
    ],
  ])('P5: %s is a 500 before the first byte', async (_, handler) => {
    const { metadata, logger } = await run(source, handler)
    expect([metadata['statusCode'], logger.errors.length]).toEqual([500, 1])
  })
})

async function served(handler: (request: HttpRequest) => unknown, options: ServeOptions = {}) {
  const logger = new RecordingLogger()
  const chain = middy().use(nodeHttp({ logger })).handler(handler)
  return { logger, server: await serve(chain, { port: 0, host: '127.0.0.1', logger, ...options }) }
}

describe('serve(): clients and handlers that misbehave', () => {
  it('E86: an upload that the handler refuses after its first piece gets its answer', async () => {
    const { server, logger } = await served(
      async (request) => {
        for await (const chunk of request.stream()) throw new HttpError(415, `${chunk.length} bytes`)
        return 'never'
      },
      { maxBodyBytes: 1000 },
    )
    await using _ = server
    for (let round = 0; round < 5; round++) {
      const response = await fetch(server.url, { method: 'POST', body: 'x'.repeat(50_000) })
      expect([response.status, response.ok]).toEqual([415, false])
      await response.text()
    }
    expect(logger.errors).toEqual([])
  })

  it("E86: Hono's limit of a body answers an upload that is longer", async () => {
    const app = new Hono()
      .use(bodyLimit({ maxSize: 2000 }))
      .post('/', async (c) => c.text(await c.req.text()))
    const { server } = await served((request) => app.fetch(request.toWebRequest()), { maxBodyBytes: 1000 })
    await using _ = server
    const body = () => new Blob(['x'.repeat(60_000)]).stream()
    const response = await fetch(server.url, { method: 'POST', body: body(), duplex: 'half' })
    expect(response.status).toBe(413)
  })

  it('E86: a body that is streamed is the same stream each time, and is read once', async () => {
    const { server } = await served(
      async (request) => {
        const first = request.stream()
        let size = 0
        for await (const chunk of first) size += chunk.length
        return { size, same: request.stream() === first }
      },
      { maxBodyBytes: 10 },
    )
    await using _ = server
    const response = await fetch(server.url, { method: 'POST', body: 'x'.repeat(5000) })
    expect(await response.json()).toEqual({ size: 5000, same: true })
  })

  it('E86: what is pipelined behind a refused upload is never taken for a request', async () => {
    let calls = 0
    const { server } = await served(() => ++calls, { maxBodyBytes: 10 })
    await using _ = server
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    const inside = 'GET /inside HTTP/1.1\r\nHost: a\r\n\r\n'
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n${inside.repeat(5)}`)
    await once(socket, 'close')
    expect(calls).toBe(1)
  })

  it('E88: a client that leaves in the middle of a long upload is no error, and nothing waits for it', async () => {
    const begun = Promise.withResolvers<undefined>()
    const ended = Promise.withResolvers<unknown>()
    const { server, logger } = await served(
      async (request) => {
        try {
          for await (const _ of request.stream()) begun.resolve(undefined)
        } catch (error) {
          ended.resolve(error)
        }
      },
      { maxBodyBytes: 10 },
    )
    await using _ = server
    const socket = connect(server.port, '127.0.0.1')
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n${'x'.repeat(100)}`)
    await begun.promise
    socket.destroy()
    expect(await ended.promise).toBeInstanceOf(Error)
    expect(logger.errors).toEqual([])
  })

  it('a final status below 200 is a 500, because a client would wait on', async () => {
    const { server, logger } = await served(() => respond('x', { status: 103 }))
    await using _ = server
    expect((await fetch(server.url)).status).toBe(500)
    expect(logger.errors).toHaveLength(1)
  })

  it('a failure that serve() logs has the path without the query', async () => {
    const logger = new RecordingLogger()
    await using server = await serve(() => 'bare', { port: 0, host: '127.0.0.1', logger })
    await fetch(`${server.url}/reset?token=s3cr3t`)
    expect(logger.errors.map(({ message }) => message)).toEqual(['GET /reset failed'])
  })

  it('E85: fifty streams beside each other, half of whose clients leave, are each their own', async () => {
    const { server, logger } = await served(({ query, signal }) =>
      respond.stream(
        (async function* () {
          for (let round = 0; round < 20 && !signal.aborted; round++) {
            await new Promise(setImmediate)
            yield `${query.get('n')},`
          }
        })(),
      ),
    )
    await using _ = server
    const all = Array.from({ length: 50 }, async (__, n) => {
      const response = await fetch(`${server.url}/?n=${n}`)
      if (n % 2 === 0) return response.text()
      await response.body?.cancel()
      return undefined
    })
    expect(await Promise.all(all)).toEqual(all.map((__, n) => (n % 2 === 0 ? `${n},`.repeat(20) : undefined)))
    expect(logger.errors).toEqual([])
  })
})
