// The responder of a normalizer by itself, and what respond() takes.
import { respond } from 'clearskies-middy'
import { httpApiRequest } from 'clearskies-middy/normalizers/http-api'
import { httpApiEvent, lambdaContext } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { Responder } from '../../src/normalizers/http/responder.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

const request = httpApiRequest(httpApiEvent({ path: '/a' }), lambdaContext())

describe('the responder', () => {
  const made = (errors?: unknown) => {
    const logger = new RecordingLogger()
    return {
      logger,
      responder: new Responder({ logger, ...(errors !== undefined && { errors: errors as never }) }),
    }
  }

  it('shows an error in place of what cannot be shown, and a last one in place of an answer that cannot', () => {
    const { responder, logger } = made(() => Response.error())
    expect(made().responder.show(Response.error(), request)).toMatchObject({ statusCode: 500 })
    expect(responder.showError(new Error('x'), request)).toMatchObject({ statusCode: 500 })
    expect(logger.errors.map(({ message }) => message)).toEqual([
      `GET /a failed (request ${String(request.requestId)})`,
      'The error could not be answered',
    ])
  })

  it('answers a body that breaks off while it is collected like any other error', async () => {
    const { responder, logger } = made()
    async function* broken() {
      yield 'a'
      throw new Error('disk')
    }
    const shown = { stage: 'shown', given: undefined, response: { statusCode: 200, body: broken() } } as const
    const sent = await Promise.all([
      responder.send(broken(), request),
      responder.sendShown(shown, request),
      made(() => respond(broken())).responder.sendError(new Error('x'), request),
    ])
    expect(sent).toEqual([1, 2, 3].map(() => expect.objectContaining({ statusCode: 500 }) as object))
    expect(logger.errors).toHaveLength(2)
  })

  it('refuses a promise of an answer, which may fail as it likes', async () => {
    const { responder, logger } = made(async () => {
      throw new Error('late')
    })
    expect(responder.sendError(new Error('x'), request)).toMatchObject({ statusCode: 500 })
    await new Promise(setImmediate)
    expect(logger.errors.at(-1)?.details).toMatchObject({
      message: 'The option "errors" gave no response: return respond(…), and no promise',
      cause: new Error('x'),
    })
  })

  it('keeps for an error the headers that others added, but for those of the body', () => {
    const given = { statusCode: 200, headers: { etag: '7', vary: 'a' }, body: 'x' }
    const headers = {
      etag: '7',
      vary: 'b',
      'x-added': '1',
      'x-content-kind': '2',
      'content-type': 'text/html',
      'Content-Encoding': 'gzip',
      'content-security-policy': "default-src 'self'",
    }
    const sent = made().responder.sendShown(
      { stage: 'shown', given, response: { statusCode: 200, headers, body: 5n } },
      request,
    )
    expect(sent).toMatchObject({ statusCode: 500 })
    expect((sent as { headers: object }).headers).toEqual({
      vary: 'b',
      'x-added': '1',
      'x-content-kind': '2',
      'content-security-policy': "default-src 'self'",
      'content-type': 'application/problem+json',
    })
  })

  it.each<[string, unknown, object]>([
    ['text that others compressed', 'x', { 'content-type': 'text/plain; charset=utf-8' }],
    ['bytes', Buffer.from('x'), { 'content-type': 'application/octet-stream' }],
  ])('%s keeps its type', (_, given, headers) => {
    const response = { statusCode: 200, headers: {}, body: 'eA==', isBase64Encoded: true }
    expect(made().responder.sendShown({ stage: 'shown', given, response }, request)).toMatchObject({
      headers,
    })
  })

  it('takes what others have left without a body for empty', () => {
    const shown = { stage: 'shown', given: undefined, response: { statusCode: 200 } } as const
    expect(made().responder.sendShown(shown, request)).toMatchObject({ statusCode: 200, body: '' })
  })

  it('logs a request by words of ASCII, whatever somebody made up', () => {
    const { responder, logger } = made()
    const odd = { method: 'G T', path: '/\u{1f642}ż', requestId: 'a\nb' } as never
    responder.showError(new Error('x'), odd)
    expect(logger.errors.map(({ message }) => message)).toEqual([
      'G%20T /%F0%9F%99%82%C5%BC failed (request a%0Ab)',
    ])
  })
})

it.each<[string, object, object]>([
  ['an object', { a: '1' }, { a: '1' }],
  ['a Map', new Map([['a', '1']]), { a: '1' }],
  ['a Headers', new Headers({ a: '1' }), { a: '1' }],
])('respond() keeps headers of %s as an object', (_, headers, kept) => {
  expect(respond('x', { headers: headers as never }).headers).toEqual(kept)
})

const none = ReadableStream.from([])

it('respond() takes a stream, and says what else it was given', () => {
  expect(() => respond.stream(null as never)).toThrow(
    'respond.stream() takes a stream or another async iterable, not null',
  )
  expect(() => respond.events('text' as never)).toThrow(
    'respond.events() takes a stream or another async iterable, not a string',
  )
  expect(() => respond.events({} as never)).toThrow('not an object')
  expect(() => respond.events(none as never, { keepAlive: 86_400 })).not.toThrow()
  expect(() => respond.events(none as never, { keepAlive: 86_401 })).toThrow(
    'keepAlive is a number of seconds, above 0 and up to 86,400',
  )
})
