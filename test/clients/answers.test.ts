import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { crc32 } from 'node:zlib'
import { SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { model } from 'clearskies-middy/backends/model'
import { expect, it, vi } from 'vitest'
import * as z from 'zod'
import { checksumOf } from '../../src/clients/light/crc32.ts'
import type { LightCall } from '../../src/clients/light.ts'
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

/** All that can be seen of a value. */
function shown(value: unknown): string {
  const error = value as Partial<Error>
  return `${inspect(value, { depth: 9, showHidden: true, getters: true })} ${JSON.stringify(value)} ${error.stack} ${String(value)}`
}

it.each([
  ['a refusal', json(400, { __type: 'x#ValidationException', message: 'no', Other: 1 })],
  ['an answer that is no JSON', text(200, '{"SecretString":"s3cr3t-answer"')],
  ['HTML', text(200, '<html>s3cr3t-answer</html>')],
  ['an answer that is no object', text(200, '["s3cr3t-answer"]')],
  ['a failure', text(500, '<html>s3cr3t-answer</html>')],
  ['a reset', reset],
  [
    'no HTTP',
    (response) => {
      response.socket?.end('s3cr3t-answer\r\n\r\n')
    },
  ],
  [
    'a broken header',
    (response) => {
      response.socket?.end('HTTP/1.1 200 OK\r\ns3cr3t-answer\r\n\r\n')
    },
  ],
  [
    'a broken answer',
    (response) => {
      response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"SecretString":"s3cr3t-answer')
    },
  ],
])(
  'T5, T6: nothing secret can be seen in the error of %s, in what onCall is told and in the client',
  async (_, respond) => {
    withoutWaits()
    server.respond = respond
    const calls: LightCall[] = []
    const credentials = { ...testCredentials, sessionToken: 's3cr3t-token' }
    const client = server.client({ credentials, onCall: (call) => calls.push(call) })
    const error = await errorOf(
      client.call('secretsmanager', 'PutSecretValue', { SecretString: 's3cr3t-body' }),
    )
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(SyntaxError)
    const all = shown(error) + shown(client) + shown(calls)
    for (const secret of ['s3cr3t', 'wJalrXUtnFEMI', 'Signature=', 'authorization'])
      expect(all).not.toContain(secret)
    const signature = /Signature=(\w+)/.exec(String(server.requests[0]?.headers.authorization))?.[1]
    expect(signature).toMatch(/^\w{64}$/)
    expect(all).not.toContain(signature)
    expect(Object.keys(error)).not.toEqual(expect.arrayContaining(['$response']))
  },
)

it.each([['<html>busy</html>'], ['{"Item":{"id"'], ['null'], ['[1]'], ['"text"'], [' ']])(
  'T6: the answer %j with status 200 is an error that tells the status, after one request',
  async (body) => {
    server.respond = text(200, body)
    const error = await errorOf(server.client().call('dynamodb', 'PutItem'))
    expect(error).toMatchObject({
      name: 'UnreadableAnswerError',
      $metadata: { httpStatusCode: 200, attempts: 1 },
    })
    expect(error.message).toBe('The answer of dynamodb could not be understood')
    expect(server.requests).toHaveLength(1)
  },
)

it('T6: an empty answer with status 200 is an empty object', async () => {
  server.respond = text(200, '')
  expect(await server.client().call('sqs', 'DeleteMessage')).toEqual({})
})

it.each([
  [503, 4, 'server'],
  [502, 4, 'server'],
  [501, 1, 'server'],
  [403, 1, 'client'],
  [413, 1, 'client'],
  [302, 1, 'client'],
  [429, 4, 'client'],
])(
  'T7, T31, T41: HTML with status %i is decided by the status: %i requests, fault of the %s',
  async (status, requests, fault) => {
    withoutWaits()
    server.respond = text(status, '<html>busy</html>', { location: `${server.url}/elsewhere` })
    const error = await errorOf(server.client().call('dynamodb', 'GetItem'))
    expect(error).toMatchObject({
      name: 'Unknown',
      message: 'UnknownError',
      $fault: fault,
      $metadata: { httpStatusCode: status, attempts: requests },
    })
    expect(error).not.toBeInstanceOf(SyntaxError)
    expect(server.requests.map(({ path }) => path)).toEqual(Array.from({ length: requests }, () => '/'))
  },
)

it('T9: a connection that breaks within the answer is tried again, and the piece is never an answer', async () => {
  withoutWaits()
  server.respond = inTurn(
    (response) => {
      response.writeHead(200, { 'content-length': 500 })
      response.write('{"Item":{}}', () => response.socket?.resetAndDestroy())
    },
    (response) => {
      response.writeHead(200, { 'content-length': 500 })
      response.write('{"Item":{}}', () => response.socket?.end())
    },
    (response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' })
      response.write('{"Item":{}}', () => response.socket?.end())
    },
    json(200, { Item: { id: { S: 'whole' } } }),
  )
  expect(await server.client().call('dynamodb', 'GetItem')).toEqual({ Item: { id: { S: 'whole' } } })
  expect(server.requests).toHaveLength(4)
})

it('T10: an answer of DynamoDB that differs from its checksum is asked for again', async () => {
  withoutWaits()
  const body = '{"Item":{"n":{"N":"1"}}}'
  const checksum = String(crc32(body))
  server.respond = inTurn(
    text(200, body.replace('"1"', '"2"'), { 'x-amz-crc32': checksum }),
    text(200, body, { 'x-amz-crc32': checksum }),
  )
  expect(await server.client().call('dynamodb', 'GetItem')).toEqual({ Item: { n: { N: '1' } } })
  expect(server.requests).toHaveLength(2)
})

it('T10: an answer that stays damaged is an error, which may have done its work', async () => {
  withoutWaits()
  server.respond = text(200, '{}', { 'x-amz-crc32': '1' })
  expect(await errorOf(server.client().call('dynamodb', 'PutItem'))).toMatchObject({
    message: 'The answer was damaged on its way',
    $metadata: { attempts: 4, lost: true },
  })
})

it('T10: another service has no checksum', async () => {
  server.respond = text(200, '{}', { 'x-amz-crc32': '1' })
  expect(await server.client().call('ssm', 'GetParameters')).toEqual({})
})

it.each([0, 1, 7, 1000, 65_535, 65_536, 300_000, 10])(
  'T45: the checksum of %i bytes is that of zlib',
  (size) => {
    const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 7919) >> 3)
    expect(checksumOf(bytes)).toBe(crc32(bytes))
  },
)

