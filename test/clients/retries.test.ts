import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { expect, it, vi } from 'vitest'
import { kindOfNoAnswer } from '../../src/clients/light/retry.ts'
import type { LightService } from 'clearskies-middy/clients/light'
import {
  errorOf,
  inTurn,
  json,
  reset,
  testCredentials,
  text,
  useLightServer,
  withoutWaits,
} from '../support/light-server.ts'

const server = useLightServer()

const refused = (name: string, status = 400) => json(status, { __type: `x#${name}`, message: 'no' })

/** Makes waits take no time, and tells how long they would have been. */
function recordedWaits(random = 0.5): number[] {
  vi.spyOn(Math, 'random').mockReturnValue(random)
  const real = globalThis.setTimeout
  const waits: number[] = []
  vi.stubGlobal('setTimeout', (run: () => void, milliseconds: number) => {
    // Limits of time are longer than any wait.
    if (milliseconds >= 60_000 || milliseconds === 1000) return real(run, milliseconds)
    waits.push(milliseconds)
    return real(run, 0)
  })
  return waits
}

const throttling = [
  ...['BandwidthLimitExceeded', 'EC2ThrottledException', 'LimitExceededException', 'PriorRequestNotComplete'],
  ...[
    'ProvisionedThroughputExceededException',
    'RequestLimitExceeded',
    'RequestThrottled',
    'RequestThrottledException',
  ],
  ...['SlowDown', 'ThrottledException', 'Throttling', 'ThrottlingException', 'TooManyRequestsException'],
  ...['TransactionInProgressException', 'KmsThrottled'],
]

it.each(throttling)('T19: %s is tried again after up to a second', async (name) => {
  const waits = recordedWaits()
  server.respond = inTurn(refused(name), json(200, { ok: 1 }))
  expect(await server.client().call('sqs', 'SendMessage')).toEqual({ ok: 1 })
  expect(waits).toEqual([500])
})

it.each<[string, ReturnType<typeof json>]>([
  ...[500, 502, 503, 504].map((status): [string, ReturnType<typeof json>] => [
    `status ${status}`,
    text(status, ''),
  ]),
  ...['TimeoutError', 'RequestTimeout', 'RequestTimeoutException'].map(
    (name): [string, ReturnType<typeof json>] => [name, refused(name)],
  ),
  ['a reset', reset],
  ['an end without an answer', (response) => response.socket?.end()],
])('T19, T20: %s is tried again after up to 25 ms by DynamoDB, and 50 ms by others', async (_, respond) => {
  const waits = recordedWaits()
  server.respond = inTurn(respond, json(200, { ok: 1 }))
  expect(await server.client().call('dynamodb', 'GetItem')).toEqual({ ok: 1 })
  server.requests.length = 0
  expect(await server.client().call('ssm', 'GetParameters')).toEqual({ ok: 1 })
  expect(waits).toEqual([12.5, 25])
})

it('T19: status 429 is throttling, whatever the code', async () => {
  const waits = recordedWaits()
  server.respond = inTurn(refused('Odd', 429), json(200, {}))
  await server.client().call('dynamodb', 'GetItem')
  expect(waits).toEqual([500])
})

it.each([
  ...[
    'ValidationException',
    'ConditionalCheckFailedException',
    'TransactionCanceledException',
    'ResourceNotFoundException',
  ],
  ...['AccessDeniedException', 'UnrecognizedClientException', 'ExpiredTokenException', 'ToString'],
])('T19: %s is told after one request', async (name) => {
  server.respond = refused(name)
  expect(await errorOf(server.client().call('dynamodb', 'GetItem'))).toMatchObject({
    name,
    $metadata: { attempts: 1, lost: false },
  })
  expect(server.requests).toHaveLength(1)
})

it.each<[LightService, number]>([
  ['dynamodb', 4],
  ['sqs', 3],
  ['ssm', 3],
  ['secretsmanager', 3],
])('T19: %s is tried %i times in all, and each wait may be twice as long', async (service, attempts) => {
  const waits = recordedWaits()
  server.respond = refused('InternalServerError', 500)
  const error = await errorOf(server.client().call(service, 'Anything'))
  expect(server.requests).toHaveLength(attempts)
  const base = service === 'dynamodb' ? 12.5 : 25
  const expected = Array.from({ length: attempts - 1 }, (_, index) => base * 2 ** index)
  expect(waits).toEqual(expected)
  expect(error).toMatchObject({
    $fault: 'server',
    $metadata: { attempts, totalRetryDelay: expected.reduce((sum, wait) => sum + wait, 0), lost: true },
  })
})

