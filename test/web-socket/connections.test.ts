import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi'
import middy from '@middy/core'
import {
  ConfigurationError,
  GoneError,
  InvalidDataError,
  backends,
  invocation,
  respond,
  webSocket,
} from 'clearskies-middy'
import { ConnectionsBackend } from 'clearskies-middy/backends/connections'
import { invoke, webSocketEvent, webSocketGateway } from 'clearskies-middy/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { majors } from '../support/middy-majors.ts'

Object.assign(process.env, { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' })

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

/** A gateway whose function remembers who is there. */
async function started(onMessage: (data: unknown, id: string) => unknown = () => undefined, options = {}) {
  const present = new Set<string>()
  const changes = new EventEmitter()
  const untilPresent = async (count: number): Promise<void> => {
    while (present.size !== count) await once(changes, 'change')
  }
  const ends: [number | undefined, string | undefined][] = []
  const chain = middy()
    .use(webSocket())
    .handler(({ type, connectionId, data, subprotocols, query, disconnectCode, disconnectReason }) => {
      if (type === 'connect') {
        if (query.get('refuse') !== null) return respond(undefined, { status: 403 })
        present.add(connectionId)
        changes.emit('change')
        return subprotocols.length > 0
          ? respond(undefined, { headers: { 'sec-websocket-protocol': subprotocols.at(-1) } })
          : undefined
      }
      if (type === 'message') return onMessage(data, connectionId)
      ends.push([disconnectCode, disconnectReason])
      present.delete(connectionId)
      changes.emit('change')
      return undefined
    })
  const gateway = await webSocketGateway(chain, options)
  closers.push(gateway.close)
  return {
    ...gateway,
    present,
    untilPresent,
    ends,
    connections: new ConnectionsBackend({ endpoint: gateway.endpoint }),
  }
}

async function client(url: string, protocols: string[] = []) {
  const socket = new WebSocket(url, protocols)
  const received: string[] = []
  socket.on('message', (data: Buffer) => received.push(data.toString()))
  const first = once(socket, 'message')
  await once(socket, 'open')
  return {
    socket,
    received,
    first,
    next: async () => ((await once(socket, 'message')) as [Buffer])[0].toString(),
  }
}

describe('ConnectionsBackend, at a real WebSocket server', () => {
  it('a client connects with a subprotocol, talks, is sent to, found and closed', async () => {
    const { url, present, connections, ends } = await started((data) => ({ received: data }))
    const { socket, next } = await client(url, ['v2', 'v1'])
    expect(socket.protocol).toBe('v1')
    const [id = ''] = present
    const echo = next()
    socket.send('{"a":1}')
    expect(await echo).toBe('{"received":{"a":1}}')
    for (const [data, text] of [
      [{ x: 'ü' }, '{"x":"ü"}'],
      ['text', 'text'],
      [Buffer.from('bytes'), 'bytes'],
    ] as const) {
      const message = next()
      await connections.send(id, data)
      expect(await message).toBe(text)
    }
    expect(await connections.find(id)).toMatchObject({
      connectionId: id,
      connectedAt: expect.any(Date) as Date,
    })
    const closed = once(socket, 'close')
    await connections.close(id)
    await closed
    expect(await connections.find(id)).toBeUndefined()
    await connections.close(id)
    expect(ends.length).toBeLessThanOrEqual(1)
  })

  it('E63: a client that is refused sees the status', async () => {
    const { url } = await started()
    const socket = new WebSocket(`${url}?refuse=1`)
    const [error] = (await once(socket, 'error')) as [Error]
    expect(error.message).toContain('403')
  })

  it('E68: a connection that is gone is a GoneError, whatever the client of AWS', async () => {
    const { connections, endpoint } = await started()
    await expect(connections.send('gone=', 'x')).rejects.toMatchObject({
      name: 'GoneError',
      statusCode: 410,
      connectionId: 'gone=',
    })
    expect(await connections.find('gone=')).toBeUndefined()
    const clients = [
      new ApiGatewayManagementApiClient({ endpoint }),
      { send: () => Promise.reject(Object.assign(new Error('x'), { $metadata: { httpStatusCode: 410 } })) },
      { send: () => Promise.reject(Object.assign(new Error('x'), { name: 'GoneException' })) },
    ]
    for (const each of clients)
      await expect(new ConnectionsBackend({ client: each }).send('gone=', 'x')).rejects.toThrow(GoneError)
  })

  it('E69: the id is one segment of the path', async () => {
    const paths: string[] = []
    const sdk = new ApiGatewayManagementApiClient({ endpoint: 'http://127.0.0.1:9/live' })
    sdk.middlewareStack.add(
      (next) => (args) => {
        paths.push((args.request as { path: string }).path)
        return next(args)
      },
      { step: 'finalizeRequest' },
    )
    await new ConnectionsBackend({ client: sdk }).send('a/b=', 'x').catch(() => undefined)
    expect(paths[0]).toBe('/live/@connections/a%2Fb%3D')
  })

  it('E68: of 1,000 connections of which 100 are gone, each living one has the message once, the gone are told', async () => {
    const { url, present, untilPresent, connections } = await started()
    const clients: Awaited<ReturnType<typeof client>>[] = []
    // A server takes at most 511 at once before it has accepted them.
    for (let hundreds = 0; hundreds < 10; hundreds++)
      clients.push(...(await Promise.all(Array.from({ length: 100 }, () => client(url)))))
    const ids = [...present]
    const leaving = clients.slice(0, 100)
    for (const { socket } of leaving) socket.terminate()
    await untilPresent(900)
    const result = await connections.broadcast([...ids, ...ids.slice(0, 5)], { n: 1 })
    expect([result.sent.length, result.gone.length, result.failed]).toEqual([900, 100, []])
    expect(new Set(result.gone)).toEqual(new Set(ids.filter((id) => !present.has(id))))
    const living = clients.slice(100)
    await Promise.all(living.map(({ first }) => first))
    expect(living.every(({ received }) => received.length === 1 && received[0] === '{"n":1}')).toBe(true)
    expect(leaving.every(({ received }) => received.length === 0)).toBe(true)
  }, 60_000)

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['more than 128 KB', 'ü'.repeat(65_537)],
  ])('E68: a message that is %s is an InvalidDataError, and nothing is sent', async (_, data) => {
    let calls = 0
    const backend = new ConnectionsBackend({ client: { send: () => Promise.resolve(calls++) } })
    await expect(backend.send('a', data)).rejects.toThrow(InvalidDataError)
    await expect(backend.broadcast(['a', 'b'], data)).rejects.toThrow(InvalidDataError)
    expect(calls).toBe(0)
  })

  it('bytes of any kind are sent as they are', async () => {
    const sent: string[] = []
    const backend = new ConnectionsBackend({
      client: {
        send: ({ input }: { input: { Data: Uint8Array } }) =>
          Promise.resolve(sent.push(Buffer.from(input.Data).toString())),
      },
    })
    const bytes = new TextEncoder().encode('bytes')
    for (const data of [bytes, bytes.buffer, new DataView(bytes.buffer, 1)]) await backend.send('a', data)
    expect(sent).toEqual(['bytes', 'bytes', 'ytes'])
  })

  it('a broadcast has a bound, and tells what failed', async () => {
    let running = 0
    let most = 0
    const sdk = {
      async send({ input }: { input: { ConnectionId: string } }) {
        most = Math.max(most, ++running)
        await new Promise(setImmediate)
        running--
        if (input.ConnectionId === '7')
          throw Object.assign(new Error('slow down'), { name: 'LimitExceededException' })
      },
    }
    const backend = new ConnectionsBackend({ client: sdk, concurrency: 4 })
    const ids = Array.from({ length: 20 }, (_, n) => String(n))
    const { sent, gone, failed } = await backend.broadcast(ids, 'x')
    expect([sent.length, gone, failed.map(({ connectionId }) => connectionId), most]).toEqual([
      19,
      [],
      ['7'],
      4,
    ])
  })
})