const entries = [
  { Id: '0', MessageBody: 'é one' },
  { Id: '1', MessageBody: 'two' },
]
const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

it("T11: a message that SQS acknowledges with another checksum is the SDK's error", async () => {
  const successful = [
    { Id: '1', MessageId: 'm1', MD5OfMessageBody: md5('other') },
    { Id: '0', MessageId: 'm0', MD5OfMessageBody: md5('é one') },
  ]
  server.respond = json(200, { Successful: successful })
  const input = { QueueUrl: `${server.url}/1/q`, Entries: entries }
  const error = await errorOf(server.client().call('sqs', 'SendMessageBatch', input))
  const sdk = new SQSClient({ endpoint: server.url, region: 'eu-central-1', credentials: testCredentials })
  const theirs = await errorOf(sdk.send(new SendMessageBatchCommand(input)))
  expect(error.message).toBe(theirs.message)
  expect(error.message).toBe('Invalid MD5 checksum on messages: m1')
  expect(server.requests).toHaveLength(2)
})

it.each([
  [
    'the right checksums',
    [
      { Id: '0', MD5OfMessageBody: md5('é one') },
      { Id: '1', MD5OfMessageBody: md5('two') },
    ],
  ],
  ['no checksums, as some emulators answer', [{ Id: '0' }, { Id: '1' }]],
  ['an entry that was not sent', [{ Id: '7', MD5OfMessageBody: md5('x') }]],
])('T11: a batch that SQS acknowledges with %s is sent', async (_, successful) => {
  server.respond = json(200, { Successful: successful })
  const answer = await server
    .client()
    .call('sqs', 'SendMessageBatch', { QueueUrl: `${server.url}/1/q`, Entries: entries })
  expect(answer).toEqual({ Successful: successful })
})

it('T11: a received message whose body differs from its checksum is an error', async () => {
  server.respond = json(200, { Messages: [{ MessageId: 'm', Body: 'a', MD5OfBody: md5('b') }] })
  const error = await errorOf(server.client().call('sqs', 'ReceiveMessage'))
  expect(error.message).toBe('Invalid MD5 checksum on messages: m')
})

const typed = 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException'

