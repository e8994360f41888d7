// Stores that fail for long, by an injected clock: X9, X13, X14.
import middy from '@middy/core'
import { SecretError, SecretNotFoundError } from 'clearskies-middy'
import { environment } from 'clearskies-middy/middleware/environment'
import type { Secrets, SecretsOptions } from 'clearskies-middy/middleware/parameter-store'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke, lambdaContext } from 'clearskies-middy/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { RecordingLogger } from '../support/recording-logger.ts'
import { fakeClock } from '../support/secret-stores.ts'
import { type Reply, TimedStore, awsError, timedStores } from '../support/timed-store.ts'

beforeEach(() => {
  fakeClock()
  return () => {
    vi.useRealTimers()
  }
})

const failures: readonly (readonly [string, Reply])[] = [
  ['hangs', 'hang'],
  ['throttles', awsError('ThrottlingException')],
  ['answers 5xx', awsError('InternalServerError')],
  ['cannot be reached', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
  ['denies', awsError('AccessDeniedException')],
  ['finds an expired token', awsError('ExpiredTokenException')],
]

describe.each(timedStores)('%s', (_name, make) => {
  function open(options: Omit<SecretsOptions, 'as'> = {}) {
    const store = new TimedStore()
    for (const name of ['/a', '/b', '/c']) store.values.set(name, `old${name}`)
    store.values.set('/json', '{"user":"ann"}')
    const logger = new RecordingLogger()
    const secrets = make({ client: store, logger, ttl: 60, staleIfError: 7200, ...options })
    const run = <T>(work: (secrets: Secrets) => T | Promise<T>): Promise<T> => {
      const handler = middy()
        .use(invocation())
        .use(secrets)
        .handler((_, context) => work((context as unknown as { secrets: Secrets }).secrets))
      return invoke<T>(handler, {}, lambdaContext({ timeout: 30_000 }))
    }
    return { store, logger, run }
  }

  describe.each(failures)('a store that %s', (_title, failure) => {
    it('X9: an hour of it costs one invocation its time, one warning, and a call now and then', async () => {
      const { store, logger, run } = open({ fetch: { key: '/a' } })
      const work = async (secrets: Secrets): Promise<unknown[]> => [
        (secrets as unknown as Secrets<'key'>).values.key,
        await secrets.get('/a'),
        await secrets.get('/b'),
        await secrets.get('/json#user'),
        (await secrets.getMany(['/b', '/c']))['/c'],
        await secrets.withFresh('/c', (value) => value),
      ]
      const values = ['old/a', 'old/a', 'old/b', 'ann', 'old/c', 'old/c']
      expect(await run(work)).toEqual(values)
      await vi.advanceTimersByTimeAsync(60_000)
      store.calls.length = 0
      store.reply = () => failure

      const first = run(work)
      await vi.advanceTimersByTimeAsync(20_000)
      expect(await first).toEqual(values)
      for (let second = 0; second < 3600; second++) {
        // The clock stands still: an invocation that waited for anything would never end.
        expect(await run(work)).toEqual(values)
        await vi.advanceTimersByTimeAsync(1000)
      }
      expect(logger.warnings).toHaveLength(1)
      const perName = Map.groupBy(store.calls, ({ names }) => names.join())
      for (const calls of perName.values()) expect(calls.length).toBeLessThan(75)

      store.reply = () => 0
      for (const name of ['/a', '/b', '/c']) store.values.set(name, `new${name}`)
      await vi.advanceTimersByTimeAsync(60_000)
      await run(work)
      await vi.advanceTimersByTimeAsync(0)
      expect(await run(work)).toEqual(['new/a', 'new/a', 'new/b', 'ann', 'new/c', 'new/c'])
    })

    it('X9: a refresh asks at once, gives the old value, and warns no second time', async () => {
      const { store, logger, run } = open()
      await run((secrets) => secrets.get('/a'))
      store.reply = () => failure
      for (let round = 1; round <= 3; round++) {
        store.calls.length = 0
        const refreshed = run((secrets) => secrets.refresh('/a'))
        await vi.advanceTimersByTimeAsync(3000)
        expect(await refreshed).toBe('old/a')
        expect(store.calls).toHaveLength(1)
      }
      expect(logger.warnings).toHaveLength(1)
    })

    it('X9: what was never read is an error, and so is a value beyond staleIfError', async () => {
      const { store, run } = open({ staleIfError: 100 })
      await run((secrets) => secrets.get('/a'))
      store.reply = () => failure
      const settled = async (name: string): Promise<unknown> => {
        const reading = run((secrets) => secrets.get(name)).catch((error: unknown) => error)
        await vi.advanceTimersByTimeAsync(3000)
        return reading
      }
      expect(await settled('/b')).toBeInstanceOf(SecretError)
      await vi.advanceTimersByTimeAsync(61_000)
      expect(await settled('/a')).toBe('old/a')
      await vi.advanceTimersByTimeAsync(100_000)
      expect(await settled('/a')).toBeInstanceOf(SecretError)
    })

    it('X9: a second outage is told once more', async () => {
      const { store, logger, run } = open({ ttl: 0 })
      const get = async (reply: Reply): Promise<void> => {
        store.reply = () => reply
        await vi.advanceTimersByTimeAsync(60_000)
        const reading = run((secrets) => secrets.get('/a'))
        await vi.advanceTimersByTimeAsync(3000)
        await reading
      }
      for (const reply of [0, failure, failure, 0, failure, failure]) await get(reply)
      expect(logger.warnings).toHaveLength(2)
    })
  })

  it('X9: the pause grows from 10 s to 60 s, and ends with the outage', async () => {
    const { store, run } = open({ ttl: 1 })
    await run((secrets) => secrets.get('/a'))
    await vi.advanceTimersByTimeAsync(1000)
    store.reply = () => awsError('ThrottlingException')
    store.calls.length = 0
    const begin = Date.now()
    for (let second = 0; second < 300; second++) {
      await run((secrets) => secrets.get('/a'))
      await vi.advanceTimersByTimeAsync(1000)
    }
    expect(store.calls.map(({ at }) => (at - begin) / 1000)).toEqual([0, 10, 30, 70, 130, 190, 250])
  })

  it('X9: what is found to be deleted behind an invocation is gone for the next', async () => {
    const { store, run } = open({ ttl: 1 })
    await run((secrets) => secrets.get('/a'))
    await vi.advanceTimersByTimeAsync(1000)
    store.reply = () => awsError('ThrottlingException')
    await run((secrets) => secrets.get('/a'))
    store.reply = () => 0
    store.values.delete('/a')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await run((secrets) => secrets.get('/a'))).toBe('old/a')
    await vi.advanceTimersByTimeAsync(0)
    await expect(run((secrets) => secrets.get('/a'))).rejects.toThrow(SecretNotFoundError)
  })

  it('X9: a refresh that was frozen with the process takes the answer that lies in the socket', async () => {
    const { store, logger, run } = open({ ttl: 1 })
    await run((secrets) => secrets.get('/a'))
    await vi.advanceTimersByTimeAsync(1000)
    store.reply = () => awsError('ThrottlingException')
    await run((secrets) => secrets.get('/a'))
    await vi.advanceTimersByTimeAsync(10_000)
    store.reply = () => 3500
    store.values.set('/a', 'new')
    await run((secrets) => secrets.get('/a'))
    // The process is frozen for an hour. Its timers come first when it thaws.
    vi.setSystemTime(Date.now() + 3_600_000)
    await vi.advanceTimersByTimeAsync(3500)
    expect(await run((secrets) => secrets.get('/a'))).toBe('new')
    expect(logger.warnings).toHaveLength(1)
  })

  it('X9: one name that is denied keeps no other from being read anew', async () => {
    const { store, run } = open({ ttl: 1 })
    const both = (secrets: Secrets) => secrets.getMany(['/a', '/b'])
    await run(both)
    store.reply = (names) => (names.includes('/a') ? awsError('AccessDeniedException') : 0)
    for (const value of ['1', '2', '3']) {
      store.values.set('/b', value)
      await vi.advanceTimersByTimeAsync(1000)
      expect(await run(both)).toEqual({ '/a': 'old/a', '/b': value })
    }
  })

  it('X13: after the clock was set back, a value is read anew', async () => {
    const { store, run } = open({ ttl: 1 })
    await run((secrets) => secrets.get('/a'))
    store.values.set('/a', 'new')
    vi.setSystemTime(Date.now() - 3_600_000)
    expect(await run((secrets) => secrets.get('/a'))).toBe('new')
    expect(await run((secrets) => secrets.get('/a'))).toBe('new')
    expect(store.calls).toHaveLength(2)
  })

  it('X13: after the clock was set back, the old value serves while the store is down, and it is asked again', async () => {
    const { store, run } = open({ ttl: 1 })
    await run((secrets) => secrets.get('/a'))
    store.reply = () => awsError('ThrottlingException')
    vi.setSystemTime(Date.now() - 3_600_000)
    expect(await run((secrets) => secrets.get('/a'))).toBe('old/a')
    store.reply = () => 0
    store.values.set('/a', 'new')
    vi.setSystemTime(Date.now() - 3_600_000)
    await run((secrets) => secrets.get('/a'))
    await vi.advanceTimersByTimeAsync(0)
    expect(await run((secrets) => secrets.get('/a'))).toBe('new')
  })
})

