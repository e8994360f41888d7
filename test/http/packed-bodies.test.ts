import { execFileSync } from 'node:child_process'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import middy from '@middy/core'
import { type HttpNormalizerOptions, HttpError, alb, httpApi, jsonBody } from 'clearskies-middy'
import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import { httpApiEvent, lambdaContext, restApiEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import {
  type SourceResponse,
  type TestedSource,
  answer,
  invoke,
  readBy,
  sources,
} from '../support/sources.ts'

const context = lambdaContext()
const data = { title: 'The Dispossessed', price: 12.5, text: 'é'.repeat(1000) }
const json = Buffer.from(JSON.stringify(data))
type Pack = (bytes: Buffer) => Buffer

const packs: Readonly<Record<string, Pack>> = {
  gzip: (bytes) => gzipSync(bytes),
  'x-gzip': (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
}
const codings: readonly (readonly [header: string, pack: Pack])[] = [
  ...Object.entries(packs),
  ['GZIP', (bytes) => gzipSync(bytes)],
  ['deflate', (bytes) => deflateRawSync(bytes)],
  ['identity', (bytes) => bytes],
  ['gzip, br', (bytes) => brotliCompressSync(gzipSync(bytes))],
  [' deflate ,gzip,identity', (bytes) => gzipSync(deflateSync(bytes))],
  ['br, br, br, br, br', (bytes) => [1, 2, 3, 4, 5].reduce((packed) => brotliCompressSync(packed), bytes)],
]

/** An event with bytes as they are sent: base64, whatever the source decides by itself. */
function packedEvent(source: TestedSource, body: Buffer, coding: string): object {
  const headers = {
    'content-type': 'application/json',
    'content-encoding': coding,
    'content-length': `${body.length}`,
  }
  const sent = source.event({ method: 'POST', headers, body })
  if (source.name === 'node-http') return sent
  const event = sent as Record<string, unknown>
  const flag = 'is_base64_encoded' in event ? 'is_base64_encoded' : 'isBase64Encoded'
  return { ...event, body: body.toString('base64'), [flag]: true }
}

describe.each(sources)('a packed body behind $name', (source) => {
  it.each(codings)('H35: in %s is unpacked for every reader', async (coding, pack) => {
    const event = packedEvent(source, pack(json), coding)
    const request = await readBy(event, (made) => made)
    expect(Buffer.from(request.bytes()).equals(json)).toBe(true)
    expect([request.text(), request.json(), request.data]).toEqual([json.toString(), data, data])
    const web = request.toWebRequest()
    expect([web.headers.get('content-encoding'), web.headers.get('content-length')]).toEqual([null, null])
    expect(await web.json()).toEqual(data)
    const handler = middy()
      .use(source.normalizer())
      .use(jsonBody())
      .handler(({ body }) => body)
    const { statusCode, body } = await invoke<SourceResponse>(handler, event)
    expect([statusCode, JSON.parse(body)]).toEqual([200, data])
  })

  it.each(Object.entries(packs))('H35: in %s beyond the limit is a 413', async (coding, pack) => {
    const bomb = pack(Buffer.alloc(20_000_000))
    const read = (options: HttpNormalizerOptions, body: Buffer): Promise<SourceResponse> =>
      invoke<SourceResponse>(
        middy()
          .use(source.normalizer({ ...options, logger: new RecordingLogger() }))
          .handler((request) => request.bytes().length),
        packedEvent(source, body, coding),
      )
    expect((await read({}, bomb)).statusCode).toBe(413)
    expect((await read({ decompress: { maxBytes: 999 } }, pack(Buffer.alloc(1000)))).statusCode).toBe(413)
    expect((await read({ decompress: { maxBytes: 1000 } }, pack(Buffer.alloc(1000)))).body).toBe('1000')
  })

  it('H35: that is none is a 400 that names the coding', async () => {
    const event = packedEvent(source, Buffer.from('hello'), 'gzip')
    const handler = middy()
      .use(source.normalizer())
      .handler((request) => request.data)
    const { statusCode, body } = await invoke<SourceResponse>(handler, event)
    expect([statusCode, body]).toEqual([400, expect.stringContaining('is not valid gzip')])
  })
})

describe('a packed body', () => {
  const [source] = sources as readonly [TestedSource]

  it('is unpacked no further than the limit', () => {
    const bomb = gzipSync(Buffer.alloc(300_000_000))
    const request = anyHttpRequest(packedEvent(source, bomb, 'gzip'), context)
    const before = process.memoryUsage().arrayBuffers
    expect(() => request.bytes()).toThrow(HttpError)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000)
  })

  it.each(['zstd', 'gzip, zstd', 'aws-chunked', 'gzip, gzip, gzip, gzip, gzip, gzip', 'x'.repeat(9000)])(
    'stays as it is in a coding that is not unpacked: %s',
    async (coding) => {
      const request = anyHttpRequest(packedEvent(source, json, coding), context)
      expect(Buffer.from(request.bytes()).equals(json)).toBe(true)
      expect(request.toWebRequest().headers.get('content-encoding')).toBe(coding)
      await expect(request.toWebRequest().json()).resolves.toEqual(data)
    },
  )

  it('H35: with decompress: false stays packed, and the error of data names the coding', () => {
    const body = gzipSync(json)
    const request = anyHttpRequest(packedEvent(source, body, 'gzip'), context, { decompress: false })
    expect(Buffer.from(request.bytes()).equals(body)).toBe(true)
    expect(request.toWebRequest().headers.get('content-encoding')).toBe('gzip')
    expect(() => request.data).toThrow('The request body (its content-encoding is gzip) is not valid JSON')
  })

  it('that a gateway has unpacked is read as it comes', () => {
    const event = restApiEvent({ body: data, headers: { 'content-encoding': 'gzip' } })
    const request = anyHttpRequest({ ...event, body: json.toString(), isBase64Encoded: false }, context)
    expect([request.data, request.toWebRequest().headers.get('content-encoding')]).toEqual([data, null])
  })

  it.each([
    [7],
    ['x'],
    [null],
    [{ maxBytes: 0 }],
    [{ maxBytes: -1 }],
    [{ maxBytes: 1.5 }],
    [{ max: 1 }],
    [[]],
  ])('with the option decompress %j is a TypeError', (decompress) => {
    for (const make of [alb, httpApi])
      expect(() => make({ decompress: decompress as never })).toThrow(
        expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('"decompress"') }),
      )
  })

  it('is what loads zlib', () => {
    const script = `
      import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
      const read = (base64, headers) => httpApiRequest({ version: '2.0', rawPath: '/', headers, body: base64,
        isBase64Encoded: true, requestContext: { http: { method: 'POST' } } }, {}).data
      const isLoaded = () => process.moduleLoadList.includes('NativeModule zlib')
      read('e30=', {})
      const before = isLoaded()
      read('${gzipSync('{}').toString('base64')}', { 'content-encoding': 'gzip' })
      console.log(before, isLoaded())`
    const args = ['--conditions=clearskies-middy-source', '--input-type=module', '--eval', script]
    expect(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim()).toBe('false true')
  })
})