it.each([
  ['the type', { __type: typed }, {}, 'ResourceNotFoundException'],
  ['the type without a namespace', { __type: 'ValidationException' }, {}, 'ValidationException'],
  ['the type before the code', { __type: 'A', code: 'B', Code: 'C' }, { 'x-amzn-errortype': 'D' }, 'A'],
  ['the code', { code: 'B', Code: 'C' }, { 'x-amzn-errortype': 'D' }, 'B'],
  ['the code in upper case', { Code: 'C' }, { 'x-amzn-errortype': 'D' }, 'C'],
  [
    'the header alone',
    { message: 'm' },
    { 'x-amzn-errortype': 'Odd:http://internal.amazon.com/x,y#z' },
    'Odd',
  ],
  [
    'the header, where the type is no text',
    { __type: { toString: 1 } },
    { 'x-amzn-errortype': 'Odd' },
    'Odd',
  ],
  ['nothing', {}, {}, 'Unknown'],
])('T28: the name of an error is that of %s', async (_, body, headers, name) => {
  server.respond = json(400, body, headers)
  expect((await errorOf(server.client().call('dynamodb', 'GetItem'))).name).toBe(name)
})

it('T28: a throttling code in the header alone is tried again', async () => {
  withoutWaits()
  const header = { 'x-amzn-errortype': 'ThrottlingException:http://internal.amazon.com/coral/' }
  server.respond = inTurn(json(400, { message: 'slow down' }, header), json(200, { ok: 1 }))
  expect(await server.client().call('dynamodb', 'GetItem')).toEqual({ ok: 1 })
})

it('T29: an error has the message, the status, the request and the members of the service, and stays an error', async () => {
  const body = {
    __type: 'x#ConditionalCheckFailedException',
    Message: 'The conditional request failed',
    Item: { id: { S: 'a' }, b: { B: 'AQI=' } },
    ...{ name: 'evil', stack: 'evil', cause: 'evil', toString: 'evil', $metadata: 'evil', $fault: 'evil' },
  }
  server.respond = text(400, JSON.stringify(body).replace('{', '{"__proto__":{"evil":1},'), {
    'x-amzn-requestid': 'id-1, id-2',
  })
  const error = await errorOf(server.client().call('dynamodb', 'PutItem'))
  expect(error).toMatchObject({
    name: 'ConditionalCheckFailedException',
    message: 'The conditional request failed',
    $fault: 'client',
    $metadata: { httpStatusCode: 400, requestId: 'id-1', attempts: 1, totalRetryDelay: 0, lost: false },
    Item: { id: { S: 'a' }, b: { B: new Uint8Array([1, 2]) } },
  })
  expect(shown(error)).not.toContain('evil')
  expect(Object.getPrototypeOf(error)).toBe(Error.prototype)
  expect(error.propertyIsEnumerable('Item')).toBe(true)
})

it.each(['x-amzn-requestid', 'x-amzn-request-id', 'x-amz-request-id'])(
  'T29: the id of a request is read from %s',
  async (name) => {
    server.respond = json(400, {}, { [name]: 'id' })
    expect(await errorOf(server.client().call('ssm', 'PutParameter'))).toMatchObject({
      $metadata: { requestId: 'id' },
    })
  },
)

it('T29: the current item of a conflict comes with the error, without another request', async () => {
  const Product = model({
    name: 'products',
    key: ['id'],
    schema: z.object({ id: z.string(), b: z.instanceof(Uint8Array) }),
  })
  server.respond = json(400, {
    __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
    message: 'The conditional request failed',
    Item: { id: { S: 'a' }, b: { B: 'AQI=' } },
  })
  const products = new DynamoDbBackend(Product, { client: server.client() })
  const error = await errorOf(products.create({ id: 'a', b: new Uint8Array([9]) }))
  expect(error).toMatchObject({ name: 'ConflictError', current: { id: 'a', b: new Uint8Array([1, 2]) } })
  expect(server.requests).toHaveLength(1)
})

it('T29: the reasons of a cancelled transaction come with their items, in bytes', async () => {
  const reasons = [
    { Code: 'None' },
    { Code: 'ConditionalCheckFailed', Message: 'no', Item: { b: { B: 'AQI=' } } },
  ]
  server.respond = json(400, { __type: 'x#TransactionCanceledException', CancellationReasons: reasons })
  const error = await errorOf(server.client().call('dynamodb', 'TransactWriteItems'))
  expect(error['CancellationReasons']).toEqual([
    { Code: 'None' },
    { Code: 'ConditionalCheckFailed', Message: 'no', Item: { b: { B: new Uint8Array([1, 2]) } } },
  ])
  expect(server.requests).toHaveLength(1)
})

