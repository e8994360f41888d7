// The catalogue of secrets' cases (C1) as far as they are about reading, in the order of its numbers.
import middy from '@middy/core'
import { SecretError, SecretNotFoundError } from 'clearskies-middy'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke } from 'clearskies-middy/testing'
import { describe, expect, it, vi } from 'vitest'
import { AwsError } from '../../examples/shop/local/aws-stand-in.ts'
import {
  Gate,
  namesOf,
  openSecrets,
  outcomes,
  putVersion,
  useSecretStores,
} from '../support/secret-stores.ts'

const { aws, stores } = useSecretStores()
const [parameters, secretsOfManager] = stores as [(typeof stores)[0], (typeof stores)[0]]

describe.each(stores)('$name', (store) => {
  const { put, remove, make, client, arn, batch } = store
  const open = (options = {}) => openSecrets(store, options)

  it('secrets C1.1: a missing name is an error that says so, or undefined if that is wanted', async () => {
    const secrets = await open()
    const [error] = await outcomes([secrets.get('/shop/none')])
    expect(error).toBeInstanceOf(SecretNotFoundError)
    expect(error).toMatchObject({
      name: 'SecretNotFoundError',
      path: '/shop/none',
      message: `${store.title} has no "/shop/none"`,
    })
    expect(await secrets.get('/shop/none', { optional: true })).toBeUndefined()
  })

  it('secrets C1.2: one missing name of ten takes down no other', async () => {
    const names = Array.from({ length: 9 }, (_, index) => `/shop/key-${index}`)
    for (const name of names) put(name, `value of ${name}`)
    const secrets = await open()
    const found = await outcomes([...names, '/shop/none'].map((name) => secrets.get(name)))
    expect(found.slice(0, 9)).toEqual(names.map((name) => `value of ${name}`))
    expect(found[9]).toBeInstanceOf(SecretNotFoundError)
    expect(aws.server.calls).toHaveLength(1)
  })

  it('secrets C1.3: what was missing is found as soon as it is there', async () => {
    const secrets = await open()
    expect(await secrets.get('/shop/key', { optional: true })).toBeUndefined()
    put('/shop/key', 'hunter2')
    expect(await secrets.get('/shop/key')).toBe('hunter2')
  })

  it('secrets C1.7: JSON stays text until it is asked for as JSON', async () => {
    put('/shop/db', '{"user":"ann"}')
    const secrets = await open()
    expect(await secrets.get('/shop/db')).toBe('{"user":"ann"}')
    expect(await secrets.get('/shop/db', { json: true })).toEqual({ user: 'ann' })
    expect(await secrets.get('/shop/db#user')).toBe('ann')
  })

  it('secrets C1.7: invalid JSON is an error without its text, and not the fault of whoever called', async () => {
    put('/shop/db', 'hunter2-very-secret')
    const secrets = await open()
    for (const reading of [secrets.get('/shop/db', { json: true }), secrets.get('/shop/db#user')]) {
      const [error] = await outcomes([reading])
      expect(error).toBeInstanceOf(SecretError)
      expect(error).not.toHaveProperty('statusCode', 400)
      expect(String(error)).toMatch(/"\/shop\/db(#user)?" is not valid JSON: it breaks at position 0/)
      expect(String(error)).not.toContain('hunter')
    }
  })

  it.each(['none', 'toString', '__proto__', 'constructor', 'a.c', 'a.b.c', 'a.toString', '.', ''])(
    'secrets C1.8: the absent field "%s" is an error that names it, and not the content',
    async (field) => {
      put('/shop/db', '{"user":"hunter2","a":{"b":"hunter2"}}')
      const [error] = await outcomes([(await open()).get(`/shop/db#${field}`)])
      expect(error).toBeInstanceOf(SecretError)
      expect(String(error)).toContain(`"/shop/db#${field}" has no such field`)
      expect(String(error)).not.toContain('hunter2')
    },
  )

  it('secrets C1.8: fields are own properties, whatever they are called and whatever they hold', async () => {
    put('/shop/db', '{"__proto__":"p","a.b":"dotted","port":5432,"none":null,"hosts":["x","y"],"more":"x,y"}')
    const secrets = await open()
    expect(await secrets.get('/shop/db#__proto__')).toBe('p')
    expect(await secrets.get('/shop/db#a.b')).toBe('dotted')
    expect(await secrets.get('/shop/db#port')).toBe('5432')
    expect(await secrets.get('/shop/db#port', { json: true })).toBe(5432)
    expect(await secrets.get('/shop/db#none')).toBe('null')
    expect(await secrets.get('/shop/db#hosts', { list: true })).toEqual(['x', 'y'])
    expect(await secrets.get('/shop/db#more', { list: true })).toEqual(['x', 'y'])
    expect(await secrets.get('/shop/db#hosts')).toBe('["x","y"]')
  })

  it.each(['"quoted"', "'x'", '{"a":1}', '[1]', '"', '{', '007', 'true', ' spaced ', 'a,b'])(
    'secrets C1.11: %j comes as it is, by get() and by fetch',
    async (value) => {
      put('/shop/key', value)
      const secrets = await open({ fetch: { key: '/shop/key' } })
      expect([await secrets.get('/shop/key'), (secrets.values as Record<string, unknown>)['key']]).toEqual([
        value,
        value,
      ])
    },
  )

  it('secrets C1.12: a list is text, and is split when asked for as a list', async () => {
    put('/shop/list', 'a,b,c')
    const secrets = await open()
    expect(await secrets.get('/shop/list')).toBe('a,b,c')
    expect(await secrets.get('/shop/list', { list: true })).toEqual(['a', 'b', 'c'])
  })

  it('secrets C1.13: a rotated value is there after the ttl, or at once by a refresh', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    put('/shop/key', 'first')
    const secrets = await open()
    await secrets.get('/shop/key')
    put('/shop/key', 'second')
    vi.setSystemTime(Date.now() + 299_999)
    expect(await secrets.get('/shop/key')).toBe('first')
    vi.setSystemTime(Date.now() + 1)
    expect(await secrets.get('/shop/key')).toBe('second')
    put('/shop/key', 'third')
    expect(await secrets.refresh('/shop/key')).toBe('third')
    put('/shop/key', 'fourth')
    expect(await secrets.get('/shop/key', { refresh: true })).toBe('fourth')
    expect(await secrets.get('/shop/key'), 'the refreshed value is held').toBe('fourth')
  })

  it('secrets C1.13: refreshes at the same time share a call', async () => {
    put('/shop/key', 'first')
    const secrets = await open()
    await secrets.get('/shop/key')
    put('/shop/key', 'second')
    expect(
      await Promise.all([
        secrets.refresh('/shop/key'),
        secrets.refresh('/shop/key'),
        secrets.get('/shop/key'),
      ]),
    ).toEqual(['second', 'second', 'first'])
    expect(aws.server.calls).toHaveLength(2)
  })

  it('secrets C1.13: a refresh does not make do with an answer that is on its way already', async () => {
    const gate = new Gate()
    put('/shop/key', 'old')
    let calls = 0
    // The first call is answered late, with what the store held when it came.
    aws.server.intercept = async (operation) => {
      if (calls++ > 0) return undefined
      await gate.wait()
      const found = { Name: '/shop/key', Value: 'old', SecretString: 'old' }
      return operation === 'GetParameters' ? { Parameters: [found] } : found
    }
    const secrets = await open()
    const first = secrets.get('/shop/key')
    await gate.arrivals(1)
    put('/shop/key', 'new')
    expect(await secrets.refresh('/shop/key')).toBe('new')
    gate.open()
    expect(await first).toBe('old')
    expect(await secrets.get('/shop/key'), 'the late answer replaces no newer value').toBe('new')
  })

  it('secrets C1.14: stacked loaders are independent, and one context holds what both have', async () => {
    put('/shop/a', 'A')
    put('/shop/b', 'B')
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { a: '/shop/a', same: '/shop/a' } }))
      .use(make({ client: client(), fetch: { b: '/shop/b', same: '/shop/b' } }))
      .handler(async (_, { secrets }) => [
        secrets.values.a,
        secrets.values.b,
        secrets.values.same,
        await secrets.get('/shop/a'),
      ])
    expect(await invoke(handler, {})).toEqual(['A', 'B', 'B', 'A'])
    expect(await invoke(handler, {})).toEqual(['A', 'B', 'B', 'A'])
  })

  it('secrets C1.15: two handlers of one process that use one key for two secrets get each its own', async () => {
    put('/shop/a', 'A')
    put('/shop/b', 'B')
    const handlers = ['/shop/a', '/shop/b'].map((path) =>
      middy()
        .use(invocation())
        .use(make({ client: client(), fetch: { x: path } }))
        .handler((_, { secrets }) => secrets.values.x),
    )
    const values = await Promise.all(handlers.map((handler) => invoke(handler, {})))
    expect(values).toEqual(['A', 'B'])
  })

  it('secrets C1.16: one secret asked for a hundred times at once is one call, across invocations, too', async () => {
    put('/shop/key', 'hunter2')
    const secrets = await open()
    await Promise.all(Array.from({ length: 100 }, () => secrets.get('/shop/key')))
    expect(aws.server.calls).toHaveLength(1)

    aws.server.calls.length = 0
    const handler = middy()
      .use(invocation())
      .use(make({ client: client() }))
      .handler((_, context) => context.secrets.get('/shop/key'))
    const values = await Promise.all(Array.from({ length: 100 }, () => invoke(handler, {})))
    expect(new Set(values)).toEqual(new Set(['hunter2']))
    expect(aws.server.calls).toHaveLength(1)
  })

  it('secrets C1.16: a hundred invocations that begin cold share the call for what is declared', async () => {
    put('/shop/key', 'hunter2')
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { key: '/shop/key' } }))
      .handler((_, context) => context.secrets.values.key)
    const values = await Promise.all(Array.from({ length: 100 }, () => invoke(handler, {})))
    expect(new Set(values)).toEqual(new Set(['hunter2']))
    expect(aws.server.calls).toHaveLength(1)
  })

  it('secrets C1.17: 25 names of one tick are read by few calls, all on their way at once; a later one by its own', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `/shop/key-${index}`)
    for (const name of [...names, '/shop/later']) put(name, `value of ${name}`)
    const gate = new Gate()
    aws.server.intercept = () => gate.wait()
    const secrets = await open()
    const reading = Promise.all(names.map((name) => secrets.get(name)))
    const calls = Math.ceil(25 / batch)
    await gate.arrivals(calls) // None is answered yet.
    expect(aws.server.calls.map(({ input }) => namesOf(input).length).sort((a, b) => b - a)).toEqual(
      batch === 10 ? [10, 10, 5] : [20, 5],
    )
    const later = secrets.get('/shop/later')
    await gate.arrivals(calls + 1)
    gate.open()
    expect(await reading).toEqual(names.map((name) => `value of ${name}`))
    expect(await later).toBe('value of /shop/later')
    expect(aws.server.calls).toHaveLength(calls + 1)
  })

  it('secrets C1.18: one secret in several forms is one call', async () => {
    put('/shop/db', '{"user":"ann","port":1}')
    const secrets = await open()
    expect(
      await Promise.all([
        secrets.get('/shop/db'),
        secrets.get('/shop/db', { json: true }),
        secrets.get('/shop/db#user'),
        secrets.get('/shop/db#port', { json: true }),
      ]),
    ).toEqual(['{"user":"ann","port":1}', { user: 'ann', port: 1 }, 'ann', 1])
    expect(aws.server.calls).toHaveLength(1)
    expect(namesOf(aws.server.calls[0]?.input ?? {})).toEqual(['/shop/db'])
  })

  it.each(['aws', 'aws-cn', 'aws-us-gov'])(
    'secrets C1.20: an ARN of the partition %s is a name',
    async (partition) => {
      const path = arn('/team/key', partition)
      aws.server.intercept = (operation, input) => {
        const found = { Name: '/team/key', ARN: namesOf(input)[0], Value: 'shared', SecretString: 'shared' }
        return operation === 'GetParameters' ? { Parameters: [found] } : found
      }
      const secrets = await open({ fetch: { key: path } })
      expect(await secrets.get(path)).toBe('shared')
      expect((secrets.values as Record<string, unknown>)['key']).toBe('shared')
    },
  )

  it.each(['/shop/a b', '/shop/ä', '/a/b?c', 'a\nb', '', '/a*'])(
    'secrets C1.21: the name %j is refused before any call, and takes down no other',
    async (path) => {
      put('/shop/key', 'hunter2')
      const secrets = await open()
      const [refused, other] = await outcomes([secrets.get(path), secrets.get('/shop/key')])
      expect(refused).toBeInstanceOf(SecretError)
      expect(String(refused)).toContain('is not a name that')
      expect(other).toBe('hunter2')
      expect(aws.server.calls.flatMap(({ input }) => namesOf(input))).toEqual(['/shop/key'])
      expect(() => make({ client: client(), fetch: { key: path } })).toThrow(SecretError)
    },
  )

  it('an aborted signal ends the waiting of one, and of no other', async () => {
    const gate = new Gate()
    put('/shop/key', 'hunter2')
    aws.server.intercept = () => gate.wait()
    const secrets = await open()
    const abort = new AbortController()
    const [aborted, other] = [
      secrets.get('/shop/key', { signal: abort.signal }),
      secrets.get('/shop/key', { signal: new AbortController().signal }),
    ]
    await gate.arrivals(1)
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    gate.open()
    expect(await other).toBe('hunter2')
    remove('/shop/key')
    // What is aborted before it begins reads nothing, so that nothing fails with nobody to hear it.
    aws.server.calls.length = 0
    await expect(secrets.get('/shop/none', { signal: abort.signal })).rejects.toThrow('enough')
    await outcomes([secrets.refresh('/shop/key')])
    expect(aws.server.calls.flatMap(({ input }) => namesOf(input))).toEqual(['/shop/key'])
  })
})

