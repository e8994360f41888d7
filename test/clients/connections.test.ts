import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { light } from 'clearskies-middy/clients/light'
import {
  errorOf,
  freshOptions,
  json,
  silence,
  testCredentials,
  useLightServer,
  withoutWaits,
} from '../support/light-server.ts'
import { makeCertificate, noCertificates } from '../support/certificates.ts'
import { startScript } from '../support/run-script.ts'

const server = useLightServer()

it('T38: a call whose signal is aborted sends nothing and asks for no credentials', async () => {
  const credentials = vi.fn(() => testCredentials)
  const onCall = vi.fn()
  const reason = new Error('too late')
  const error = await errorOf(
    server
      .client({ credentials, onCall })
      .call('dynamodb', 'GetItem', {}, { signal: AbortSignal.abort(reason) }),
  )
  expect(error).toMatchObject({ name: 'AbortError', cause: reason, $metadata: { attempts: 0, lost: false } })
  expect(credentials).not.toHaveBeenCalled()
  expect(server.requests).toHaveLength(0)
})

it.each([
  ['an error', new Error('stop')],
  [
    'what reads like a passing failure',
    Object.assign(new Error('reset'), { code: 'ECONNRESET', name: 'TimeoutError' }),
  ],
  ['a text', 'stop'],
])(
  'T38: an abort with %s during the answer ends the call and its request, and there is no other attempt',
  async (_, reason) => {
    withoutWaits()
    const stopping = new AbortController()
    const closed = Promise.withResolvers<undefined>()
    server.respond = (response) => {
      response.on('close', () => closed.resolve(undefined))
      response.writeHead(200, { 'content-length': 100 })
      response.write('{', () => setImmediate(() => stopping.abort(reason)))
    }
    const error = await errorOf(server.client().call('dynamodb', 'GetItem', {}, { signal: stopping.signal }))
    expect(error).toMatchObject({ name: 'AbortError', cause: reason, $metadata: { attempts: 1, lost: true } })
    await closed.promise
    expect(server.requests).toHaveLength(1)
  },
)

it('T38: calls that wait for a connection or for credentials end at once, and the others go on', async () => {
  const gate = Promise.withResolvers<undefined>()
  server.respond = (response) => void gate.promise.then(() => response.end('{}'))
  const client = server.client({ maxSockets: 2 })
  const stopping = new AbortController()
  const working = Array.from({ length: 2 }, () => client.call('dynamodb', 'GetItem'))
  const stopped = Array.from({ length: 50 }, () =>
    errorOf(client.call('dynamodb', 'GetItem', {}, { signal: stopping.signal })),
  )
  const waiting = Array.from({ length: 3 }, () => client.call('dynamodb', 'GetItem'))
  await vi.waitFor(() => expect(server.requests).toHaveLength(2))
  stopping.abort()
  for (const error of await Promise.all(stopped))
    expect(error).toMatchObject({ name: 'AbortError', $metadata: { attempts: 0, lost: false } })
  gate.resolve(undefined)
  await Promise.all([...working, ...waiting])
  expect(server.requests).toHaveLength(5)
})

it('T38: nothing stays behind on a signal that serves hundreds of calls', async () => {
  const warnings = vi.fn()
  process.on('warning', warnings)
  const { signal } = new AbortController()
  const add = vi.spyOn(signal, 'addEventListener')
  const remove = vi.spyOn(signal, 'removeEventListener')
  const client = server.client()
  await Promise.all(Array.from({ length: 500 }, () => client.call('dynamodb', 'GetItem', {}, { signal })))
  server.respond = json(400, {})
  await Promise.all(
    Array.from({ length: 50 }, () => errorOf(client.call('dynamodb', 'GetItem', {}, { signal }))),
  )
  await new Promise(setImmediate)
  process.off('warning', warnings)
  expect(warnings).not.toHaveBeenCalled()
  expect(add).toHaveBeenCalledTimes(550)
  expect(new Set(remove.mock.calls.map(([, listener]) => listener))).toEqual(
    new Set(add.mock.calls.map(([, listener]) => listener)),
  )
})

it('T38: a signal with a handler of its own keeps it', async () => {
  const stopping = new AbortController()
  const onabort = vi.fn()
  stopping.signal.onabort = onabort
  await server.client().call('dynamodb', 'GetItem', {}, { signal: stopping.signal })
  stopping.abort()
  expect(onabort).toHaveBeenCalledTimes(1)
})

