import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { errorOf, json, text, useLightServer } from '../support/light-server.ts'
import { runs } from '../support/runs.ts'

const server = useLightServer()

async function sent(input: object): Promise<unknown> {
  await server.client().call('dynamodb', 'PutItem', input)
  return JSON.parse(server.requests.at(-1)?.body ?? '')
}

async function received(body: unknown): Promise<Record<string, unknown>> {
  server.respond = json(200, body)
  return server.client().call('dynamodb', 'GetItem', {})
}

class Marked extends Uint8Array {
  toJSON(): string {
    return 'something else'
  }
}

const bytes = (...list: number[]): Uint8Array => new Uint8Array(list)

it.each([
  ['bytes', bytes(1, 2), 'AQI='],
  ['no bytes', bytes(), ''],
  ['a Buffer', Buffer.from([1, 2]), 'AQI='],
  ['a view into larger memory', new Uint8Array(bytes(9, 1, 2, 9).buffer, 1, 2), 'AQI='],
  ['a class with a toJSON of its own', new Marked([1, 2]), 'AQI='],
  ['shared memory', new Uint8Array(new SharedArrayBuffer(2)), 'AAA='],
  ['memory without a view', bytes(1, 2).buffer, 'AQI='],
])('T1: %s in an input is sent as base64', async (_, value, base64) => {
  expect(await sent({ Item: { b: { B: value }, text: { S: 'AQI=' } } })).toEqual({
    Item: { b: { B: base64 }, text: { S: 'AQI=' } },
  })
})

it('T1: bytes are sent as base64 at any depth and in any member, and the input stays as it is', async () => {
  const b = bytes(1, 2)
  const input = {
    Key: { id: { B: b } },
    Item: { m: { M: { l: { L: [{ S: 'x' }, { B: b }, { M: { deep: { BS: [b, bytes()] } } }] } } } },
    ExpressionAttributeValues: { ':0': { B: b } },
    Entries: [{ MessageAttributes: { a: { DataType: 'Binary', BinaryValue: b } } }],
    SecretBinary: b,
  }
  const before = structuredClone(input)
  expect(await sent(input)).toEqual({
    Key: { id: { B: 'AQI=' } },
    Item: { m: { M: { l: { L: [{ S: 'x' }, { B: 'AQI=' }, { M: { deep: { BS: ['AQI=', ''] } } }] } } } },
    ExpressionAttributeValues: { ':0': { B: 'AQI=' } },
    Entries: [{ MessageAttributes: { a: { DataType: 'Binary', BinaryValue: 'AQI=' } } }],
    SecretBinary: 'AQI=',
  })
  expect(input).toEqual(before)
})

it('T1: a column called __proto__ beside bytes is sent as it is', async () => {
  const item: unknown = JSON.parse('{"__proto__":{"S":"x"},"constructor":{"N":"1"}}')
  await sent({ Item: Object.assign(item as object, { b: { B: bytes(1) } }) })
  expect(server.requests[0]?.body).toBe(
    '{"Item":{"__proto__":{"S":"x"},"constructor":{"N":"1"},"b":{"B":"AQ=="}}}',
  )
})

it('T2: bytes in every place of an answer of DynamoDB are given as bytes', async () => {
  const wire = { b: { B: 'AQI=' }, s: { BS: ['AQ==', ''] }, m: { M: { l: { L: [{ B: 'AQ==' }] } } } }
  const read = {
    b: { B: bytes(1, 2) },
    s: { BS: [bytes(1), bytes()] },
    m: { M: { l: { L: [{ B: bytes(1) }] } } },
  }
  const answer = (item: object): object => ({
    Item: item,
    Items: [item, item],
    Attributes: item,
    LastEvaluatedKey: item,
    Responses: { table: [item] },
    UnprocessedKeys: { table: { Keys: [item], ExpressionAttributeNames: { '#0': 'B' } } },
    UnprocessedItems: { table: [{ PutRequest: { Item: item } }, { DeleteRequest: { Key: item } }] },
    ItemCollectionMetrics: { table: [{ ItemCollectionKey: item, SizeEstimateRangeGB: [0, 1] }] },
  })
  expect(await received(answer(wire))).toStrictEqual(answer(read))
  expect(
    await received({ Responses: [{ Item: wire }, {}], ItemCollectionMetrics: { ItemCollectionKey: wire } }),
  ).toEqual({
    Responses: [{ Item: read }, {}],
    ItemCollectionMetrics: { ItemCollectionKey: read },
  })
})

