import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import * as fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { light } from 'clearskies-middy/clients/light'
import { RequestSigner } from '../../src/clients/light/sign.ts'
import { databaseToken } from '../../src/clients/light/database-token.ts'
import { errorOf, freshOptions, inTurn, json, useLightServer, withoutWaits } from '../support/light-server.ts'
import { runs } from '../support/runs.ts'

const server = useLightServer()

const example = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

class Sha256 {
  readonly #hash
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data)
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
}

/** What the SDK's signer makes of a request. */
async function signedBySdk(
  {
    host,
    path,
    headers,
    body,
    method = 'POST',
  }: { host: string; path: string; headers: Record<string, string>; body: string; method?: string },
  {
    date,
    region,
    service,
    credentials = example,
  }: { date: string; region: string; service: string; credentials?: object },
): Promise<string> {
  const signer = new SignatureV4({
    service,
    region,
    credentials: credentials as typeof example,
    sha256: Sha256 as never,
    applyChecksum: false,
  })
  const signingDate = new Date(date.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'))
  const request = {
    method,
    protocol: 'https:',
    hostname: host,
    path,
    query: {},
    headers: { ...headers },
    body,
  }
  const signed = await signer.sign(request as never, { signingDate })
  return String((signed as unknown as { headers: Record<string, string> }).headers['authorization'])
}

it.each([
  {
    date: '20260102T030405Z',
    region: 'us-east-1',
    service: 'dynamodb',
    host: 'dynamodb.us-east-1.amazonaws.com',
    path: '/',
    target: 'DynamoDB_20120810.GetItem',
    type: '1.0',
    token: undefined,
    body: '{"TableName":"t","Key":{"id":{"S":"é"}}}',
    signature: 'cea4801352eb17921605496ddbb7d251a032dd6d29a7f6aa75189a63f9c190a6',
  },
  {
    date: '20261231T235959Z',
    region: 'eu-west-1',
    service: 'secretsmanager',
    host: 'secretsmanager.eu-west-1.amazonaws.com',
    path: '/',
    target: 'secretsmanager.GetSecretValue',
    type: '1.1',
    token: 'AQoDYXdzEPT//////////wEXAMPLE==',
    body: '{"SecretId":"db/main"}',
    signature: 'f2057596d56774ff585ca942698fef019d4a233a71c22f39050e18ee0079db19',
  },
  {
    date: '20260102T030405Z',
    region: 'eu-central-1',
    service: 'sqs',
    host: 'localhost:4566',
    path: '/base/a%20b/',
    target: 'AmazonSQS.SendMessageBatch',
    type: '1.0',
    token: undefined,
    body: '{}',
    signature: '9fd1c4439cfe04fa62b185f666ac66cc82da59b63ea18f0d22e5e171cb7eae01',
  },
])(
  'T12: a request of $service has the signature of the test vector',
  ({ date, region, service, host, path, target, type, token, body, signature }) => {
    const headers = {
      'content-type': `application/x-amz-json-${type}`,
      host,
      'x-amz-date': date,
      ...(token !== undefined && { 'x-amz-security-token': token }),
      'x-amz-target': target,
    }
    const request = { method: 'POST', path, headers, body }
    expect(
      new RequestSigner().signature(request, { ...example, sessionToken: token }, { date, region, service }),
    ).toBe(signature)
  },
)

it("T12: AWS's published example of a signature comes out as published", () => {
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, test suite "get-vanilla".
  const date = '20150830T123600Z'
  const request = {
    method: 'GET',
    path: '/',
    headers: { host: 'example.amazonaws.com', 'x-amz-date': date },
    body: '',
  }
  expect(
    new RequestSigner().authorization(request, example, { date, region: 'us-east-1', service: 'service' }),
  ).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  )
})

