import contentEncoding from '@middy/http-content-encoding'
import cors from '@middy/http-cors'
import securityHeaders from '@middy/http-security-headers'
import { gunzipSync } from 'node:zlib'
import { type RequestOutcome, respond } from 'clearskies-middy'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { gateway, functionUrlEvent, lambdaContext } from 'clearskies-middy/testing'
import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/executionModeStreamifyResponse'
import { Hono } from 'hono'
import { stream, streamSSE } from 'hono/streaming'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { Wire, pieces, run, streamingSources } from '../support/streamed.ts'

const text = async (reader: ReadableStreamDefaultReader<Uint8Array> | undefined) =>
  Buffer.from((await reader?.read())?.value ?? []).toString()

describe.each(streamingSources)('gateway() with a handler that streams, $name', (source) => {
  it('P2: the first piece arrives before the second is produced', async () => {
    const gate = Promise.withResolvers<undefined>()
    const handler = source.chain(
      () =>
        respond.stream(
          (async function* () {
            yield 'first'
            await gate.promise
            yield 'second'
          })(),
          { status: 201, cookies: ['a=1', 'b=2'] },
        ),
      new RecordingLogger(),
    )
    await using server = await gateway(source.source, handler)
    const response = await fetch(server.url)
    expect([response.status, response.headers.getSetCookie()]).toEqual([201, ['a=1', 'b=2']])
    const reader = response.body?.getReader()
    expect(await text(reader)).toBe('first')
    gate.resolve(undefined)
    expect(await text(reader)).toBe('second')
    expect((await reader?.read())?.done).toBe(true)
  })

  it('P6: what breaks off is cut', async () => {
    const logger = new RecordingLogger()
    const handler = source.chain(
      () =>
        (async function* () {
          yield 'first'
          throw new Error('midway')
        })(),
      logger,
    )
    await using server = await gateway(source.source, handler)
    await expect((await fetch(server.url)).text()).rejects.toThrow()
    expect(logger.errors).toMatchObject([{ details: { message: 'midway' } }])
  })

  it('P7: HEAD, an empty body and an error are whole answers', async () => {
    const handler = source.chain(({ path }) => {
      if (path === '/error') throw new Error('secret')
      return path === '/none' ? undefined : pieces('x')
    }, new RecordingLogger())
    await using server = await gateway(source.source, handler)
    const statuses = ['/', '/none', '/error'].map(async (path) => {
      const response = await fetch(server.url + path, { method: path === '/' ? 'HEAD' : 'GET' })
      return [response.status, (await response.text()).includes('secret')]
    })
    expect(await Promise.all(statuses)).toEqual([
      [200, false],
      [204, false],
      [500, false],
    ])
  })

  it('E88: the source is closed when the client leaves', async () => {
    const closed = Promise.withResolvers<undefined>()
    const handler = source.chain(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => {
              controller.enqueue(new TextEncoder().encode('first'))
            },
            cancel: () => {
              closed.resolve(undefined)
            },
          }),
        ),
      new RecordingLogger(),
    )
    await using server = await gateway(source.source, handler)
    const controller = new AbortController()
    const response = await fetch(server.url, { signal: controller.signal })
    await response.body?.getReader().read()
    controller.abort()
    await closed.promise
  })

  it("P5: headers of Middy's own middlewares are on a stream", async () => {
    const { metadata, bytes } = await run(
      source,
      () => pieces('a', 'b'),
      {},
      cors({ origin: 'https://shop.example' }),
      securityHeaders(),
    )
    expect(bytes.toString()).toBe('ab')
    expect(metadata['headers']).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'x-content-type-options': 'nosniff',
    })
  })

  it('P1: a stream that @middy/http-content-encoding packs leaves packed, without base64', async () => {
    const wire = new Wire()
    const handler = source.chain(
      () => pieces('a'.repeat(1000), 'b'),
      new RecordingLogger(),
      contentEncoding(),
    )
    const event = Object.assign(source.event({ headers: { 'accept-encoding': 'gzip' } }))
    await handler(event, wire, { ...lambdaContext(), preferredEncoding: 'gzip' })
    const all = Buffer.concat(wire.chunks)
    const end = all.indexOf(Buffer.alloc(8))
    const metadata = JSON.parse(all.subarray(0, end).toString()) as { headers: Record<string, string> }
    const body = all.subarray(end + 8)
    const isPacked = Object.entries(metadata.headers).some(([name]) => /^content-encoding$/i.test(name))
    expect((isPacked ? gunzipSync(body) : body).toString()).toBe(`${'a'.repeat(1000)}b`)
    expect(isPacked).toBe(true)
  })

  it('P2: streams of Hono leave as they are produced', async () => {
    const gate = Promise.withResolvers<undefined>()
    const app = new Hono()
      .get('/stream', (c) =>
        stream(c, async (out) => {
          await out.write('first')
          await gate.promise
          await out.write('second')
        }),
      )
      .get('/events', (c) =>
        streamSSE(c, async (out) => {
          await out.writeSSE({ data: 'first', id: '1' })
        }),
      )
    const handler = source.chain((request) => app.fetch(request.toWebRequest()), new RecordingLogger())
    await using server = await gateway(source.source, handler)
    const reader = (await fetch(`${server.url}/stream`)).body?.getReader()
    expect(await text(reader)).toBe('first')
    gate.resolve(undefined)
    expect(await text(reader)).toBe('second')
    const response = await fetch(`${server.url}/events`)
    expect([response.headers.get('content-type'), await response.text()]).toEqual([
      'text/event-stream',
      'data: first\nid: 1\n\n',
    ])
  })
})

it('onRequest() is told of a stream when it begins, once', async () => {
  const told: RequestOutcome[] = []
  const handler = middy({ executionMode: executionModeStreamifyResponse })
    .use(httpApi({ streaming: true, onRequest: (outcome) => told.push(outcome) }))
    .handler(() => respond.stream(pieces('x'), { status: 206 }))
  await handler(functionUrlEvent() as never, new Wire() as never, lambdaContext() as never)
  expect(told).toMatchObject([{ method: 'GET', status: 206 }])
})
