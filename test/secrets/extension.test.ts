// Secrets through the AWS Parameters and Secrets Lambda Extension.
import { SecretNotFoundError, SecretTimeoutError } from 'clearskies-middy'
import { type AddressInfo, createServer } from 'node:net'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { useExtension } from '../support/extension.ts'
import {
  Gate,
  fakeClock,
  openSecrets,
  outcomes,
  putVersion,
  useSecretStores,
} from '../support/secret-stores.ts'

const { aws, stores } = useSecretStores()
const { extension, port } = useExtension()
const [parameters, secretsOfManager] = stores as [(typeof stores)[0], (typeof stores)[0]]

/** What the extension answers with a value, to either of its paths. */
const reply = (value: string) => ({ Parameter: { Value: value }, SecretString: value })

/** A port that nobody listens at. */
async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: free } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return String(free)
}

// First, because what is written or refreshed later is for a while not asked of the extension, whoever asks.
describe('what is asked for', () => {
  it('a parameter by its name, decrypted, or by a version or a label of it', async () => {
    extension.answer = ({ query }) => reply(JSON.stringify(query))
    const secrets = await openSecrets(parameters, { extension: true })
    const arn = parameters.arn('/asked/key')
    await secrets.getMany(['/asked/key', '/asked/key:3', '/asked/key:live', arn, `${arn}:4`])
    await secrets.get('/asked/key', { version: 5 })
    await secrets.get('/asked/key', { label: 'next' })
    const withDecryption = 'true'
    expect(extension.requests.map(({ query }) => query)).toEqual([
      { name: '/asked/key', withDecryption },
      { name: '/asked/key', withDecryption, version: '3' },
      { name: '/asked/key', withDecryption, label: 'live' },
      { name: arn, withDecryption },
      { name: arn, withDecryption, version: '4' },
      { name: '/asked/key', withDecryption, version: '5' },
      { name: '/asked/key', withDecryption, label: 'next' },
    ])
    expect(new Set(extension.requests.map(({ path }) => path))).toEqual(
      new Set(['/systemsmanager/parameters/get']),
    )
  })

  it('a secret by its name, or by a version or a stage of it', async () => {
    extension.answer = ({ query }) => reply(JSON.stringify(query))
    const secrets = await openSecrets(secretsOfManager, { extension: true })
    await secrets.get('asked/key')
    await secrets.get('asked/key', { version: 'v-1' })
    await secrets.get('asked/key', { stage: 'AWSPREVIOUS' })
    expect(extension.requests).toMatchObject([
      { path: '/secretsmanager/get', query: { secretId: 'asked/key' } },
      { path: '/secretsmanager/get', query: { secretId: 'asked/key', versionId: 'v-1' } },
      { path: '/secretsmanager/get', query: { secretId: 'asked/key', versionStage: 'AWSPREVIOUS' } },
    ])
  })

  it('a binary secret, which comes as bytes', async () => {
    const bytes = Buffer.from([0, 255, 10])
    extension.answer = () => ({ SecretString: null, SecretBinary: bytes.toString('base64') })
    const secrets = await openSecrets(secretsOfManager, { extension: true })
    expect(await secrets.get('asked/bytes')).toEqual(new Uint8Array(bytes))
  })

  it('a field of what is given', async () => {
    extension.answer = () => reply('{"user":"ann"}')
    const secrets = await openSecrets(secretsOfManager, { extension: true, fetch: { user: 'asked/db#user' } })
    expect(await secrets.get('asked/db#user')).toBe('ann')
    expect((secrets.values as Record<string, unknown>)['user']).toBe('ann')
  })

  it('the value to come during a rotation, of Secrets Manager itself', async () => {
    putVersion(aws.server, 'asked/rotated', { string: 'current' })
    putVersion(aws.server, 'asked/rotated', { string: 'pending' }, 'AWSPENDING')
    extension.answer = () => reply('cached')
    const secrets = await openSecrets(secretsOfManager, { extension: true })
    const shown: string[] = []
    const use = async (value: string) => {
      shown.push(value)
      throw Object.assign(new Error('no'), { status: 401 })
    }
    await outcomes([secrets.withFresh('asked/rotated', use)])
    expect(shown).toEqual(['cached', 'current', 'pending'])
  })
})

