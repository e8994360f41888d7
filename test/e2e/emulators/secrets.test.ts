// Both stores over the AWS clients, against moto. Where moto is not like AWS, contributing/emulators.md says so.
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import {
  GetParameterCommand,
  LabelParameterVersionCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm'
import middy from '@middy/core'
import {
  SecretAlreadyExistsError,
  SecretError,
  SecretNotFoundError,
  SecretPendingDeletionError,
} from 'clearskies-middy/errors'
import {
  type Secrets,
  type SecretsOptions,
  parameterStore,
} from 'clearskies-middy/middleware/parameter-store'
import { type LightClient, light } from 'clearskies-middy/clients/light'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke } from 'clearskies-middy/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const endpoint = process.env['MOTO_ENDPOINT'] as string
const ssm = new SSMClient({ endpoint })
const manager = new SecretsManagerClient({ endpoint })

let tests = 0
/** A beginning of names that no other test has. */
const place = (): string => `/moto/${++tests}`

/** The secrets of a process of its own, and the calls that they make. */
async function open(make: typeof parameterStore, options: SecretsOptions = {}) {
  const sdk: { send(command: object, options: object): Promise<unknown> } =
    make === parameterStore ? ssm : manager
  const calls: string[] = []
  const inner = light({ endpoint })
  const lightly: LightClient = {
    call(service, operation, ...rest) {
      calls.push(operation)
      return inner.call(service, operation, ...rest)
    },
  }
  const sending = {
    send(command: object, sendOptions: object): Promise<unknown> {
      calls.push(command.constructor.name.replace('Command', ''))
      return sdk.send(command, sendOptions)
    },
  }
  // The suite runs once with each client.
  const client = process.env['AWS_CLIENT'] === 'light' ? lightly : sending
  let secrets: unknown
  const handler = middy()
    .use(invocation())
    .use(make({ client, ...options }))
    .handler((_, context) => {
      secrets = context.secrets
    })
  await invoke(handler, {})
  return { secrets: secrets as Secrets<'whole' | 'user'>, calls }
}

const stores = [
  {
    name: 'parameterStore()',
    make: parameterStore,
    async stored(Name: string) {
      const { Parameter } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }))
      return Parameter?.Value
    },
    many: 33,
    callsForMany: 'GetParametersByPath',
    callsFor25: ['GetParameters', 'GetParameters', 'GetParameters'],
  },
  {
    name: 'secretsManager()',
    make: secretsManager,
    async stored(SecretId: string) {
      const { SecretString } = await manager.send(new GetSecretValueCommand({ SecretId }))
      return SecretString
    },
    many: 120,
    callsForMany: 'ListSecrets',
    callsFor25: ['BatchGetSecretValue', 'BatchGetSecretValue'],
  },
]

