// The catalogue of secrets' cases (C1) as far as they are about writing, in the order of its numbers.
import middy from '@middy/core'
import {
  SecretAlreadyExistsError,
  SecretError,
  SecretNotFoundError,
  SecretPendingDeletionError,
  SecretTimeoutError,
} from 'clearskies-middy'
import type { Secrets } from 'clearskies-middy/middleware/secrets'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke, memorySecrets } from 'clearskies-middy/testing'
import { describe, expect, it, vi } from 'vitest'
import { AwsError } from '../../examples/shop/local/aws-stand-in.ts'
import {
  Gate,
  collect,
  fakeClock,
  openSecrets,
  outcomes,
  putVersion,
  useSecretStores,
} from '../support/secret-stores.ts'
import { runs } from '../support/runs.ts'
import { seededRandom } from '../support/seeded-random.ts'

const { aws, stores } = useSecretStores()
const [parameters, secretsOfManager] = stores as [(typeof stores)[0], (typeof stores)[0]]
const operations = () => aws.server.calls.map(({ operation }) => operation)

describe.each(stores)('$name', (store) => {
  const { put, stored, make, client, arn } = store
  const open = (options = {}) => openSecrets(store, options)

  it.each(['create', 'update', 'upsert'] as const)(
    'secrets C1.28: get() after %s() gives the new value',
    async (write) => {
      if (write !== 'create') put('/shop/key', 'old')
      const secrets = await open()
      await secrets.get('/shop/key', { optional: true })
      await secrets[write]('/shop/key', 'new')
      expect(stored('/shop/key')).toBe('new')
      expect(await secrets.get('/shop/key')).toBe('new')
      expect(await secrets.refresh('/shop/key')).toBe('new')
    },
  )

  it('secrets C1.28: get() after delete() gives nothing', async () => {
    put('/shop/key', 'old')
    const secrets = await open()
    await secrets.get('/shop/key')
    expect(await secrets.delete('/shop/key', { force: true })).toBe(true)
    expect(await secrets.get('/shop/key', { optional: true })).toBeUndefined()
  })

  it('secrets C1.28: after a write, get() gives the new value, and values give it from the next invocation on', async () => {
    put('/shop/key', 'old')
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { key: '/shop/key' } }))
      .handler(async ({ data }, { secrets }) => {
        if (data === 'write') await secrets.update('/shop/key', 'new')
        return [secrets.values.key, await secrets.get('/shop/key')]
      })
    expect(await invoke(handler, 'read')).toEqual(['old', 'old'])
    expect(await invoke(handler, 'write')).toEqual(['old', 'new'])
    expect(await invoke(handler, 'read')).toEqual(['new', 'new'])
  })

  it('secrets C1.28: a declared value that was deleted and written anew elsewhere is read anew', async () => {
    put('/shop/key', 'old')
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { key: '/shop/key' } }))
      .handler(async ({ data }, { secrets }) => {
        if (data === 'delete') await secrets.delete('/shop/key', { force: true })
        return secrets.values.key
      })
    await invoke(handler, 'delete')
    await expect(invoke(handler, 'read')).rejects.toThrow(SecretNotFoundError)
    put('/shop/key', 'new')
    expect(await invoke(handler, 'read')).toBe('new')
  })

  it('secrets C1.28: what one middleware of the process writes, no other still holds', async () => {
    put('/shop/key', 'old')
    const stacked = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { key: '/shop/key' } }))
      .use(make({ client: client() }))
      .handler(async ({ data }, { secrets }) => {
        if (data === 'write') await secrets.update('/shop/key', 'new')
        return secrets.values.key
      })
    const other = await open()
    await other.get('/shop/key')
    await invoke(stacked, 'write')
    expect(await invoke(stacked, 'read'), 'the value of a stacked loader').toBe('new')
    expect(await other.get('/shop/key'), 'the value that another handler holds').toBe('new')
  })

  it.each([
    ['begins and ends during', 'start write, start read, end read, end write'],
    ['begins before', 'start read, start write, end write, end read'],
    ['begins before, and ends during', 'start read, start write, end read, end write'],
    ['begins during, and ends after', 'start write, start read, end write, end read'],
  ])('secrets C1.28: a read that %s a write leaves no old value behind', async (_, order) => {
    const [reads, writes] = [new Gate(), new Gate()]
    put('/shop/key', 'old')
    let isFirstRead = true
    aws.server.intercept = async (operation) => {
      if (operation.startsWith('Put')) {
        put('/shop/key', 'new')
        await writes.wait()
        return { Version: 2 }
      }
      if (!isFirstRead) return undefined
      isFirstRead = false
      await reads.wait()
      const found = { Name: '/shop/key', Value: 'old', SecretString: 'old' }
      return operation === 'GetParameters' ? { Parameters: [found] } : found
    }
    const secrets = await open()
    let reading: Promise<unknown> | undefined
    let writing: Promise<unknown> | undefined
    const steps: Readonly<Record<string, () => Promise<unknown>>> = {
      'start read': () => ((reading = secrets.get('/shop/key')), reads.arrivals(1)),
      'end read': () => (reads.open(), reading!),
      'start write': () => ((writing = secrets.upsert('/shop/key', 'new')), writes.arrivals(1)),
      'end write': () => (writes.open(), writing!),
    }
    for (const step of order.split(', ')) await steps[step]!()
    expect(await reading).toBe('old')
    expect(await secrets.get('/shop/key')).toBe('new')
  })

  it('secrets C1.28: a prefetch that was under way while the handler wrote leaves no old value behind', async () => {
    const gate = new Gate()
    put('/shop/key', 'old')
    aws.server.intercept = async (operation) => {
      if (/^Get/.test(operation) && aws.server.calls.length === 1) {
        await gate.wait()
        const found = { Name: '/shop/key', Value: 'old', SecretString: 'old' }
        return operation === 'GetParameters' ? { Parameters: [found] } : found
      }
      return undefined
    }
    const loader = make({ client: client(), fetch: { key: '/shop/key' } })
    await gate.arrivals(1)
    await (await open()).upsert('/shop/key', 'new')
    gate.open()
    const handler = middy()
      .use(invocation())
      .use(loader)
      .handler((_, { secrets }) => secrets.get('/shop/key'))
    expect(await invoke(handler, {})).toBe('new')
  })

  it('secrets C1.28: reads of one secret around a write in the same tick are all answered', async () => {
    put('/shop/key', 'old')
    const secrets = await open()
    const before = secrets.get('/shop/key')
    const writing = secrets.update('/shop/key', 'new')
    const after = secrets.get('/shop/key')
    const [, ...values] = await Promise.all([writing, before, after])
    for (const value of values) expect(['old', 'new']).toContain(value)
    expect(await secrets.get('/shop/key')).toBe('new')
  })

  it.each([
    ['is written last', 'first'],
    ['is acknowledged last', 'second'],
  ])(
    'secrets C1.28: of two writes at the same time of which the first %s, the one that is stored is read',
    async (which, last) => {
      const gate = new Gate()
      put('/shop/key', 'old')
      const secrets = await open()
      let isFirst = true
      aws.server.intercept = async (operation) => {
        if (!operation.startsWith('Put') || !isFirst) return undefined
        isFirst = false
        if (which === 'is acknowledged last') put('/shop/key', 'first')
        await gate.wait()
        if (which === 'is written last') put('/shop/key', 'first')
        return { Version: 2 }
      }
      const writing = secrets.upsert('/shop/key', 'first')
      await gate.arrivals(1)
      await secrets.upsert('/shop/key', 'second')
      gate.open()
      await writing
      expect(stored('/shop/key')).toBe(last)
      expect(await secrets.get('/shop/key')).toBe(last)
    },
  )

  it('secrets C1.28: a failed write may have come through all the same, so nothing is held after it', async () => {
    put('/shop/key', 'old')
    const secrets = await open()
    await secrets.get('/shop/key')
    aws.server.intercept = (operation) => {
      if (!/^Put/.test(operation)) return undefined
      put('/shop/key', 'new')
      throw new AwsError('InternalFailure', 'no', 500)
    }
    await expect(secrets.upsert('/shop/key', 'new')).rejects.toThrow(SecretError)
    expect(await secrets.get('/shop/key')).toBe('new')
  })

  it('secrets C1.28: what is known by its ARN is forgotten along with its name', async () => {
    put('/shop/key', 'old')
    const secrets = await open()
    await secrets.get(arn('/shop/key'))
    await secrets.update('/shop/key', 'new')
    expect(await secrets.get(arn('/shop/key'))).toBe('new')
  })

  it('secrets C1.28: no interleaving of reads and writes shows a value from before an acknowledged write', async () => {
    for (let seed = 1; seed <= runs(60); seed++) {
      const random = seededRandom(seed)
      const name = `/shop/key-${seed}`
      const secrets = await open({ ttl: 1000 })
      // Calls are answered in a random order.
      aws.server.intercept = async () => {
        for (let turns = Math.floor(random() * 4); turns > 0; turns--)
          await new Promise((resolve) => setImmediate(resolve))
        return undefined
      }
      /** What each write leaves behind; nothing was there before the first. */
      const states: (string | undefined)[] = [undefined]
      let acknowledged = 0
      let writing = Promise.resolve()
      const reads: Promise<void>[] = []
      const read = async (options: object): Promise<void> => {
        const known = acknowledged
        const value = await secrets.get(name, { optional: true, ...options })
        expect(states.slice(known), `seed ${seed}: as new as what was acknowledged`).toContain(value)
      }
      const write = async (version: number): Promise<void> => {
        const value = states[version]
        if (value === undefined) await secrets.delete(name, { force: true })
        else await secrets.upsert(name, value)
        acknowledged = version
      }
      for (let step = 0; step < 25; step++) {
        const choice = random()
        if (choice < 0.5) reads.push(read({ refresh: choice < 0.15 }))
        else if (choice > 0.8) await (random() < 0.5 ? writing : Promise.all(reads))
        else {
          const version = states.push(random() < 0.2 ? undefined : `${step}`) - 1
          writing = writing.then(() => write(version))
        }
      }
      await writing
      await Promise.all(reads)
      expect(await secrets.get(name, { optional: true }), `seed ${seed}: the last value`).toBe(stored(name))
    }
  })

  it('secrets C1.29: create() of what exists, update() of what does not, and upsert() of both', async () => {
    const secrets = await open()
    await expect(secrets.update('/shop/key', 'x')).rejects.toThrow(SecretNotFoundError)
    await secrets.create('/shop/key', 'one')
    await expect(secrets.create('/shop/key', 'x')).rejects.toThrow(SecretAlreadyExistsError)
    expect(stored('/shop/key')).toBe('one')
    await secrets.update('/shop/key', 'two')
    expect(stored('/shop/key')).toBe('two')
    await secrets.upsert('/shop/key', 'three')
    await secrets.upsert('/shop/new', 'four')
    expect([stored('/shop/key'), stored('/shop/new')]).toEqual(['three', 'four'])
  })

  it.each(['/shop/key#field', '/shop/a b'])('secrets C1.29: %s is not written', async (path) => {
    const secrets = await open()
    await expect(secrets.upsert(path, 'x')).rejects.toThrow(SecretError)
    expect(aws.server.calls).toEqual([])
  })

  it('secrets C1.30: delete() of what is missing gives false', async () => {
    expect(await (await open()).delete('/shop/none')).toBe(false)
  })

  it('secrets C1.31: list() goes on to the last page, over empty ones, and up to a limit', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `/shop/key-${String(index).padStart(2, '0')}`)
    for (const name of names) put(name, 'x')
    put('/other/key', 'x')
    let pages = 0
    aws.server.intercept = () => {
      const token = { NextToken: '0' }
      // The first two pages are empty, and not the last.
      return pages++ < 2 ? { Parameters: [], SecretList: [], ...token } : undefined
    }
    const secrets = await open()
    expect(await collect(secrets.list('/shop'))).toEqual(names)
    pages = 2
    aws.server.calls.length = 0
    expect(await collect(secrets.list('/shop', { limit: 3 }))).toEqual(names.slice(0, 3))
    expect(aws.server.calls).toHaveLength(1)
    expect(await collect(secrets.list('/shop', { limit: 0 }))).toEqual([])
    expect(JSON.stringify(aws.server.calls)).not.toContain('"WithDecryption":true')
  })

  it('secrets C1.31: list() says what is wrong, and ends with its signal', async () => {
    const secrets = await open()
    aws.server.intercept = () => {
      throw new AwsError('AccessDeniedException', 'User: ann is not authorized')
    }
    const [error] = await outcomes([collect(secrets.list('/shop'))])
    expect(error).toBeInstanceOf(SecretError)
    expect(String(error)).toContain(`${store.title} did not list "/shop": AccessDeniedException`)
    const gate = new Gate()
    const abort = new AbortController()
    aws.server.intercept = () => gate.wait()
    const listing = outcomes([collect(secrets.list('/shop', { signal: abort.signal }))])
    await gate.arrivals(1)
    abort.abort(new Error('enough'))
    expect(String((await listing)[0])).toBe('Error: enough')
  })

  it('secrets C1.24: a write or a listing that hangs is given up', async () => {
    fakeClock()
    const secrets = await open()
    for (const [deed, begin] of [
      ['write', () => secrets.upsert('/shop/key', 'x')],
      ['list', () => collect(secrets.list('/shop/key'))],
      ['write', () => secrets.delete('/shop/key')],
    ] as const) {
      const gate = new Gate()
      aws.server.intercept = () => gate.wait()
      const waiting = outcomes([begin()])
      await gate.arrivals(1)
      await vi.advanceTimersByTimeAsync(3000)
      const [error] = await waiting
      expect(error).toBeInstanceOf(SecretTimeoutError)
      expect(String(error)).toContain(`did not ${deed} "/shop/key" within 3 seconds`)
    }
  })
})

