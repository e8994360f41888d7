// A request of Node's own server as the normalizer reads it: messages are Node's, made without a connection.
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { type NodeHttpEvent, nodeHttpRequest, nodeHttpResponse } from 'clearskies-middy/normalizers/node-http'
import { lambdaContext } from 'clearskies-middy/testing'
import { expect, describe, it } from 'vitest'

interface Described extends Partial<Pick<NodeHttpEvent, 'body' | 'maxBodyBytes' | 'isWebFunction'>> {
  readonly url?: string | undefined
  readonly headers?: readonly (readonly [string, string])[]
  readonly address?: string
  readonly encrypted?: boolean
}

function messageOf({ url = '/', headers = [], address, encrypted }: Described): IncomingMessage {
  const socket = Object.create(new Socket(), {
    remoteAddress: { value: address },
    ...(encrypted && { encrypted: { value: true } }),
  }) as Socket
  const message = new IncomingMessage(socket)
  message.method = 'POST'
  message.url = url
  message.rawHeaders = headers.flat()
  for (const [name, value] of headers) {
    const before = message.headers[name]
    message.headers[name] = before === undefined ? value : `${String(before)}, ${value}`
    ;(message.headersDistinct[name] ??= []).push(value)
  }
  return message
}

const read = (described: Described = {}) =>
  nodeHttpRequest(
    {
      source: 'node-http',
      message: messageOf(described),
      body: described.body,
      maxBodyBytes: described.maxBodyBytes,
      requestId: 'id-7',
      isWebFunction: described.isWebFunction ?? false,
      signal: AbortSignal.abort('gone'),
      stream: () => ReadableStream.from([Buffer.from('long')]),
    },
    lambdaContext(),
  )

describe('the target', () => {
  it.each([
    ['/', '/', ''],
    ['/a?b=c?d', '/a', 'b=c?d'],
    ['/a?', '/a', ''],
    ['?b=c', '/', 'b=c'],
    ['http://h.example/a?b=c', '/a', 'b=c'],
    ['HTTPS://h.example:8080/a', '/a', ''],
    ['https://h.example', '/', ''],
    ['https://h.example?b=c', '/', 'b=c'],
    ['/https://h.example/a', '/https://h.example/a', ''],
    ['x/http://h.example/a', '/x/http://h.example/a', ''],
    [undefined, '/', ''],
  ])('%j has the path %j and the query %j', (url, path, query) => {
    const request = read({ url })
    expect([request.path, request.rawQueryString]).toEqual([path, query])
  })
})

describe('the body', () => {
  it.each<[string, readonly (readonly [string, string])[], Buffer | undefined, unknown]>([
    ['text', [], Buffer.from('ż'), { body: 'ż', isBase64Encoded: false }],
    ['nothing', [], Buffer.alloc(0), { body: '', isBase64Encoded: false }],
    ['none', [], undefined, { body: undefined, isBase64Encoded: false }],
    ['bytes', [], Buffer.from([0xff]), { body: '/w==', isBase64Encoded: true }],
    ['packed', [['content-encoding', 'br']], Buffer.from('a'), { body: 'YQ==', isBase64Encoded: true }],
  ])('of %s', (_, headers, body, seen) => {
    const { body: text, isBase64Encoded } = read({ headers, body })
    expect({ body: text, isBase64Encoded }).toEqual(seen)
  })

  it('streams from the source only where nobody has read it', async () => {
    const textOf = (described: Described) => new Response(read(described).stream()).text()
    expect(await textOf({ body: Buffer.from('short') })).toBe('short')
    expect(await textOf({ body: undefined })).toBe('')
    expect(await textOf({ body: undefined, maxBodyBytes: 3 })).toBe('long')
  })
})

describe('the client', () => {
  it.each<[Described, string | undefined, string]>([
    [{ address: '::ffff:1.2.3.4' }, '1.2.3.4', 'http'],
    [{ address: '1::ffff:5' }, '1::ffff:5', 'http'],
    [{ address: '1.2.3.4', encrypted: true }, '1.2.3.4', 'https'],
    [{}, undefined, 'http'],
    [{ address: '9.9.9.9', headers: [['x-forwarded-for', '1.2.3.4'], ['x-forwarded-proto', 'https']] }, '9.9.9.9', 'http'], // prettier-ignore
    [{ address: '9.9.9.9', headers: [['x-forwarded-for', '1.2.3.4']], isWebFunction: true }, '1.2.3.4', 'https'], // prettier-ignore
  ])('of %j', (described, address, protocol) => {
    const request = read(described)
    expect([request.clientIp, request.protocol, request.authorizer]).toEqual([
      address,
      protocol,
      { kind: 'none' },
    ])
  })

  it.each([
    ['https', 'https'],
    ['http', 'http'],
    ['ws', 'http'],
  ])('that a trusted proxy says to speak %s speaks %s', (told, protocol) => {
    const event = {
      source: 'node-http' as const,
      message: messageOf({ headers: [['x-forwarded-proto', told]] }),
      body: undefined,
      maxBodyBytes: undefined,
      requestId: 'id-7',
      isWebFunction: false,
      signal: new AbortController().signal,
      stream: () => ReadableStream.from([]),
    }
    expect(nodeHttpRequest(event, lambdaContext(), { trustedProxies: 1 }).protocol).toBe(protocol)
  })

  it('that has left aborts the signal, and the id is that of the server', () => {
    const request = read()
    expect([request.signal.aborted, request.requestId]).toEqual([true, 'id-7'])
  })
})

it('headers that came once are read as they are, repeated ones line by line', () => {
  const once = read({ headers: [['a', '1'], ['b', '2']] }) // prettier-ignore
  const twice = read({ headers: [['a', '1'], ['a', '2'], ['b', '3']] }) // prettier-ignore
  expect([once.headers, once.headerValues('a')]).toEqual([{ a: '1', b: '2' }, ['1']])
  expect([twice.headers, twice.headerValues('a')]).toEqual([{ a: '1, 2', b: '3' }, ['1', '2']])
})

describe('the answer', () => {
  it('has cookies as a list of lines, if there are any', async () => {
    const answered = async (headers: object) =>
      await nodeHttpResponse({ statusCode: 200, headers, body: 'x' }, read())
    expect((await answered({ 'set-cookie': ['a=1', 'b=2'] })).headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(Object.keys((await answered({})).headers)).toEqual(['content-type'])
    expect(Object.keys(await answered({})).toSorted()).toEqual(['body', 'headers', 'statusCode'])
  })

  it('has a status of 200 at least', () => {
    expect(() => nodeHttpResponse({ statusCode: 199, body: '' }, read())).toThrow(
      'A status below 200 is no answer',
    )
    expect(nodeHttpResponse({ statusCode: 200, body: '' }, read())).toMatchObject({ statusCode: 200 })
  })
})