describe.each(stores)('$name', ({ make, stored, many, callsForMany, callsFor25 }) => {
  // moto loads a service at the first request for it, which may take longer than a caller waits.
  beforeAll(async () => {
    await stored('/none').catch(() => undefined)
  }, 60_000)

  it('creates a secret, and reads it', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(make)
    await secrets.create(path, 'hunter2')
    expect(await stored(path)).toBe('hunter2')
    expect(await (await open(make)).secrets.get(path)).toBe('hunter2')
  })

  it('creates no secret that exists', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(make)
    await secrets.create(path, 'first')
    await expect(secrets.create(path, 'second')).rejects.toThrow(SecretAlreadyExistsError)
    expect(await stored(path)).toBe('first')
  })

  it('updates a secret', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(make)
    await secrets.create(path, 'first')
    await secrets.update(path, 'second')
    expect([await secrets.get(path), await secrets.refresh(path), await stored(path)]).toEqual([
      'second',
      'second',
      'second',
    ])
  })

  it('updates no secret that does not exist', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(make)
    await expect(secrets.update(path, 'first')).rejects.toThrow(SecretNotFoundError)
    await expect(stored(path)).rejects.toThrow()
  })

  it('upserts a secret that is new, and one that is not', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(make)
    await secrets.upsert(path, 'first')
    expect(await stored(path)).toBe('first')
    await secrets.upsert(path, 'second')
    expect(await stored(path)).toBe('second')
  })

  it('deletes a secret, and says whether there was one', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(make)
    await secrets.create(path, 'hunter2')
    expect([await secrets.delete(path), await secrets.delete(`${path}-missing`)]).toEqual([true, false])
    await expect(secrets.get(path)).rejects.toThrow(SecretError)
  })

  it('reads 25 names of one tick together', async () => {
    const prefix = place()
    const { secrets } = await open(make)
    const paths = Array.from({ length: 25 }, (_, index) => `${prefix}/${index}`)
    await Promise.all(paths.map((path) => secrets.create(path, `of ${path}`)))
    const fresh = await open(make)
    expect(await Promise.all(paths.map((path) => fresh.secrets.get(path)))).toEqual(
      paths.map((path) => `of ${path}`),
    )
    expect(fresh.calls).toEqual(callsFor25)
  })

  it('fails for a missing name alone', async () => {
    const path = `${place()}/key`
    await (await open(make)).secrets.create(path, 'hunter2')
    const { secrets } = await open(make)
    const [found, missing, optional] = await Promise.allSettled([
      secrets.get(path),
      secrets.get(`${path}-missing`),
      secrets.get(`${path}-absent`, { optional: true }),
    ])
    expect(found).toEqual({ status: 'fulfilled', value: 'hunter2' })
    expect(missing).toMatchObject({ status: 'rejected', reason: expect.any(SecretNotFoundError) })
    expect(optional).toEqual({ status: 'fulfilled', value: undefined })
  })

  it('reads what a handler declares', async () => {
    const path = `${place()}/key`
    await (await open(make)).secrets.create(path, '{"user":"shevek"}')
    const { secrets } = await open(make, { fetch: { whole: path, user: `${path}#user` } })
    expect([secrets.values.whole, secrets.values.user]).toEqual(['{"user":"shevek"}', 'shevek'])
  })

  it('lists all names, page after page', async () => {
    const prefix = place()
    const { secrets, calls } = await open(make)
    const paths = Array.from({ length: many }, (_, index) => `${prefix}/${index % 3}/${index}`)
    await Promise.all(paths.map((path) => secrets.create(path, 'x')))
    const names: string[] = []
    for await (const name of secrets.list(`${prefix}/`)) names.push(name)
    expect(names.toSorted()).toEqual(paths.toSorted())
    expect(calls.filter((call) => call === callsForMany).length).toBeGreaterThan(1)
  })
})

describe('parameterStore()', () => {
  it('encrypts', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(parameterStore)
    await secrets.create(path, 'hunter2')
    await secrets.update(path, 'hunter3')
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: path }))
    expect(Parameter).toMatchObject({ Type: 'SecureString', Value: expect.not.stringMatching(/^hunter/) })
  })

  // moto answers without selectors, by which a version is told from another.
  it.skip('reads versions and labels, in one call', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(parameterStore)
    for (const value of ['first', 'second', 'third']) await secrets.upsert(path, value)
    await ssm.send(new LabelParameterVersionCommand({ Name: path, ParameterVersion: 2, Labels: ['stable'] }))
    const fresh = await open(parameterStore)
    expect(
      await Promise.all([
        fresh.secrets.get(path),
        fresh.secrets.get(`${path}:1`),
        fresh.secrets.get(path, { version: 2 }),
        fresh.secrets.get(path, { label: 'stable' }),
      ]),
    ).toEqual(['third', 'first', 'second', 'second'])
    expect(fresh.calls).toEqual(['GetParameters'])
  })

  it('does not find a version or label that does not exist', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(parameterStore)
    await secrets.create(path, 'first')
    await expect(secrets.get(path, { version: 7 })).rejects.toThrow(SecretNotFoundError)
    await expect(secrets.get(path, { label: 'none' })).rejects.toThrow(SecretNotFoundError)
  })

  it('keeps the type of a parameter that is there', async () => {
    const path = `${place()}/list`
    await ssm.send(new PutParameterCommand({ Name: path, Value: 'a,b', Type: 'StringList' }))
    const { secrets } = await open(parameterStore)
    await secrets.update(path, 'a,b,c')
    expect(await secrets.get(path, { list: true })).toEqual(['a', 'b', 'c'])
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: path }))
    expect(Parameter).toMatchObject({ Type: 'StringList', Version: 2 })
  })

  it('reads names without a slash', async () => {
    const name = `moto-${++tests}`
    const { secrets } = await open(parameterStore)
    await secrets.create(name, 'hunter2')
    expect(await (await open(parameterStore)).secrets.get(name)).toBe('hunter2')
  })

  it('reads an ARN', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(parameterStore)
    await secrets.create(path, 'hunter2')
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: path }))
    expect(await secrets.get(Parameter?.ARN as string)).toBe('hunter2')
  })

  it('writes no bytes', async () => {
    const { secrets } = await open(parameterStore)
    await expect(secrets.create(`${place()}/key`, new Uint8Array([1]))).rejects.toThrow(SecretError)
  })
})