describe('what only one store has', () => {
  it('secrets C1.29: a new parameter is a SecureString and overwrites nothing; an old one keeps its type', async () => {
    const secrets = await openSecrets(parameters)
    await secrets.create('/shop/key', 'one')
    expect(aws.server.calls.at(-1)?.input).toEqual({
      Name: '/shop/key',
      Value: 'one',
      Type: 'SecureString',
      Overwrite: false,
    })
    aws.server.parameters.set('/shop/plain', { versions: ['one'], type: 'String', labels: new Map() })
    await secrets.update('/shop/plain', 'two')
    await secrets.upsert('/shop/plain', 'three')
    expect(aws.server.parameters.get('/shop/plain')).toMatchObject({ type: 'String' })
    await expect(secrets.create('/shop/key:3', 'x')).rejects.toThrow('only a whole one is written')
    await expect(secrets.create('/shop/empty', '')).rejects.toThrow('was not written')
  })

  it('secrets C1.29: upsert() of a secret puts a value, creates a missing one, and puts again if that was overtaken', async () => {
    const secrets = await openSecrets(secretsOfManager)
    await secrets.upsert('shop/key', 'one', { kmsKeyId: 'alias/shop' })
    expect(operations()).toEqual(['UpdateSecret', 'CreateSecret'])
    expect(aws.server.calls.at(-1)?.input).toMatchObject({ Name: 'shop/key', KmsKeyId: 'alias/shop' })
    await secrets.upsert('shop/key', 'two')
    expect(operations().slice(2)).toEqual(['PutSecretValue'])
    aws.server.calls.length = 0
    aws.server.intercept = (operation) => {
      if (operation === 'CreateSecret') secretsOfManager.put('shop/race', 'theirs')
      return undefined
    }
    await secrets.upsert('shop/race', 'ours')
    expect(operations()).toEqual(['PutSecretValue', 'CreateSecret', 'PutSecretValue'])
    expect(secretsOfManager.stored('shop/race')).toBe('ours')
  })

  it('secrets C1.29: bytes are written as bytes, and are not changed by what becomes of them later', async () => {
    const secrets = await openSecrets(secretsOfManager)
    const bytes = new Uint8Array([1, 2, 255])
    await secrets.create('shop/bytes', bytes)
    bytes.fill(0)
    expect(await secrets.get('shop/bytes')).toEqual(new Uint8Array([1, 2, 255]))
    expect(await secrets.refresh('shop/bytes')).toEqual(new Uint8Array([1, 2, 255]))
  })

  it('secrets C1.30: a secret that is being deleted is an error of its own until it is deleted by force', async () => {
    putVersion(aws.server, 'shop/key', { string: 'hunter2' })
    const secrets = await openSecrets(secretsOfManager)
    await secrets.get('shop/key')
    expect(await secrets.delete('shop/key')).toBe(true)
    const refused = [
      secrets.get('shop/key'),
      secrets.update('shop/key', 'x'),
      secrets.upsert('shop/key', 'x'),
      secrets.delete('shop/key'),
    ]
    for (const error of await outcomes(refused)) expect(error).toBeInstanceOf(SecretPendingDeletionError)
    const batch = await outcomes([secrets.get('shop/key'), secrets.get('shop/none')])
    expect(batch[0]).toBeInstanceOf(SecretPendingDeletionError)
    expect(batch[1]).toBeInstanceOf(SecretNotFoundError)
    expect(await secrets.delete('shop/key', { force: true })).toBe(true)
    await secrets.create('shop/key', 'new')
    expect(await secrets.get('shop/key')).toBe('new')
  })

  it('secrets C1.32: the memory stands for either store, and loads no AWS client', async () => {
    let secrets: unknown
    const handler = middy()
      .use(invocation())
      .use(
        memorySecrets({ '/shop/a': 'A', '/shop/db': '{"user":"ann"}' }, { fetch: { user: '/shop/db#user' } }),
      )
      .handler((_, context) => {
        secrets = context.secrets
        return context.secrets.values.user
      })
    expect(await invoke(handler, {})).toBe('ann')
    const memory = secrets as Secrets
    expect(await memory.get('/shop/none', { optional: true })).toBeUndefined()
    await expect(memory.create('/shop/a', 'x')).rejects.toThrow(SecretAlreadyExistsError)
    await expect(memory.update('/shop/none', 'x')).rejects.toThrow(SecretNotFoundError)
    await memory.upsert('/shop/a', 'B')
    expect(await memory.get('/shop/a')).toBe('B')
    expect(await collect(memory.list('/shop'))).toEqual(['/shop/a', '/shop/db'])
    expect([await memory.delete('/shop/a'), await memory.delete('/shop/a')]).toEqual([true, false])
    expect(aws.server.calls).toEqual([])
  })
})