it.each([
  ['com.amazonaws.sqs#QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue;Sender'],
  ['com.amazonaws.sqs#BatchRequestTooLong', 'AWS.SimpleQueueService.BatchRequestTooLong;Sender'],
  ['com.amazon.coral.service#AccessDeniedException', 'AccessDenied;Sender'],
  ['com.amazonaws.sqs#ReceiptHandleIsInvalid', 'ReceiptHandleIsInvalid;Sender'],
])('T30: SQS with the type %s has the same name for an error as with the SDK', async (type, header) => {
  server.respond = json(400, { __type: type, message: 'no' }, { 'x-amzn-query-error': header })
  const input = { QueueUrl: `${server.url}/1/q`, Entries: entries }
  const error = await errorOf(server.client().call('sqs', 'SendMessageBatch', input))
  expect(server.requests[0]?.headers['x-amzn-query-mode']).toBe('true')
  const sdk = new SQSClient({ endpoint: server.url, region: 'eu-central-1', credentials: testCredentials })
  const theirs = await errorOf(sdk.send(new SendMessageBatchCommand(input)))
  expect(error.name).toBe(theirs.name)
})

it('T31: an answer of 16 MB is read, and one that has no end is cut off', async () => {
  const large = { Responses: 'x'.repeat(16 * 2 ** 20) }
  server.respond = json(200, large)
  const client = server.client()
  expect((await client.call('dynamodb', 'BatchGetItem'))['Responses']).toHaveLength(16 * 2 ** 20)
  const piece = Buffer.alloc(2 ** 20, 'x')
  server.respond = (response) => {
    const write = (): void => {
      if (!response.destroyed) response.write(piece, () => setImmediate(write))
    }
    write()
  }
  const error = await errorOf(client.call('dynamodb', 'BatchGetItem'))
  expect(error.message).toBe('The answer is larger than 64 MB')
  expect(server.requests).toHaveLength(2)
})

it('T27: parts that failed are given as they are', async () => {
  const body = {
    UnprocessedItems: { t: [{ PutRequest: { Item: { id: { S: '1' } } } }] },
    Failed: [{ Id: '0' }],
    Errors: [{ SecretId: 'a' }],
  }
  server.respond = json(200, body)
  expect(await server.client().call('dynamodb', 'BatchWriteItem')).toEqual(body)
  expect(server.requests).toHaveLength(1)
})

it('T43: onCall is told of each call once, whatever came of it', async () => {
  withoutWaits()
  const calls: LightCall[] = []
  const client = server.client({ onCall: (call) => calls.push(call) })
  server.respond = inTurn(
    json(200, {}, { 'x-amzn-requestid': 'a' }),
    json(400, { __type: 'ValidationException' }, { 'x-amzn-requestid': 'b' }),
    json(500, {}, { 'x-amzn-requestid': 'c' }),
    json(200, {}, { 'x-amzn-requestid': 'd' }),
    (response) => response.socket?.resetAndDestroy(),
  )
  await client.call('ssm', 'GetParameters')
  await errorOf(client.call('dynamodb', 'Query'))
  await client.call('sqs', 'SendMessage')
  await errorOf(client.call('secretsmanager', 'GetSecretValue'))
  const stopping = new AbortController()
  server.respond = () => stopping.abort()
  await errorOf(client.call('dynamodb', 'Scan', {}, { signal: stopping.signal }))
  const milliseconds: unknown = expect.any(Number)
  expect(calls).toEqual([
    { service: 'ssm', operation: 'GetParameters', attempts: 1, milliseconds, status: 200, requestId: 'a' },
    { service: 'dynamodb', operation: 'Query', attempts: 1, milliseconds, status: 400, requestId: 'b' },
    { service: 'sqs', operation: 'SendMessage', attempts: 2, milliseconds, status: 200, requestId: 'd' },
    {
      service: 'secretsmanager',
      operation: 'GetSecretValue',
      attempts: 3,
      milliseconds,
      status: undefined,
      requestId: undefined,
    },
    {
      service: 'dynamodb',
      operation: 'Scan',
      attempts: 1,
      milliseconds,
      status: undefined,
      requestId: undefined,
    },
  ])
})

it.each([
  [
    'throws',
    () => {
      throw new Error('mine')
    },
  ],
  ['rejects', () => Promise.reject(new Error('mine'))],
  [
    'gives something odd',
    () => ({
      get then() {
        throw new Error('mine')
      },
    }),
  ],
])('T43: an onCall that %s changes nothing', async (_, onCall) => {
  const unhandled = vi.fn()
  process.on('unhandledRejection', unhandled)
  server.respond = inTurn(json(200, { ok: 1 }), json(400, { __type: 'ValidationException' }))
  const client = server.client({ onCall })
  expect(await client.call('dynamodb', 'GetItem')).toEqual({ ok: 1 })
  expect((await errorOf(client.call('dynamodb', 'GetItem'))).name).toBe('ValidationException')
  await new Promise(setImmediate)
  process.off('unhandledRejection', unhandled)
  expect(unhandled).not.toHaveBeenCalled()
})