it("T12: any request has the same authorization as by the SDK's own signer", async () => {
  const signer = new RequestSigner()
  const segment = fc.stringMatching(/^[A-Za-z0-9._~!'()*$&+,;=:@-]{0,6}(?:%20|%C3%A9)?$/)
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        segments: fc.array(segment, { maxLength: 4 }),
        body: fc.string({ unit: 'grapheme' }),
        time: fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
        region: fc.constantFrom('us-east-1', 'eu-central-1', 'cn-north-1'),
        service: fc.constantFrom('dynamodb', 'sqs', 'rds-db'),
        host: fc.constantFrom('localhost:4566', 'dynamodb.eu-central-1.amazonaws.com', '[::1]:8000'),
        secretAccessKey: fc.string({ minLength: 1, maxLength: 40 }),
        token: fc.option(fc.base64String({ minLength: 4, maxLength: 40 })),
      }),
      async ({ segments, body, time, region, service, host, secretAccessKey, token }) => {
        const path = `/${segments.filter((text) => !/^\.{1,2}$/.test(text)).join('/')}`
        const date = `${time.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
        const credentials = {
          accessKeyId: 'AKID',
          secretAccessKey,
          ...(token !== null && { sessionToken: token }),
        }
        const headers = {
          'content-type': 'application/x-amz-json-1.0',
          host,
          'x-amz-date': date,
          ...(token !== null && { 'x-amz-security-token': token }),
          'x-amz-target': 'AmazonSQS.SendMessage',
        }
        const ours = signer.authorization({ method: 'POST', path, headers, body }, credentials, {
          date,
          region,
          service,
        })
        expect(ours).toBe(
          await signedBySdk({ host, path, headers, body }, { date, region, service, credentials }),
        )
      },
    ),
    { numRuns: runs(2000) },
  )
})

it.each([
  ['a service with a session token', { sessionToken: 'TOKEN==' }, 'é'],
  ['a service without a session token', {}, '{"a":1}'],
])('T12, T13: a request to %s is signed over what the service receives', async (_, more, value) => {
  const credentials = { ...example, ...more }
  await server.client({ credentials }).call('dynamodb', 'GetItem', { TableName: value })
  const [request] = server.requests
  const { authorization, ...all } = request?.headers ?? {}
  expect(all['x-amz-security-token']).toBe(credentials.sessionToken)
  const names = /SignedHeaders=([^,]+)/.exec(String(authorization))?.[1]?.split(';') ?? []
  expect(names).toEqual([
    'content-type',
    'host',
    'x-amz-date',
    ...('sessionToken' in more ? ['x-amz-security-token'] : []),
    'x-amz-target',
  ])
  const headers = Object.fromEntries(names.map((name) => [name, String(all[name])]))
  const scope = { date: String(all['x-amz-date']), region: 'eu-central-1', service: 'dynamodb', credentials }
  expect(authorization).toBe(
    await signedBySdk({ host: String(all.host), path: '/', headers, body: request?.body ?? '' }, scope),
  )
  expect(all['content-length']).toBe(String(request?.bytes.length))
})

const signatureOf = (index: number): string => String(server.requests[index]?.headers.authorization)

it('T14: credentials that change sign with their own secret at once', async () => {
  let secretAccessKey = 'first'
  const client = server.client({
    credentials: () => ({ accessKeyId: 'AKID', secretAccessKey, expiration: 0 }),
  })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 2) })
  await client.call('sqs', 'ListQueues')
  secretAccessKey = 'second'
  await client.call('sqs', 'ListQueues')
  secretAccessKey = 'first'
  await client.call('sqs', 'ListQueues')
  expect(signatureOf(0)).not.toBe(signatureOf(1))
  expect(signatureOf(2)).toBe(signatureOf(0))
})

it('T14: after midnight UTC a request is signed for its own day', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 11, 31, 23, 59, 59, 999) })
  const client = server.client()
  await client.call('ssm', 'GetParameters')
  vi.setSystemTime(Date.UTC(2027, 0, 1))
  await client.call('ssm', 'GetParameters')
  for (const [index, day] of ['20261231', '20270101'].entries()) {
    expect(signatureOf(index)).toContain(`/${day}/eu-central-1/ssm/aws4_request`)
    const { authorization, ...headers } = server.requests[index]?.headers ?? {}
    const date = String(headers['x-amz-date'])
    const signed = {
      'content-type': 'application/x-amz-json-1.1',
      host: String(headers.host),
      'x-amz-date': date,
      'x-amz-target': 'AmazonSSM.GetParameters',
    }
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/SECRET' }
    expect(authorization).toBe(
      await signedBySdk(
        { host: String(headers.host), path: '/', headers: signed, body: '{}' },
        { date, region: 'eu-central-1', service: 'ssm', credentials },
      ),
    )
  }
})

it('T14: keys of a hundred secrets at once sign each with its own', async () => {
  const signer = new RequestSigner()
  const request = { method: 'POST', path: '/', headers: { host: 'h' }, body: '' }
  const scope = { date: '20260102T030405Z', region: 'eu-central-1', service: 'sqs' }
  const sign = (number: number): string =>
    signer.signature(request, { accessKeyId: 'A', secretAccessKey: `s${number % 100}` }, scope)
  const first = Array.from({ length: 100 }, (_, number) => sign(number))
  expect(new Set(first).size).toBe(100)
  expect(Array.from({ length: 100 }, (_, number) => sign(number + 100))).toEqual(first)
})

it('T15: each attempt has a date and a signature of its own, and the same body', async () => {
  withoutWaits()
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 2) })
  server.respond = (response, request, index) => {
    vi.setSystemTime(Date.now() + 60_000)
    json(index < 2 ? 500 : 200, {})(response, request, index)
  }
  let asked = 0
  const credentials = (): typeof example => ({
    ...example,
    accessKeyId: `AKID${++asked}`,
    ...{ expiration: 0 },
  })
  await server.client({ credentials }).call('dynamodb', 'GetItem', { TableName: 't' })
  const dates = server.requests.map(({ headers }) => headers['x-amz-date'])
  expect(dates).toEqual(['20260102T000000Z', '20260102T000100Z', '20260102T000200Z'])
  expect(
    server.requests.map(({ headers }) => /Credential=(\w+)/.exec(String(headers.authorization))?.[1]),
  ).toEqual(['AKID1', 'AKID2', 'AKID3'])
  expect(new Set(server.requests.map(({ body }) => body)).size).toBe(1)
})

it.each([
  'InvalidSignatureException',
  'UnrecognizedClientException',
  'IncompleteSignature',
  'MissingAuthenticationToken',
])('T18: %s is told after one request', async (name) => {
  server.respond = json(400, { __type: name, message: 'The request signature we calculated does not match' })
  expect(await errorOf(server.client().call('dynamodb', 'GetItem'))).toMatchObject({ name })
  expect(server.requests).toHaveLength(1)
})

it("T12: a token for a database is that of the SDK's signers, byte for byte", async () => {
  const { Signer } = await import('@aws-sdk/rds-signer')
  const { DsqlSigner } = await import('@aws-sdk/dsql-signer')
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        username: fc.string({
          unit: fc.constantFrom(...Array.from("aZ9 _-.~!*()'&=+/@é")),
          minLength: 1,
          maxLength: 12,
        }),
        token: fc.option(fc.base64String({ minLength: 4, maxLength: 30 })),
        time: fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
      }),
      async ({ username, token, time }) => {
        vi.useFakeTimers({ toFake: ['Date'], now: time })
        const credentials = { ...example, ...(token !== null && { sessionToken: token }) }
        const [hostname, region, port] = ['db.abc.eu-west-1.rds.amazonaws.com', 'eu-west-1', 5432]
        const rds = {
          host: `${hostname}:${port}`,
          region,
          service: 'rds-db',
          query: { Action: 'connect', DBUser: username },
        } as const
        expect(databaseToken(rds, credentials)).toBe(
          await new Signer({ hostname, region, port, username, credentials }).getAuthToken(),
        )
        const dsql = { host: hostname, region, service: 'dsql', query: { Action: 'DbConnect' } } as const
        expect(databaseToken(dsql, credentials)).toBe(
          await new DsqlSigner({ hostname, region, credentials }).getDbConnectAuthToken(),
        )
      },
    ),
    { numRuns: runs(500) },
  )
})

it('T16: a clock that is an hour off is set by the first answer, in both directions, and calls at once are all tried again', async () => {
  withoutWaits()
  for (const hours of [-1, 1]) {
    server.requests.length = 0
    const now = Date.now()
    const real = now + hours * 3_600_000
    vi.useFakeTimers({ toFake: ['Date'], now })
    server.respond = (response, { headers }) => {
      const [, ...parts] =
        /(\d{4})(..)(..)T(..)(..)(..)Z/.exec(String(headers['x-amz-date']))?.map(Number) ?? []
      const [year = 0, month = 0, ...rest] = parts
      const isRight = Math.abs(Date.UTC(year, month - 1, ...rest) - real) < 300_000
      const date = new Date(real).toUTCString()
      if (isRight) response.writeHead(200, { date }).end('{}')
      else response.writeHead(400, { date, 'x-amzn-errortype': 'InvalidSignatureException' }).end('{}')
    }
    const client = light({ ...freshOptions(), endpoint: server.url })
    await Promise.all(Array.from({ length: 20 }, () => client.call('dynamodb', 'GetItem')))
    expect(server.requests).toHaveLength(40)
    await client.call('dynamodb', 'GetItem')
    expect(server.requests).toHaveLength(41)
    vi.useRealTimers()
  }
})

it('T16: a cached answer, and one without a readable date, do not set the clock', async () => {
  const old = new Date(Date.now() - 7_200_000).toUTCString()
  server.respond = inTurn(
    json(200, {}, { date: old, age: '7000' }),
    json(200, {}, { date: 'yesterday' }),
    json(200, {}),
  )
  const client = server.client()
  for (let call = 0; call < 3; call++) await client.call('sqs', 'ListQueues')
  for (const { headers } of server.requests)
    expect(String(headers['x-amz-date']).slice(0, 8)).toBe(
      new Date().toISOString().slice(0, 10).replaceAll('-', ''),
    )
})

it('T16: a refusal for want of permission is not tried again while the clock is right', async () => {
  server.respond = json(400, { __type: 'AccessDeniedException', message: 'no' })
  await errorOf(server.client().call('ssm', 'GetParameters'))
  expect(server.requests).toHaveLength(1)
})

it('T17: a signature that expired on its way is made anew, though the clock is right', async () => {
  withoutWaits()
  const message = 'Signature expired: 20260102T030405Z is now earlier than 20260102T031000Z'
  server.respond = inTurn(
    json(400, { __type: 'InvalidSignatureException', message }),
    json(200, { ok: true }),
  )
  expect(await server.client().call('sqs', 'ListQueues')).toEqual({ ok: true })
})
