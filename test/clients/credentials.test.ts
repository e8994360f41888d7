import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { ConfigurationError } from 'clearskies-middy'
import { type LightClient, type LightOptions, light } from 'clearskies-middy/clients/light'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import {
  type SeenRequest,
  errorOf,
  inTurn,
  json,
  reset,
  silence,
  testCredentials,
  text,
  useLightServer,
  withoutWaits,
} from '../support/light-server.ts'
import { runScript } from '../support/run-script.ts'

const server = useLightServer()

/** The container's endpoint. */
const container = {
  requests: [] as Pick<SeenRequest, 'path' | 'headers' | 'method'>[],
  respond: text(200, ''),
  url: '',
}
const containerServer = createServer((request, response) => {
  const { method = '', url = '', headers, socket } = request
  const seen = { method, path: url, headers, socket, bytes: Buffer.alloc(0), body: '' }
  container.respond(response, seen, container.requests.push(seen) - 1)
})
beforeAll(async () => {
  await new Promise<void>((resolve) => containerServer.listen(0, '127.0.0.1', resolve))
  container.url = `http://127.0.0.1:${(containerServer.address() as AddressInfo).port}`
})
afterAll(() => {
  containerServer.close()
  containerServer.closeAllConnections()
})

const hour = 3_600_000
const given = (AccessKeyId: string, left = hour) =>
  json(200, {
    AccessKeyId,
    SecretAccessKey: 'SECRET',
    Token: 'TOKEN',
    Expiration: new Date(Date.now() + left).toISOString(),
  })

beforeEach(() => {
  container.requests.length = 0
  container.respond = given('CONTAINER')
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) vi.stubEnv(name, '')
})

/** A client whose credentials are those of the machine. */
function own(options: LightOptions = {}): LightClient {
  return light({ endpoint: server.url, onCall: () => undefined, ...options })
}

/** Which keys have signed. */
function signers(): (string | undefined)[] {
  return server.requests.map(({ headers }) => /Credential=(\w+)/.exec(String(headers.authorization))?.[1])
}

