// What an answer is made of, piece by piece, where a whole chain reaches few of the inputs.
import { Readable } from 'node:stream'
import { InvalidResponseError } from 'clearskies-middy'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import { functionUrlEvent, httpApiEvent, lambdaContext } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { unfinished } from '../../src/core/unfinished.ts'
import { encodeStreamed, isStreamed } from '../../src/normalizers/http/encode-streamed.ts'
import { envelopeOf, isText, shownResponse } from '../../src/normalizers/http/envelope.ts'
import {
  encodeJson,
  isReadableStream,
  knownStream,
  readAll,
  refuseQuery,
} from '../../src/normalizers/http/response-body.ts'
import { hasBody, responseHead } from '../../src/normalizers/http/response-head.ts'
import { statusText } from '../../src/normalizers/http/status-text.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { pieces } from '../support/streamed.ts'

const context = lambdaContext()
const request = httpApiRequest(httpApiEvent({ path: '/a' }), context)
const methods = { where: 1, page: 1, first: 1 }
const query = Object.assign(pieces(), methods)

it.each<[boolean, unknown]>([
  [true, ''],
  [true, { body: 'a' }],
  [true, { body: 'a', isBase64Encoded: false }],
  [true, { body: 'a', isBase64Encoded: 'yes' }],
  [false, { body: 'YQ==', isBase64Encoded: true }],
  [false, { body: 7 }],
  [false, { text: 'a' }],
  [false, null],
  [false, undefined],
  [false, 7],
])('it is %j that %j is text', (verdict, result) => {
  expect(isText(result)).toBe(verdict)
})

describe('a Response of the web', () => {
  it('has its cookies as lines, and none where it sets none', () => {
    const response = new Response('x', { headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['etag', '7']] }) // prettier-ignore
    expect(envelopeOf(response).headers).toEqual(
      expect.objectContaining({ 'set-cookie': ['a=1', 'b=2'], etag: '7' }),
    )
    expect(envelopeOf(new Response(null, { headers: { etag: '7' } }))).toEqual({
      statusCode: 200,
      headers: { etag: '7' },
      body: '',
    })
  })

  it('that stands for a failed request, or was read before, is refused', async () => {
    const read = new Response('x')
    await read.text()
    expect(() => envelopeOf(Response.error())).toThrow('Response.error() is no response to send')
    expect(() => envelopeOf(read)).toThrow('The body of the Response was read before')
  })
})

describe('a response as other middlewares find it', () => {
  const found = (result: object) => shownResponse({ statusCode: 200, ...result })

  it('has what was given, and nothing besides', () => {
    expect(found({})).toEqual({ statusCode: 200, headers: {}, body: '' })
    expect(found({ body: 'YQ==', isBase64Encoded: false, multiValueHeaders: null, cookies: null })).toEqual({
      statusCode: 200,
      headers: {},
      body: 'YQ==',
    })
    const given = { isBase64Encoded: true, body: 'YQ==', multiValueHeaders: { a: ['1'] }, cookies: ['a=1'] }
    const shown = found(given)
    expect(shown).toEqual({ statusCode: 200, headers: {}, ...given })
    expect(shown.multiValueHeaders).not.toBe(given.multiValueHeaders)
    expect(shown.cookies).not.toBe(given.cookies)
  })

  it('has bytes as base64 and null as JSON', () => {
    expect(shownResponse(Buffer.from('hi'))).toMatchObject({ body: 'aGk=', isBase64Encoded: true })
    expect(shownResponse(null)).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: 'null',
    })
  })
})

describe('a value as JSON', () => {
  class Empty {
    readonly #secret = 1
    read = (): number => this.#secret
  }
  it.each<[string, unknown]>([
    ['an object', {}],
    ['an object without a prototype', Object.create(null)],
    ['an object that says itself what it is', new (class { toJSON = () => ({}) })()], // prettier-ignore
    ['a function that says so', Object.assign(() => 1, { toJSON: () => ({}) })],
  ])('of %s is {}', (_, value) => {
    expect(encodeJson(value)).toEqual({
      text: '{}',
      isBase64: false,
      type: 'application/json; charset=utf-8',
    })
  })

  it.each<[unknown, string]>([
    [undefined, 'A undefined cannot be sent'],
    [new TypeError('x'), 'An error (TypeError) was returned: throw it'],
    [Object.assign(new Error('x'), { a: 1 }), 'An error (Error) was returned: throw it'],
    [new Map([[1, 2]]), 'A value of the kind Map has no JSON: return an object, a list or text made of it'],
    [new Empty(), 'A value of the kind Object has no JSON: return an object, a list or text made of it'],
  ])('of %o is refused, and the error tells what to do', (value, message) => {
    expect(() => encodeJson(value)).toThrow(new InvalidResponseError(message))
  })
})