describe('a body that is no JSON', () => {
  it.each([
    ['application/x-www-form-urlencoded', 'a=1&b=2', '@middy/http-urlencode-body-parser'],
    ['multipart/form-data; boundary=x', '--x', '@middy/http-multipart-body-parser'],
  ])('H35: of %s names its type and the parser', async (type, body, parser) => {
    const { statusCode, body: text } = await answer(
      sources[0] as TestedSource,
      { method: 'POST', headers: { 'content-type': type }, body },
      (request) => request.data,
    )
    expect([statusCode, text.includes(parser), text.includes(type.split(';')[0] ?? '')]).toEqual([
      400,
      true,
      true,
    ])
  })
})

it('H11: a base64 body is decoded once', () => {
  const event = httpApiEvent({ method: 'POST', body: Buffer.from([0, 255, 1]) })
  let decodings = 0
  const from = Buffer.from.bind(Buffer)
  const original = Buffer.from
  Buffer.from = (...args: Parameters<typeof from>) => {
    if ((args as unknown[])[1] === 'base64') decodings++
    return from(...args)
  }
  try {
    const request = httpApiRequest(event, context)
    for (let time = 0; time < 3; time++)
      expect([request.text().length, request.bytes().length]).toEqual([3, 3])
  } finally {
    Buffer.from = original
  }
  expect(decodings).toBe(1)
})