it('T2: an answer with spaces in its JSON, as emulators send it, is read the same', async () => {
  server.respond = text(200, '{ "Item": { "b": { "B" : "AQI=" } } }')
  expect(await server.client().call('dynamodb', 'GetItem')).toEqual({ Item: { b: { B: bytes(1, 2) } } })
})

it('T2: bytes of received messages are given as bytes', async () => {
  server.respond = json(200, {
    Messages: [
      {
        MessageId: '1',
        Body: 'AQI=',
        MessageAttributes: { BinaryValue: { DataType: 'Binary', BinaryValue: 'AQI=' } },
      },
      { MessageId: '2', MessageAttributes: { BinaryValue: { DataType: 'String', StringValue: 'AQI=' } } },
    ],
  })
  expect(await server.client().call('sqs', 'ReceiveMessage')).toEqual({
    Messages: [
      {
        MessageId: '1',
        Body: 'AQI=',
        MessageAttributes: { BinaryValue: { DataType: 'Binary', BinaryValue: bytes(1, 2) } },
      },
      { MessageId: '2', MessageAttributes: { BinaryValue: { DataType: 'String', StringValue: 'AQI=' } } },
    ],
  })
})

it('T2: bytes of secrets are given as bytes, one and several', async () => {
  server.respond = json(200, {
    SecretBinary: 'AQI=',
    SecretValues: [{ SecretBinary: 'AQI=' }, { SecretString: 'AQI=' }],
  })
  const answer = await server.client().call('secretsmanager', 'BatchGetSecretValue')
  expect(answer).toEqual({
    SecretBinary: bytes(1, 2),
    SecretValues: [{ SecretBinary: bytes(1, 2) }, { SecretString: 'AQI=' }],
  })
})

it('T2: an answer of Parameter Store has no bytes', async () => {
  server.respond = json(200, { Parameters: [{ Name: 'B', Value: '{"B":"AQI="}' }] })
  expect(await server.client().call('ssm', 'GetParameters')).toEqual({
    Parameters: [{ Name: 'B', Value: '{"B":"AQI="}' }],
  })
})

it('T3: columns called like tags, like other members and like parts of an object keep what they hold', async () => {
  const names = [
    'B',
    'BS',
    'M',
    'L',
    'Item',
    'Items',
    'Attributes',
    'BinaryValue',
    'SecretBinary',
    'toString',
    'Keys',
  ]
  const columns = Object.fromEntries(names.map((name) => [name, { S: 'AQI=' }]))
  const item: unknown = JSON.parse(`{"__proto__":{"S":"AQI="},${JSON.stringify(columns).slice(1)}`)
  const answer = await received({ Item: { M: { M: item }, B: { L: [{ M: item }] } }, Other: { B: 'AQI=' } })
  expect(JSON.stringify(answer)).toBe(
    JSON.stringify({ Item: { M: { M: item }, B: { L: [{ M: item }] } }, Other: { B: 'AQI=' } }),
  )
})

it('T3: items of any names and values come as they are stored', async () => {
  const name = fc.constantFrom('B', 'BS', 'M', 'L', 'S', '__proto__', 'Item', 'x', 'constructor')
  const { attribute } = fc.letrec((tie) => ({
    attribute: fc.oneof(
      { maxDepth: 3 },
      fc.record({ S: fc.string() }),
      fc.record({ B: fc.uint8Array({ maxLength: 5 }) }),
      fc.record({ BS: fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 2 }) }),
      fc.record({ L: fc.array(tie('attribute'), { maxLength: 3 }) }),
      fc.record({
        M: fc.array(fc.tuple(name, tie('attribute')), { maxLength: 3 }).map((e) => Object.fromEntries(e)),
      }),
    ),
  }))
  const client = server.client()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, attribute), { maxLength: 4 }), async (entries) => {
      const Item = Object.fromEntries(entries)
      // The server gives back what it was sent: bytes go there and come back.
      server.respond = (response, { body }) => response.end(body)
      expect(await client.call('dynamodb', 'GetItem', { Item })).toEqual({ Item })
    }),
    { numRuns: runs(300) },
  )
})

