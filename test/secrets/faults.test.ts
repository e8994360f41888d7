// The catalogue of secrets' cases (C1) as far as they are about faults, in the order of its numbers.
import middy from '@middy/core'
import { SecretError, SecretNotFoundError, SecretTimeoutError } from 'clearskies-middy'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke, lambdaContext } from 'clearskies-middy/testing'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { AwsError } from '../../examples/shop/local/aws-stand-in.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { runScript } from '../support/run-script.ts'
import {
  Gate,
  fakeClock,
  forbid,
  namesOf,
  openSecrets,
  outcomes,
  useSecretStores,
} from '../support/secret-stores.ts'

const { aws, stores } = useSecretStores()

describe.each(stores)('$name', (store) => {
  const { put, make, client, title, batch } = store
  const open = (options = {}, lambdaTimeout?: number) => openSecrets(store, options, lambdaTimeout)
  const throttle = () => {
    aws.server.intercept = () => {
      throw new AwsError('ThrottlingException', 'Rate exceeded')
    }
  }

  it('secrets C1.4: the client tries again what is throttled', async () => {
    put('/shop/key', 'hunter2')
    let calls = 0
    aws.server.intercept = () => {
      if (calls++ < 2) throw new AwsError('ThrottlingException')
      return undefined
    }
    const secrets = await open({ client: client({ maxAttempts: 3 }) })
    expect(await secrets.get('/shop/key')).toBe('hunter2')
    expect(calls).toBe(3)
  })

  it('secrets C1.4: while the store is throttled, the old value is used, with one warning', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    put('/shop/key', 'old')
    const logger = new RecordingLogger()
    const secrets = await open({ ttl: 60, staleIfError: 600, logger })
    await secrets.get('/shop/key')
    throttle()
    vi.setSystemTime(Date.now() + 60_000)
    const values = await Promise.all(Array.from({ length: 50 }, () => secrets.get('/shop/key')))
    expect(new Set(values)).toEqual(new Set(['old']))
    expect(logger.warnings).toMatchObject([
      {
        message: `${title} did not give "/shop/key" anew, so the value from before is used`,
        details: { cause: { name: 'ThrottlingException' } },
      },
    ])
    expect(await secrets.refresh('/shop/key'), 'a refresh, too').toBe('old')
  })

  it('secrets C1.4: with no old value, being throttled is an error that keeps its cause', async () => {
    throttle()
    const [error] = await outcomes([(await open()).get('/shop/key')])
    expect(error).toBeInstanceOf(SecretError)
    expect(error).toMatchObject({
      message: `${title} did not give "/shop/key": ThrottlingException`,
      path: '/shop/key',
      cause: { name: 'ThrottlingException' },
    })
  })

  it('secrets C1.5: one forbidden name takes down no other, by get() and by fetch', async () => {
    const names = Array.from({ length: batch }, (_, index) => `/shop/key-${index}`)
    for (const name of names) put(name, name)
    forbid(aws.server, '/shop/key-3')
    const secrets = await open()
    const found = await outcomes(names.map((name) => secrets.get(name)))
    expect(found.filter((value) => typeof value === 'string')).toEqual(
      names.filter((name) => name !== '/shop/key-3'),
    )
    expect(String(found[3])).toContain(
      'AccessDeniedException (User: arn:aws:iam::1:role/shop is not authorized',
    )

    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { a: '/shop/key-2', b: '/shop/key-3', c: '/shop/key-4' } }))
      .handler((_, context) => context.secrets.values.c)
    await expect(invoke(handler, {})).rejects.toThrow('did not give "/shop/key-3": AccessDenied')
    aws.server.calls.length = 0
    aws.server.intercept = undefined
    expect(await invoke(handler, {}), 'once it is allowed').toBe('/shop/key-4')
  })

  it('secrets C1.6: what is forbidden is not hidden by an old value for longer than staleIfError', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    put('/shop/key', 'old')
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), logger: new RecordingLogger(), fetch: { key: '/shop/key' } }))
      .handler(async (_, { secrets }) => [secrets.values.key, await secrets.get('/shop/key')])
    await invoke(handler, {})
    forbid(aws.server, '/shop/key')
    const begin = Date.now()
    vi.setSystemTime(begin + 3_899_999)
    expect(await invoke(handler, {}), 'within an hour after the ttl').toEqual(['old', 'old'])
    vi.setSystemTime(begin + 3_900_000)
    await expect(invoke(handler, {})).rejects.toThrow('AccessDeniedException')
  })

  it('what is gone is not kept alive by an old value, not even by a later error', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    put('/shop/key', 'old')
    const secrets = await open({ ttl: 60 })
    await secrets.get('/shop/key')
    store.remove('/shop/key')
    vi.setSystemTime(Date.now() + 60_000)
    await expect(secrets.get('/shop/key')).rejects.toThrow(SecretNotFoundError)
    throttle()
    await expect(secrets.get('/shop/key')).rejects.toThrow('ThrottlingException')
  })

  it.each(['reset', 'late error'])(
    'secrets C1.22: a prefetch that was frozen on its way and then fails (%s) is made again, and no handler sees it',
    async (end) => {
      const gate = new Gate()
      put('/shop/key', 'hunter2')
      let calls = 0
      aws.server.intercept = async (_, __, response) => {
        if (calls++ > 0) return undefined
        await gate.wait()
        if (end === 'reset') return void response.socket?.resetAndDestroy()
        throw new AwsError('InvalidSignatureException', 'Signature expired')
      }
      const handler = middy()
        .use(invocation())
        .use(make({ client: client(), fetch: { key: '/shop/key' } }))
        .handler((_, { secrets }) => secrets.values.key)
      await gate.arrivals(1)
      const invoked = Promise.all([invoke(handler, {}), invoke(handler, {})])
      gate.open()
      expect(await invoked).toEqual(['hunter2', 'hunter2'])
      expect(calls).toBe(2)
    },
  )

  it('secrets C1.22: a prefetch that never comes back leaves the invocation time for another', async () => {
    fakeClock()
    put('/shop/key', 'hunter2')
    const gate = new Gate()
    let calls = 0
    aws.server.intercept = () => (calls++ > 0 ? undefined : gate.wait())
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { key: '/shop/key' } }))
      .handler((_, { secrets }) => secrets.values.key)
    await gate.arrivals(1)
    const invoked = invoke(handler, {}, lambdaContext({ timeout: 1100 }))
    await vi.advanceTimersByTimeAsync(500) // Half of what the invocation has, less what it needs to answer.
    expect(await invoked).toBe('hunter2')
  })

  it('secrets C1.22: a read that an earlier invocation began and left fails no later one', async () => {
    const gate = new Gate()
    put('/shop/key', 'hunter2')
    let calls = 0
    aws.server.intercept = async (_, __, response) => {
      if (calls++ > 0) return undefined
      await gate.wait()
      return void response.socket?.resetAndDestroy()
    }
    const handler = middy()
      .use(invocation())
      .use(make({ client: client() }))
      .handler(({ data }, { secrets }) => {
        const reading = secrets.get('/shop/key')
        if (data !== 'leave') return reading
        reading.catch(() => {})
        return 'left'
      })
    await invoke(handler, 'leave')
    await gate.arrivals(1)
    const later = invoke(handler, 'wait')
    gate.open()
    expect(await later).toBe('hunter2')
  })

  it('secrets C1.23: a prefetch that fails while the process starts ends no process', async () => {
    forbid(aws.server, '/shop/key', '/shop/none')
    const factory = make.name
    const child = spawn(
      process.execPath,
      [
        '--conditions=clearskies-middy-source',
        '--input-type=module',
        '-e',
        `import middy from '@middy/core'
        import { ${factory} } from 'clearskies-middy/middleware/${factory === 'parameterStore' ? 'parameter-store' : 'secrets-manager'}'
        const loader = ${factory}({ fetch: { a: '/shop/key', b: '/shop/none' } })
        // Until all of it is over, and some turns of the event loop longer.
        process.once('beforeExit', async () => {
          const handler = middy().use(loader).handler(() => 'reached')
          console.log(await handler({}, {}).catch((error) => error.name + ': ' + error.message))
        })`,
      ],
      { env: { ...process.env, AWS_ENDPOINT_URL: aws.server.url, AWS_MAX_ATTEMPTS: '1' } },
    )
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^SecretError: .* did not give "\/shop\/(key|none)": AccessDeniedException/)
  })

  it('secrets C1.23: a missing declared secret fails each invocation that needs it, until it is there', async () => {
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { key: '/shop/key' } }))
      .handler((_, { secrets }) => secrets.values.key)
    await expect(invoke(handler, {})).rejects.toThrow(SecretNotFoundError)
    await expect(invoke(handler, {})).rejects.toThrow(SecretNotFoundError)
    put('/shop/key', 'hunter2')
    expect(await invoke(handler, {})).toBe('hunter2')
  })

  it('secrets C1.24: a store that hangs is given up after three seconds, its connection is closed, and it is asked again', async () => {
    fakeClock()
    put('/shop/key', 'hunter2')
    const gate = new Gate()
    const closed = Promise.withResolvers<undefined>()
    aws.server.intercept = (_, __, response) => {
      response.on('close', () => {
        closed.resolve(undefined)
      })
      return gate.wait()
    }
    const secrets = await open()
    const reading = outcomes([secrets.get('/shop/key'), secrets.get('/shop/key')])
    await gate.arrivals(1)
    await vi.advanceTimersByTimeAsync(2999)
    aws.server.intercept = undefined
    await vi.advanceTimersByTimeAsync(1)
    for (const error of await reading) {
      expect(error).toBeInstanceOf(SecretTimeoutError)
      expect(String(error)).toContain(`${title} did not give "/shop/key" within 3 seconds`)
    }
    await closed.promise
    expect(await secrets.get('/shop/key')).toBe('hunter2')
  })

  it.each([
    [10_000, 3000],
    [1000, 900],
    [150, 75],
    [20, 10],
  ])('secrets C1.24: with %d ms left of the invocation a read takes %d ms at most', async (left, limit) => {
    fakeClock()
    const gate = new Gate()
    aws.server.intercept = () => gate.wait()
    const secrets = await open({}, left)
    const reading = outcomes([secrets.get('/shop/key')])
    await gate.arrivals(1)
    let isOver = false
    void reading.then(() => (isOver = true))
    await vi.advanceTimersByTimeAsync(limit - 1)
    expect(isOver, 'before the time is up').toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect((await reading)[0]).toBeInstanceOf(SecretTimeoutError)
  })

  it('secrets C1.24: a limit that is not one is no limit of a millisecond', async () => {
    put('/shop/key', 'hunter2')
    expect(await (await open({ timeout: Infinity }, Infinity)).get('/shop/key')).toBe('hunter2')
  })

  it('secrets C1.24: while the store hangs, the old value is used', async () => {
    fakeClock()
    put('/shop/key', 'old')
    const secrets = await open({ ttl: 60 })
    await secrets.get('/shop/key')
    vi.setSystemTime(Date.now() + 60_000)
    const gate = new Gate()
    aws.server.intercept = () => gate.wait()
    const reading = secrets.get('/shop/key')
    await gate.arrivals(1)
    await vi.advanceTimersByTimeAsync(3000)
    expect(await reading).toBe('old')
  })

  it('secrets C1.24: one name that hangs takes down no other', async () => {
    fakeClock()
    const names = ['/shop/a', '/shop/hung', '/shop/b']
    for (const name of names) put(name, name)
    const gate = new Gate()
    aws.server.intercept = (operation, input) => {
      const isBatch = namesOf(input).length > 1
      if (isBatch) throw new AwsError('AccessDeniedException', operation)
      return namesOf(input).includes('/shop/hung') ? gate.wait() : undefined
    }
    const secrets = await open()
    const [a, hung, b] = names.map((name) => secrets.get(name))
    expect([await a, await b], 'while the other hangs').toEqual(['/shop/a', '/shop/b'])
    await gate.arrivals(1)
    const failure = outcomes([hung!])
    await vi.advanceTimersByTimeAsync(3000)
    expect((await failure)[0]).toBeInstanceOf(SecretTimeoutError)

    const hungAgain = new Gate()
    aws.server.intercept = (_, input) => {
      if (namesOf(input).length > 1) throw new AwsError('AccessDeniedException')
      return namesOf(input).includes('/shop/hung') ? hungAgain.wait() : undefined
    }
    let seen: unknown
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { a: '/shop/a', hung: '/shop/hung', b: '/shop/b' } }))
      .onError(({ context }) => {
        const { a: first, b: second } = (
          context as unknown as { secrets: { values: Record<string, unknown> } }
        ).secrets.values
        seen = [first, second]
      })
      .handler(() => 'reached')
    const invoked = outcomes([invoke(handler, {})])
    await hungAgain.arrivals(1)
    await vi.advanceTimersByTimeAsync(1500)
    await hungAgain.arrivals(2)
    await vi.advanceTimersByTimeAsync(3000)
    expect(String((await invoked)[0])).toContain('did not give "/shop/hung" within 3 seconds')
    expect(seen, 'the other declared values are held').toEqual(['/shop/a', '/shop/b'])
  })

  it('a connection that is cut, or an answer that cannot be read, is an error that shows none of it', async () => {
    const secrets = await open()
    aws.server.intercept = (_, __, response) => void response.socket?.resetAndDestroy()
    await expect(secrets.get('/shop/key')).rejects.toThrow(`${title} did not give "/shop/key": ECONNRESET`)
    aws.server.intercept = (_, __, response) => void response.end('{"Parameters":[{"Value":hunter2}]}')
    const [error] = await outcomes([secrets.get('/shop/key')])
    expect(error).toBeInstanceOf(SecretError)
    expect(String(error)).toMatch(/SyntaxError|UnreadableAnswerError/)
  })
})