it('T19: a wait is at most 20 seconds', async () => {
  const waits = recordedWaits(0.999)
  server.respond = refused('ThrottlingException')
  await errorOf(server.client({ maxAttempts: 9 }).call('dynamodb', 'Query'))
  expect(Math.max(...waits)).toBeCloseTo(19_980)
})

it('T20: a refused connection keeps the code of Node', async () => {
  withoutWaits()
  const error = await errorOf(server.client({ endpoint: 'http://127.0.0.1:1' }).call('ssm', 'GetParameters'))
  expect(error).toMatchObject({
    code: 'ECONNREFUSED',
    $metadata: { attempts: 3, totalRetryDelay: 0, lost: true },
  })
  expect(error['$fault']).toBeUndefined()
})

it.each([
  ...[
    'ECONNRESET',
    'ECONNREFUSED',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
  ].map((code) => [code, 'transient']),
  ...['CERT_HAS_EXPIRED', 'HPE_INVALID_CONSTANT', 'EACCES', ''].map((code) => [code, undefined]),
])('T19, T20: what the network code %s tells is %s', (code, kind) => {
  expect(kindOfNoAnswer({ error: Object.assign(new Error(), { code }), isStale: false })).toBe(kind)
})

it('T21: kept connections that have died are replaced at once, and the call does not fail, even with one attempt', async () => {
  const waits = recordedWaits()
  const client = server.client({ maxAttempts: 1 })
  await Promise.all(Array.from({ length: 5 }, () => client.call('dynamodb', 'GetItem')))
  const sockets = new Set(server.requests.map(({ socket }) => socket))
  expect(sockets.size).toBe(5)
  // As after a freeze: whoever writes on such a connection meets a reset.
  server.respond = (response, { socket }) => {
    if (sockets.has(socket)) socket.resetAndDestroy()
    else response.end('{"ok":1}')
  }
  expect(await client.call('dynamodb', 'GetItem')).toEqual({ ok: 1 })
  expect(server.requests).toHaveLength(7)
  expect(waits).toEqual([])
})

it('T21: a new connection that is reset is told after one attempt', async () => {
  server.respond = reset
  await errorOf(server.client({ maxAttempts: 1 }).call('dynamodb', 'GetItem'))
  expect(server.requests).toHaveLength(1)
})

it('T21: an idle connection that is reset disturbs nobody', async () => {
  const uncaught = vi.fn()
  process.on('uncaughtException', uncaught)
  const client = server.client()
  await client.call('dynamodb', 'GetItem')
  const socket = server.requests[0]?.socket
  const closed = new Promise((resolve) => socket?.once('close', resolve))
  socket?.resetAndDestroy()
  await closed
  await new Promise(setImmediate)
  await client.call('dynamodb', 'GetItem')
  process.off('uncaughtException', uncaught)
  expect(uncaught).not.toHaveBeenCalled()
})

it('T22: of a hundred calls at once that all fail, few are tried again', async () => {
  withoutWaits()
  server.respond = refused('InternalFailure', 500)
  const client = server.client()
  const errors = await Promise.all(
    Array.from({ length: 100 }, () => errorOf(client.call('ssm', 'GetParameters'))),
  )
  expect(server.requests).toHaveLength(135)
  expect(new Set(errors.map(({ name }) => name))).toEqual(new Set(['InternalFailure']))
  // A success gives one token back, and fourteen make another try.
  server.respond = json(200, {})
  for (let call = 0; call < 14; call++) await client.call('ssm', 'GetParameters')
  server.respond = refused('InternalFailure', 500)
  server.requests.length = 0
  await errorOf(client.call('ssm', 'GetParameters'))
  expect(server.requests).toHaveLength(2)
})

