// Servers that do not behave, and calls that end at any moment.
import { inspect } from 'node:util'
import { expect, it, vi } from 'vitest'
import {
  type Respond,
  errorOf,
  json,
  testCredentials,
  useLightServer,
  withoutWaits,
} from '../support/light-server.ts'
import { growsLinearly } from '../support/growth.ts'

const server = useLightServer()

/** Writes to the socket itself. */
const written =
  (...pieces: readonly string[]): Respond =>
  ({ socket }) => {
    for (const piece of pieces) socket?.write(piece)
    socket?.end()
  }

const head = 'HTTP/1.1 200 OK\r\n'

it.each<[string, Respond]>([
  ['no HTTP', written('hello')],
  ['a status line alone', written(head)],
  ['half a header', written(`${head}content-le`)],
  ['a length that is no number', written(`${head}content-length: many\r\n\r\n{}`)],
  ['two lengths', written(`${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`)],
  [
    'a length and chunks',
    written(`${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
  ],
  ['a length that is too large', written(`${head}content-length: 9\r\n\r\n{}`)],
  ['a chunk that is cut', written(`${head}transfer-encoding: chunked\r\n\r\nff\r\n{}`)],
  ['a chunk without a size', written(`${head}transfer-encoding: chunked\r\n\r\nxx\r\n{}\r\n`)],
  ['headers without end', written(`${head}x: ${'y'.repeat(200_000)}\r\n\r\n{}`)],
  ['a header with a break', written(`${head}x: y\n\0z\r\n\r\n{}`)],
  ['an upgrade', written('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')],
  ['another version', written('HTTP/9.9 200 OK\r\n\r\n{}')],
  ['compressed bytes', written(`${head}content-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x08`)],
  [
    'JSON that is nested without end',
    written(`${head}connection: close\r\n\r\n{"Item":${'{"B":{"M":'.repeat(50_000)}`),
  ],
  ['bytes that are no text', written(`${head}connection: close\r\n\r\n{"a":\xff\xfe}`)],
])('T9, T39: an answer with %s is one error, and the client goes on', async (_, respond) => {
  withoutWaits()
  const uncaught = vi.fn()
  process.on('uncaughtException', uncaught)
  server.respond = respond
  // No answer is waited for: the test would end first.
  const client = server.client({ requestTimeout: 60_000 })
  const error = await errorOf(client.call('dynamodb', 'GetItem', { secret: 's3cr3t' }))
  expect(error).toMatchObject({ $metadata: { attempts: expect.any(Number) as number } })
  expect(error.message).not.toContain('It was answered')
  expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain('s3cr3t')
  server.respond = json(200, { ok: 1 })
  expect(await client.call('dynamodb', 'GetItem')).toEqual({ ok: 1 })
  await new Promise(setImmediate)
  process.off('uncaughtException', uncaught)
  expect(uncaught).not.toHaveBeenCalled()
})

it('T21: bytes behind an answer spoil no other call', async () => {
  server.respond = ({ socket }, _, index) => {
    socket?.write(
      `${head}content-length: 13\r\n\r\n{"index":${String(index).padStart(4)}}HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"evil":true}`,
    )
  }
  withoutWaits()
  const client = server.client()
  for (let call = 0; call < 20; call++) {
    const outcome = await client.call('dynamodb', 'GetItem').catch((error: unknown) => error)
    expect(outcome).not.toHaveProperty('evil')
  }
})

it('T2: an answer that is nested deeply is read or an error, and no crash', async () => {
  const deep = `${'{"M":{"x":'.repeat(20_000)}{"B":"AQ=="}${'}}'.repeat(20_000)}`
  server.respond = (response) => void response.end(`{"Item":{"x":${deep}}}`)
  const outcome = await server
    .client()
    .call('dynamodb', 'GetItem')
    .catch((error: unknown) => error)
  expect(outcome).toBeTypeOf('object')
})

it('T38: calls that are aborted at any moment end with an AbortError or their answer, and leave no connection hanging', async () => {
  const client = server.client({ maxSockets: 5 })
  server.respond = (response) => {
    response.writeHead(200)
    response.write('{"ok"')
    setImmediate(() => response.end(':1}'))
  }
  let aborted = 0
  for (let turn = 0; turn < 40; turn++) {
    const stopping = new AbortController()
    const call = client
      .call('dynamodb', 'GetItem', {}, { signal: stopping.signal })
      .catch((error: unknown) => error)
    for (let wait = 0; wait < turn % 20; wait++)
      await (wait % 2 ? Promise.resolve() : new Promise(setImmediate))
    stopping.abort()
    const outcome = await call
    if (outcome instanceof Error) aborted++
    expect(outcome instanceof Error ? outcome.name : outcome).toEqual(
      outcome instanceof Error ? 'AbortError' : { ok: 1 },
    )
  }
  expect(aborted).toBeGreaterThan(0)
  // As many as may be at once: no connection was lost.
  await Promise.all(Array.from({ length: 20 }, () => client.call('dynamodb', 'GetItem')))
})

it('T3, T40: of five hundred calls beside each other, each gets its own answer', async () => {
  server.respond = (response, { body }) =>
    void setTimeout(() => response.end(body), Number(JSON.parse(body).id) % 7)
  const client = server.client()
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, id) => client.call('dynamodb', 'GetItem', { id })),
  )
  expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, id) => id))
})

it('T14, T36: credentials that change while calls are under way sign each call whole', async () => {
  let generation = 0
  const credentials = () => {
    const number = ++generation
    return {
      accessKeyId: `AKID${number}`,
      secretAccessKey: `secret${number}`,
      sessionToken: `token${number}`,
      expiration: Date.now() + 1000,
    }
  }
  const client = server.client({ credentials })
  await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      for (let wait = 0; wait < index % 10; wait++) await new Promise(setImmediate)
      await client.call('dynamodb', 'GetItem')
    }),
  )
  for (const { headers } of server.requests) {
    const number = /Credential=AKID(\d+)/.exec(String(headers.authorization))?.[1]
    expect(headers['x-amz-security-token']).toBe(`token${number}`)
  }
  expect(testCredentials.accessKeyId).not.toBe('')
})

it('T8: the time of a large answer grows with its size and not with its square', async () => {
  const client = server.client()
  const bodyOf = (size: number): string =>
    JSON.stringify({ Items: Array.from({ length: size }, () => ({ s: { S: 'x'.repeat(1000) } })) })
  await growsLinearly((size) => {
    const body = bodyOf(size)
    return () => {
      server.respond = (response) => void response.end(body)
      return client.call('dynamodb', 'Query')
    }
  }, 1000)
})
