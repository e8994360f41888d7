import { type Socket, connect } from 'node:net'
import { once } from 'node:events'
import middy from '@middy/core'
import { type HttpRequest, anyHttp, currentInvocation, nodeHttp, respond } from 'clearskies-middy'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { type ServeOptions, serve } from 'clearskies-middy/serve'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  delete process.env['AWS_LAMBDA_HTTP_ENDPOINT']
  await Promise.all(closers.splice(0).map((close) => close()))
})

async function served(handler: (request: HttpRequest) => unknown, options: ServeOptions = {}) {
  const logger = new RecordingLogger()
  const chain = middy().use(nodeHttp({ logger })).handler(handler)
  const server = await serve(chain, { port: 0, host: '127.0.0.1', logger, ...options })
  closers.push(server.close)
  return { ...server, logger }
}

/** A client that writes what it likes. */
async function rawClient(
  port: number,
): Promise<{ socket: Socket; ended: Promise<string>; until(text: RegExp): Promise<string> }> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let all = ''
  const waiting = new Set<() => void>()
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    all += chunk
    for (const look of waiting) look()
  })
  closers.push(async () => socket.destroy())
  const ended = new Promise<string>((resolve) => {
    socket.once('close', () => {
      resolve(all)
    })
    socket.once('error', () => undefined)
  })
  const until = (text: RegExp): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!text.test(all)) return
        waiting.delete(look)
        resolve(all)
      }
      waiting.add(look)
      look()
    })
  return { socket, ended, until }
}

const told = [
  'kind',
  'source',
  'method',
  'path',
  'rawPath',
  'rawQueryString',
  'host',
  'clientIp',
  'protocol',
] as const
const facts = (request: HttpRequest) => Object.fromEntries(told.map((name) => [name, request[name]]))

