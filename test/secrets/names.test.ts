// Names that AWS has, values by path, nested fields, options: X15, X17, X23, X24.
import middy from '@middy/core'
import { SecretError, SecretNotFoundError } from 'clearskies-middy'
import { environment } from 'clearskies-middy/middleware/environment'
import { type Secrets, parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import { invoke, memorySecrets } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { namesOf, openSecrets, outcomes, putVersion, useSecretStores } from '../support/secret-stores.ts'

const { aws, stores } = useSecretStores()
const [parameters, secretsOfManager] = stores as [(typeof stores)[0], (typeof stores)[0]]
const reference = '/aws/reference/secretsmanager/'

const managed = [
  'rds!cluster-1fcd41b2-194a-4993-930a-423037e3d94a',
  'rds!db-0a1b2c3d',
  'events!connection/shop/1a2b',
  'ecs-sc!arn-like_name',
  'databrew!default',
  'a/b_c+d=e.f@g-h',
]

describe('names that AWS gives to secrets', () => {
  it.each(managed)(
    'X15: secretsManager() reads %s, by name, by its ARN, by fetch and by a field',
    async (name) => {
      const arn = secretsOfManager.arn(name)
      secretsOfManager.put(name, '{"username":"ann"}')
      const secrets = await openSecrets(secretsOfManager, { fetch: { user: `${name}#username` } })
      expect((secrets as unknown as Secrets<'user'>).values.user).toBe('ann')
      expect(await secrets.get(name)).toBe('{"username":"ann"}')
      expect(await secrets.getMany([`${arn}#username`, `${name}#username`])).toEqual({
        [`${arn}#username`]: 'ann',
        [`${name}#username`]: 'ann',
      })
    },
  )

  it.each(managed)('X15: parameterStore() reads %s by its reference', async (name) => {
    parameters.put(reference + name, 'hunter2')
    const secrets = await openSecrets(parameters, { fetch: { key: reference + name } })
    expect(await secrets.get(reference + name)).toBe('hunter2')
    expect((secrets as unknown as Secrets<'key'>).values.key).toBe('hunter2')
  })

  it('X15: environment() reads them, whichever scheme a variable has', async () => {
    const [name = ''] = managed
    secretsOfManager.put(name, '{"username":"ann"}')
    const handler = middy()
      .use(secretsManager({ client: secretsOfManager.client() }))
      .use(
        environment({
          file: false,
          overrides: { A: `secretsmanager://${name}#username`, B: `secret://${name}` },
        }),
      )
      .handler(async (_, { environment: variables }) => [await variables.get('A'), await variables.get('B')])
    expect(await invoke(handler, {})).toEqual(['ann', '{"username":"ann"}'])
  })

  it.each(
    [
      ...['a b', 'a\tb', 'a\nb', 'a\u0000b', 'ä', 'a?b', '', 'x:y', 'a*', 'a'.repeat(513)].map(
        (name) => [secretsOfManager, name] as const,
      ),
      ...['a b', 'a?b', 'ä', '!', '', 'x:y'].map((name) => [parameters, reference + name] as const),
      ...['/a!b', 'aws/x', 'ssm/x', 'AWS/x', `/${'a'.repeat(1100)}`, '/a//*', '/a b/*'].map(
        (name) => [parameters, name] as const,
      ),
    ].filter(([, name]) => name !== `${reference}!`),
  )('X15: %o: the name %j is refused, and nothing is sent', async (store, name) => {
    const secrets = await openSecrets(store)
    const [error] = await outcomes([secrets.get(name)])
    expect(error).toBeInstanceOf(SecretError)
    expect(String(error)).toContain('is not a name that')
    expect(String(error)).not.toMatch(/[\n\t\0]/)
    expect(aws.server.calls).toEqual([])
  })

  it('a field written as in a task definition of ECS is refused with the way to write it here', async () => {
    const arn = secretsOfManager.arn('shop/db')
    const [error] = await outcomes([(await openSecrets(secretsOfManager)).get(`${arn}:password::`)])
    expect(String(error)).toContain(`is not a name that Secrets Manager can hold: write "${arn}#password"`)
  })

  it.each([null, undefined, {}, 7, ['/a']])('a name that is %o is a SecretError', async (name) => {
    const secrets = await openSecrets(parameters)
    const [error] = await outcomes([secrets.get(name as never)])
    expect(error).toBeInstanceOf(SecretError)
    expect(String(error)).toContain('A secret is asked for by its name')
  })
})

it.each([true, false])(
  'X17: a binary secret behind a reference is an error that says so (optional: %s)',
  async (optional) => {
    const name = `${reference}bytes`
    aws.server.intercept = () => ({ Parameters: [{ Name: name, ARN: '', Type: 'SecureString', Version: 0 }] })
    const secrets = await openSecrets(parameters)
    const [error] = await outcomes([secrets.get(name, { optional })])
    expect(error).toBeInstanceOf(SecretError)
    expect(error).not.toBeInstanceOf(SecretNotFoundError)
    expect(String(error)).toContain('binary: read it with secretsManager()')
    const handler = middy()
      .use(parameterStore({ client: parameters.client(), fetch: { key: { path: name, optional } } }))
      .handler(() => 'reached')
    await expect(invoke(handler, {})).rejects.toThrow('binary: read it with secretsManager()')
  },
)

describe('values by path', () => {
  function put(count: number): Record<string, string> {
    const names = Array.from({ length: count }, (_, index) =>
      index % 3 === 0 ? `deep/er/n${index}` : `n${index}`,
    )
    for (const name of names) parameters.put(`/shop/prod/${name}`, `v-${name}`)
    parameters.put('/shop/production', 'another')
    parameters.put('/shop/prod', 'the path itself')
    return Object.fromEntries(names.map((name) => [name, `v-${name}`]))
  }

  it.each([0, 1, 10, 25])('X23: fetch gives all %d values below a path, to the last page', async (count) => {
    const expected = put(count)
    const handler = middy()
      .use(
        parameterStore({
          client: parameters.client(),
          fetch: { shop: '/shop/prod/*', other: '/shop/production' },
        }),
      )
      .handler((_, { secrets }) => [secrets.values.shop, secrets.values.other])
    expect(await invoke(handler, {})).toEqual([expected, 'another'])
    const pages = aws.server.calls.filter(({ operation }) => operation === 'GetParametersByPath')
    expect(pages).toHaveLength(Math.max(1, Math.ceil(count / 10)))
    expect(pages[0]?.input).toMatchObject({ Path: '/shop/prod', Recursive: true, WithDecryption: true })
  })

  it('X23: getMany() gives them, holds them, and reads them once for many', async () => {
    const expected = put(12)
    const secrets = await openSecrets(parameters)
    const found = await Promise.all(Array.from({ length: 20 }, () => secrets.getMany('/shop/prod/*')))
    expect(found).toEqual(Array(20).fill(expected))
    expect(await secrets.getMany('/shop/prod/*')).toEqual(expected)
    expect(aws.server.calls).toHaveLength(2)
  })

  it('X23: a handler that changes what it was given changes it for nobody', async () => {
    const expected = put(2)
    const secrets = await openSecrets(parameters)
    Object.assign(await secrets.getMany('/shop/prod/*'), { n1: 'changed' })
    expect(await secrets.getMany('/shop/prod/*')).toEqual(expected)
  })

  it('X23: what is written below the path is read anew, and what is written beside it is not', async () => {
    put(2)
    const secrets = await openSecrets(parameters)
    await secrets.getMany('/shop/prod/*')
    await secrets.update('/shop/production', 'x')
    aws.server.calls.length = 0
    await secrets.getMany('/shop/prod/*')
    expect(aws.server.calls).toEqual([])
    await secrets.update('/shop/prod/n1', 'new')
    expect((await secrets.getMany('/shop/prod/*'))['n1']).toBe('new')
  })

  it('X23: a name called __proto__ is a name', async () => {
    parameters.put('/shop/prod/__proto__', 'p')
    const values = await (await openSecrets(parameters)).getMany('/shop/prod/*')
    expect(Object.entries(values)).toEqual([['__proto__', 'p']])
  })

  it('X23: get() and writes refuse a path, getMany() refuses a name, and Secrets Manager has none', async () => {
    const secrets = await openSecrets(parameters)
    await expect(secrets.get('/shop/prod/*')).rejects.toThrow('read them with getMany("/shop/prod/*")')
    await expect(secrets.update('/shop/prod/*', 'x')).rejects.toThrow('only a whole one is written')
    await expect(secrets.getMany('/shop/prod' as '/*')).rejects.toThrow('is no path: end it with "/*"')
    const others = await openSecrets(secretsOfManager)
    await expect(others.getMany('/shop/prod/*')).rejects.toThrow(
      'is not a name that Secrets Manager can hold',
    )
    expect(aws.server.calls).toEqual([])
  })

  it('X23: memorySecrets() gives them as well', async () => {
    const handler = middy()
      .use(memorySecrets({ '/shop/a': '1', '/shop/b/c': '2', '/other': '3' }, { fetch: { shop: '/shop/*' } }))
      .handler(async (_, { secrets }) => [secrets.values.shop, await secrets.getMany('/shop/*')])
    const expected = { a: '1', 'b/c': '2' }
    expect(await invoke(handler, {})).toEqual([expected, expected])
  })
})

describe.each(stores)('$name', (store) => {
  const { put, make, client } = store
  const open = () => openSecrets(store)

  it('X24: a dot in a field leads into it, unless there is a field of that name', async () => {
    put(
      '/db',
      '{"a":{"b":{"c":"deep"},"b.c":"near"},"x.y":{"z":"dotted"},"x":{"y":{"z":"other"}},"list":["p","q"]}',
    )
    const secrets = await open()
    expect(await secrets.getMany(['/db#a.b.c', '/db#x.y.z', '/db#list.1', '/db#a.b'])).toEqual({
      '/db#a.b.c': 'near',
      '/db#x.y.z': 'dotted',
      '/db#list.1': 'q',
      '/db#a.b': '{"c":"deep"}',
    })
  })

  it('X24: nested fields are read by fetch and by variables', async () => {
    put('/db', '{"reader":{"user":"ann"}}')
    const handler = middy()
      .use(make({ client: client(), fetch: { user: '/db#reader.user' } }))
      .use(environment({ file: false, overrides: { A: 'secret:///db#reader.user' } }))
      .handler(async (_, { secrets, environment: variables }) => [
        secrets.values.user,
        await variables.get('A'),
      ])
    expect(await invoke(handler, {})).toEqual(['ann', 'ann'])
  })

  it('X24: a declared name that may be missing is undefined, and another that is missing fails', async () => {
    put('/there', 'value')
    const chain = (optional: boolean) =>
      middy()
        .use(make({ client: client(), fetch: { there: '/there', none: { path: '/none', optional } } }))
        .handler((_, { secrets }) => [secrets.values.there, secrets.values.none ?? 'none'])
    expect(await invoke(chain(true), {})).toEqual(['value', 'none'])
    await expect(invoke(chain(false), {})).rejects.toThrow(SecretNotFoundError)
  })

  it('X24: without prefetch nothing is read before the first invocation', async () => {
    put('/key', 'value')
    const middleware = make({ client: client(), fetch: { key: '/key' }, prefetch: false })
    await new Promise((resolve) => setImmediate(resolve))
    expect(aws.server.calls).toEqual([])
    const handler = middy()
      .use(middleware)
      .handler((_, { secrets }) => secrets.values.key)
    expect(await invoke(handler, {})).toBe('value')
  })

  it.each<[string, (secrets: Secrets) => unknown]>([
    ['description', (secrets) => secrets.create('/a', 'x', { description: 'x' } as never)],
    ['tag', (secrets) => secrets.upsert('/a', 'x', { tag: {} } as never)],
    ['tags', (secrets) => secrets.update('/a', 'x', { tags: { a: 'b' } } as never)],
    ['recursive', (secrets) => secrets.delete('/a', { recursive: true } as never)],
  ])('X24: the unknown option "%s" of a write is refused, and nothing is written', async (option, write) => {
    const secrets = await open()
    const [error] = await outcomes([Promise.resolve(write(secrets))])
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toContain(`has no option "${option}"`)
    expect(aws.server.calls).toEqual([])
  })

  it('X24: tags are written with a new secret, also by upsert()', async () => {
    const secrets = await open()
    await secrets.create('/a', 'x', { tags: { team: 'shop' } })
    await secrets.upsert('/b', 'x', { tags: { team: 'shop' } })
    await secrets.upsert('/b', 'y', { tags: { team: 'shop' } })
    const tagged = aws.server.calls.filter(({ input }) => input['Tags'] !== undefined)
    expect(new Set(tagged.flatMap(({ input }) => namesOf(input)))).toEqual(new Set(['/a', '/b']))
    for (const { input } of tagged) {
      expect(input['Tags']).toEqual([{ Key: 'team', Value: 'shop' }])
      expect(input['Overwrite'] ?? false, 'the service refuses tags along with Overwrite').toBe(false)
    }
  })

  it.each<[string, unknown]>([
    ['a list', ['/a']],
    ['a number', { a: 1 }],
    ['nothing', { a: null }],
    ['an unknown word', { a: { path: '/a', optionl: true } }],
    ['no path', { a: { optional: true } }],
  ])('X24: fetch with %s is refused', (_, fetch) => {
    expect(() => make({ client: client(), fetch: fetch as never })).toThrow(
      'the option "fetch" has a wrong value',
    )
  })

  it.each(['functionName', 'environment', 'backends', 'getRemainingTimeInMillis', ''])(
    'the key "%s" of the context is taken',
    (as) => {
      expect(() => make({ client: client(), as })).toThrow('the option "as" has a wrong value')
    },
  )
})

it('X24: a tier goes along with a parameter, and Secrets Manager refuses it', async () => {
  const secrets = await openSecrets(parameters)
  await secrets.create('/big', 'x'.repeat(5000), { tier: 'Advanced' })
  expect(aws.server.calls[0]?.input).toMatchObject({ Tier: 'Advanced', Name: '/big' })
  await secrets.update('/big', 'y', { tier: 'Intelligent-Tiering' })
  expect(aws.server.calls.at(-1)?.input).toMatchObject({ Tier: 'Intelligent-Tiering' })
  const others = await openSecrets(secretsOfManager)
  await expect(others.create('big', 'x', { tier: 'Advanced' })).rejects.toThrow('has no option "tier"')
  await expect(secrets.create('/a', 'x', { tier: 'Large' as never })).rejects.toThrow(
    '"tier" has a wrong value',
  )
})

it('a value of the binary kind stays what the store holds, beside values by path', async () => {
  putVersion(aws.server, 'bytes', { binary: Buffer.from([1, 2]).toString('base64') })
  const secrets = await openSecrets(secretsOfManager)
  expect(await secrets.get<Uint8Array>('bytes')).toEqual(new Uint8Array([1, 2]))
})