describe('webSocketGateway()', () => {
  it('clients that connect beside each other have their own subprotocols', async () => {
    const { url } = await started()
    const names = Array.from({ length: 20 }, (_, n) => `p${n}`)
    const clients = await Promise.all(names.map((name) => client(url, ['other', name])))
    expect(clients.map(({ socket }) => socket.protocol)).toEqual(names)
  })

  it('a client that leaves before it is let in, and one that asks wrongly, disturb nobody', async () => {
    const { url, port, untilPresent } = await started()
    const upgrade = (key: string) =>
      `GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n${key}Sec-WebSocket-Protocol: own\r\n\r\n`
    const rude = connect(port, '127.0.0.1')
    rude.on('error', () => undefined)
    rude.write(upgrade('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'))
    await untilPresent(1)
    rude.resetAndDestroy()
    const wrong = connect(port, '127.0.0.1')
    wrong.write(upgrade(''))
    const [reply] = (await once(wrong, 'data')) as [Buffer]
    expect(reply.toString()).toContain('400')
    const { socket } = await client(url)
    expect(socket.protocol).toBe('')
  })

  it('the management API answers what is no id of a connection', async () => {
    const { endpoint } = await started()
    const status = async (path: string) => (await fetch(`${endpoint}${path}`, { method: 'POST' })).status
    expect([await status('/@connections/%zz'), await status('/other')]).toEqual([410, 403])
  })
})