describe('serve(): the request', () => {
  it('E81: path and query come from the target as it was sent', async () => {
    const { url, port } = await served(facts)
    const response = await fetch(`${url}/a%20b?x=1&x=%2B`)
    expect(await response.json()).toEqual({
      kind: 'http',
      source: 'node-http',
      method: 'GET',
      path: '/a%20b',
      rawPath: '/a%20b',
      rawQueryString: 'x=1&x=%2B',
      host: `127.0.0.1:${port}`,
      clientIp: '127.0.0.1',
      protocol: 'http',
    })
  })

  it.each([
    ['GET http://other.example/p?q=1 HTTP/1.1', '/p', 'q=1'],
    ['OPTIONS * HTTP/1.1', '/*', ''],
    ['GET //double/slash HTTP/1.1', '//double/slash', ''],
    ['GET /%zz HTTP/1.1', '/%25zz', ''],
    ['GET /a?b?c HTTP/1.1', '/a', 'b?c'],
  ])('E81: the target of "%s" is understood', async (line, path, query) => {
    const { port } = await served(facts)
    const { socket, until } = await rawClient(port)
    socket.write(`${line}\r\nHost: a.example\r\n\r\n`)
    const answer = await until(/\}$/)
    expect(JSON.parse(/\{.*\}$/.exec(answer)?.[0] ?? '')).toMatchObject({
      path,
      rawQueryString: query,
      host: 'a.example',
    })
  })

  it("E82: without a proxy the address is the socket's, whatever the client writes", async () => {
    const { url } = await served(facts)
    const headers = {
      'x-forwarded-for': '1.1.1.1',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
    }
    expect(await (await fetch(url, { headers })).json()).toMatchObject({
      clientIp: '127.0.0.1',
      protocol: 'http',
    })
  })

  it('E82, E83, E84: in a Web Function the last forwarded address, the id of Lambda and HTTPS count', async () => {
    process.env['AWS_LAMBDA_HTTP_ENDPOINT'] = '127.0.0.1:0'
    const { url } = await served((request) => ({
      ...facts(request),
      id: request.requestId,
      who: request.authorizer,
    }))
    const headers = {
      'x-forwarded-for': '6.6.6.6, 203.0.113.9',
      'lambda-web-request-id': 'id-1',
      'x-forwarded-host': 'evil.example',
    }
    expect(await (await fetch(url, { headers })).json()).toMatchObject({
      clientIp: '203.0.113.9',
      protocol: 'https',
      id: 'id-1',
      who: { kind: 'none' },
      host: expect.stringMatching(/^127/) as string,
    })
  })

  it('E83: outside of a Web Function a client cannot choose the id of its request', async () => {
    const { url } = await served(({ requestId }) => requestId)
    const ids = await Promise.all(
      [1, 2].map(async () => (await fetch(url, { headers: { 'lambda-web-request-id': 'forged' } })).text()),
    )
    expect(new Set([...ids, 'forged']).size).toBe(3)
  })

  it('repeated headers are joined, and each line can be had', async () => {
    const { port } = await served((request) => [
      request.header('x-a'),
      request.headerValues('x-a'),
      request.cookies,
    ])
    const { socket, until } = await rawClient(port)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n')
    expect(await until(/\]$/)).toContain('["1, 2",["1","2"],{"a":"1","b":"2"}]')
  })

  it.each([
    ['JSON', JSON.stringify({ ä: 1 }), { ä: 1 }],
    ['an empty JSON text', '""', ''],
  ])('the body is parsed: %s', async (_, body, data) => {
    const { url } = await served((request) => ({ data: request.data }))
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect(await response.json()).toEqual({ data })
  })

  it('bytes of a body arrive as they are', async () => {
    const { url } = await served((request) => request.bytes())
    const body = Uint8Array.from({ length: 256 }, (__, index) => index)
    expect(new Uint8Array(await (await fetch(url, { method: 'POST', body })).arrayBuffer())).toEqual(body)
  })

  it.each([1000, 1001])(
    'maxBodyBytes: a body of %d bytes, with and without a length, meets a limit of 1,000',
    async (size) => {
      const { url } = await served((request) => String(request.bytes().length), { maxBodyBytes: 1000 })
      const body = 'x'.repeat(size)
      const chunked = new Blob([body]).stream()
      for (const init of [{ body }, { body: chunked, duplex: 'half' }])
        expect((await fetch(url, { method: 'POST', ...init } as RequestInit)).status).toBe(
          size > 1000 ? 413 : 200,
        )
    },
  )

  it('request.stream() gives a body beyond the limit, as it arrives', async () => {
    const { url } = await served(
      async (request) => {
        let size = 0
        for await (const chunk of request.stream()) size += chunk.length
        return { size }
      },
      { maxBodyBytes: 1000 },
    )
    for (const body of ['x'.repeat(10), 'x'.repeat(5_000_000), new Blob(['x'.repeat(70_000)]).stream()]) {
      const response = await fetch(url, { method: 'POST', body, duplex: 'half' })
      expect((await response.json()) as { size: number }).toEqual({
        size: typeof body === 'string' ? body.length : 70_000,
      })
    }
  })

  it('E86: a body that is too long is read before the answer, and the connection is closed if it goes on', async () => {
    const { url, port } = await served(() => 'early', { maxBodyBytes: 100_000 })
    expect(await (await fetch(url, { method: 'POST', body: 'x'.repeat(150_000) })).text()).toBe('early')
    const { socket, until, ended } = await rawClient(port)
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n${'x'.repeat(250_000)}`)
    expect(await until(/early/)).toMatch(/connection: close/i)
    socket.end()
    await ended
  })
})

describe('serve(): the connection', () => {
  it('E87: Expect: 100-continue is answered, another expectation is refused, an upgrade is a plain request', async () => {
    const { port } = await served(({ path }) => ({ path }))
    const first = await rawClient(port)
    first.socket.write('POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
    await first.until(/100 Continue/)
    first.socket.write('{}')
    expect(await first.until(/\}$/)).toContain('HTTP/1.1 200')
    const second = await rawClient(port)
    second.socket.write('GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n')
    expect(await second.until(/417/)).not.toContain('200')
    const third = await rawClient(port)
    third.socket.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect(await third.until(/\}$/)).toMatch(/^HTTP\/1\.1 200/)
  })

  const waiting = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n'

  it('E87: a client that waits with too long a body is answered before it has sent it', async () => {
    const { port } = await served((request) => request.data, { maxBodyBytes: 1000 })
    const { socket, ended } = await rawClient(port)
    socket.write(waiting)
    const answer = await ended
    expect(answer).toMatch(/^HTTP\/1\.1 413/)
    expect(answer).toMatch(/connection: close/i)
  })

  it('E87: a client that waits with a longer body is asked for it when the handler reads the stream', async () => {
    const gate = Promise.withResolvers<undefined>()
    const reading = async (request: HttpRequest) => {
      await gate.promise
      let size = 0
      for await (const chunk of request.stream()) size += chunk.length
      return { size }
    }
    const { port } = await served(reading, { maxBodyBytes: 1000 })
    const { socket, until } = await rawClient(port)
    socket.write(waiting)
    gate.resolve(undefined)
    await until(/^HTTP\/1\.1 100 Continue/)
    socket.write(`${'x'.repeat(5000)}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`)
    expect(await until(/\{"size":0\}$/)).toContain('{"size":5000}')
  })

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['a header of 20 KB', `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('E90: %s is a 4xx, and the next request is answered', async (_, text) => {
    const { port, url, logger } = await served(() => 'fine')
    const { socket, until } = await rawClient(port)
    socket.write(text)
    expect(await until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 4\d\d/)
    expect(await (await fetch(url)).text()).toBe('fine')
    expect(logger.errors).toEqual([])
  })

  it('requests in a pipeline are answered in their order', async () => {
    const { port } = await served(async ({ path }) => {
      if (path === '/1') await new Promise(setImmediate)
      return path
    })
    const { socket, until } = await rawClient(port)
    socket.write(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
    const answer = await until(/\/3$/)
    expect(answer.match(/\/\d$|\/\d(?=HTTP)/g)).toEqual(['/1', '/2', '/3'])
  })

  it('a client that has closed its half still gets the answer', async () => {
    const { port } = await served(() => 'late')
    const { socket, ended } = await rawClient(port)
    socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(await ended).toContain('late')
  })

  it('HEAD has the headers and no body; 204 has neither body nor length', async () => {
    const { url } = await served(({ path }) => (path === '/none' ? undefined : 'text'))
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-type'), head.headers.get('content-length')]).toEqual([
      200,
      'text/plain; charset=utf-8',
      null,
    ])
    const none = await fetch(`${url}/none`)
    expect([none.status, none.headers.get('content-length'), await none.text()]).toEqual([204, null, ''])
  })

  it('E88: request.signal is aborted when the client leaves', async () => {
    let aborted: (reason: unknown) => void
    const reason = new Promise((resolve) => (aborted = resolve))
    let begun: () => void
    const running = new Promise<void>((resolve) => (begun = resolve))
    const { port, logger } = await served(async ({ signal }) => {
      begun()
      await once(signal, 'abort')
      aborted(signal.reason)
    })
    const { socket } = await rawClient(port)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await running
    socket.destroy()
    expect(await reason).toMatchObject({ name: 'AbortError' })
    expect(logger.errors).toEqual([])
  })

  it('E88: a client that leaves in the middle of its body is no error', async () => {
    const { port, url, logger } = await served(() => 'fine')
    const { socket } = await rawClient(port)
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf')
    await (await fetch(url)).text()
    socket.destroy()
    await once(socket, 'close')
    await (await fetch(url)).text()
    expect(logger.errors).toEqual([])
  })

  it('E88: a stream is closed when the client leaves', async () => {
    let cancelled: () => void
    const closed = new Promise<void>((resolve) => (cancelled = resolve))
    const { url } = await served(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(new TextEncoder().encode('first')),
            cancel: () => {
              cancelled()
            },
          }),
        ),
    )
    const controller = new AbortController()
    const response = await fetch(url, { signal: controller.signal })
    await response.body?.getReader().read()
    controller.abort()
    await closed
  })

  it('E88: of fifty event streams those whose clients leave are closed, and the others go on', async () => {
    const open = new Set<number>()
    const left = Promise.withResolvers<undefined>()
    const gate = Promise.withResolvers<undefined>()
    async function* ticks(n: number, signal: AbortSignal) {
      open.add(n)
      try {
        yield { data: `first ${n}` }
        await Promise.race([gate.promise, once(signal, 'abort')])
        if (!signal.aborted) yield { data: `second ${n}` }
      } finally {
        open.delete(n)
        if (open.size === 25) left.resolve(undefined)
      }
    }
    const { port, logger } = await served(({ query, signal }) =>
      respond.events(ticks(Number(query.get('n')), signal)),
    )
    const clients = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const client = await rawClient(port)
        client.socket.write(`GET /?n=${n} HTTP/1.1\r\nHost: a\r\n\r\n`)
        await client.until(/first/)
        return client
      }),
    )
    clients.forEach(
      ({ socket }, n) => n % 2 === 1 && (n % 4 === 1 ? socket.destroy() : socket.resetAndDestroy()),
    )
    await left.promise
    gate.resolve(undefined)
    const staying = clients.filter((_, n) => n % 2 === 0)
    const texts = await Promise.all(staying.map(async ({ until }) => until(/second[^]*0\r\n\r\n$/)))
    expect(texts.map((text) => /second \d+/.exec(text)?.[0])).toEqual(
      staying.map((_, n) => `second ${n * 2}`),
    )
    expect(logger.errors).toEqual([])
  })
})

