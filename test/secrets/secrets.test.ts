import { SSMClient } from '@aws-sdk/client-ssm'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import middy from '@middy/core'
import { SecretError, SecretNotFoundError } from 'clearskies-middy'
import {
  type Secrets,
  type SecretsOptions,
  parameterStore,
} from 'clearskies-middy/middleware/parameter-store'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke } from 'clearskies-middy/testing'
import { inspect } from 'node:util'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { AwsError } from '../../examples/shop/local/aws-stand-in.ts'
import { useAwsStandIn } from '../support/engines.ts'
import { RecordingLogger } from '../support/recording-logger.ts'

const aws = useAwsStandIn()

const stores = [
  {
    name: 'parameterStore()',
    client: () => new SSMClient({ endpoint: aws.server.url, maxAttempts: 1 }),
    make: parameterStore,
    store(name: string, value: string) {
      aws.server.parameters.set(name, {
        versions: [...(aws.server.parameters.get(name)?.versions ?? []), value],
        type: 'SecureString',
        labels: new Map(),
      })
    },
    remove: (name: string) => aws.server.parameters.delete(name),
    batch: 10,
  },
  {
    name: 'secretsManager()',
    client: () => new SecretsManagerClient({ endpoint: aws.server.url, maxAttempts: 1 }),
    make: secretsManager,
    store(name: string, value: string) {
      const arn = `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}-AbCdEf`
      aws.server.secrets.set(name, {
        arn,
        versions: new Map([['v', { string: value }]]),
        stages: new Map([['AWSCURRENT', 'v']]),
        deleted: false,
      })
    },
    remove: (name: string) => aws.server.secrets.delete(name),
    batch: 20,
  },
]