describe('secretsManager()', () => {
  it('reads stages and versions', async () => {
    const path = `${place()}/key`
    const { VersionId } = await manager.send(new CreateSecretCommand({ Name: path, SecretString: 'first' }))
    const { secrets } = await open(secretsManager)
    await secrets.update(path, 'second')
    await manager.send(
      new PutSecretValueCommand({ SecretId: path, SecretString: 'third', VersionStages: ['AWSPENDING'] }),
    )
    expect(
      await Promise.all([
        secrets.get(path),
        secrets.get(path, { stage: 'AWSPREVIOUS' }),
        secrets.get(path, { stage: 'AWSPENDING' }),
        secrets.get(path, { version: VersionId as string }),
      ]),
    ).toEqual(['second', 'first', 'third', 'first'])
    await expect(secrets.get(path, { stage: 'NONE' })).rejects.toThrow(SecretNotFoundError)
  })

  it('writes and reads bytes, one and several', async () => {
    const prefix = place()
    const bytes = new Uint8Array([0, 255, 128, 10])
    const { secrets } = await open(secretsManager)
    for (const name of ['a', 'b']) await secrets.create(`${prefix}/${name}`, bytes)
    const fresh = await open(secretsManager)
    expect(await fresh.secrets.get<Uint8Array>(`${prefix}/a`)).toEqual(bytes)
    expect(
      await Promise.all(
        ['a', 'b'].map((name) => fresh.secrets.get<Uint8Array>(`${prefix}/${name}`, { refresh: true })),
      ),
    ).toEqual([bytes, bytes])
    expect(fresh.calls).toEqual(['GetSecretValue', 'BatchGetSecretValue'])
  })

  it('says that a secret is scheduled for deletion', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(secretsManager)
    await secrets.create(path, 'hunter2')
    expect(await secrets.delete(path)).toBe(true)
    await expect(secrets.get(path)).rejects.toThrow(SecretPendingDeletionError)
    const options = { kmsKeyId: 'alias/shop' }
    await expect(secrets.update(path, 'x', options)).rejects.toThrow(SecretPendingDeletionError)
    await expect(secrets.upsert(path, 'x', options)).rejects.toThrow(SecretPendingDeletionError)
  })

  // moto puts values into such a secret, and takes its name for one that merely exists.
  it.skip('writes no value of one scheduled for deletion', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(secretsManager)
    await secrets.create(path, 'hunter2')
    await secrets.delete(path)
    for (const deed of ['create', 'update', 'upsert'] as const)
      await expect(secrets[deed](path, 'x')).rejects.toThrow(SecretPendingDeletionError)
  })

  it('tells of one scheduled for deletion beside others', async () => {
    const prefix = place()
    const { secrets } = await open(secretsManager)
    for (const name of ['a', 'b']) await secrets.create(`${prefix}/${name}`, name)
    await secrets.delete(`${prefix}/b`)
    const fresh = await open(secretsManager)
    const [a, b] = await Promise.allSettled(['a', 'b'].map((name) => fresh.secrets.get(`${prefix}/${name}`)))
    expect(a).toEqual({ status: 'fulfilled', value: 'a' })
    expect(b).toMatchObject({ status: 'rejected', reason: expect.any(SecretPendingDeletionError) })
  })

  it('deletes at once, so that the name is free', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(secretsManager)
    await secrets.create(path, 'first')
    expect(await secrets.delete(path, { force: true })).toBe(true)
    await expect(secrets.get(path)).rejects.toThrow(SecretNotFoundError)
    await secrets.create(path, 'second')
    expect(await secrets.get(path)).toBe('second')
  })

  it('reads an ARN, whole or without its last characters', async () => {
    const path = `${place()}/key`
    const { ARN = '' } = await manager.send(new CreateSecretCommand({ Name: path, SecretString: 'hunter2' }))
    const { secrets } = await open(secretsManager)
    expect(await secrets.get(ARN)).toBe('hunter2')
    expect(await secrets.get(ARN.slice(0, -7))).toBe('hunter2')
    const fresh = await open(secretsManager)
    expect(await Promise.all([fresh.secrets.get(ARN), fresh.secrets.get(path)])).toEqual([
      'hunter2',
      'hunter2',
    ])
  })

  it('writes with a key of the user', async () => {
    const path = `${place()}/key`
    const { secrets } = await open(secretsManager)
    await secrets.create(path, 'first', { kmsKeyId: 'alias/shop' })
    await secrets.upsert(path, 'second', { kmsKeyId: 'alias/shop-2' })
    expect(await secrets.get(path)).toBe('second')
  })
})
