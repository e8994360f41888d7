import type {
  BatchGetSecretValueCommandOutput,
  GetSecretValueCommandOutput,
} from '@aws-sdk/client-secrets-manager'
import { type AwsClient, type ClientOption, lazyClient } from '../aws-client.ts'
import { SecretError, SecretNotFoundError } from '../errors.ts'
import { optionalImport } from '../optional-import.ts'
import type { Middleware } from '../types.ts'
import { loadThroughMiddy } from './middy-loader.ts'
import type { SecretRef, SecretStore, SecretValue, SecretVersion } from './secret-store.ts'
import { type SecretsContext, type SecretsOptions, secretsMiddleware } from './secrets-middleware.ts'

export type { GetSecretOptions } from './secrets.ts'
export { Secrets } from './secrets.ts'
export type { SecretsOptions } from './secrets-middleware.ts'

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html */
const batchSize = 20

const title = 'Secrets Manager'
const loadSdk = () =>
  optionalImport('@aws-sdk/client-secrets-manager', () => import('@aws-sdk/client-secrets-manager'))

let sharedClient: Promise<AwsClient> | undefined
const processClient = (): Promise<AwsClient> =>
  (sharedClient ??= loadSdk().then(({ SecretsManagerClient }) => new SecretsManagerClient({})))

/** Secrets Manager as a {@link SecretStore}. */
function secretsManagerStore(clientOption: ClientOption | undefined): SecretStore {
  const client = lazyClient(clientOption, processClient)

  async function readOne({ name, version, stage }: SecretRef): Promise<SecretValue | Error> {
    const { GetSecretValueCommand } = await loadSdk()
    const command = new GetSecretValueCommand({
      SecretId: name,
      ...(version !== undefined && { VersionId: String(version) }),
      ...(stage !== undefined && { VersionStage: stage }),
    })
    try {
      const output = (await (await client()).send(command)) as GetSecretValueCommandOutput
      return valueOf(output) ?? new SecretNotFoundError(title, { path: name })
    } catch (cause) {
      return readError(name, (cause as { name?: string }).name, cause)
    }
  }

  async function readBatch(refs: readonly SecretRef[]): Promise<(SecretValue | Error)[]> {
    if (refs.length < 2) return Promise.all(refs.map(readOne))
    const { BatchGetSecretValueCommand } = await loadSdk()
    try {
      const command = new BatchGetSecretValueCommand({ SecretIdList: refs.map(({ name }) => name) })
      const { SecretValues = [], Errors = [] } = (await (
        await client()
      ).send(command)) as BatchGetSecretValueCommandOutput
      return refs.map(({ name }) => {
        const found = SecretValues.find(
          ({ Name, ARN }) => name === Name || name === ARN || isPartOf(name, ARN),
        )
        return (
          (found && valueOf(found)) ??
          readError(name, Errors.find(({ SecretId }) => SecretId === name)?.ErrorCode)
        )
      })
    } catch (cause) {
      // The batch needs a permission of its own; without it, each is read singly, as it is with one forbidden name.
      if ((cause as { name?: unknown }).name === 'AccessDeniedException')
        return Promise.all(refs.map(readOne))
      return refs.map(({ name }) => new SecretError(`${title} did not give "${name}"`, { path: name, cause }))
    }
  }

  const store: SecretStore = {
    title,
    scheme: 'secretsmanager',
    ref: secretRef,
    nameFromUri: (name) => name,
    async read(refs) {
      const results = new Map<string, SecretValue | Error>()
      const remember = (of: readonly SecretRef[], values: readonly (SecretValue | Error)[]): void => {
        of.forEach(({ key }, index) => results.set(key, values[index] as SecretValue | Error))
      }
      const plain = refs.filter(({ key, name }) => key === name)
      const chosen = refs.filter((ref) => !plain.includes(ref))
      const batches = Array.from({ length: Math.ceil(plain.length / batchSize) }, (_, index) =>
        plain.slice(index * batchSize, (index + 1) * batchSize),
      )
      await Promise.all([
        ...batches.map(async (batch) => {
          remember(batch, await readBatch(batch))
        }),
        ...chosen.map(async (ref) => {
          remember([ref], [await readOne(ref)])
        }),
      ])
      return refs.map(({ key }) => results.get(key) as SecretValue | Error)
    },
    async readDeclared(refs) {
      const heard = new Map<string, SecretValue>()
      const { default: middySecretsManager } = await optionalImport(
        '@aws-sdk/client-secrets-manager',
        () => import('@middy/secrets-manager'),
      )
      const names = refs.map(({ name }) => name)
      await loadThroughMiddy(
        middySecretsManager,
        names,
        await client(),
        (
          output: GetSecretValueCommandOutput,
          { input }: { readonly input: { readonly SecretId: string } },
        ) => {
          const value = valueOf(output)
          if (value !== undefined) heard.set(input.SecretId, value)
        },
      )
      const unheard = refs.filter(({ name }) => !heard.has(name))
      const read = new Map((await store.read(unheard)).map((value, index) => [unheard[index], value]))
      return refs.map((ref) => heard.get(ref.name) ?? (read.get(ref) as SecretValue | Error))
    },
  }
  return store
}

function readError(name: string, code: string | undefined, cause?: unknown): Error {
  if (code === 'ResourceNotFoundException') return new SecretNotFoundError(title, { path: name, cause })
  return new SecretError(`${title} did not give "${name}"${code === undefined ? '' : `: ${code}`}`, {
    path: name,
    cause,
  })
}

function valueOf({
  SecretString,
  SecretBinary,
}: {
  SecretString?: string | undefined
  SecretBinary?: Uint8Array | undefined
}): SecretValue | undefined {
  return SecretString ?? SecretBinary
}

/** An ARN may be given without the six characters that Secrets Manager adds to a name. */
function isPartOf(name: string, arn: string | undefined): boolean {
  return name.startsWith('arn:') && arn?.startsWith(`${name}-`) === true && arn.length === name.length + 7
}

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html */
const namePattern = /^[\w/+=.@:-]{1,2048}$/

function secretRef(name: string, { version, stage, label }: SecretVersion): SecretRef {
  if (!namePattern.test(name))
    throw new SecretError(`"${name}" is not a name that Secrets Manager can hold`, { path: name })
  if (label !== undefined)
    throw new SecretError('Secrets Manager knows versions and stages; labels are of Parameter Store', {
      path: name,
    })
  const key = version === undefined && stage === undefined ? name : `${name} ${version ?? ''} ${stage ?? ''}`
  return { key, name, ...(version !== undefined && { version }), ...(stage !== undefined && { stage }) }
}

/**
 * Puts the secrets of Secrets Manager into the context. Needs `@aws-sdk/client-secrets-manager` and the permissions
 * `secretsmanager:GetSecretValue`, for several at once `secretsmanager:BatchGetSecretValue`, and for secrets under a key
 * of your own `kms:Decrypt`.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'
 * import { invocation } from 'clearskies-middy/normalizers/invocation'
 *
 * export const handler = middy()
 *   .use(invocation())
 *   .use(secretsManager({ fetch: { user: 'shop/database#username' } }))
 *   .handler(async (request, { secrets }) => secrets.values.user)
 * ```
 */
export function secretsManager<
  const TFetch extends Readonly<Record<string, string>> = {},
  const TAs extends string = 'secrets',
>(options: SecretsOptions<TFetch, TAs> = {}): Middleware<unknown, SecretsContext<TFetch, TAs>> {
  return secretsMiddleware('secretsManager', secretsManagerStore(options.client), options)
}
