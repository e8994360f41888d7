import { PassThrough, Readable } from 'node:stream'
import { createHash } from 'node:crypto'
import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/executionModeStreamifyResponse'
import { ConfigurationError, HttpError, respond } from 'clearskies-middy'
import { alb } from 'clearskies-middy/normalizers/alb'
import { httpApi } from 'clearskies-middy/normalizers/http-api'
import { vpcLattice } from 'clearskies-middy/normalizers/vpc-lattice'
import { functionUrlEvent, httpApiEvent, invoke, lambdaContext } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { Wire, pieces, readWire, run, streamingSources } from '../support/streamed.ts'

const bytes = Uint8Array.of(1, 2, 255)

describe.each(streamingSources)('streaming: true, $name', (source) => {
  it.each<[string, () => unknown, Buffer, string | undefined]>([
    ['text', () => 'grüß 😀', Buffer.from('grüß 😀'), 'text/plain; charset=utf-8'],
    ['an object', () => ({ a: 1 }), Buffer.from('{"a":1}'), 'application/json; charset=utf-8'],
    ['bytes', () => bytes, Buffer.from(bytes), 'application/octet-stream'],
    ['a Blob', () => respond(new Blob([bytes])), Buffer.from(bytes), 'application/octet-stream'],
    [
      'an envelope in base64',
      () => ({ statusCode: 200, body: 'AQL/', isBase64Encoded: true }),
      Buffer.from(bytes),
      'application/octet-stream',
    ],
    [
      'a web stream',
      () => new Response(new Blob([bytes]).stream()),
      Buffer.from(bytes),
      'application/octet-stream',
    ],
    [
      'a Node stream',
      () => Readable.from([Buffer.from(bytes)]),
      Buffer.from(bytes),
      'application/octet-stream',
    ],
    [
      'an async iterable of text and bytes',
      () => pieces<string | Uint8Array>('a', bytes),
      Buffer.from([97, 1, 2, 255]),
      'application/octet-stream',
    ],
    [
      'respond.stream()',
      () => respond.stream(pieces('x'), { headers: { 'content-type': 'text/csv' } }),
      Buffer.from('x'),
      'text/csv',
    ],
    ['nothing', () => undefined, Buffer.alloc(0), undefined],
    ['empty text', () => '', Buffer.alloc(0), undefined],
  ])('P1, P2: %s leaves raw, without base64', async (_, handler, expected, type) => {
    const { metadata, bytes: sent } = await run(source, handler)
    expect(sent).toEqual(expected)
    expect(metadata).not.toHaveProperty('isBase64Encoded')
    expect(metadata['statusCode']).toBe(handler() === undefined ? 204 : 200)
    expect((metadata['headers'] as Record<string, string>)['content-type']).toBe(type)
  })

  it('P3: a text of 7 MB is delivered whole', async () => {
    const text = 'äö'.repeat(1_800_000)
    const { bytes: sent } = await run(source, () => text)
    expect(createHash('sha256').update(sent).digest('hex')).toBe(
      createHash('sha256').update(text).digest('hex'),
    )
  })

  it('P4: a character across the place where Middy cuts texts stays whole, and so does one across two pieces', async () => {
    const text = `${'a'.repeat(16_383)}😀b`
    expect((await run(source, () => text)).bytes.toString()).toBe(text)
    const halves = await run(source, () => pieces('a\ud83d', '', '\ude00b', '\ud83d'))
    expect(halves.bytes.toString()).toBe('a😀b\ufffd')
  })

  it('P5: status, headers and several cookies are in the metadata, in the form of the source', async () => {
    const { metadata } = await run(source, () =>
      respond.stream(pieces('x'), {
        status: 201,
        headers: { 'x-a': '1', 'x-b': ['2', '3'] },
        cookies: ['a=1', 'b=2'],
      }),
    )
    expect(metadata).toMatchObject(
      source.source === 'rest-api'
        ? {
            statusCode: 201,
            headers: { 'x-a': '1' },
            multiValueHeaders: { 'x-b': ['2', '3'], 'set-cookie': ['a=1', 'b=2'] },
          }
        : { statusCode: 201, headers: { 'x-a': '1', 'x-b': '2, 3' }, cookies: ['a=1', 'b=2'] },
    )
  })

  it.each([
    [
      'exposed',
      () => {
        throw new HttpError(409, 'taken')
      },
      409,
    ],
    [
      'unexpected',
      () => {
        throw new Error('db-password')
      },
      500,
    ],
  ])('P5: an error before the first byte is an ordinary response: %s', async (_, handler, status) => {
    const { metadata, bytes: sent, logger } = await run(source, handler)
    expect(metadata).toMatchObject({
      statusCode: status,
      headers: { 'content-type': 'application/problem+json' },
    })
    expect(sent.toString()).not.toContain('db-password')
    expect(logger.errors).toHaveLength(status === 500 ? 1 : 0)
  })

  it('P6: an error behind the first byte is logged, destroys the stream and closes the source', async () => {
    const logger = new RecordingLogger()
    const wire = new Wire()
    let isClosed = false
    async function* failing() {
      try {
        yield 'first'
        throw new Error('midway')
      } finally {
        isClosed = true
      }
    }
    await expect(run(source, () => failing(), { wire, logger })).rejects.toThrow('midway')
    expect(readWire(Buffer.concat(wire.chunks)).bytes.toString()).toBe('first')
    expect([wire.destroyed, wire.writableFinished, isClosed]).toEqual([true, false, true])
    expect(logger.errors).toMatchObject([{ details: { message: 'midway' } }])
  })

  it('P6: a piece that is neither text nor bytes breaks the stream off', async () => {
    const wire = new Wire()
    await expect(run(source, () => respond(pieces('a', 7 as never)), { wire })).rejects.toThrow(
      'gives text or bytes',
    )
    expect(wire.writableFinished).toBe(false)
  })

  it.each(['HEAD', '204'])('P7: for %s the source is closed, and nothing of it is sent', async (what) => {
    let closed = 0
    const web = new ReadableStream({
      cancel: () => {
        closed++
      },
    })
    const node = new PassThrough().once('close', () => {
      closed++
    })
    const given = [web, node].map((stream) => () => respond(stream, { status: what === '204' ? 204 : 200 }))
    for (const handler of given) {
      const { bytes: sent } = await run(source, handler, { method: what === 'HEAD' ? 'HEAD' : 'GET' })
      expect(sent).toHaveLength(0)
    }
    expect(closed).toBe(2)
  })

  it('P9: content-length and hop-by-hop headers are dropped', async () => {
    const headers = { 'content-length': '3', connection: 'x', 'transfer-encoding': 'chunked', 'x-a': '1' }
    const { metadata } = await run(source, () => new Response('four', { headers }))
    expect(Object.keys(metadata['headers'] as object).sort()).toEqual(['content-type', 'x-a'])
  })

  it('P2: the first piece is on the wire before the second is asked for', async () => {
    const order: string[] = []
    async function* observed() {
      for (const piece of ['1', '2', '3']) {
        order.push(`produced ${piece}`)
        yield piece
      }
    }
    const wire = new Wire((chunk) => {
      if (/^\d$/.test(chunk.toString())) order.push(`sent ${chunk.toString()}`)
    })
    await run(source, () => observed(), { wire })
    expect(order).toEqual(['produced 1', 'sent 1', 'produced 2', 'sent 2', 'produced 3', 'sent 3'])
  })

  it('P2: of 100 MB at most 1 MB is produced and not yet taken', async () => {
    const piece = Buffer.alloc(64 * 1024)
    let produced = 0
    let taken = 0
    let most = 0
    async function* export_() {
      for (; produced < 100 * 1024 * 1024;) {
        produced += piece.length
        most = Math.max(most, produced - taken)
        yield piece
      }
    }
    const wire = new Wire(async (chunk) => {
      wire.chunks.length = 1
      await new Promise(setImmediate)
      if (chunk.length === piece.length) taken += chunk.length
    })
    const logger = new RecordingLogger()
    await source.chain(() => export_(), logger)(source.event(), wire, lambdaContext())
    expect(taken).toBe(100 * 1024 * 1024)
    expect(most).toBeLessThanOrEqual(1024 * 1024)
  })

  it('P2: a reader that leaves closes the source, even while a piece is awaited', async () => {
    let cancelled: () => void
    const closed = new Promise<void>((resolve) => (cancelled = resolve))
    const endless = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('first'))
      },
      cancel: () => {
        cancelled()
      },
    })
    const wire = new Wire((chunk) => {
      if (chunk.toString() === 'first') wire.destroy()
    })
    await expect(run(source, () => new Response(endless), { wire })).rejects.toThrow()
    await closed
  })

  it('fifty streams beside each other have their own pieces', async () => {
    const logger = new RecordingLogger()
    const handler = source.chain(async ({ query }) => {
      const name = query.get('n') ?? ''
      return respond.stream(
        (async function* () {
          for (let round = 0; round < 5; round++) {
            await new Promise(setImmediate)
            yield `${name},`
          }
        })(),
      )
    }, logger)
    const all = Array.from({ length: 50 }, async (_, index) => {
      const wire = new Wire()
      await handler(source.event({ path: `/?n=${index}` }), wire, lambdaContext())
      return readWire(Buffer.concat(wire.chunks)).bytes.toString()
    })
    expect(await Promise.all(all)).toEqual(all.map((_, index) => `${index},`.repeat(5)))
  })

  it('invoke() of the testing kit collects a streamed response', async () => {
    const handler = source.chain(() => pieces('a', 'b'), new RecordingLogger())
    expect(await invoke(handler, source.event())).toMatchObject({
      statusCode: 200,
      body: 'ab',
      isBase64Encoded: false,
    })
  })
})