describe('ConnectionsBackend through backends()', () => {
  it('E70: each request has its own endpoint; a custom domain has no stage in it', async () => {
    const endpoints: string[] = []
    const seen = async (domainName: string) => {
      const chain = middy()
        .use(webSocket())
        .use(backends({ connections: new ConnectionsBackend() }))
        .handler(async ({ connectionId }, { backends: { connections } }) => {
          await connections.send(connectionId, 'x').catch((error: unknown) => {
            endpoints.push((error as Error & { hostname?: string }).hostname ?? (error as Error).message)
          })
        })
      await invoke(chain, webSocketEvent({ domainName, body: 'x' }))
    }
    await Promise.all(['a.execute-api.invalid', 'b.execute-api.invalid', 'chat.invalid'].map(seen))
    expect(endpoints.sort().map((text) => /[\w.-]+\.invalid/.exec(text)?.[0])).toEqual([
      'a.execute-api.invalid',
      'b.execute-api.invalid',
      'chat.invalid',
    ])
  })

  it('outside of a WebSocket request, without an endpoint, it is a ConfigurationError', async () => {
    const chain = middy()
      .use(invocation())
      .use(backends({ connections: new ConnectionsBackend() }))
      .handler((_, { backends: { connections } }) => connections.send('x', 'y'))
    await expect(invoke(chain, {})).rejects.toThrow(ConfigurationError)
  })

  it.each(majors)(
    'Middy %s: what nobody awaited has arrived before the answer, and its failure fails the invocation',
    async (_, packages) => {
      const chain = (sdk: { send(command: unknown): Promise<unknown> }) =>
        packages
          .middy()
          .use(webSocket({ logger: { error: () => undefined, warn: () => undefined } }))
          .use(backends({ connections: new ConnectionsBackend({ client: sdk }) }))
          .handler(({ connectionId }, { backends: { connections } }) => {
            void connections.send(connectionId, 'x')
            void connections.broadcast(['a', 'b'], 'x')
            void connections.close('c')
          })
      const sent: string[] = []
      const client = {
        async send({ input }: { input: { ConnectionId: string } }) {
          await new Promise(setImmediate)
          sent.push(input.ConnectionId)
        },
      }
      const event = webSocketEvent({ body: 'x', connectionId: 'me' })
      expect(await invoke(chain(client as never), event)).toEqual({ statusCode: 200 })
      expect(sent.sort()).toEqual(['a', 'b', 'c', 'me'])
      const failing = { send: () => Promise.reject(new Error('down')) }
      expect(await invoke(chain(failing), event)).toMatchObject({ statusCode: 500 })
    },
  )
})