describe('secrets C1.25: settings that are missing', () => {
  const factories = { parameterStore: 'parameter-store', secretsManager: 'secrets-manager' }
  const cases = Object.entries(factories).flatMap(([factory, file]) =>
    ['get("/a")', 'upsert("/a", "x")', 'delete("/a")', 'list("/a").next()'].map(
      (call) => [factory, file, call] as const,
    ),
  )

  it.each(cases)(
    '%s of %s: %s names the setting that is missing, and the places for it',
    (factory, file, call) => {
      const script = `
      import middy from '@middy/core'
      import { environment } from 'clearskies-middy/middleware/environment'
      import { ${factory} } from 'clearskies-middy/middleware/${file}'
      import { SSMClient } from '@aws-sdk/client-ssm'
      import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
      const client = () => new ${factory === 'parameterStore' ? 'SSMClient' : 'SecretsManagerClient'}({})
      const call = (options, ...others) => {
        const handler = others.reduce((chain, other) => chain.use(other), middy().use(${factory}(options)))
          .handler((_, { secrets }) => secrets.${call})
        return handler({}, {}).then(() => 'reached', (error) => error.message)
      }
      const messages = [await call({}), await call({ client }), await call({}, environment({ file: 'shop.env' }))]
      process.env.AWS_REGION = 'eu-central-1'
      console.log(JSON.stringify([...messages, await call({})]))`
      const { stdout, stderr } = runScript(script)
      expect(stderr).toBe('')
      const [own, given, file2, credentials] = JSON.parse(stdout) as string[]
      expect(own).toContain('No AWS region is set: give AWS_REGION in the environment or in .env')
      expect(given).toContain('No AWS region is set: give AWS_REGION in the environment or in .env')
      expect(file2).toContain('give AWS_REGION in the environment or in shop.env')
      expect(credentials).toContain(
        'no AWS credentials were found; give the function a role, or set AWS_ACCESS_KEY_ID',
      )
    },
  )
})
