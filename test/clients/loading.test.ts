import { ConfigurationError } from 'clearskies-middy'
import { DynamoDbBackend } from 'clearskies-middy/backends/dynamodb'
import { model } from 'clearskies-middy/backends/model'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { type LightOptions, light } from 'clearskies-middy/clients/light'
import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import { ssmBastion } from 'clearskies-middy/middleware/ssm-bastion'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { errorOf, freshOptions, json, useLightServer } from '../support/light-server.ts'
import { startScript } from '../support/run-script.ts'

const server = useLightServer()

const Thing = model({
  name: 'https://sqs.eu-central-1.amazonaws.com/1/q',
  key: ['id'],
  schema: z.object({ id: z.string() }),
})

const Message = model({
  name: 'https://sqs.eu-central-1.amazonaws.com/1/q',
  schema: z.object({ id: z.string() }),
})

it.each([
  ['itself', light(freshOptions())],
  ['by a function', () => light(freshOptions())],
  ['by a promise of a function', async () => light(freshOptions())],
])('T53: the client is taken wherever there is a client, given %s', (_, client) => {
  new DynamoDbBackend(Thing, { client })
  new SqsBackend(Message, { client })
  parameterStore({ client })
  secretsManager({ client })
  eachRecord(() => undefined, { client })
  ssmBastion({ instanceId: 'i-0123456789abcdef0', client })
})

it.each([{}, { call: 1 }, 'light', null])('T53: %j is no client', (client) => {
  expect(() => new DynamoDbBackend(Thing, { client: client as never })).toThrow(TypeError)
})

it('T53: what has only a "send" stays a client of the SDK', async () => {
  const sent: unknown[] = []
  const client = { send: async (command: { input: unknown }) => (sent.push(command.input), {}) }
  await new DynamoDbBackend(Thing, { client }).find({ id: '1' })
  expect(sent).toHaveLength(1)
})

it('T53: a function makes the client when it is first needed', async () => {
  server.respond = json(200, { Item: { id: { S: '1' } } })
  const things = new DynamoDbBackend(Thing, { client: async () => server.client() })
  expect(await things.find({ id: '1' })).toEqual({ id: '1' })
})

it.each(['s3', 'toString', '', 'DynamoDB'])(
  'T54: the service %j is a ConfigurationError that names the package of the SDK',
  async (service) => {
    const error = await errorOf(server.client().call(service as 'sqs', 'GetObject'))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toContain(`@aws-sdk/client-${service}`)
    expect(server.requests).toHaveLength(0)
  },
)

it.each(['Get Item', 'x\r\ny: z', '', 'Get/Item'])(
  'T54: the operation %j is a TypeError',
  async (operation) => {
    expect(await errorOf(server.client().call('dynamodb', operation))).toBeInstanceOf(TypeError)
    expect(server.requests).toHaveLength(0)
  },
)

it.each<[unknown, string]>([
  [
    { regin: 'eu' },
    'light() has no option "regin"; it has region, endpoint, credentials, maxAttempts, connectTimeout, requestTimeout, maxSockets, onCall',
  ],
  [{ toString: 1 }, 'light() has no option "toString"'],
  [{ region: 5 }, 'light(): the option "region" has a wrong value'],
  ...[0, -1, 1.5, '3', NaN, null].flatMap((value): [unknown, string][] => [
    [{ maxAttempts: value }, '"maxAttempts" has a wrong value'],
    [{ maxSockets: value }, '"maxSockets" has a wrong value'],
  ]),
  ...[0, -1, '3', NaN, Infinity, 2 ** 31].flatMap((value): [unknown, string][] => [
    [{ connectTimeout: value }, '"connectTimeout" has a wrong value'],
    [{ requestTimeout: value }, '"requestTimeout" has a wrong value'],
  ]),
  ...[
    {},
    'x',
    null,
    { accessKeyId: 'a' },
    { accessKeyId: 'a', secretAccessKey: '' },
    { accessKeyId: 'a\n', secretAccessKey: 'b' },
  ].map((value): [unknown, string] => [{ credentials: value }, '"credentials" has a wrong value']),
  [{ onCall: 'log' }, '"onCall" has a wrong value'],
])('T54: the options %j are a TypeError', (options, message) => {
  expect(() => light(options as LightOptions)).toThrow(TypeError)
  expect(() => light(options as LightOptions)).toThrow(message)
})

it('T54: an option that is undefined counts as absent', () => {
  expect(light({ region: undefined, maxAttempts: undefined } as object)).toBe(light())
})

