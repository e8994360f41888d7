// What is seen through backends and stores is the same with the light client as with that of the SDK.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { SSMClient } from '@aws-sdk/client-ssm'
import type { ClientOption } from 'clearskies-middy'
import { DynamoDbBackend, transact } from 'clearskies-middy/backends/dynamodb'
import { model } from 'clearskies-middy/backends/model'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
import middy from '@middy/core'
import { expect, it } from 'vitest'
import * as z from 'zod'
import {
  type Respond,
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

const Thing = model({
  name: 'things',
  key: ['id'],
  schema: z.object({ id: z.string(), b: z.instanceof(Uint8Array).optional() }),
})
const refused = (name: string, more = {}): Respond =>
  json(400, { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'no', ...more })
const created = (client: ClientOption): Promise<unknown> =>
  new DynamoDbBackend(Thing, { client }).create({ id: 'a' })

const uses: Readonly<Record<string, readonly [Respond, (client: ClientOption) => Promise<unknown>]>> = {
  'a throttled table': [refused('ProvisionedThroughputExceededException'), created],
  'a conflict with the current item': [
    refused('ConditionalCheckFailedException', { Item: { id: { S: 'a' }, b: { B: 'AQI=' } } }),
    created,
  ],
  'a table that is not there': [refused('ResourceNotFoundException'), created],
  'a refusal after a lost answer': [
    inTurn(reset, refused('ConditionalCheckFailedException', { Item: { id: { S: 'a' } } })),
    created,
  ],
  'a refusal after throttling': [
    inTurn(
      refused('ThrottlingException'),
      refused('ConditionalCheckFailedException', { Item: { id: { S: 'b' } } }),
    ),
    created,
  ],
  'a failure of the service': [text(500, '{}'), created],
  'a cancelled transaction': [
    refused('TransactionCanceledException', {
      CancellationReasons: [
        { Code: 'ConditionalCheckFailed', Message: 'no', Item: { id: { S: 'a' } } },
        { Code: 'None' },
      ],
    }),
    async (client) => {
      const { prepare } = new DynamoDbBackend(Thing, { client })
      return transact([prepare.create({ id: 'a' }), prepare.create({ id: 'b' })])
    },
  ],
  'a batch of which a part is left': [
    (response, request, index) => {
      const { RequestItems } = JSON.parse(request.body) as { RequestItems: unknown }
      json(200, { Responses: {}, UnprocessedKeys: RequestItems })(response, request, index)
    },
    (client) => new DynamoDbBackend(Thing, { client }).findMany([{ id: 'a' }, { id: 'b' }]),
  ],
  'a queue that is not there': [
    json(
      400,
      { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'no' },
      { 'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender' },
    ),
    (client) =>
      new SqsBackend(model({ name: `${server.url}/1/q`, schema: z.object({ id: z.string() }) }), {
        client,
      }).create({ id: 'a' }),
  ],
  'a parameter that is refused': [
    json(400, { __type: 'AccessDeniedException', message: 'User x is not authorized' }),
    async (client): Promise<unknown> =>
      await middy()
        .use(parameterStore({ client }))
        .handler((_, { secrets }) => secrets.get('/a'))({}, {} as never),
  ],
  'a parameter store that cannot be reached': [
    reset,
    async (client): Promise<unknown> =>
      await middy()
        .use(parameterStore({ client }))
        .handler((_, { secrets }) => secrets.get('/a'))({}, {} as never),
  ],
}

it.each(Object.entries(uses))(
  'T56: %s is the same error with both clients',
  { timeout: 60_000 },
  async (_, [respond, use]) => {
    withoutWaits()
    const config = { endpoint: server.url, region: 'eu-central-1', credentials: testCredentials }
    const Sdk = use.toString().includes('parameterStore')
      ? SSMClient
      : use.toString().includes('SqsBackend')
        ? SQSClient
        : DynamoDBClient
    const seen: unknown[] = []
    for (const client of [new Sdk(config), server.client()]) {
      server.requests.length = 0
      server.respond = respond
      const error = await errorOf(use(client))
      const { current, code, ambiguous, failed, reasons } = error
      seen.push({
        name: error.name,
        message: error.message,
        current,
        code,
        ambiguous,
        failed,
        reasons,
        requests: server.requests.length,
      })
    }
    expect(seen[1]).toEqual(seen[0])
    expect(seen[0]).not.toMatchObject({ name: 'Error' })
  },
)