it('X14: a role without BatchGetSecretValue pays for the refusal once', async () => {
  const [, [, make]] = timedStores as [(typeof timedStores)[0], (typeof timedStores)[0]]
  const store = new TimedStore()
  for (const name of ['a', 'b', 'c']) store.values.set(name, name)
  store.reply = (_, operation) =>
    operation === 'BatchGetSecretValue' ? awsError('AccessDeniedException') : 0
  const handler = middy()
    .use(make({ client: store, ttl: 0 }))
    .handler((_, { secrets }) => secrets.getMany(['a', 'b', 'c']))
  for (let round = 0; round < 3; round++) await invoke(handler, {})
  const single = Array<string>(9).fill('GetSecretValue')
  expect(store.calls.map(({ operation }) => operation)).toEqual(['BatchGetSecretValue', ...single])
})

it('X14: a parameter that is denied takes no other out of its call a second time, until it is allowed', async () => {
  const [[, make]] = timedStores as [(typeof timedStores)[0]]
  const store = new TimedStore()
  for (const name of ['/a', '/b', '/c']) store.values.set(name, name)
  const deny = (names: readonly string[]): Reply =>
    names.includes('/a') ? awsError('AccessDeniedException') : 0
  store.reply = deny
  const handler = middy()
    .use(make({ client: store, ttl: 0 }))
    .handler((_, { secrets }) =>
      Promise.allSettled(['/a', '/b', '/c'].map((name) => secrets.get(name))).then((settled) =>
        settled.map(({ status }) => status),
      ),
    )
  const calls = async (): Promise<string[]> => {
    store.calls.length = 0
    await invoke(handler, {})
    return store.calls.map(({ names }) => names.join())
  }
  expect(await calls()).toEqual(['/a,/b,/c', '/a', '/b', '/c'])
  expect(await calls()).toEqual(['/b,/c', '/a'])
  store.reply = () => 0
  await calls()
  expect(await calls()).toEqual(['/a,/b,/c'])
})

it('X9: environment() gives its values without waiting', async () => {
  const [[, make]] = timedStores as [(typeof timedStores)[0]]
  const store = new TimedStore()
  store.values.set('/a', 'old')
  const handler = middy()
    .use(make({ client: store, ttl: 0, logger: new RecordingLogger() }))
    .use(environment({ file: false, overrides: { A: 'secret://a' }, names: ['A'] }))
    .handler(async (_, { environment: variables }) => [variables.values.A, await variables.get('A')])
  await invoke(handler, {})
  store.reply = () => 'hang'
  const first = invoke(handler, {})
  await vi.advanceTimersByTimeAsync(3000)
  await first
  expect(await invoke(handler, {})).toEqual(['old', 'old'])
})