describe('streaming: true where nothing streams', () => {
  it.each([
    ['alb()', alb],
    ['vpcLattice()', vpcLattice],
  ])('P7: %s refuses the option', (_, normalizer) => {
    expect(() => normalizer({ streaming: true } as never)).toThrow(TypeError)
  })

  it('P7: an event of an HTTP API fails the invocation with a ConfigurationError', async () => {
    const handler = middy({ executionMode: executionModeStreamifyResponse })
      .use(httpApi({ streaming: true }))
      .handler(() => 'never')
    await expect(invoke(handler, httpApiEvent())).rejects.toThrow(ConfigurationError)
  })

  it.each([
    ['nothing', undefined],
    ["what the SDK leaves in the runtime's place", { InvokeStore: {} }],
  ])(
    'P7: with %s in place of the runtime the invocation fails with a ConfigurationError',
    async (_, left) => {
      const { awslambda } = globalThis as { awslambda?: unknown }
      Object.assign(globalThis, { awslambda: left })
      try {
        const handler = middy()
          .use(httpApi({ streaming: true }))
          .handler(() => 'never')
        await expect(invoke(handler, functionUrlEvent())).rejects.toThrow(/streamingRuntime\(\)/)
      } finally {
        Object.assign(globalThis, { awslambda })
      }
    },
  )
})