it('T39: a connection that does not stand in time is a TimeoutError, which is tried again', async () => {
  withoutWaits()
  // TLS begins, and nobody answers: there is a socket and no connection.
  const sockets = new Set<{ destroy(): void }>()
  const mute = createServer((socket) => sockets.add(socket))
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
  const endpoint = `https://127.0.0.1:${(mute.address() as AddressInfo).port}`
  const error = await errorOf(
    light({ ...freshOptions(), endpoint, connectTimeout: 20 }).call('ssm', 'GetParameters'),
  )
  expect(error).toMatchObject({
    name: 'TimeoutError',
    message: 'There was no connection within 20 ms',
    $metadata: { attempts: 3, lost: true },
  })
  expect(sockets.size).toBe(3)
  for (const socket of sockets) socket.destroy()
  mute.close()
})

it('T39: a kept connection is not measured again, and a slow answer does not fall under connectTimeout', async () => {
  const client = server.client({ connectTimeout: 50 })
  server.respond = (response) => void setTimeout(() => response.end('{}'), 80)
  await client.call('dynamodb', 'GetItem')
  await client.call('dynamodb', 'GetItem')
  expect(server.requests).toHaveLength(2)
})

it.each([
  ['that never comes', silence],
  [
    'that stops in the middle',
    (response) => {
      response.writeHead(200, { 'content-length': 9 })
      response.write('{')
    },
  ],
  [
    'that drips',
    (response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(timer))
    },
  ],
])('T39: an answer %s within requestTimeout is a TimeoutError, which is tried again', async (_, respond) => {
  withoutWaits()
  server.respond = respond
  const error = await errorOf(server.client({ requestTimeout: 40 }).call('ssm', 'GetParameters'))
  expect(error).toMatchObject({
    name: 'TimeoutError',
    message: 'There was no answer within 40 ms',
    $metadata: { attempts: 3, lost: true },
  })
  expect(server.requests).toHaveLength(3)
})

it('T39, T40: nothing of the client keeps a process alive', async () => {
  const run = startScript(
    `import { light } from 'clearskies-middy/clients/light'
    await light({ endpoint: ${JSON.stringify(server.url)} }).call('dynamodb', 'GetItem')
    console.log('done')`,
    { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
  )
  const [code] = await new Promise<unknown[]>((resolve) => run.on('exit', (...args) => resolve(args)))
  expect(code).toBe(0)
})

it('T40: calls one after the other take one connection, and calls at once no more than maxSockets', async () => {
  const client = server.client({ maxSockets: 3 })
  for (let call = 0; call < 5; call++) await client.call('dynamodb', 'GetItem')
  expect(new Set(server.requests.map(({ socket }) => socket)).size).toBe(1)
  await Promise.all(Array.from({ length: 40 }, () => client.call('sqs', 'ListQueues')))
  expect(new Set(server.requests.map(({ socket }) => socket)).size).toBe(3)
})

it('T40: equal options give one client, and others another', () => {
  const onCall = (): void => undefined
  const credentials = () => testCredentials
  expect(light()).toBe(light({}))
  expect(light({ region: 'eu-west-1' })).toBe(light({ region: 'eu-west-1' }))
  expect(light({ credentials, onCall, maxSockets: 7 })).toBe(light({ maxSockets: 7, onCall, credentials }))
  expect(light({ credentials: { ...testCredentials } })).toBe(light({ credentials: { ...testCredentials } }))
  const different = [
    light(),
    light({ region: 'eu-west-1' }),
    light({ endpoint: 'http://eu-west-1' }),
    light({ credentials }),
    light({ credentials: () => testCredentials }),
    light({ credentials: testCredentials }),
    light({ credentials: { ...testCredentials, sessionToken: 'x' } }),
    light({ credentials: { ...testCredentials, secretAccessKey: 'x' } }),
    light({ onCall }),
    light({ maxAttempts: 5 }),
    light({ connectTimeout: 5 }),
    light({ requestTimeout: 5 }),
    light({ maxSockets: 5 }),
  ]
  expect(new Set(different).size).toBe(different.length)
})

it('T40: a client does not change with the options that it was made of', async () => {
  const options = { ...freshOptions(), endpoint: server.url }
  const client = light(options)
  Object.assign(options, { endpoint: 'http://127.0.0.1:1' })
  await client.call('dynamodb', 'GetItem')
  expect(server.requests).toHaveLength(1)
})

it('T41: a request has a length, asks for no compression, and is a plain POST', async () => {
  await server.client().call('sqs', 'SendMessage', { MessageBody: 'é' })
  const { method, headers, bytes } = server.requests[0]!
  expect(method).toBe('POST')
  expect(headers['content-length']).toBe(String(bytes.length))
  for (const name of ['transfer-encoding', 'expect', 'accept-encoding']) expect(headers[name]).toBeUndefined()
  expect(headers['content-type']).toBe('application/x-amz-json-1.0')
  expect(headers['x-amz-target']).toBe('AmazonSQS.SendMessage')
})

it.each([
  ['dynamodb', 'DynamoDB_20120810.X', '1.0', undefined],
  ['sqs', 'AmazonSQS.X', '1.0', 'true'],
  ['ssm', 'AmazonSSM.X', '1.1', undefined],
  ['secretsmanager', 'secretsmanager.X', '1.1', undefined],
] as const)(
  'T41: %s is called by its target and content type',
  async (service, target, version, queryMode) => {
    await server.client().call(service, 'X')
    expect(server.requests[0]).toMatchObject({ path: '/', body: '{}' })
    expect(server.requests[0]?.headers).toMatchObject({
      'x-amz-target': target,
      'content-type': `application/x-amz-json-${version}`,
    })
    expect(server.requests[0]?.headers['x-amzn-query-mode']).toBe(queryMode)
  },
)

it("T42: the invocation's trace is passed on from Lambda, read at each call, and is not signed", async () => {
  const client = server.client()
  vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-a')
  await client.call('dynamodb', 'GetItem')
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'shop')
  await client.call('dynamodb', 'GetItem')
  vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-b')
  await client.call('dynamodb', 'GetItem')
  vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-c\r\nx: y')
  await client.call('dynamodb', 'GetItem')
  expect(server.requests.map(({ headers }) => headers['x-amzn-trace-id'])).toEqual([
    undefined,
    'Root=1-a',
    'Root=1-b',
    undefined,
  ])
  expect(server.requests[1]?.headers.authorization).not.toContain('trace')
})

