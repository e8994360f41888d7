// Secrets where several invocations run beside each other in one process: X1, X5, X6.
import middy from '@middy/core'
import middy6 from 'middy-core-6'
import { SecretTimeoutError } from 'clearskies-middy'
import {
  type Secrets,
  type SecretsOptions,
  parameterStore,
} from 'clearskies-middy/middleware/parameter-store'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke, lambdaContext } from 'clearskies-middy/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { AwsError } from '../../examples/shop/local/aws-stand-in.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { Gate, collect, fakeClock, useSecretStores } from '../support/secret-stores.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { TimedStore, timedStores } from '../support/timed-store.ts'

const { aws, stores } = useSecretStores()
const [parameters, secretsOfManager] = stores as [(typeof stores)[0], (typeof stores)[0]]

const cores = [
  ['Middy 7', middy],
  ['Middy 6', middy6 as unknown as typeof middy],
] as const

type Work = (secrets: Secrets<'key'>) => unknown

describe.each(cores)('X1: values stay as they were loaded (%s)', (_, core) => {
  describe.each(stores)('$name', (store) => {
    const { put, make, client, arn, remove } = store
    const logger = new RecordingLogger()

    /** What `values.key` is before and after some work of the handler. */
    async function around(
      work: Work,
      options: Pick<SecretsOptions, 'ttl' | 'staleIfError'> = {},
    ): Promise<unknown[]> {
      put('/shop/key', 'old')
      // Where the clock moves on, Middy 6 would set the timer of its own timeout to less than nothing.
      const handler = core({ timeoutEarlyInMillis: 0 })
        .use(invocation())
        .use(make({ client: client(), logger, ...options, fetch: { key: '/shop/key' } }))
        .handler(async (_request, { secrets }) => {
          const { key } = secrets.values
          await work(secrets)
          return [key, secrets.values.key]
        })
      return invoke<unknown[]>(handler, {})
    }

    it.each<[string, Work]>([
      ['a write of that secret', (secrets) => secrets.update('/shop/key', 'new')],
      ['a write of it by its ARN', (secrets) => secrets.update(arn('/shop/key'), 'new').catch(() => {})],
      ['a write of another by its ARN', (secrets) => secrets.update(arn('/other'), 'v').catch(() => {})],
      ['a deletion', (secrets) => secrets.delete('/shop/key', { force: true })],
      [
        'two writes at once',
        (secrets) => Promise.all([1, 2].map((n) => secrets.upsert('/shop/key', `${n}`))),
      ],
      [
        'a write that fails',
        (secrets) => {
          aws.server.intercept = () => {
            throw new AwsError('TooManyUpdates')
          }
          return secrets.update('/shop/key', 'new').catch(() => {})
        },
      ],
      [
        'a refresh that finds nothing',
        (secrets) => {
          remove('/shop/key')
          return secrets.refresh('/shop/key').catch(() => {})
        },
      ],
      [
        'a refresh that finds another value',
        (secrets) => {
          put('/shop/key', 'new')
          return secrets.refresh('/shop/key')
        },
      ],
      [
        'more names than are held',
        (secrets) =>
          Promise.all(Array.from({ length: 1100 }, (_name, n) => secrets.get(`/n/${n}`, { optional: true }))),
      ],
    ])('after %s', async (_title, work) => {
      expect(await around(work)).toEqual(['old', 'old'])
    })

    it('when ttl and staleIfError are over in the middle of the handler', async () => {
      vi.useFakeTimers({ toFake: ['Date'] })
      const later: Work = () => vi.setSystemTime(Date.now() + 61_000)
      expect(await around(later, { ttl: 60, staleIfError: 0 })).toEqual(['old', 'old'])
    })

    it('without any time to hold them', async () => {
      expect(await around(() => {}, { ttl: 0, staleIfError: 0 })).toEqual(['old', 'old'])
    })

    it('when a neighbour writes, deletes and loads anew', async () => {
      put('/shop/key', 'old')
      const handler = core()
        .use(invocation())
        .use(make({ client: client(), logger, ttl: 0, fetch: { key: '/shop/key' } }))
        .handler(async ({ data }, { secrets }) => {
          const before = secrets.values.key
          if (data === 'outer') {
            await invoke(handler, 'inner')
            await secrets.delete('/shop/key', { force: true })
          } else await secrets.update('/shop/key', 'new')
          return [before, secrets.values.key]
        })
      expect(await invoke(handler, 'outer')).toEqual(['old', 'old'])
    })
  })

  it('when another store writes', async () => {
    parameters.put('/shop/key', 'old')
    secretsOfManager.put('other', 'x')
    const handler = core()
      .use(invocation())
      .use(parameterStore({ client: parameters.client(), fetch: { key: '/shop/key' } }))
      .use(secretsManager({ client: secretsOfManager.client(), as: 'vault' }))
      .handler(async (_request, { secrets, vault }) => {
        await vault.update(secretsOfManager.arn('other'), 'v')
        return secrets.values.key
      })
    expect(await invoke(handler, {})).toBe('old')
  })

  it('of each stacked loader, in fifty interleaved invocations', async () => {
    const random = seededRandom(11)
    const options = { ttl: 0, prefetch: false, logger: new RecordingLogger() }
    const gates = Array.from({ length: 10 }, () => new Gate())
    const handler = core()
      .use(invocation())
      .use(parameterStore({ ...options, client: parameters.client(), fetch: { a: '/a' } }))
      .use(secretsManager({ ...options, client: secretsOfManager.client(), fetch: { b: 'b' } }))
      .handler(async ({ data }, { secrets }) => {
        const before = [secrets.values.a, secrets.values.b]
        await gates[data as number]?.wait()
        return { before, after: [secrets.values.a, secrets.values.b] }
      })
    const waves: Promise<{ before: string[]; after: string[] }>[][] = []
    for (const [wave, gate] of gates.entries()) {
      parameters.put('/a', `a${wave}`)
      secretsOfManager.put('b', `b${wave}`)
      waves.push(Array.from({ length: 5 }, () => invoke(handler, wave)))
      await gate.arrivals(5)
    }
    for (const gate of [...gates].sort(() => random() - 0.5)) gate.open()
    for (const [wave, running] of waves.entries()) {
      const values = [`a${wave}`, `b${wave}`]
      expect(await Promise.all(running)).toEqual(Array(5).fill({ before: values, after: values }))
    }
  })
})