it('T4: numbers stay the text that they are', async () => {
  const answer = await received({
    Item: { n: { N: '123456789012345678901234567890' }, s: { NS: ['1e100'] } },
  })
  expect(answer).toEqual({ Item: { n: { N: '123456789012345678901234567890' }, s: { NS: ['1e100'] } } })
})

it('T8: characters that come in two pieces are put together', async () => {
  const body = Buffer.from(JSON.stringify({ Item: { s: { S: 'é€😀'.repeat(50) } } }))
  server.respond = (response) => {
    response.writeHead(200, { 'content-length': body.length })
    let place = 0
    const write = (): void => {
      if (place >= body.length) response.end()
      else response.write(body.subarray(place, (place += 7)), () => setImmediate(write))
    }
    write()
  }
  expect(await server.client().call('dynamodb', 'GetItem')).toEqual({ Item: { s: { S: 'é€😀'.repeat(50) } } })
})

it.each([
  [
    'a cycle',
    () => {
      const input: Record<string, unknown> = {}
      input['a'] = { input }
      return input
    },
  ],
  [
    'a cycle beside bytes',
    () => {
      const input: Record<string, unknown> = { b: bytes(1) }
      input['a'] = { input }
      return input
    },
  ],
  ['a bigint', () => ({ Limit: 1n })],
  ['NaN', () => ({ Limit: NaN })],
  ['Infinity', () => ({ Limit: Infinity })],
  ['a number without end in a list', () => ({ Key: { id: { L: [{ N: -Infinity }] } } })],
  ['a function', () => ({ Limit: () => 1 })],
  ['a symbol', () => ({ Limit: Symbol('a') })],
  ['undefined in a list', () => ({ AttributesToGet: ['a', undefined] })],
  ['null in a list', () => ({ AttributesToGet: [null] })],
  ['a hole in a list', () => ({ AttributesToGet: Object.assign([], { length: 1 }) })],
  ['a Map', () => ({ Key: new Map([['id', { S: '1' }]]) })],
  ['a Set', () => ({ AttributesToGet: new Set(['a']) })],
  ['a promise that nobody has waited for', () => ({ SecretString: Promise.resolve('a') })],
  ['a Map of another realm', () => ({ Key: runInNewContext('new Map()') as object })],
  ['a Date without a time', () => ({ ExportTime: new Date(NaN) })],
  ['what is refused beside bytes', () => ({ Key: { id: { B: bytes(1) } }, Limit: NaN })],
])('T54: an input with %s is refused before anything is sent', async (_, input) => {
  const error = await errorOf(server.client().call('dynamodb', 'Query', input()))
  expect(error).toBeInstanceOf(TypeError)
  expect(server.requests).toHaveLength(0)
})

it('T54: the error about an input names its member, and shows nothing of it', async () => {
  const Key = { secret: { L: [{ N: 'secret' }, { B: () => 'secret' }] } }
  const error = await errorOf(server.client().call('dynamodb', 'GetItem', { TableName: 'secret', Key }))
  expect(error.message).toBe('The input has a function in "Key", which JSON cannot hold')
})

it('T59: a Date of another realm is sent as seconds', async () => {
  expect(await sent({ ExportTime: runInNewContext('new Date(1500)') as object })).toEqual({ ExportTime: 1.5 })
})

it('T59: a Date is sent as seconds, and members that are null or undefined are left out', async () => {
  const input = {
    ExportTime: new Date(1_700_000_000_123),
    S3Prefix: undefined,
    S3Bucket: null,
    Item: { a: { M: { b: null, c: { S: '' } } } },
  }
  const before = structuredClone(input)
  expect(await sent(input)).toEqual({ ExportTime: 1_700_000_000.123, Item: { a: { M: { c: { S: '' } } } } })
  expect(input).toEqual(before)
})