it("T42: where Lambda's own store knows the trace of an invocation, that one counts", async () => {
  const { InvokeStore } = await import('@aws/lambda-invoke-store')
  const store = await InvokeStore.getInstanceAsync()
  const awslambda = Reflect.get(globalThis, 'awslambda') as object | undefined
  vi.stubGlobal('awslambda', { ...awslambda, InvokeStore: store })
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'shop')
  vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-nobody')
  const client = server.client()
  await store.run({ [Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID')]: 'Root=1-mine' }, () =>
    client.call('sqs', 'ListQueues'),
  )
  expect(server.requests[0]?.headers['x-amzn-trace-id']).toBe('Root=1-mine')
})

it('T42: the name of the client has the version of the package', async () => {
  const { default: manifest } = (await import('../../package.json', { with: { type: 'json' } })) as {
    default: { version: string }
  }
  await server.client().call('ssm', 'GetParameters')
  expect(server.requests[0]?.headers['user-agent']).toBe(
    `clearskies-middy/${manifest.version} node/${process.versions.node}`,
  )
})

it.skipIf(noCertificates() !== undefined)(
  'T40: over TLS, calls one after the other take one connection',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tls-'))
    const { key, cert } = makeCertificate(directory, 'light', 'DNS:localhost')
    const sockets = new Set<unknown>()
    const secure = createTlsServer({ key, cert }, (request, response) => {
      sockets.add(request.socket)
      request.resume().on('end', () => response.end('{"ok":1}'))
    })
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    const client = light({
      ...freshOptions(),
      endpoint: `https://localhost:${(secure.address() as AddressInfo).port}`,
    })
    const untrusted = await errorOf(client.call('dynamodb', 'GetItem'))
    expect(untrusted).toMatchObject({
      code: expect.stringMatching(/CERT|SIGNED/) as string,
      $metadata: { attempts: 1 },
    })
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    for (let call = 0; call < 3; call++) expect(await client.call('dynamodb', 'GetItem')).toEqual({ ok: 1 })
    expect(sockets.size).toBe(1)
    secure.close()
    secure.closeAllConnections()
  },
)