describe('serve(): the answer', () => {
  it('a stream is sent as it is produced; what breaks off is cut', async () => {
    let go: () => void
    const gate = new Promise<void>((resolve) => (go = resolve))
    const { url, logger } = await served(() =>
      respond.stream(
        (async function* () {
          yield 'first'
          await gate
          throw new Error('midway')
        })(),
      ),
    )
    const response = await fetch(url)
    const reader = response.body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first')
    go!()
    await expect(reader?.read()).rejects.toThrow()
    expect(logger.errors).toMatchObject([{ details: { message: 'midway' } }])
  })

  it('a body of 20 MB is sent whole', async () => {
    const { url } = await served(() => 'x'.repeat(20_000_000))
    const response = await fetch(url)
    expect([response.headers.get('content-length'), (await response.text()).length]).toEqual([
      '20000000',
      20_000_000,
    ])
  })

  it('cookies are lines of their own', async () => {
    const { url } = await served(() => respond('x', { cookies: ['a=1', 'b=2'] }))
    expect((await fetch(url)).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })

  it('a handler without a normalizer, and one of another source, are a 500 that says nothing', async () => {
    for (const chain of [
      () => 'bare',
      middy()
        .use(invocation())
        .handler(() => ({ secret: 1 })),
    ]) {
      const logger = new RecordingLogger()
      const server = await serve(chain, { port: 0, host: '127.0.0.1', logger })
      closers.push(server.close)
      const response = await fetch(server.url)
      expect([response.status, await response.json()]).toEqual([
        500,
        { type: 'about:blank', title: 'Internal Server Error', status: 500 },
      ])
      expect(logger.errors).toHaveLength(1)
    }
  })

  it('anyHttp() takes it, and Hono behind toWebRequest() answers, long uploads included', async () => {
    const app = new Hono().post('/up', async (c) => c.text(String((await c.req.arrayBuffer()).byteLength)))
    const chain = middy()
      .use(anyHttp())
      .handler((request) => app.fetch(request.toWebRequest()))
    const server = await serve(chain, { port: 0, host: '127.0.0.1', maxBodyBytes: 1000 })
    closers.push(server.close)
    for (const size of [10, 300_000])
      expect(await (await fetch(`${server.url}/up`, { method: 'POST', body: 'x'.repeat(size) })).text()).toBe(
        String(size),
      )
  })

  it('E85: of fifty requests beside each other each has its own scope, body and answer', async () => {
    const { url } = await served(async (request) => {
      const before = currentInvocation()?.requestId
      await new Promise(setImmediate)
      return {
        n: request.query.get('n'),
        data: request.data,
        same: before === currentInvocation()?.requestId,
        id: before,
      }
    })
    const all = Array.from({ length: 50 }, async (_, n) => {
      const response = await fetch(`${url}/?n=${n}`, { method: 'POST', body: JSON.stringify({ n }) })
      return (await response.json()) as { n: string; data: { n: number }; same: boolean; id: string }
    })
    const answers = await Promise.all(all)
    expect(answers.map(({ n, data, same }) => [Number(n), data.n, same])).toEqual(
      answers.map((_, n) => [n, n, true]),
    )
    expect(new Set(answers.map(({ id }) => id)).size).toBe(50)
  })
})

describe('serve(): the end', () => {
  it.each(['close()', 'SIGTERM', 'the signal'])(
    'E89: at %s the running request is answered, and no other is taken',
    async (how) => {
      let go: () => void
      const gate = new Promise<void>((resolve) => (go = resolve))
      let begun: () => void
      const running = new Promise<void>((resolve) => (begun = resolve))
      const controller = new AbortController()
      const { url, close } = await served(
        async () => {
          begun()
          await gate
          return 'done'
        },
        { signal: controller.signal },
      )
      const answer = fetch(url)
      await running
      if (how === 'SIGTERM') process.emit('SIGTERM')
      else if (how === 'the signal') controller.abort()
      const closed = close()
      await expect(fetch(url)).rejects.toThrow()
      go!()
      const response = await answer
      expect([response.headers.get('connection'), await response.text()]).toEqual(['close', 'done'])
      await closed
      expect(process.listenerCount('SIGTERM')).toBe(0)
    },
  )

  it('E89: a connection without a request, and one whose stream ends later, keep nobody waiting', async () => {
    const gate = Promise.withResolvers<undefined>()
    const { port, close } = await served(() =>
      respond.stream(
        (async function* () {
          yield 'first'
          await gate.promise
        })(),
      ),
    )
    const silent = await rawClient(port)
    const { socket, until, ended } = await rawClient(port)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(/first/)
    const closed = close()
    await silent.ended
    gate.resolve(undefined)
    await closed
    expect(await ended).toMatch(/0\r\n\r\n$/)
  })

  it('server-sent events, which have no end, end when the server closes', async () => {
    const { url, close } = await served(() =>
      respond.events(
        (async function* () {
          yield { data: 'hello', id: 7 }
          await new Promise(() => undefined)
        })(),
      ),
    )
    const response = await fetch(url)
    const reader = response.body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('id: 7\ndata: hello\n\n')
    await close()
    expect((await reader?.read())?.done).toBe(true)
  })

  it('a port that is taken is an error with its code; a wrong option is a TypeError', async () => {
    const { port } = await served(() => 'x')
    await expect(serve(() => 'x', { port, host: '127.0.0.1' })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await expect(serve(() => 'x', { prot: 1 } as never)).rejects.toThrow(/no option "prot"/)
    process.env['AWS_LAMBDA_HTTP_ENDPOINT'] = 'nowhere'
    await expect(serve(() => 'x')).rejects.toThrow(/AWS_LAMBDA_HTTP_ENDPOINT/)
  })
})