it('T22: throttled tries cost less, and a success gives back what its last try cost', async () => {
  withoutWaits()
  server.respond = refused('ThrottlingException')
  const client = server.client()
  await Promise.all(Array.from({ length: 100 }, () => errorOf(client.call('ssm', 'GetParameters'))))
  expect(server.requests).toHaveLength(200)
  server.respond = json(200, {})
  for (let call = 0; call < 5; call++) await client.call('ssm', 'GetParameters')
  for (let call = 0; call < 3; call++) {
    server.requests.length = 0
    server.respond = inTurn(refused('ThrottlingException'), json(200, {}))
    await client.call('ssm', 'GetParameters')
  }
})

it.each([
  ['x-amz-retry-after', '300', 300],
  ['x-amz-retry-after', '900000', 5012.5],
  ['x-amz-retry-after', '1', 12.5],
  ['x-amz-retry-after', 'soon', 12.5],
  ['x-amz-retry-after', '-5', 12.5],
  ['retry-after', '2', 2000],
  ['retry-after', 'soon', 12.5],
])('T23: %s: %s makes DynamoDB wait %f ms', async (name, value, wait) => {
  const waits = recordedWaits()
  server.respond = inTurn(json(503, {}, { [name]: value }), refused('ValidationException'))
  const error = await errorOf(server.client().call('dynamodb', 'GetItem'))
  expect(waits).toEqual([wait])
  expect(error).toMatchObject({ $metadata: { totalRetryDelay: wait } })
})

it('T23: a date in retry-after is honoured', async () => {
  const waits = recordedWaits()
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 2) })
  server.respond = inTurn(
    json(503, {}, { 'retry-after': new Date(Date.UTC(2026, 0, 2, 0, 0, 3)).toUTCString() }),
    json(200, {}),
  )
  await server.client().call('dynamodb', 'GetItem')
  expect(waits).toEqual([3000])
})

it.each([
  ['a lost answer', reset, true],
  ['a failure of the server', text(500, ''), true],
  ['throttling', refused('ThrottlingException'), false],
])(
  'T24: an error after %s and a refusal tells whether an attempt may have done its work',
  async (_, first, lost) => {
    withoutWaits()
    server.respond = inTurn(first, refused('ConditionalCheckFailedException'))
    expect(await errorOf(server.client().call('dynamodb', 'PutItem'))).toMatchObject({
      name: 'ConditionalCheckFailedException',
      $metadata: { attempts: 2, lost, httpStatusCode: 400 },
    })
  },
)

it('T24: $metadata can be written, as the SDK has it, and an output has none', async () => {
  server.respond = inTurn(refused('ValidationException'), json(200, { Item: {} }))
  const client = server.client()
  const error = await errorOf(client.call('dynamodb', 'PutItem'))
  Object.assign(error['$metadata'] as object, { attempts: 7 })
  expect(error).toMatchObject({ $metadata: { attempts: 7 } })
  expect(Object.keys(await client.call('dynamodb', 'PutItem'))).toEqual(['Item'])
})

it('T25: maxAttempts: 1 is one request, and AWS_MAX_ATTEMPTS counts where the option is absent', async () => {
  withoutWaits()
  server.respond = text(500, '')
  await errorOf(server.client({ maxAttempts: 1 }).call('dynamodb', 'GetItem'))
  expect(server.requests.splice(0)).toHaveLength(1)
  vi.stubEnv('AWS_MAX_ATTEMPTS', '2')
  await errorOf(server.client().call('dynamodb', 'GetItem'))
  expect(server.requests.splice(0)).toHaveLength(2)
  await errorOf(server.client({ maxAttempts: 3 }).call('dynamodb', 'GetItem'))
  expect(server.requests.splice(0)).toHaveLength(3)
  for (const odd of ['', '0', '-1', 'many', '1.5']) {
    vi.stubEnv('AWS_MAX_ATTEMPTS', odd)
    await errorOf(server.client().call('dynamodb', 'GetItem'))
    expect(server.requests.splice(0)).toHaveLength(4)
  }
})

it('T26: a wait that would outlast the signal ends with it', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(1)
  server.respond = json(503, {}, { 'x-amz-retry-after': '60000' })
  const stopping = new AbortController()
  const call = errorOf(server.client().call('dynamodb', 'GetItem', {}, { signal: stopping.signal }))
  await vi.waitFor(() => expect(server.requests).toHaveLength(1))
  await new Promise((resolve) => setTimeout(resolve, 5))
  stopping.abort(new Error('the time is up'))
  expect(await call).toMatchObject({ name: 'AbortError', cause: new Error('the time is up') })
  expect(server.requests).toHaveLength(1)
})

