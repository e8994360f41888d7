import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { SSMClient } from '@aws-sdk/client-ssm'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { ConfigurationError } from 'clearskies-middy'
import { type LightOptions, light } from 'clearskies-middy/clients/light'
import { expect, it, vi } from 'vitest'
import { type Endpoint, Endpoints } from '../../src/clients/light/endpoint.ts'
import { type LightService, wireOf } from '../../src/clients/light/services.ts'
import { errorOf, freshOptions, testCredentials, useLightServer } from '../support/light-server.ts'

const server = useLightServer()

const find = (
  service: LightService,
  options: Pick<LightOptions, 'region' | 'endpoint'>,
  input = {},
  operation = 'GetItem',
): Promise<Endpoint> =>
  new Endpoints({ region: options.region, endpoint: options.endpoint }).find({
    wire: wireOf(service)!,
    operation,
    input,
  })

const variables = {
  dynamodb: 'AWS_ENDPOINT_URL_DYNAMODB',
  sqs: 'AWS_ENDPOINT_URL_SQS',
  ssm: 'AWS_ENDPOINT_URL_SSM',
  secretsmanager: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
} as const

it.each(Object.entries(variables))(
  'T46: the endpoint of %s is the option, else %s, else AWS_ENDPOINT_URL, else that of the partition',
  async (name, variable) => {
    const service = name as LightService
    const region = 'eu-west-1'
    expect((await find(service, { region })).host).toBe(`${service}.eu-west-1.amazonaws.com`)
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://all:1')
    expect(await find(service, { region })).toMatchObject({
      host: 'all:1',
      hostname: 'all',
      port: 1,
      isSecure: false,
      path: '/',
      region,
    })
    vi.stubEnv(variable, 'https://own')
    expect(await find(service, { region })).toMatchObject({ host: 'own', port: 443, isSecure: true })
    expect((await find(service, { region, endpoint: 'http://option:80' })).host).toBe('option')
    vi.stubEnv(variable, '')
    expect((await find(service, { region })).host).toBe('all:1')
    vi.stubEnv(variable, 'https://own')
    vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'true')
    expect((await find(service, { region })).host).toBe(`${service}.eu-west-1.amazonaws.com`)
    expect((await find(service, { region, endpoint: 'http://option' })).host).toBe('option')
  },
)

it('T46: the path of an endpoint stays, and is signed', async () => {
  await server.client({ endpoint: `${server.url}/dev%20a/b` }).call('dynamodb', 'GetItem')
  expect(server.requests[0]?.path).toBe('/dev%20a/b')
})

it('T46: an address of IPv6 stands in brackets in the header and without them where it is connected to', async () => {
  expect(await find('dynamodb', { region: 'eu-west-1', endpoint: 'http://[::1]:8000' })).toMatchObject({
    host: '[::1]:8000',
    hostname: '::1',
    port: 8000,
  })
})

it.each([
  '',
  'localhost:4566',
  'ftp://host',
  'http://user:secret@host',
  'http://user@host',
  'http://host?x=1',
  'http://host#x',
  5,
  'nonsense',
])('T46: the option endpoint %j is a TypeError that does not show it', (endpoint) => {
  expect(() => light({ endpoint: endpoint as string })).toThrow(
    new TypeError('light(): the option "endpoint" has a wrong value'),
  )
})

it.each(['localhost:4566', 'http://user:secret@host'])(
  'T46: AWS_ENDPOINT_URL with %s is a ConfigurationError',
  async (address) => {
    vi.stubEnv('AWS_ENDPOINT_URL', address)
    const error = await errorOf(
      light({ ...freshOptions(), credentials: testCredentials }).call('dynamodb', 'GetItem'),
    )
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).not.toContain('secret@')
  },
)

it('T47: without a region anywhere the error names AWS_REGION, before credentials are asked for', async () => {
  vi.stubEnv('AWS_REGION', '')
  const credentials = vi.fn(() => testCredentials)
  const error = await errorOf(light({ credentials }).call('dynamodb', 'GetItem'))
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(error.message).toContain('AWS_REGION')
  expect(credentials).not.toHaveBeenCalled()
})

it('T47: the region of the .env file counts where the environment names none', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'env-'))
  await writeFile(join(directory, '.env'), 'AWS_REGION=eu-north-1\n')
  vi.stubEnv('AWS_REGION', '')
  vi.spyOn(process, 'cwd').mockReturnValue(directory)
  const { nameEnvFile } = await import('../../src/invocation/region.ts')
  nameEnvFile(join(directory, '.env'))
  expect((await find('ssm', {})).host).toBe('ssm.eu-north-1.amazonaws.com')
})

