import * as dynamodb from '@aws-sdk/client-dynamodb'
import * as secretsmanager from '@aws-sdk/client-secrets-manager'
import * as sqs from '@aws-sdk/client-sqs'
import * as ssm from '@aws-sdk/client-ssm'
import { expect, it } from 'vitest'
import { inTurn, json, reset, useLightServer, withoutWaits } from '../support/light-server.ts'

const server = useLightServer()

const uuid = expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/) as string

/** The operations of an SDK whose inputs have a member with the trait `idempotencyToken`, as its schemas say. */
function tokensOf(sdk: object): readonly (readonly [string, string])[] {
  return Object.values(sdk).flatMap((schema: unknown) => {
    if (!Array.isArray(schema) || schema[0] !== 9) return []
    const input: unknown = typeof schema[4] === 'function' ? (schema[4] as () => unknown)() : schema[4]
    if (!Array.isArray(input)) return []
    const [, , , , members = [], types = []] = input as [0, 0, 0, 0, string[]?, unknown[]?]
    const index = types.findIndex((type) => Array.isArray(type) && ((type[1] as number) & 4) !== 0)
    return index < 0 ? [] : [[schema[2] as string, members[index] as string] as const]
  })
}

const operations = (
  [
    ['dynamodb', dynamodb],
    ['sqs', sqs],
    ['ssm', ssm],
    ['secretsmanager', secretsmanager],
  ] as const
).flatMap(([service, sdk]) => tokensOf(sdk).map((token) => [service, ...token] as const))

const bodies = (): unknown[] => server.requests.map(({ body }) => JSON.parse(body) as unknown)

it('T58: the SDK marks idempotency tokens in the way that is read here', () => {
  expect(operations).toContainEqual(['secretsmanager', 'PutSecretValue', 'ClientRequestToken'])
  expect(operations).toContainEqual(['dynamodb', 'TransactWriteItems', 'ClientRequestToken'])
})

it.each(operations)('T58: %s %s gets a %s, as the SDK gives one', async (service, operation, member) => {
  await server.client().call(service, operation)
  expect(bodies()).toEqual([{ [member]: uuid }])
})

it('T58: other operations get no token', async () => {
  const client = server.client()
  await client.call('secretsmanager', 'GetSecretValue', { SecretId: 'a' })
  await client.call('ssm', 'PutParameter', { Name: 'a' })
  await client.call('dynamodb', 'constructor', {})
  expect(bodies()).toEqual([{ SecretId: 'a' }, { Name: 'a' }, {}])
})

it('T58: a call keeps its token over its attempts, another call has another, and the input stays as it is', async () => {
  withoutWaits()
  server.respond = inTurn(reset, json(500, {}), json(200, {}))
  const client = server.client()
  const input = Object.freeze({ SecretId: 'a', SecretString: 'b' })
  await client.call('secretsmanager', 'PutSecretValue', input)
  await client.call('secretsmanager', 'PutSecretValue', input)
  const tokens = bodies().map((body) => (body as { ClientRequestToken: string }).ClientRequestToken)
  expect(tokens).toEqual([uuid, tokens[0], tokens[0], uuid])
  expect(tokens[3]).not.toBe(tokens[0])
})

it('T58: a token of the caller is sent as it is', async () => {
  await server.client().call('secretsmanager', 'RotateSecret', { SecretId: 'a', ClientRequestToken: 'mine' })
  expect(bodies()).toEqual([{ SecretId: 'a', ClientRequestToken: 'mine' }])
})