/** Runs a module that has noted what is loaded: files and packages, by the ends of their addresses. */
async function loaded(script: string): Promise<{ readonly modules: string[]; readonly builtins: string[] }> {
  const run = startScript(
    `import { registerHooks } from 'node:module'
    const modules = []
    registerHooks({ load(url, context, next) { modules.push(url); return next(url, context) } })
    const before = new Set(process.moduleLoadList)
    ${script}
    const builtins = process.moduleLoadList.filter((name) => !before.has(name))
    console.log(JSON.stringify({ modules, builtins }))`,
    {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      AWS_ENDPOINT_URL: server.url,
    },
  )
  let [output, errors] = ['', '']
  run.stdout.on('data', (chunk) => (output += String(chunk)))
  run.stderr.on('data', (chunk) => (errors += String(chunk)))
  const code = await new Promise((resolve) => run.on('close', resolve))
  if (code !== 0) throw new Error(errors)
  return JSON.parse(output) as { modules: string[]; builtins: string[] }
}

it('T55: importing the client loads its own files and no module of Node but node:crypto', async () => {
  const { modules, builtins } = await loaded(
    `const { light } = await import('clearskies-middy/clients/light'); light()`,
  )
  expect(modules.length).toBeGreaterThan(5)
  expect(modules.filter((url) => !url.includes('/src/clients/light'))).toEqual([])
  for (const name of ['http', 'https', 'zlib', 'net', 'dns', 'tls'])
    expect(builtins).not.toContain(`NativeModule ${name}`)
})

it('T55: a call over HTTP loads node:http and neither node:https nor node:zlib, and no module facade', async () => {
  const { modules, builtins } = await loaded(
    `const { light } = await import('clearskies-middy/clients/light'); await light().call('dynamodb', 'GetItem')`,
  )
  expect(modules.filter((url) => !url.includes('/src/clients/light'))).toEqual([])
  expect(builtins).toContain('NativeModule http')
  for (const name of ['https', 'zlib']) expect(builtins).not.toContain(`NativeModule ${name}`)
})

const uses = {
  'a backend of DynamoDB': `
    const { DynamoDbBackend } = await import('clearskies-middy/backends/dynamodb')
    const things = new DynamoDbBackend(Thing, { client: light() })
    await things.find({ id: '1' })
    await things.create({ id: '1' })
    await things.update({ id: '1' }, { n: 2 })
    await things.delete({ id: '1' })
    await things.where('id', '=', '1').page()`,
  'a backend of SQS': `
    const { SqsBackend } = await import('clearskies-middy/backends/sqs')
    const things = new SqsBackend(Thing, { client: light() })
    await things.create({ id: '1' }).catch(() => undefined)`,
  'the stores of secrets': `
    const { default: middy } = await import('@middy/core')
    const { parameterStore } = await import('clearskies-middy/middleware/parameter-store')
    const { secretsManager } = await import('clearskies-middy/middleware/secrets-manager')
    const optional = (path) => ({ path, optional: true })
    const handler = middy()
      .use(parameterStore({ fetch: { a: optional('/a') }, client: light(), as: 'parameters' }))
      .use(secretsManager({ fetch: { b: optional('b') }, client: light() }))
      .handler(async (event, { secrets, parameters }) => [secrets.values.b, parameters.values.a])
    await handler({}, {}).catch((error) => console.error(error))`,
}

it.each(Object.entries(uses))(
  'T51, T52: %s with the light client loads no package of the SDK',
  async (_, use) => {
    const { modules } = await loaded(`
    const { light } = await import('clearskies-middy/clients/light')
    const { model } = await import('clearskies-middy/backends/model')
    const Thing = model({ name: ${JSON.stringify(`${server.url}/1/q`)}, key: ['id'], schema: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } } })
    ${use}`)
    expect(server.requests.length).toBeGreaterThan(0)
    expect(
      modules.filter((url) =>
        /node_modules\/(?:@aws-sdk|@smithy|@middy\/(?:ssm|secrets-manager))\//.test(url),
      ),
    ).toEqual([])
  },
)

it('T54: a client of a service that the light one does not know is an error that names the package', async () => {
  const { portTo } = await import('../../src/aws/port.ts')
  const { stepFunctions } = await import('../../src/aws/step-functions.ts')
  const error = await errorOf(
    portTo(stepFunctions, { client: server.client() }).call('SendTaskSuccess', {} as never),
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(error.message).toContain('@aws-sdk/client-sfn')
})