describe('a body that has to be read', () => {
  it.each<[string, boolean, unknown]>([
    ['an async iterable', true, pieces()],
    ['a Blob', true, new Blob(['x'])],
    ['an object with a field arrayBuffer', false, { arrayBuffer: 5 }],
    ['text', false, 'x'],
    ['null', false, null],
  ])('%s: %j', (_, verdict, body) => {
    expect(isReadableStream(body)).toBe(verdict)
  })

  it('is read up to the limit, to the byte', async () => {
    const body = () => pieces<unknown>('ż', new Uint8Array([65, 66]), '')
    expect(String(await readAll(body(), 4))).toBe('żAB')
    await expect(readAll(body(), 3)).rejects.toMatchObject({ name: 'ResponseTooLargeError' })
    expect(String(await readAll(new Blob(['ab']), 5))).toBe('ab')
  })

  it('is taken before its buffer is used again', async () => {
    const buffer = Buffer.from('a')
    async function* source() {
      for (const letter of 'abc') {
        buffer.write(letter)
        yield buffer
      }
    }
    expect(String(await readAll(source(), 10))).toBe('abc')
  })

  it('gives text or bytes, and is no query', async () => {
    await expect(readAll(pieces({}), 10)).rejects.toThrow(
      'A stream gives text or bytes, and this gave an object',
    )
    await expect(readAll(query, 10)).rejects.toThrow(
      'A query was returned: end it with .page(), .all() or .first()',
    )
    for (const missing of Object.keys(methods))
      expect(() => {
        refuseQuery(Object.fromEntries(Object.entries(methods).filter(([name]) => name !== missing)))
      }).not.toThrow()
  })

  it('is shown as a stream that middlewares know', () => {
    const web = ReadableStream.from(['a'])
    const node = Readable.from(['a'])
    const open = Object.assign(pieces(), { [unfinished]: true })
    const blob = new Blob(['a'])
    for (const known of [web, node, open, query, blob, 'text', { a: 1 }])
      expect(knownStream(known)).toBe(known)
    expect(knownStream(pieces('a'))).toBeInstanceOf(ReadableStream)
  })
})

describe('the head of an answer', () => {
  it.each([
    [103, false],
    [199, false],
    [200, true],
    [203, true],
    [204, false],
    [205, false],
    [206, true],
    [303, true],
    [304, false],
    [305, true],
  ])('%i has a body: %j', (statusCode, verdict) => {
    expect(hasBody({ statusCode, headers: {}, cookies: [] })).toBe(verdict)
  })

  it.each([99, 600, 200.5, '200', undefined])('the status %j is refused', (statusCode) => {
    expect(() => responseHead({ statusCode })).toThrow('A status is a whole number from 100 to 599')
  })

  it('has the words of its status', () => {
    expect([statusText(418), statusText(299)]).toEqual(["I'm a Teapot", 'Unknown'])
  })
})

describe('an answer that leaves as it is produced', () => {
  const event = functionUrlEvent({ path: '/a' })
  const url = httpApiRequest(event, context)
  const head = httpApiRequest(functionUrlEvent({ method: 'HEAD' }), context)
  const streamed = (
    body: unknown,
    { of = url, statusCode = 200, ...others } = {},
    logger = new RecordingLogger(),
  ) => encodeStreamed({ statusCode, body, ...others }, of, { logger }) as Record<string, unknown>

  it('is one where the source can take it and the chain is for it', () => {
    expect([
      isStreamed(url, { streaming: true }),
      isStreamed(url, {}),
      isStreamed(request, { streaming: true }),
    ]).toEqual([true, false, false])
  })

  it('has text up to 16,383 characters as it is, and the rest as a stream, without a word of base64', () => {
    expect(streamed('x'.repeat(16_383))).toMatchObject({ body: 'x'.repeat(16_383) })
    for (const body of ['x'.repeat(16_384), Buffer.from('x'), pieces('x'), new Blob(['x'])])
      expect(streamed(body)['body']).toBeInstanceOf(Readable)
    expect(Object.keys(streamed('x'))).not.toContain('isBase64Encoded')
    expect(streamed(undefined)).toMatchObject({ body: '' })
  })

  it('has no body and no content type where there is none to send', () => {
    const [none, asked] = [streamed('x', { statusCode: 204 }), streamed('x', { of: head })]
    expect([none['body'], asked['body']]).toEqual(['', ''])
    expect([none['headers'], asked['headers']]).toEqual([
      expect.not.objectContaining({ 'content-type': expect.anything() as unknown }),
      expect.objectContaining({ 'content-type': 'text/plain; charset=utf-8' }),
    ])
  })

  it('that breaks off is told with its request', async () => {
    const logger = new RecordingLogger()
    const body = streamed(pieces<unknown>('a', 7), {}, logger)['body'] as Readable
    await expect(body.toArray()).rejects.toThrow('A stream gives text or bytes, and this gave a number')
    expect(logger.errors.map(({ message }) => message)).toEqual(['The response to GET /a broke off'])
  })
})