describe('what only one store has', () => {
  it('secrets C1.9: a binary secret is bytes, by get() and by fetch, and its fields are an error', async () => {
    const bytes = Buffer.from([0, 255, 128, 10])
    putVersion(aws.server, 'shop/bytes', { binary: bytes.toString('base64') })
    const secrets = await openSecrets(secretsOfManager, { fetch: { key: 'shop/bytes' } })
    const value = await secrets.get<Uint8Array>('shop/bytes')
    expect(value).toEqual(new Uint8Array(bytes))
    expect((secrets.values as Record<string, unknown>)['key']).toEqual(new Uint8Array(bytes))
    await expect(secrets.get('shop/bytes#user')).rejects.toThrow('is binary and cannot be read as JSON')
    value.fill(0)
    expect(await secrets.get('shop/bytes'), 'overwriting the bytes does not change what is held').toEqual(
      new Uint8Array(bytes),
    )
  })

  it('secrets C1.10: an empty value is a value, and held', async () => {
    putVersion(aws.server, 'shop/empty', { string: '' })
    const secrets = await openSecrets(secretsOfManager, { fetch: { empty: 'shop/empty' } })
    expect((secrets.values as Record<string, unknown>)['empty']).toBe('')
    expect(await secrets.get('shop/empty', { refresh: true })).toBe('')
    expect(await secrets.get('shop/empty')).toBe('')
    expect(aws.server.calls).toHaveLength(2)
  })

  it('secrets C1.19: a version or label of a parameter is held apart from its newest', async () => {
    for (const value of ['one', 'two', 'three']) parameters.put('/shop/key', value)
    aws.server.parameters.get('/shop/key')?.labels.set('live', 2)
    const secrets = await openSecrets(parameters)
    expect(
      await Promise.all([
        secrets.get('/shop/key'),
        secrets.get('/shop/key:1'),
        secrets.get('/shop/key:live'),
        secrets.get('/shop/key', { version: 1 }),
        secrets.get('/shop/key', { label: 'live' }),
      ]),
    ).toEqual(['three', 'one', 'two', 'one', 'two'])
    expect(aws.server.calls.map(({ input }) => namesOf(input))).toEqual([
      ['/shop/key', '/shop/key:1', '/shop/key:live'],
    ])
    expect(await secrets.get('/shop/key:1'), 'each is held').toBe('one')
    expect(aws.server.calls).toHaveLength(1)
    await expect(secrets.get('/shop/key:7')).rejects.toThrow(SecretNotFoundError)
  })

  it.each([{ label: 'not a label' }, { version: '1', label: 'live' }, { stage: 'AWSCURRENT' }])(
    'secrets C1.19: %j is refused before any call, and takes down no other',
    async (options) => {
      parameters.put('/shop/key', 'hunter2')
      const secrets = await openSecrets(parameters)
      const [refused, other] = await outcomes([secrets.get('/shop/key', options), secrets.get('/shop/key')])
      expect(refused).toBeInstanceOf(SecretError)
      expect(other).toBe('hunter2')
    },
  )

  it('secrets C1.19: a version or stage of a secret is held apart from its newest', async () => {
    const first = putVersion(aws.server, 'shop/key', { string: 'one' }, 'AWSPREVIOUS')
    putVersion(aws.server, 'shop/key', { string: 'two' })
    const secrets = await openSecrets(secretsOfManager)
    expect(
      await Promise.all([
        secrets.get('shop/key'),
        secrets.get('shop/key', { version: first }),
        secrets.get('shop/key', { stage: 'AWSPREVIOUS' }),
      ]),
    ).toEqual(['two', 'one', 'one'])
    await expect(secrets.get('shop/key', { label: 'live' })).rejects.toThrow('labels are of Parameter Store')
  })

  it('secrets C1.20: an ARN may lack the six characters that Secrets Manager adds', async () => {
    for (const name of ['shop/a', 'shop/b']) putVersion(aws.server, name, { string: name })
    const secrets = await openSecrets(secretsOfManager)
    const paths = ['shop/a', 'shop/b'].map((name) => secretsOfManager.arn(name).slice(0, -7))
    expect(await secrets.getMany(paths)).toEqual({ [paths[0]!]: 'shop/a', [paths[1]!]: 'shop/b' })
    expect(aws.server.calls).toHaveLength(1)
  })

  it('reads singly what the answer to a batch does not speak of', async () => {
    for (const name of ['shop/a', 'shop/b']) putVersion(aws.server, name, { string: name })
    aws.server.intercept = (operation) =>
      operation === 'BatchGetSecretValue' ? { SecretValues: [], Errors: [], NextToken: 'more' } : undefined
    const secrets = await openSecrets(secretsOfManager)
    expect(await secrets.getMany(['shop/a', 'shop/b'])).toEqual({ 'shop/a': 'shop/a', 'shop/b': 'shop/b' })
  })

  it.each(['DecryptionFailure', 'AccessDeniedException'])(
    'reads singly what %s says of a whole batch',
    async (code) => {
      for (const name of ['shop/a', 'shop/b']) putVersion(aws.server, name, { string: name })
      aws.server.intercept = (operation) => {
        if (operation === 'BatchGetSecretValue') throw new AwsError(code)
        return undefined
      }
      const secrets = await openSecrets(secretsOfManager)
      expect(await secrets.getMany(['shop/a', 'shop/b'])).toEqual({ 'shop/a': 'shop/a', 'shop/b': 'shop/b' })
    },
  )

  it.each(['InvalidKeyId', 'ValidationException'])(
    'reads singly what fails ten parameters with %s, because it is of one',
    async (code) => {
      for (const name of ['/shop/a', '/shop/b', '/shop/bad']) parameters.put(name, name)
      aws.server.intercept = (_, input) => {
        if (namesOf(input).includes('/shop/bad')) throw new AwsError(code)
        return undefined
      }
      const secrets = await openSecrets(parameters)
      const found = await outcomes(['/shop/a', '/shop/bad', '/shop/b'].map((name) => secrets.get(name)))
      expect([found[0], found[2]]).toEqual(['/shop/a', '/shop/b'])
      expect(String(found[1])).toContain(code)
    },
  )
})