function inContainer(path = '/credentials?id=1'): void {
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${container.url}${path}`)
}

it('T32: the credentials of the environment sign, with their token, and before those of a container', async () => {
  inContainer()
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'ENVIRONMENT')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  vi.stubEnv('AWS_SESSION_TOKEN', 'token')
  await own().call('sqs', 'ListQueues')
  expect(signers()).toEqual(['ENVIRONMENT'])
  expect(server.requests[0]?.headers['x-amz-security-token']).toBe('token')
  expect(container.requests).toHaveLength(0)
})

it.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])(
  'T32: an environment with an empty %s has no credentials',
  async (name) => {
    inContainer()
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'ENVIRONMENT')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    vi.stubEnv(name, '')
    await own().call('sqs', 'ListQueues')
    expect(signers()).toEqual(['CONTAINER'])
  },
)

it('T32: nothing is read before the first call, so that a snapshot holds no credentials', async () => {
  const client = own()
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'LATER')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  await client.call('sqs', 'ListQueues')
  expect(signers()).toEqual(['LATER'])
})

it('T33: a container gives credentials for its token, at its address as it is, once', async () => {
  inContainer()
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'Basic abc==')
  const client = own()
  await client.call('sqs', 'ListQueues')
  await client.call('sqs', 'ListQueues')
  expect(signers()).toEqual(['CONTAINER', 'CONTAINER'])
  expect(server.requests[0]?.headers['x-amz-security-token']).toBe('TOKEN')
  expect(container.requests).toMatchObject([
    { method: 'GET', path: '/credentials?id=1', headers: { authorization: 'Basic abc==' } },
  ])
  expect(container.requests[0]?.headers.connection).not.toBe('keep-alive')
})

it('T33: the file of the token comes before the variable, and is read for each request', async () => {
  inContainer()
  const file = join(await mkdtemp(join(tmpdir(), 'token-')), 'token')
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'variable')
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', file)
  container.respond = given('CONTAINER', 1000)
  const client = own()
  for (const token of ['first', 'second']) {
    await writeFile(file, token)
    await client.call('sqs', 'ListQueues')
  }
  expect(container.requests.map(({ headers }) => headers.authorization)).toEqual(['first', 'second'])
})

it('T33: a token with a line break is refused, and is not told', async () => {
  inContainer()
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'secret-token\r\nx: y')
  const error = await errorOf(own().call('sqs', 'ListQueues'))
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(inspect(error)).not.toContain('secret-token')
  expect(container.requests).toHaveLength(0)
})

it.each([
  ...[
    'http://example.com/x',
    'http://127.0.0.1.example.com/',
    'http://localhost.example.com/',
    'http://169.254.170.20/',
  ],
  ...[
    'http://169.254.170.2.nip.io/',
    'http://[fd00:ec2::24]/',
    'ftp://127.0.0.1/',
    'nonsense',
    'http://user@example.com@127.0.0.2x/',
  ],
])('T33: the token does not go to %s', async (address) => {
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', address)
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'secret-token')
  const error = await errorOf(own().call('sqs', 'ListQueues'))
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(error.message).toContain('AWS_CONTAINER_CREDENTIALS_FULL_URI')
  expect(server.requests).toHaveLength(0)
})

it.each([
  ['a 500, a reset and a 503', 4, inTurn(text(500, ''), reset, text(503, ''), given('AGAIN')), 'AGAIN'],
  ['four failures', 4, text(500, 'secret-answer'), undefined],
  ['a refusal', 1, text(403, 'secret-answer'), undefined],
])(
  'T33: a container is asked again after failures and not after refusals: %s, %i requests',
  async (_, requests, respond, signer) => {
    withoutWaits()
    inContainer()
    vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'secret-token')
    container.respond = respond
    const outcome = await errorOf(own().call('sqs', 'ListQueues'))
    expect(container.requests).toHaveLength(requests)
    expect(signers()).toEqual(signer === undefined ? [] : [signer])
    if (signer !== undefined) return
    expect(outcome.name).toBe('CredentialsProviderError')
    expect(outcome.message).toMatch(/container.*status (?:500|403)/)
    expect(inspect(outcome, { showHidden: true, depth: 9 })).not.toContain('secret-')
  },
)

it('T33: a container that does not answer is given up after four times a second', async () => {
  withoutWaits()
  const real = globalThis.setTimeout
  const waits: number[] = []
  vi.stubGlobal('setTimeout', (run: () => void, milliseconds: number) => {
    if (milliseconds > 0 && milliseconds <= 1000) waits.push(milliseconds)
    return real(run, Math.min(milliseconds, 20))
  })
  inContainer()
  container.respond = silence
  const error = await errorOf(own().call('sqs', 'ListQueues'))
  expect(error.name).toBe('CredentialsProviderError')
  expect(waits.filter((wait) => wait === 1000)).toHaveLength(4)
})

it.each([
  text(200, 'secret-answer'),
  json(200, { AccessKeyId: 'A' }),
  json(200, []),
  json(200, { AccessKeyId: 'A', SecretAccessKey: '' }),
])('T33: an answer without credentials is an error that does not quote it (%#)', async (respond) => {
  inContainer()
  container.respond = respond
  const error = await errorOf(own().call('sqs', 'ListQueues'))
  expect(error.message).toContain('status 200')
  expect(inspect(error, { showHidden: true })).not.toContain('secret-answer')
})

it.each([
  ['a date', (time: number) => new Date(time)],
  ['a text', (time: number) => new Date(time).toISOString()],
  ['a number', (time: number) => time],
])(
  'T34: credentials of a function whose end is %s are asked for again five minutes before it',
  async (_, expiration) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    let asked = 0
    const end = Date.now() + hour
    const credentials = async () => ({
      ...testCredentials,
      accessKeyId: `AKID${++asked}`,
      expiration: expiration(end),
    })
    const client = server.client({ credentials })
    server.respond = json(200, {})
    await client.call('sqs', 'ListQueues')
    vi.setSystemTime(end - 301_000)
    await client.call('sqs', 'ListQueues')
    vi.setSystemTime(end - 299_000)
    await client.call('sqs', 'ListQueues')
    expect(signers()).toEqual(['AKID1', 'AKID1', 'AKID2'])
  },
)

it('T34: credentials without an end are asked for once', async () => {
  const credentials = vi.fn(() => testCredentials)
  vi.useFakeTimers({ toFake: ['Date'] })
  const client = server.client({ credentials })
  await client.call('sqs', 'ListQueues')
  vi.setSystemTime(Date.now() + 100 * hour)
  await client.call('sqs', 'ListQueues')
  expect(credentials).toHaveBeenCalledTimes(1)
})

it('T34: all who wait share one request, and the signal of one cuts off none of the others', async () => {
  inContainer()
  const gate = Promise.withResolvers<undefined>()
  container.respond = (response, request, index) =>
    void gate.promise.then(() => given('CONTAINER')(response, request, index))
  const stopping = new AbortController()
  const client = own()
  const first = errorOf(client.call('sqs', 'ListQueues', {}, { signal: stopping.signal }))
  const others = Array.from({ length: 20 }, () => client.call('sqs', 'ListQueues'))
  await vi.waitFor(() => expect(container.requests).toHaveLength(1))
  stopping.abort()
  expect((await first).name).toBe('AbortError')
  gate.resolve(undefined)
  await Promise.all(others)
  expect(container.requests).toHaveLength(1)
  expect(server.requests).toHaveLength(20)
})

it('T34: credentials that end soon, or have ended, are used and asked for again at the next call', async () => {
  inContainer()
  container.respond = inTurn(given('SOON', 60_000), given('OVER', -60_000), given('GOOD'))
  const client = own()
  for (let call = 0; call < 4; call++) await client.call('sqs', 'ListQueues')
  expect(signers()).toEqual(['SOON', 'OVER', 'GOOD', 'GOOD'])
})

it('T34: while the old ones are good, a renewal that fails is none', async () => {
  inContainer()
  container.respond = inTurn(given('OLD', 60_000), text(403, ''))
  const client = own()
  await client.call('sqs', 'ListQueues')
  await client.call('sqs', 'ListQueues')
  expect(signers()).toEqual(['OLD', 'OLD'])
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 })
  expect((await errorOf(client.call('sqs', 'ListQueues'))).name).toBe('CredentialsProviderError')
})

it('T35: a failure is not kept: the next call asks again', async () => {
  inContainer()
  container.respond = inTurn(text(403, ''), given('GOOD'))
  const client = own()
  await errorOf(client.call('sqs', 'ListQueues'))
  await client.call('sqs', 'ListQueues')
  expect(signers()).toEqual(['GOOD'])
  const credentials = vi.fn(() => Promise.reject(new Error('mine')))
  const failing = server.client({ credentials })
  expect((await errorOf(failing.call('sqs', 'ListQueues'))).message).toBe('mine')
  expect((await errorOf(failing.call('sqs', 'ListQueues'))).message).toBe('mine')
  expect(credentials).toHaveBeenCalledTimes(2)
})

it.each([
  {},
  undefined,
  { accessKeyId: 'A' },
  { ...testCredentials, sessionToken: 'a\r\nb' },
  { accessKeyId: 'A\n', secretAccessKey: 'secret' },
])(
  'T35: a function that gives no credentials is a ConfigurationError that shows none of them (%#)',
  async (value) => {
    const error = await errorOf(
      server.client({ credentials: () => value as never }).call('sqs', 'ListQueues'),
    )
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(inspect(error)).not.toMatch(/wJalrXUtnFEMI|a\\r/)
    expect(server.requests).toHaveLength(0)
  },
)

it('T37: a profile of the AWS configuration works by the chain of the SDK', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'aws-'))
  await writeFile(
    join(directory, 'credentials'),
    '[dev]\naws_access_key_id = PROFILE\naws_secret_access_key = secret\n',
  )
  await writeFile(join(directory, 'config'), '[profile dev]\n')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(directory, 'credentials'))
  vi.stubEnv('AWS_CONFIG_FILE', join(directory, 'config'))
  vi.stubEnv('AWS_PROFILE', 'dev')
  await own().call('sqs', 'ListQueues')
  expect(signers()).toEqual(['PROFILE'])
})

it('T37: a chain that finds nothing keeps the name of its error', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'aws-'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(directory, 'none'))
  vi.stubEnv('AWS_CONFIG_FILE', join(directory, 'none'))
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  expect((await errorOf(own().call('sqs', 'ListQueues'))).name).toBe('CredentialsProviderError')
})

it('T37: without the package of the chain, the error names the variables and the package', () => {
  const { stdout, stderr } = runScript(
    `import { registerHooks } from 'node:module'
    registerHooks({
      resolve(specifier, context, next) {
        if (!specifier.startsWith('@aws-sdk/')) return next(specifier, context)
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
      },
    })
    const { light } = await import('clearskies-middy/clients/light')
    const { name, message } = await light().call('sqs', 'ListQueues').catch((error) => error)
    console.log(name, message)`,
    { AWS_REGION: 'eu-central-1' },
  )
  expect(stderr).toBe('')
  for (const word of [
    'ConfigurationError',
    'AWS_ACCESS_KEY_ID',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    '@aws-sdk/credential-provider-node',
  ])
    expect(stdout).toContain(word)
})