it.each(['eu west', 'eu-west-1.evil.com', 'eu/../x', 'a@b', '-eu', 'eu-', ''])(
  'T47: the region %j is refused',
  async (region) => {
    expect(() => light({ region })).toThrow(TypeError)
    if (region === '') return
    vi.stubEnv('AWS_REGION', region)
    expect(await errorOf(light({ onCall: () => undefined }).call('ssm', 'GetParameters'))).toBeInstanceOf(
      ConfigurationError,
    )
  },
)

const regions = [
  ...['us-east-1', 'eu-central-1', 'ap-southeast-7', 'mx-central-1', 'xx-nowhere-9'],
  ...['cn-north-1', 'cn-northwest-1', 'eusc-de-east-1', 'us-iso-east-1', 'us-iso-west-1', 'us-isob-east-1'],
  ...['eu-isoe-west-1', 'us-isof-south-1', 'us-gov-west-1', 'us-gov-east-1'],
]

it.each(regions)(
  "T48, T50: the hosts of all services in %s are the SDK's, with FIPS and dual-stack as well",
  async (region) => {
    const clients = {
      dynamodb: DynamoDBClient,
      sqs: SQSClient,
      ssm: SSMClient,
      secretsmanager: SecretsManagerClient,
    }
    for (const [service, Client] of Object.entries(clients)) {
      for (const useFipsEndpoint of [false, true]) {
        for (const useDualstackEndpoint of [false, true]) {
          const client = new Client({
            region,
            useFipsEndpoint,
            useDualstackEndpoint,
            credentials: testCredentials,
          })
          vi.stubEnv('AWS_USE_FIPS_ENDPOINT', String(useFipsEndpoint))
          vi.stubEnv('AWS_USE_DUALSTACK_ENDPOINT', String(useDualstackEndpoint))
          const provider = client.config as unknown as { endpointProvider: (options: object) => { url: URL } }
          for (const operation of ['GetItem', 'SearchVectors']) {
            const theirs = provider.endpointProvider({
              Region: region,
              UseFIPS: useFipsEndpoint,
              UseDualStack: useDualstackEndpoint,
              ...(service === 'dynamodb' && { IsSearchOperation: operation === 'SearchVectors' }),
            })
            if (service !== 'dynamodb' && operation !== 'GetItem') continue
            const { host } = await find(service as LightService, { region }, {}, operation)
            expect([service, useFipsEndpoint, useDualstackEndpoint, host]).toEqual([
              service,
              useFipsEndpoint,
              useDualstackEndpoint,
              theirs.url.host,
            ])
          }
        }
      }
    }
  },
)

it.each([
  ['https://sqs.us-west-2.amazonaws.com/1/q', 'sqs.us-west-2.amazonaws.com', 'us-west-2'],
  ['https://sqs-fips.us-east-1.amazonaws.com/1/q', 'sqs-fips.us-east-1.amazonaws.com', 'us-east-1'],
  ['https://queue.amazonaws.com/1/q', 'queue.amazonaws.com', 'us-east-1'],
  ['https://eu-central-1.queue.amazonaws.com/1/q', 'eu-central-1.queue.amazonaws.com', 'eu-central-1'],
  [
    'https://vpce-1-2.sqs.eu-north-1.vpce.amazonaws.com/1/q',
    'vpce-1-2.sqs.eu-north-1.vpce.amazonaws.com',
    'eu-north-1',
  ],
  ['http://127.0.0.1:4566/000000000000/q', '127.0.0.1:4566', 'eu-west-1'],
  ['q', 'sqs.eu-west-1.amazonaws.com', 'eu-west-1'],
])('T49: a call about the queue %s goes to %s, signed for %s', async (QueueUrl, host, region) => {
  expect(await find('sqs', { region: 'eu-west-1' }, { QueueUrl })).toMatchObject({ host, region, path: '/' })
  expect(await find('sqs', { region: 'eu-west-1', endpoint: 'http://own:1' }, { QueueUrl })).toMatchObject({
    host: 'own:1',
    region: 'eu-west-1',
  })
  expect((await find('ssm', { region: 'eu-west-1' }, { QueueUrl })).host).toBe('ssm.eu-west-1.amazonaws.com')
})

it('T49: a queue of another region is signed for that region, on the wire', async () => {
  const client = light(freshOptions())
  await client.call('sqs', 'SendMessage', { QueueUrl: `${server.url}/1/q`, MessageBody: 'x' })
  expect(server.requests[0]?.headers.authorization).toContain('/eu-central-1/sqs/aws4_request')
  expect(server.requests[0]?.path).toBe('/')
})

it('T50: endpoints of accounts, where they are required, are a ConfigurationError', async () => {
  vi.stubEnv('AWS_ACCOUNT_ID_ENDPOINT_MODE', 'required')
  const error = await errorOf(light(freshOptions()).call('dynamodb', 'GetItem'))
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(error.message).toContain('AWS_ACCOUNT_ID_ENDPOINT_MODE')
  expect((await find('sqs', { region: 'eu-west-1' })).host).toBe('sqs.eu-west-1.amazonaws.com')
})
