// No secret is shown by anything that prints, copies, logs or reports (C1.26, C1.27).
import middy from '@middy/core'
import inputOutputLogger from '@middy/input-output-logger'
import { environment } from 'clearskies-middy/middleware/environment'
import type { Secrets } from 'clearskies-middy/middleware/secrets'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke } from 'clearskies-middy/testing'
import { format, inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { AwsError, type Fields } from '../../examples/shop/local/aws-stand-in.ts'
import { reachableText } from '../support/reachable-text.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { Gate, fakeClock, openSecrets, putVersion, useSecretStores } from '../support/secret-stores.ts'

const { aws, stores } = useSecretStores()

const marker = 'hunter2-MARKER'
const written = 'written-MARKER'

describe.each(stores)('$name', (store) => {
  const { put, make, client } = store

  /** The context of a handler that has read what there is. */
  async function context(): Promise<Record<string, unknown>> {
    put('/shop/key', marker)
    put('/shop/json', `{"password":"${marker}"}`)
    let seen: unknown
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { key: '/shop/key', password: '/shop/json#password' } }))
      .use(environment({ file: false, overrides: { KEY: 'secret:///shop/key' }, names: ['KEY'] }))
      .handler(async (_, lambda) => {
        await lambda.secrets.get('/shop/key')
        await lambda.secrets.get('/shop/json', { json: true })
        await lambda.environment.get('KEY')
        expect([lambda.secrets.values.key, lambda.secrets.values.password]).toEqual([marker, marker])
        expect(lambda.environment.values.KEY).toBe(marker)
        seen = lambda
      })
    await invoke(handler, {})
    return seen as Record<string, unknown>
  }

  it.each<[string, (context: Record<string, unknown>) => unknown]>([
    ['JSON.stringify', (value) => JSON.stringify(value)],
    ['util.inspect', (value) => inspect(value, { showHidden: true, depth: Infinity, getters: true })],
    [
      'util.inspect without custom inspection',
      (value) => inspect(value, { showHidden: true, depth: Infinity, getters: true, customInspect: false }),
    ],
    ['util.format', (value) => format('%o %O %j %s', value, value, value['secrets'], value['environment'])],
    ['a template', ({ secrets, environment: variables }) => `${secrets as string}${variables as string}`],
    [
      'a spread',
      (value) => inspect({ ...value, ...(value['secrets'] as object), ...valuesOf(value) }, { depth: 9 }),
    ],
    [
      'structuredClone',
      ({ secrets, environment: variables }) => inspect(structuredClone({ secrets, variables }), { depth: 9 }),
    ],
    [
      'Object.entries',
      (value) => inspect([Object.entries(value), Object.entries(valuesOf(value))], { depth: 9 }),
    ],
    ['a walk over all properties', (value) => reachableText(value)],
    [
      'for … in',
      (value) => {
        const found: unknown[] = []
        for (const part of [value['secrets'], value['environment'], valuesOf(value)] as Record<
          string,
          unknown
        >[])
          for (const key in part) found.push(key, part[key])
        return inspect(found, { depth: 9 })
      },
    ],
  ])('secrets C1.26: %s of the context shows no value', async (_, show) => {
    const shown = show(await context())
    expect(shown).not.toContain('MARKER')
    expect(String(shown)).not.toBe('')
  })

  it('secrets C1.26: what a handler or the stack is told shows no value', async () => {
    put('/shop/key', marker)
    const messages: unknown[] = []
    const handler = middy()
      .use(invocation())
      .use(make({ client: client(), fetch: { key: '/shop/key' } }))
      .use(
        inputOutputLogger({
          lambdaContext: true,
          executionContext: true,
          logger: (message) => messages.push(message),
        }),
      )
      .before(({ event, context: lambda }) => {
        messages.push(JSON.stringify(event), JSON.stringify(lambda), inspect(lambda, { depth: 9 }))
      })
      .handler((_, { secrets }) => ({ length: secrets.values.key.length, secrets, values: secrets.values }))
    expect(await invoke(handler, {})).toEqual({
      length: marker.length,
      secrets: '[Secrets]',
      values: '[Secrets]',
    })
    expect(messages).toHaveLength(5)
    expect(reachableText(messages)).not.toContain('MARKER')
  })

  it('secrets C1.26: the middleware itself shows no value', async () => {
    put('/shop/key', marker)
    const middleware = make({ client: client(), fetch: { key: '/shop/key' } })
    await invoke(
      middy()
        .use(invocation())
        .use(middleware)
        .handler(() => 1),
      {},
    )
    expect(reachableText(middleware)).not.toContain('MARKER')
  })

  it.each<[string, (secrets: Secrets) => unknown, ((operation: string, input: Fields) => unknown)?]>([
    ['invalid JSON', (secrets) => secrets.get('/shop/key', { json: true })],
    ['a field of what is no JSON', (secrets) => secrets.get('/shop/key#x')],
    ['an absent field', (secrets) => secrets.get('/shop/json#x')],
    [
      'half an answer',
      (secrets) => secrets.refresh('/shop/other'),
      () => `{"Parameters":[{"Value":"${marker}`,
    ],
    [
      'an odd answer',
      (secrets) => secrets.refresh('/shop/other'),
      () => `{"Parameters":[${marker}],"SecretString":${marker}}`,
    ],
    ['an answer that is text', (secrets) => secrets.refresh('/shop/other'), () => 'MARKER'],
    ['an odd listing', (secrets) => secrets.list('/shop').next(), () => '{"x":MARKER}'],
  ])(
    'secrets C1.26: the error of %s shows no value, in no cause and no property',
    async (_, fail, answer) => {
      put('/shop/key', marker)
      put('/shop/json', `{"password":"${marker}"}`)
      const secrets = await openSecrets(store)
      await secrets.get('/shop/key')
      if (answer !== undefined)
        aws.server.intercept = (operation, input, response) => void response.end(answer(operation, input))
      const error: unknown = await Promise.resolve(fail(secrets)).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(Error)
      expect(reachableText(error)).not.toContain('MARKER')
    },
  )

  it('secrets C1.26: the warning about an old value shows none', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    put('/shop/key', marker)
    const logger = new RecordingLogger()
    const secrets = await openSecrets(store, { ttl: 60, logger })
    await secrets.get('/shop/key')
    vi.setSystemTime(Date.now() + 60_000)
    aws.server.intercept = (_, __, response) => void response.end('{"x":MARKER}')
    expect(await secrets.get('/shop/key')).toBe(marker)
    expect(logger.warnings).toHaveLength(1)
    expect(reachableText(logger.warnings)).not.toContain('MARKER')
  })

  const codes = [
    'ValidationException',
    'InvalidParameterException',
    'AccessDeniedException',
    'ParameterAlreadyExists',
    'ResourceExistsException',
    'ResourceNotFoundException',
    'InvalidRequestException',
    'InternalFailure',
    'SomethingNew',
  ]
  it.each(
    codes.flatMap((code) => (['create', 'update', 'upsert'] as const).map((write) => [code, write] as const)),
  )(
    'secrets C1.27: %s in answer to %s() may repeat what was written; the error does not',
    async (code, write) => {
      if (write !== 'create') put('/shop/key', 'x')
      const secrets = await openSecrets(store)
      aws.server.intercept = (operation, { Value, SecretString }) => {
        if (!/^(Put|Create|Update)/.test(operation)) return undefined
        throw new AwsError(code, `Value '${String(Value ?? SecretString)}' is marked for deletion, or wrong`)
      }
      const error: unknown = await secrets[write]('/shop/key', written).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(Error)
      expect(String(error)).toContain('"/shop/key"')
      expect(reachableText(error)).not.toContain('MARKER')
    },
  )

  it('secrets C1.27: of a refused write it is said who may not do what', async () => {
    const secrets = await openSecrets(store)
    aws.server.intercept = (operation) => {
      throw new AwsError(
        'AccessDeniedException',
        `User: arn:aws:sts::1:assumed-role/shop is not authorized to perform: x:${operation} on ${written}`,
      )
    }
    await expect(secrets.create('/shop/key', written)).rejects.toThrow(
      /did not write "\/shop\/key": AccessDeniedException: User: arn:aws:sts::1:assumed-role\/shop is not authorized to perform: x:\w+$/,
    )
  })

  it('secrets C1.27: a write that hangs, is cut off or finds nobody shows nothing of what it wrote', async () => {
    fakeClock()
    const secrets = await openSecrets(store)
    const errors: unknown[] = []
    const gate = new Gate()
    aws.server.intercept = () => gate.wait()
    const hung = secrets.upsert('/shop/key', written).catch((error: unknown) => errors.push(error))
    await gate.arrivals(1)
    await vi.advanceTimersByTimeAsync(3000)
    await hung
    vi.useRealTimers()
    aws.server.intercept = (_, __, response) => void response.socket?.resetAndDestroy()
    await secrets.upsert('/shop/key', written).catch((error: unknown) => errors.push(error))
    const nobody = await openSecrets(store, { client: client({ endpoint: 'http://127.0.0.1:1' }) })
    await nobody.upsert('/shop/key', written).catch((error: unknown) => errors.push(error))
    expect(errors).toHaveLength(3)
    expect(reachableText(errors)).not.toContain('MARKER')
  })

  it("the errors of the environment's getters and schema show no value", async () => {
    put('/shop/key', marker)
    const errors: unknown[] = []
    const options = { file: false, overrides: { KEY: 'secret:///shop/key' } } as const
    const handler = middy()
      .use(invocation())
      .use(make({ client: client() }))
      .use(environment(options))
      .handler(async (_, { environment: variables }) => {
        for (const getter of ['int', 'bool', 'json'] as const)
          await variables[getter]('KEY').catch((error: unknown) => errors.push(error))
      })
    await invoke(handler, {})
    const checked = middy()
      .use(invocation())
      .use(make({ client: client() }))
      .use(
        environment({
          ...options,
          names: ['KEY'],
          schema: z.object({ KEY: z.custom(() => false, `not ${marker}`) }),
        }),
      )
      .handler(() => 1)
    await invoke(checked, {}).catch((error: unknown) => errors.push(error))
    expect(errors).toHaveLength(4)
    expect(reachableText(errors)).not.toContain('MARKER')
  })
})

it('secrets C1.27: bytes that are written are shown no more than text', async () => {
  const secrets = await openSecrets(stores[1]!)
  putVersion(aws.server, 'shop/key', { string: 'x' })
  aws.server.intercept = (operation, { SecretBinary }) => {
    throw new AwsError('ValidationException', `${operation} ${String(SecretBinary)}`)
  }
  const bytes = Buffer.from(written)
  const error: unknown = await secrets.update('shop/key', bytes).catch((caught: unknown) => caught)
  expect(reachableText(error)).not.toContain('MARKER')
  expect(reachableText(error)).not.toContain(bytes.toString('base64'))
})

function valuesOf({ secrets, environment: variables }: Record<string, unknown>): object {
  return { ...(secrets as Secrets).values, ...(variables as { values: object }).values }
}