describe.each(stores)('$name', (store) => {
  /** In names that no other store has: past which of them to read is known to the whole process. */
  const tag = store.name.replace(/\W/g, '')
  const { put, remove, make } = store
  const open = (options = {}, lambdaTimeout?: number) =>
    openSecrets(store, { extension: true, ...options }, lambdaTimeout)

  it('reads a value, with the token, and holds it', async () => {
    extension.answer = () => reply('from the extension')
    const secrets = await open()
    expect([await secrets.get('/shop/held'), await secrets.get('/shop/held')]).toEqual([
      'from the extension',
      'from the extension',
    ])
    expect(extension.requests).toMatchObject([{ token: 'session-token' }])
    expect(aws.server.calls).toEqual([])
  })

  it('reads what is declared', async () => {
    extension.answer = ({ query }) => reply(`value of ${query['name'] ?? query['secretId']}`)
    const { values } = await open({ fetch: { a: '/shop/declared-a', b: '/shop/declared-b' } })
    expect([(values as Record<string, unknown>)['a'], (values as Record<string, unknown>)['b']]).toEqual([
      'value of /shop/declared-a',
      'value of /shop/declared-b',
    ])
    expect(aws.server.calls).toEqual([])
  })

  it('reads an empty value as a value, where the store can hold one', async () => {
    extension.answer = () => reply('')
    expect(await (await open()).get('/shop/empty')).toBe('')
    expect(aws.server.calls).toEqual([])
  })

  it('asks the store for what the extension does not give, along with the rest of its kind', async () => {
    const names = ['/shop/x-a', '/shop/x-b', '/shop/x-c']
    for (const name of names) put(name, 'from the store')
    extension.answer = ({ query }) =>
      (query['name'] ?? query['secretId']) === '/shop/x-b' ? reply('from the extension') : undefined
    expect(Object.values(await (await open()).getMany(names))).toEqual([
      'from the store',
      'from the extension',
      'from the store',
    ])
    expect(aws.server.calls).toHaveLength(1)
    await expect((await open()).get('/shop/x-none')).rejects.toThrow(SecretNotFoundError)
  })

  it.each([
    ['is not ready (400)', undefined],
    ['answers nothing', ''],
    ['answers half an object', '{"Parameter":{"Value":"hunter'],
    ['answers null', 'null'],
    ['answers a list', '[]'],
    ['answers text', '"hunter2"'],
    ['answers without a value', '{"Parameter":{},"SecretString":null}'],
    ['answers with no parameter', '{"Parameter":null}'],
    ['answers with a number', '{"Parameter":{"Value":1},"SecretString":1,"SecretBinary":1}'],
    ['answers HTML', '<html>hunter2</html>'],
  ])('asks the store where the extension %s', async (_, body) => {
    put('/shop/odd', 'from the store')
    extension.answer = (__, response) => (body === undefined ? undefined : void response.end(body))
    expect(await (await open()).get('/shop/odd')).toBe('from the store')
  })

  it('asks the store where nobody listens, or the connection breaks', async () => {
    put('/shop/off', 'from the store')
    extension.answer = (_, response) => void response.socket?.resetAndDestroy()
    expect(await (await open()).get('/shop/off')).toBe('from the store')
    extension.answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"Parameter":')
      setImmediate(() => void response.socket?.resetAndDestroy())
    }
    expect(await (await open()).get('/shop/off')).toBe('from the store')
    vi.stubEnv('PARAMETERS_SECRETS_EXTENSION_HTTP_PORT', await closedPort())
    expect(await (await open()).get('/shop/off')).toBe('from the store')
  })

  it('asks the store outside of Lambda, where there is no token', async () => {
    vi.stubEnv('AWS_SESSION_TOKEN', undefined)
    put('/shop/local', 'from the store')
    expect(await (await open()).get('/shop/local')).toBe('from the store')
    expect(extension.requests).toEqual([])
  })

  it.each([
    [30_000, 1500],
    [900, 400],
  ])(
    'gives a hanging extension half of the time, with %d ms left %d, and the store the rest',
    async (left, half) => {
      fakeClock()
      put('/shop/hung', 'from the store')
      const gate = new Gate()
      extension.answer = () => gate.wait()
      const secrets = await open({}, left)
      const reading = secrets.get('/shop/hung')
      await gate.arrivals(1)
      await vi.advanceTimersByTimeAsync(half - 1)
      expect(aws.server.calls, 'while the extension has time').toEqual([])
      await vi.advanceTimersByTimeAsync(1)
      expect(await reading).toBe('from the store')
    },
  )

  it('fails in time where the extension and the store hang', async () => {
    fakeClock()
    const gate = new Gate()
    extension.answer = () => gate.wait()
    aws.server.intercept = () => gate.wait()
    const reading = outcomes([(await open()).get('/shop/hung')])
    await gate.arrivals(1)
    await vi.advanceTimersByTimeAsync(1500)
    await gate.arrivals(2)
    await vi.advanceTimersByTimeAsync(1500)
    expect((await reading)[0]).toBeInstanceOf(SecretTimeoutError)
  })

  it('does not let one name that hangs hold up the others', async () => {
    fakeClock()
    put('/shop/slow', 'from the store')
    const gate = new Gate()
    extension.answer = ({ query }) =>
      (query['name'] ?? query['secretId']) === '/shop/slow' ? gate.wait() : reply('from the extension')
    const secrets = await open()
    const slow = secrets.get('/shop/slow')
    expect(await secrets.get('/shop/quick')).toBe('from the extension')
    await gate.arrivals(1)
    await vi.advanceTimersByTimeAsync(1500)
    expect(await slow).toBe('from the store')
  })

  it("leaves an extension alone for a minute that did not answer, with 'auto'", async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    for (const name of ['/shop/auto-a', '/shop/auto-b', '/shop/auto-c']) put(name, 'from the store')
    extension.answer = (_, response) => void response.socket?.resetAndDestroy()
    const secrets = await open({ extension: 'auto' })
    await secrets.get('/shop/auto-a')
    extension.answer = () => reply('from the extension')
    expect(await secrets.get('/shop/auto-b')).toBe('from the store')
    vi.setSystemTime(Date.now() + 60_000)
    expect(await secrets.get('/shop/auto-c')).toBe('from the extension')
  })

  it('reads past the extension what is to be new, and does not fall back to what the extension holds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    put(`/shop/rotated-${tag}`, 'new')
    extension.answer = () => reply('old')
    const secrets = await open({ ttl: 60 })
    expect(await secrets.get(`/shop/rotated-${tag}`)).toBe('old')
    expect(await secrets.refresh(`/shop/rotated-${tag}`)).toBe('new')
    vi.setSystemTime(Date.now() + 60_000)
    expect(await secrets.get(`/shop/rotated-${tag}`), 'after the ttl').toBe('new')
    vi.setSystemTime(Date.now() + 300_000)
    expect(await secrets.get(`/shop/rotated-${tag}`), 'when the extension has forgotten, too').toBe('old')
  })

  it('a refresh in the same tick as a read makes both new', async () => {
    put(`/shop/tick-${tag}`, 'new')
    extension.answer = () => reply('old')
    const secrets = await open()
    expect(
      await Promise.all([secrets.get(`/shop/tick-${tag}`), secrets.refresh(`/shop/tick-${tag}`)]),
    ).toEqual(['new', 'new'])
    expect(aws.server.calls).toHaveLength(1)
  })

  it('reads past the extension what the process has written', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    put(`/shop/written-${tag}`, 'old')
    extension.answer = () => reply('old')
    const secrets = await open({ ttl: 60 })
    await secrets.get(`/shop/written-${tag}`)
    await (await openSecrets(store)).update(`/shop/written-${tag}`, 'new')
    expect(await secrets.get(`/shop/written-${tag}`)).toBe('new')
    vi.setSystemTime(Date.now() + 60_000)
    expect(await secrets.get(`/shop/written-${tag}`), 'after the ttl').toBe('new')
    await secrets.delete(`/shop/written-${tag}`, { force: true })
    expect(await secrets.get(`/shop/written-${tag}`, { optional: true })).toBeUndefined()
    remove(`/shop/written-${tag}`)
  })

  it('does not load the AWS client when the extension answers', async () => {
    extension.answer = () => reply('from the extension')
    const factory = make.name
    const entry = factory === 'parameterStore' ? 'parameter-store' : 'secrets-manager'
    const child = spawn(
      process.execPath,
      [
        '--conditions=clearskies-middy-source',
        '--input-type=module',
        '-e',
        `import middy from '@middy/core'
        import { registerHooks } from 'node:module'
        const loaded = []
        registerHooks({ resolve(specifier, context, next) { loaded.push(specifier); return next(specifier, context) } })
        const { ${factory} } = await import('clearskies-middy/middleware/${entry}')
        const handler = middy()
          .use(${factory}({ extension: true, fetch: { a: '/shop/a' } }))
          .handler(async (_, { secrets }) => [secrets.values.a, await secrets.get('/shop/b')])
        const values = await handler({}, {})
        const heavy = loaded.filter((name) => /^(@aws-sdk|@smithy|@middy\\/(ssm|secrets-manager|util)|(node:)?http$)/.test(name))
        console.log(JSON.stringify({ values, heavy }))`,
      ],
      { env: { ...process.env, PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String(port()) } },
    )
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({ values: ['from the extension', 'from the extension'], heavy: [] })
  })
})