describe.each(stores)('$name', ({ client, make, store, remove, batch }) => {
  beforeEach(() => {
    aws.server.parameters.clear()
    aws.server.secrets.clear()
    aws.server.calls.length = 0
    aws.server.intercept = undefined
    return () => void vi.useRealTimers()
  })

  /** The secrets as a handler sees them. */
  async function open(options: SecretsOptions = {}): Promise<Secrets> {
    const logger = new RecordingLogger()
    let secrets: unknown
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), logger, ...options }))
      .handler((_, context) => {
        secrets = context.secrets
      })
    await invoke(handler, {})
    return secrets as Secrets
  }

  it('reads a secret, and holds it', async () => {
    store('/shop/key', 'hunter2')
    const secrets = await open()
    expect([await secrets.get('/shop/key'), await secrets.get('/shop/key')]).toEqual(['hunter2', 'hunter2'])
    expect(aws.server.calls).toHaveLength(1)
  })

  it('reads one secret once, however many ask for it at once', async () => {
    store('/shop/key', 'hunter2')
    const secrets = await open()
    expect(new Set(await Promise.all(Array.from({ length: 100 }, () => secrets.get('/shop/key'))))).toEqual(
      new Set(['hunter2']),
    )
    expect(aws.server.calls).toHaveLength(1)
  })

  it('reads what is asked for in one tick together', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `/shop/key-${index}`)
    for (const name of names) store(name, `value of ${name}`)
    const secrets = await open()
    expect(await secrets.getMany(names)).toEqual(
      Object.fromEntries(names.map((name) => [name, `value of ${name}`])),
    )
    expect(aws.server.calls).toHaveLength(Math.ceil(25 / batch))
  })

  it('says which secret is missing, and fails no other', async () => {
    store('/shop/key', 'hunter2')
    const secrets = await open()
    const [found, missing, optional] = await Promise.allSettled([
      secrets.get('/shop/key'),
      secrets.get('/shop/none'),
      secrets.get('/shop/none', { optional: true }),
    ])
    expect(found).toEqual({ status: 'fulfilled', value: 'hunter2' })
    expect((missing as PromiseRejectedResult).reason).toSatisfy(
      (error) => error instanceof SecretNotFoundError && error.path === '/shop/none',
    )
    expect(optional).toEqual({ status: 'fulfilled', value: undefined })
  })

  it('finds a secret that was missing a moment ago', async () => {
    const secrets = await open()
    await expect(secrets.get('/shop/key')).rejects.toThrow(SecretNotFoundError)
    store('/shop/key', 'hunter2')
    expect(await secrets.get('/shop/key')).toBe('hunter2')
  })

  it('reads a secret anew when it has grown old, or when asked to', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    store('/shop/key', 'old')
    const secrets = await open({ ttl: 60 })
    await secrets.get('/shop/key')
    store('/shop/key', 'new')
    vi.setSystemTime(Date.now() + 59_999)
    expect(await secrets.get('/shop/key')).toBe('old')
    vi.setSystemTime(Date.now() + 1)
    expect(await secrets.get('/shop/key')).toBe('new')
    store('/shop/key', 'newer')
    expect(await secrets.refresh('/shop/key')).toBe('newer')
  })

  it('uses an old value while the store fails, with one warning each time, but not for ever', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    store('/shop/key', 'old')
    const logger = new RecordingLogger()
    const secrets = await open({ ttl: 60, staleIfError: 600, logger })
    await secrets.get('/shop/key')
    aws.server.intercept = () => {
      throw new AwsError('ThrottlingException')
    }
    vi.setSystemTime(Date.now() + 100_000)
    expect(await secrets.get('/shop/key')).toBe('old')
    expect(logger.warnings.map(({ message }) => message)).toEqual([expect.stringContaining('"/shop/key"')])
    vi.setSystemTime(Date.now() + 600_000)
    await expect(secrets.get('/shop/key')).rejects.toThrow(SecretError)
  })

  it('reads fields, JSON and lists when asked to, and text as it is otherwise', async () => {
    store('/shop/db', '{"user":"ann","port":5432}')
    store('/shop/list', 'a,b')
    store('/shop/quoted', '"x"')
    const secrets = await open()
    expect(await secrets.get('/shop/db')).toBe('{"user":"ann","port":5432}')
    expect(await secrets.get('/shop/db', { json: true })).toEqual({ user: 'ann', port: 5432 })
    expect(await secrets.get('/shop/db#user')).toBe('ann')
    expect(await secrets.get('/shop/db#port')).toBe('5432')
    expect(await secrets.get('/shop/list', { list: true })).toEqual(['a', 'b'])
    expect(await secrets.get('/shop/quoted')).toBe('"x"')
    await expect(secrets.get('/shop/db#toString')).rejects.toThrow(
      'The secret "/shop/db#toString" has no such field',
    )
    await expect(secrets.get('/shop/list', { json: true })).rejects.toThrow(
      /^The secret "\/shop\/list" is not valid JSON: it breaks at position 0$/,
    )
  })

  it('refuses names that the store could not hold', async () => {
    const secrets = await open()
    await expect(secrets.get('/shop/a b')).rejects.toThrow('"/shop/a b" is not a name that')
    expect(aws.server.calls).toEqual([])
  })

  describe('fetch', () => {
    it('loads declared secrets before the handler, as text', async () => {
      store('/shop/key', '"quoted"')
      store('/shop/db', '{"user":"ann"}')
      const { values } = (await open({ fetch: { key: '/shop/key', user: '/shop/db#user' } })) as Secrets<
        'key' | 'user'
      >
      expect([values.key, values.user]).toEqual(['"quoted"', 'ann'])
    })

    it('loads them once for all invocations, until they have grown old', async () => {
      vi.useFakeTimers({ toFake: ['Date'] })
      store('/shop/key', 'old')
      const seen: unknown[] = []
      const handler = middy()
        .use(invocation())
        .use(make({ client: client(), ttl: 60, fetch: { key: '/shop/key' } }))
        .handler((_, { secrets }) => seen.push(secrets.values.key))
      await invoke(handler, {})
      await invoke(handler, {})
      expect(aws.server.calls).toHaveLength(1)
      store('/shop/key', 'new')
      vi.setSystemTime(Date.now() + 60_000)
      await invoke(handler, {})
      expect(seen).toEqual(['old', 'old', 'new'])
    })

    it('does not end the process when the first attempt fails, and tries again at the invocation', async () => {
      let attempts = 0
      aws.server.intercept = () => {
        if (attempts++ === 0) throw new AwsError('InternalFailure', 'no', 500)
        return undefined
      }
      store('/shop/key', 'hunter2')
      const middleware = make({ client: client(), fetch: { key: '/shop/key' } })
      await vi.waitFor(() => {
        expect(attempts).toBeGreaterThan(0)
      })
      const handler = middy()
        .use(invocation())
        .use(middleware)
        .handler((_, { secrets }) => secrets.values.key)
      expect(await invoke(handler, {})).toBe('hunter2')
    })

    it('fails the invocation for a missing secret, with its name', async () => {
      const handler = middy()
        .use(invocation())
        .use(make({ client: client(), fetch: { key: '/shop/none' } }))
        .handler(() => 'reached')
      await expect(invoke(handler, {})).rejects.toThrow('"/shop/none"')
    })

    it('keeps stacked loaders and two handlers of one process apart', async () => {
      store('/shop/a', 'A')
      store('/shop/b', 'B')
      const stacked = middy()
        .use(invocation())
        .use(make({ client: client(), fetch: { a: '/shop/a' } }))
        .use(make({ client: client(), fetch: { b: '/shop/b' } }))
        .handler((_, { secrets }) => [secrets.values.a, secrets.values.b])
      const other = middy()
        .use(invocation())
        .use(make({ client: client(), fetch: { a: '/shop/b' } }))
        .handler((_, { secrets }) => secrets.values.a)
      expect([await invoke(stacked, {}), await invoke(other, {}), await invoke(stacked, {})]).toEqual([
        ['A', 'B'],
        'B',
        ['A', 'B'],
      ])
    })

    it('gives a place of its own by "as"', async () => {
      store('/shop/a', 'A')
      const handler = middy()
        .use(invocation())
        .use(make({ client: client(), as: 'vault', fetch: { a: '/shop/a' } }))
        .handler((_, { vault }) => vault.values.a)
      expect(await invoke(handler, {})).toBe('A')
    })
  })

  it('shows no value', async () => {
    store('/shop/key', 'hunter2')
    const secrets = (await open({ fetch: { key: '/shop/key' } })) as Secrets<'key'>
    await secrets.get('/shop/key')
    const context = { secrets, values: secrets.values }
    expect(JSON.stringify(context)).toBe('{"secrets":"[Secrets]","values":"[Secrets]"}')
    expect(inspect(context, { showHidden: true, depth: 9 })).not.toContain('hunter2')
    expect({ ...secrets.values }).toEqual({})
    remove('/shop/key')
  })
})