/** What an invocation came to, and after how long. */
interface Ended {
  readonly value: unknown
  readonly milliseconds: number
}

describe.each(cores)('deadlines (%s)', (_, core) => {
  beforeEach(() => {
    fakeClock()
  })

  describe.each(timedStores)('%s', (_name, make) => {
    const names = ['/a', '/b', '/c', '/d']

    function open(options: Parameters<typeof parameterStore>[0] = {}) {
      const store = new TimedStore()
      for (const name of names) store.values.set(name, `v${name}`)
      const logger = new RecordingLogger()
      const secrets = make({ client: store, logger, timeout: 5, ...options })
      /** One invocation that does some work with so much time left. */
      const run = async (left: number, work: (secrets: Secrets) => unknown): Promise<Ended> => {
        const begin = Date.now()
        const handler = core<unknown, unknown>()
          .use(secrets)
          .handler((_event, context) => work((context as unknown as { secrets: Secrets }).secrets))
        const context = lambdaContext({ timeout: left })
        const value: unknown = await invoke(handler, {}, context).catch((error: unknown) => error)
        return { value, milliseconds: Date.now() - begin }
      }
      return { store, run }
    }

    const calls: [string, (secrets: Secrets) => unknown][] = [
      ['get()', (secrets) => secrets.get('/a')],
      ['get() of a field', (secrets) => secrets.get('/a', { refresh: true })],
      ['getMany()', (secrets) => secrets.getMany(['/a', '/b'])],
      ['refresh()', (secrets) => secrets.refresh('/a')],
      ['update()', (secrets) => secrets.upsert('/a', 'x')],
      ['delete()', (secrets) => secrets.delete('/a')],
      ['list()', (secrets) => collect(secrets.list('/a'))],
      ['withFresh()', (secrets) => secrets.withFresh('/a', (value) => value)],
    ]

    it.each(calls)('X5: %s has its own time, whichever invocation began first', async (_title, call) => {
      for (const order of [
        [30_000, 400],
        [400, 30_000],
      ] as const) {
        const { store, run } = open()
        store.reply = () => 600
        // Each calls when both have begun.
        const work = async (secrets: Secrets): Promise<unknown> => {
          await new Promise((resolve) => setTimeout(resolve, 20))
          return call(secrets)
        }
        const first = run(order[0], work)
        await vi.advanceTimersByTimeAsync(10)
        const second = run(order[1], work)
        await vi.advanceTimersByTimeAsync(10_000)
        const [long, short] = order[0] > order[1] ? [await first, await second] : [await second, await first]
        expect(long.value).not.toBeInstanceOf(Error)
        expect(short.value).toBeInstanceOf(SecretTimeoutError)
        expect(short.milliseconds).toBe(300)
      }
    })

    it('X5: values that are declared are waited for as long as each invocation can', async () => {
      const { store, run } = open({ fetch: { key: '/a' }, prefetch: false })
      store.reply = () => 600
      const long = run(30_000, (secrets) => (secrets as unknown as Secrets<'key'>).values.key)
      await vi.advanceTimersByTimeAsync(10)
      const short = run(400, () => 'reached')
      await vi.advanceTimersByTimeAsync(600)
      expect(await long).toEqual({ value: 'v/a', milliseconds: 600 })
      expect(await short).toMatchObject({
        value: expect.any(SecretTimeoutError) as unknown,
        milliseconds: 300,
      })
    })

    it('X5: a reading lives as long as the longest who waits, and is given up with the last', async () => {
      const { store, run } = open()
      store.reply = () => 'hang'
      const short = run(900, (secrets) => secrets.get('/a'))
      await vi.advanceTimersByTimeAsync(10)
      const long = run(30_000, (secrets) => secrets.getMany(['/a', '/b']))
      await vi.advanceTimersByTimeAsync(800)
      expect(await short).toMatchObject({ milliseconds: 800, value: { seconds: 0.8 } })
      expect(store.calls.map(({ isAborted }) => isAborted)).toEqual([false, false])
      await vi.advanceTimersByTimeAsync(4200)
      expect(await long).toMatchObject({ milliseconds: 5000, value: { seconds: 5 } })
      expect(store.calls.map(({ isAborted }) => isAborted)).toEqual([true, true])
    })

    it('X5: names that are read in one call with a neighbour end for each at its own time', async () => {
      const { store, run } = open()
      store.reply = () => 'hang'
      const ended = Promise.all([
        run(400, (secrets) => secrets.get('/a')),
        run(1000, (secrets) => secrets.get('/b')),
        run(30_000, (secrets) => secrets.get('/c')),
      ])
      await vi.advanceTimersByTimeAsync(5000)
      expect((await ended).map(({ milliseconds }) => milliseconds)).toEqual([300, 900, 5000])
      expect(store.calls).toMatchObject([{ names: ['/a', '/b', '/c'], isAborted: true }])
    })

    it.each([
      ['4 s left', { timeout: 5 }, 4000],
      ['all defaults', { timeout: 3 }, 30_000],
    ])('X6: five invocations share one call, with %s', async (_title, options, left) => {
      const { store, run } = open(options)
      store.reply = () => 2500
      const running: Promise<Ended>[] = []
      for (let index = 0; index < 5; index++) {
        running.push(run(left, (secrets) => secrets.get('/a')))
        await vi.advanceTimersByTimeAsync(100)
      }
      await vi.advanceTimersByTimeAsync(5000)
      const ended = await Promise.all(running)
      expect(ended.map(({ value }) => value)).toEqual(Array(5).fill('v/a'))
      expect(ended.map(({ milliseconds }) => milliseconds)).toEqual([2500, 2400, 2300, 2200, 2100])
      expect(store.calls).toHaveLength(1)
    })

    it('X6: what was begun before a halt is begun again, and what arrives first ends the waiting', async () => {
      for (const isFirst of [true, false]) {
        const { store, run } = open({ timeout: 3 })
        store.reply = () => (store.calls.length === 1 ? (isFirst ? 2500 : 'hang') : isFirst ? 'hang' : 500)
        const left = run(30_000, (secrets) => {
          secrets.get('/a').catch(() => {})
          return 'left'
        })
        await vi.advanceTimersByTimeAsync(0)
        await left
        const later = [
          run(30_000, (secrets) => secrets.get('/a')),
          run(30_000, (secrets) => secrets.get('/a')),
        ]
        await vi.advanceTimersByTimeAsync(1499)
        expect(store.calls).toHaveLength(1)
        await vi.advanceTimersByTimeAsync(5000)
        const milliseconds = isFirst ? 2500 : 2000
        expect(await Promise.all(later)).toEqual(Array(2).fill({ value: 'v/a', milliseconds }))
        expect(store.calls).toHaveLength(2)
        expect(
          store.calls.every(({ endedAt }) => endedAt !== undefined),
          'nothing is left open',
        ).toBe(true)
      }
    })

    it('X5, X6: fifty interleaved invocations end at their own times, and no name is read twice at once', async () => {
      for (const seed of [1, 2, 3, 4, 5]) {
        const random = seededRandom(seed)
        const { store, run } = open({ ttl: 0, staleIfError: 0 })
        store.reply = () => (random() < 0.2 ? 'hang' : Math.ceil(random() * 2000))
        const whole = run(600_000, () => new Promise((resolve) => setTimeout(resolve, 30_000)))
        const work = Array.from({ length: 50 }, async () => {
          await new Promise((resolve) => setTimeout(resolve, Math.ceil(random() * 3000)))
          const left = Math.ceil(250 + random() * 8000)
          const name = names[Math.floor(random() * names.length)] ?? '/a'
          return { left, name, ended: await run(left, (secrets) => secrets.get(name)) }
        })
        await vi.advanceTimersByTimeAsync(30_000)
        await whole
        for (const { left, name, ended } of await Promise.all(work)) {
          const own = Math.min(5000, Math.max(left - 100, left / 2))
          if (ended.value === `v${name}`) expect(ended.milliseconds).toBeLessThanOrEqual(own)
          else {
            expect(ended.value).toBeInstanceOf(SecretTimeoutError)
            expect(ended.milliseconds).toBe(own)
          }
        }
        for (const name of names) {
          const ofName = store.calls.filter((call) => call.names.includes(name))
          for (const [index, { at }] of ofName.entries())
            if (index > 0) expect(ofName[index - 1]?.endedAt).toBeLessThanOrEqual(at)
        }
      }
    })
  })
})
