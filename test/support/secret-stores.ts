import { SSMClient, type SSMClientConfig } from '@aws-sdk/client-ssm'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import middy from '@middy/core'
import { light } from 'clearskies-middy/clients/light'
import {
  type Secrets,
  type SecretsOptions,
  parameterStore,
} from 'clearskies-middy/middleware/parameter-store'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
import { invocation } from 'clearskies-middy/normalizers/invocation'
import { invoke, lambdaContext } from 'clearskies-middy/testing'
import { beforeEach, vi } from 'vitest'
import { type AwsStandIn, AwsError, type Fields } from '../../examples/shop/local/aws-stand-in.ts'
import { useAwsStandIn } from './engines.ts'
import { RecordingLogger } from './recording-logger.ts'

/** One of the two stores, for tests that run over both. */
export interface TestedStore {
  readonly name: string
  readonly title: string
  readonly make: typeof parameterStore
  readonly client: (config?: SSMClientConfig) => NonNullable<SecretsOptions['client']>
  /** Puts a value into the store, past the library. */
  readonly put: (name: string, value: string) => void
  readonly remove: (name: string) => void
  /** The value that the store holds. */
  readonly stored: (name: string) => string | undefined
  readonly arn: (name: string, partition?: string) => string
  /** How many secrets one call reads. */
  readonly batch: number
}

/** Both stores, in front of a stand-in that each test finds empty. */
export function useSecretStores(): {
  readonly aws: { readonly server: AwsStandIn }
  readonly stores: readonly TestedStore[]
} {
  const aws = useAwsStandIn()
  beforeEach(() => {
    aws.server.parameters.clear()
    aws.server.secrets.clear()
    aws.server.calls.length = 0
    aws.server.intercept = undefined
    return () => {
      vi.useRealTimers()
      vi.unstubAllEnvs()
    }
  })
  const config = (changes: SSMClientConfig = {}) => ({ endpoint: aws.server.url, maxAttempts: 1, ...changes })
  const arnOf = (service: string, place: string, partition = 'aws') =>
    `arn:${partition}:${service}:eu-central-1:123456789012:${place}`
  const stores: TestedStore[] = [
    {
      name: 'parameterStore()',
      title: 'Parameter Store',
      make: parameterStore,
      client: (changes) => new SSMClient(config(changes)),
      put(name, value) {
        const before = aws.server.parameters.get(name)
        aws.server.parameters.set(name, {
          versions: [...(before?.versions ?? []), value],
          type: 'SecureString',
          labels: before?.labels ?? new Map<string, number>(),
        })
      },
      remove: (name) => void aws.server.parameters.delete(name),
      stored: (name) => aws.server.parameters.get(name)?.versions.at(-1),
      arn: (name, partition) => arnOf('ssm', `parameter${name}`, partition),
      batch: 10,
    },
    {
      name: 'secretsManager()',
      title: 'Secrets Manager',
      make: secretsManager,
      client: (changes) => new SecretsManagerClient(config(changes)),
      put: (name, value) => {
        putVersion(aws.server, name, { string: value })
      },
      remove: (name) => void aws.server.secrets.delete(name),
      stored(name) {
        const secret = aws.server.secrets.get(name)
        return secret?.versions.get(secret.stages.get('AWSCURRENT') ?? '')?.string
      },
      arn: (name, partition) => arnOf('secretsmanager', `secret:${name}-AbCdEf`, partition),
      batch: 20,
    },
  ]
  const lightly = (store: TestedStore): TestedStore => ({
    ...store,
    name: `${store.name} with the light client`,
    client: ({ endpoint = aws.server.url, maxAttempts = 1 } = {}) =>
      light({ ...(typeof endpoint === 'string' && { endpoint }), maxAttempts: Number(maxAttempts) }),
  })
  return { aws, stores: [...stores, ...stores.map(lightly)] }
}

/** Puts a version of a secret into Secrets Manager, under a staging label. */
export function putVersion(
  { secrets }: AwsStandIn,
  name: string,
  value: { readonly string?: string; readonly binary?: string },
  stage = 'AWSCURRENT',
): string {
  const secret = secrets.get(name) ?? {
    arn: `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}-AbCdEf`,
    versions: new Map(),
    stages: new Map(),
    deleted: false,
  }
  const id = `version-${secret.versions.size + 1}`
  secret.versions.set(id, value)
  secret.stages.set(stage, id)
  secrets.set(name, secret)
  return id
}

/** The secrets as the handler of one invocation sees them. */
export async function openSecrets(
  { make, client }: TestedStore,
  options: SecretsOptions = {},
  lambdaTimeout = 30_000,
): Promise<Secrets> {
  let secrets: unknown
  const handler = middy()
    .use(invocation())
    .use(make({ client: client(), logger: new RecordingLogger(), ...options }))
    .handler((_, context) => {
      secrets = context.secrets
    })
  await invoke(handler, {}, lambdaContext({ timeout: lambdaTimeout }))
  return secrets as Secrets
}

/** The names that a call to either store asks for. */
export function namesOf({ Names, Name, SecretIdList, SecretId }: Fields): string[] {
  return [Names, Name, SecretIdList, SecretId].flat().filter((name) => typeof name === 'string')
}

/** IAM's answer to whatever asks for one of some names. */
export function forbid(server: AwsStandIn, ...names: string[]): void {
  server.intercept = (operation, input) => {
    const name = namesOf(input).find((asked) => names.includes(asked))
    if (name !== undefined)
      throw new AwsError(
        'AccessDeniedException',
        `User: arn:aws:iam::1:role/shop is not authorized to perform: ${operation} on resource: ${name}`,
      )
    return undefined
  }
}

/** Holds calls until it is opened. */
export class Gate {
  #count = 0
  #expected: { readonly count: number; readonly resolve: () => void }[] = []
  readonly #open = Promise.withResolvers<undefined>()

  /** Where a call waits. */
  wait(): Promise<undefined> {
    this.#count++
    for (const { count, resolve } of this.#expected) if (count <= this.#count) resolve()
    return this.#open.promise
  }

  /** Resolves when so many calls have come. */
  arrivals(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#expected.push({
      count,
      resolve: () => {
        resolve(undefined)
      },
    })
    if (this.#count >= count) resolve(undefined)
    return promise
  }

  open(): void {
    this.#open.resolve(undefined)
  }
}

/** Fakes what deadlines are counted with; sockets work on. */
export function fakeClock(): void {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
}

/** What becomes of promises, as far as that is known by now. */
export async function outcomes(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  return Promise.all(
    promises.map((promise) =>
      promise.then(
        (value) => value,
        (error: unknown) => error,
      ),
    ),
  )
}

export async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of iterable) list.push(item)
  return list
}