it('T36: credentials that expired on the way are asked for anew, once in a call', async () => {
  let asked = 0
  const credentials = () => ({
    ...testCredentials,
    accessKeyId: `AKID${++asked}`,
    expiration: new Date(Date.now() + 3_600_000),
  })
  server.respond = inTurn(refused('ExpiredTokenException'), json(200, { ok: 1 }))
  const client = server.client({ credentials })
  expect(await client.call('dynamodb', 'GetItem')).toEqual({ ok: 1 })
  expect(
    server.requests.map(({ headers }) => /Credential=(\w+)/.exec(String(headers.authorization))?.[1]),
  ).toEqual(['AKID1', 'AKID2'])
  server.respond = refused('ExpiredToken')
  server.requests.length = 0
  expect((await errorOf(client.call('dynamodb', 'GetItem'))).name).toBe('ExpiredToken')
  expect(server.requests).toHaveLength(2)
})

it('T36: of calls at once with the same expired credentials, all succeed and new ones are asked for once', async () => {
  let asked = 0
  const credentials = async () => ({
    ...testCredentials,
    accessKeyId: `AKID${++asked}`,
    expiration: Date.now() + 3_600_000,
  })
  server.respond = (response, request, index) => {
    const isOld = String(request.headers.authorization).includes('Credential=AKID1/')
    ;(isOld ? refused('ExpiredTokenException') : json(200, {}))(response, request, index)
  }
  const client = server.client({ credentials })
  await Promise.all(Array.from({ length: 30 }, () => client.call('dynamodb', 'GetItem')))
  expect(asked).toBe(2)
})

it('T36: fixed credentials that expired are told after one request, and those of the environment unless it changes', async () => {
  server.respond = refused('ExpiredTokenException')
  await errorOf(server.client().call('dynamodb', 'GetItem'))
  expect(server.requests.splice(0)).toHaveLength(1)
  const { light } = await import('clearskies-middy/clients/light')
  const client = light({ endpoint: server.url, onCall: () => undefined })
  await errorOf(client.call('dynamodb', 'GetItem'))
  expect(server.requests.splice(0)).toHaveLength(1)
  server.respond = (response, request, index) => {
    vi.stubEnv('AWS_SESSION_TOKEN', 'new')
    ;(index === 0 ? refused('ExpiredTokenException') : json(200, {}))(response, request, index)
  }
  await client.call('dynamodb', 'GetItem')
  expect(server.requests.map(({ headers }) => headers['x-amz-security-token'])).toEqual([undefined, 'new'])
})

it('T22: the quota is as large as that of the SDK', async () => {
  withoutWaits()
  server.respond = refused('InternalFailure', 500)
  const sdk = new DynamoDBClient({
    endpoint: server.url,
    region: 'eu-central-1',
    credentials: testCredentials,
  })
  const command = () => new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } })
  await Promise.all(Array.from({ length: 100 }, () => errorOf(sdk.send(command()))))
  const theirs = server.requests.splice(0).length
  const client = server.client()
  await Promise.all(Array.from({ length: 100 }, () => errorOf(client.call('dynamodb', 'GetItem'))))
  expect(server.requests).toHaveLength(theirs)
})

it('T22: without tokens, a poll waits before it fails, and other calls fail at once', async () => {
  withoutWaits()
  server.respond = refused('InternalFailure', 500)
  const client = server.client({ maxAttempts: 100 })
  await errorOf(client.call('sqs', 'ReceiveMessage'))
  server.requests.length = 0
  // All waits of the test are told by their jitter.
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  const timers = vi.spyOn(globalThis, 'setTimeout')
  const waits = (): number => timers.mock.calls.filter(([, milliseconds]) => milliseconds === 25).length
  await errorOf(client.call('sqs', 'SendMessage'))
  expect(waits()).toBe(0)
  const error = await errorOf(client.call('sqs', 'ReceiveMessage'))
  expect(waits()).toBe(1)
  expect(error).toMatchObject({ name: 'InternalFailure', $metadata: { attempts: 1 } })
  expect(server.requests).toHaveLength(2)
})
