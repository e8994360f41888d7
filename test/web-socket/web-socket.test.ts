import middy from '@middy/core'
import {
  HttpError,
  InvalidEventError,
  anyHttp,
  currentInvocation,
  respond,
  webSocket,
} from 'clearskies-middy'
import { webSocketRequest, webSocketResponse } from 'clearskies-middy/normalizers/web-socket'
import {
  type WebSocketEventOptions,
  albEvent,
  invoke,
  lambdaContext,
  webSocketEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { majors } from '../support/middy-majors.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

const context = lambdaContext()
const read = (options: WebSocketEventOptions) => webSocketRequest(webSocketEvent(options), context)

async function answered(options: WebSocketEventOptions, handler: () => unknown) {
  const logger = new RecordingLogger()
  const chain = middy().use(webSocket({ logger })).handler(handler)
  return { result: await invoke(chain, webSocketEvent(options)), logger }
}

describe('webSocket(): the request', () => {
  it('E62: a connection has headers, query, cookies and address, and no data', () => {
    const connectedAt = new Date(1_796_450_828_910)
    const request = read({
      type: 'connect',
      connectedAt,
      headers: { Host: 'h.example', Cookie: 'a=1; b=2', 'Sec-WebSocket-Protocol': 'v2, v1' },
      query: { room: ['5', '6'] },
      clientIp: '198.51.100.4',
      authorizer: { principalId: 'u', tenant: 't' },
    })
    expect(request).toMatchObject({
      kind: 'web-socket',
      source: 'web-socket',
      type: 'connect',
      routeKey: '$connect',
    })
    expect(request.headers).toMatchObject({ host: 'h.example', 'sec-websocket-protocol': 'v2, v1' })
    expect([request.query.getAll('room'), { ...request.cookies }]).toEqual([['5', '6'], { a: '1', b: '2' }])
    expect([request.clientIp, request.connectedAt, request.data]).toEqual([
      '198.51.100.4',
      connectedAt,
      undefined,
    ])
    expect(request.subprotocols).toEqual(['v2', 'v1'])
    expect(request.authorizer).toEqual({ kind: 'lambda', context: { tenant: 't' }, principalId: 'u' })
  })

  it.each([
    ['JSON', '{"a":1}', { a: 1 }],
    ['other text', 'hello {', 'hello {'],
    ['JSON that is falsy', '0', 0],
    ['empty text', '', ''],
    ['bytes', Uint8Array.of(1, 255), Buffer.from([1, 255])],
    ['nothing', undefined, undefined],
  ])('E65: the data of a message of %s', (_, body, data) => {
    const request = read({ body })
    expect(request.data).toEqual(data)
    expect([request.headers, [...request.query], request.cookies].map((map) => Object.keys(map))).toEqual([
      [],
      [],
      [],
    ])
    expect(request.id).toBe(request.messageId)
  })

  it('E65: null in place of every part is none', () => {
    const event = webSocketEvent({ body: undefined })
    const nulls = { headers: null, multiValueHeaders: null, queryStringParameters: null, body: null }
    const request = webSocketRequest({ ...event, ...nulls }, context)
    expect([request.data, request.header('x'), request.authorizer]).toEqual([
      undefined,
      undefined,
      { kind: 'none' },
    ])
  })

  it('E67: the end has its code and its reason', () => {
    const request = read({ type: 'disconnect', disconnectCode: 1006, disconnectReason: 'lost' })
    expect([request.type, request.disconnectCode, request.disconnectReason]).toEqual([
      'disconnect',
      1006,
      'lost',
    ])
  })

  it('has the event, Lambda’s context, and the names that the gateway gave', () => {
    const event = webSocketEvent({ type: 'connect' })
    const request = webSocketRequest(event, context)
    const { requestId, stage, domainName } = event.requestContext
    expect([request.raw, request.lambdaContext]).toEqual([event, context])
    expect([request.requestId, request.stage, request.domainName]).toEqual([requestId, stage, domainName])
    expect([request.id, requestId]).toEqual([requestId, expect.any(String)])
    expect([request.subprotocols, request.messageId]).toEqual([[], undefined])
  })

  it('data that is set stays', () => {
    const request = read({ body: '{"a":1}' })
    request.data = 'mine'
    expect(request.data).toBe('mine')
  })

  it('an event of HTTP is refused, with what is expected', () => {
    expect(() => webSocketRequest(albEvent() as never, context)).toThrow(
      expect.objectContaining({
        name: 'InvalidEventError',
        seen: 'ALB',
        message: expect.stringMatching(/^webSocket\(\)/) as string,
        expected: [expect.stringMatching(/WebSocket/) as string],
      }),
    )
  })

  it('E71: an event of an authorizer for a connection is refused', () => {
    const event = {
      ...webSocketEvent({ type: 'connect' }),
      type: 'REQUEST',
      methodArn: 'arn:aws:execute-api:x',
    }
    expect(() => webSocketRequest(event, context)).toThrow(InvalidEventError)
  })

  it('an event of a WebSocket API behind another normalizer names webSocket()', async () => {
    await expect(
      invoke(
        middy()
          .use(anyHttp())
          .handler(() => 1),
        webSocketEvent(),
      ),
    ).rejects.toThrow(/webSocket\(\)/)
  })
})

describe('webSocket(): the answer', () => {
  it.each<[string, () => unknown, object]>([
    ['a value', () => ({ a: 1 }), { statusCode: 200 }],
    ['nothing', () => undefined, { statusCode: 200 }],
    ['a refusal', () => respond(undefined, { status: 403 }), { statusCode: 403 }],
    [
      'an exposed error',
      () => {
        throw new HttpError(401, 'who?')
      },
      { statusCode: 401 },
    ],
    [
      'an unexpected error',
      () => {
        throw new Error('db-password')
      },
      { statusCode: 500 },
    ],
    [
      'a response that is thrown',
      () => {
        throw respond('x', { status: 418 })
      },
      { statusCode: 418 },
    ],
  ])('E63: of a connection, where the handler gives %s', async (_, handler, expected) => {
    const { result, logger } = await answered({ type: 'connect' }, handler)
    expect(result).toMatchObject(expected)
    expect(result).not.toHaveProperty('body')
    expect(JSON.stringify(result)).not.toContain('db-password')
    expect(logger.errors).toHaveLength('statusCode' in expected && expected.statusCode === 500 ? 1 : 0)
  })

  it('E64: the chosen subprotocol reaches the client', async () => {
    const { result } = await answered({ type: 'connect' }, () =>
      respond(undefined, { headers: { 'Sec-WebSocket-Protocol': 'v1' } }),
    )
    expect(result).toEqual({ statusCode: 200, headers: { 'sec-websocket-protocol': 'v1' } })
  })

  it.each<[string, () => unknown, object]>([
    ['an object', () => ({ a: 1 }), { statusCode: 200, body: '{"a":1}' }],
    ['text', () => 'hi', { statusCode: 200, body: 'hi' }],
    ['null', () => null, { statusCode: 200 }],
    ['nothing', () => undefined, { statusCode: 200 }],
    ['a web response', () => new Response('hi'), { statusCode: 200, body: 'hi' }],
    [
      'an exposed error',
      () => {
        throw new HttpError(409, 'taken')
      },
      { statusCode: 409, body: '{"title":"Conflict","status":409,"detail":"taken"}' },
    ],
    [
      'an unexpected error',
      () => {
        throw new Error('secret')
      },
      { statusCode: 500, body: '{"title":"Internal Server Error","status":500}' },
    ],
    ['bytes', () => Uint8Array.of(1), { statusCode: 500 }],
    ['more than 128 KB', () => 'x'.repeat(131_073), { statusCode: 500 }],
  ])('E66: of a message, where the handler gives %s', async (_, handler, expected) => {
    expect((await answered({ body: 'x' }, handler)).result).toMatchObject(expected)
  })

  it.each<[string, () => unknown]>([
    ['a value', () => ({ a: 1 })],
    ['a status', () => respond('x', { status: 500 })],
    [
      'an error',
      () => {
        throw new Error('x')
      },
    ],
  ])('E67: the end is always 200: %s', async (_, handler) => {
    expect((await answered({ type: 'disconnect' }, handler)).result).toEqual({ statusCode: 200 })
  })

  it('an answer has at most 128 KiB, as every message', async () => {
    const request = read({ body: 'x' })
    const longest = 'ü'.repeat(65_536)
    expect(await webSocketResponse(longest, request)).toEqual({ statusCode: 200, body: longest })
    await expect(webSocketResponse(`${longest}.`, request)).rejects.toMatchObject({
      name: 'ResponseTooLargeError',
      size: 131_073,
    })
  })

  it('bytes are no answer, and the error tells the other way', async () => {
    await expect(webSocketResponse(Uint8Array.of(1), read({ body: 'x' }))).rejects.toThrow(
      'A response cannot be bytes: send them by a ConnectionsBackend',
    )
  })

  it.each(majors)('Middy %s: a whole connection has its answers', async (_, packages) => {
    const chain = packages
      .middy()
      .use(webSocket({ logger: new RecordingLogger() }))
      .handler(({ type, data }) => {
        if (data === 'fail') throw new Error('secret')
        return type === 'connect'
          ? respond(undefined, { headers: { 'Sec-WebSocket-Protocol': 'v1' } })
          : { data }
      })
    const of = (options: WebSocketEventOptions) => invoke(chain, webSocketEvent(options))
    expect(await of({ type: 'connect' })).toEqual({
      statusCode: 200,
      headers: { 'sec-websocket-protocol': 'v1' },
    })
    expect(await of({ body: 'x' })).toEqual({ statusCode: 200, body: '{"data":"x"}' })
    expect(await of({ body: 'fail' })).toMatchObject({ statusCode: 500 })
    expect(await of({ type: 'disconnect' })).toEqual({ statusCode: 200 })
  })

  it.each(majors)(
    'Middy %s: what a middleware returns early has the form of the source',
    async (_, packages) => {
      const chain = packages
        .middy()
        .use(webSocket())
        .before(() => ({ early: true }))
        .handler(() => 'never')
      expect(await invoke(chain, webSocketEvent({ body: 'x' }))).toEqual({
        statusCode: 200,
        body: '{"early":true}',
      })
    },
  )

  it('fifty messages beside each other have their own scope and answer', async () => {
    const chain = middy()
      .use(webSocket())
      .handler(async ({ data }) => {
        const before = currentInvocation()?.requestId
        await new Promise(setImmediate)
        return { data, same: before === currentInvocation()?.requestId }
      })
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        invoke<{ body: string }>(chain, webSocketEvent({ body: { n } }), lambdaContext()),
      ),
    )
    expect(results.map(({ body }) => JSON.parse(body) as unknown)).toEqual(
      results.map((_, n) => ({ data: { n }, same: true })),
    )
  })
})
