import type { GetParametersCommandOutput, Parameter } from '@aws-sdk/client-ssm'
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

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html */
const batchSize = 10

const loadSdk = () => optionalImport('@aws-sdk/client-ssm', () => import('@aws-sdk/client-ssm'))

let sharedClient: Promise<AwsClient> | undefined
const processClient = (): Promise<AwsClient> =>
  (sharedClient ??= loadSdk().then(({ SSMClient }) => new SSMClient({})))

/** Parameter Store as a {@link SecretStore}. */
function parameterStoreStore(clientOption: ClientOption | undefined): SecretStore {
  const client = lazyClient(clientOption, processClient)

  async function readBatch(refs: readonly SecretRef[]): Promise<(SecretValue | Error)[]> {
    const { GetParametersCommand } = await loadSdk()
    const command = new GetParametersCommand({ Names: refs.map(({ key }) => key), WithDecryption: true })
    try {
      const { Parameters = [] } = (await (await client()).send(command)) as GetParametersCommandOutput
      return refs.map(
        (ref) =>
          Parameters.find((parameter) => isMeant(parameter, ref))?.Value ??
          new SecretNotFoundError(store.title, { path: ref.key }),
      )
    } catch (cause) {
      // One forbidden name makes the whole call fail; the others get their own.
      if (refs.length > 1 && (cause as { name?: unknown }).name === 'AccessDeniedException') {
        return (await Promise.all(refs.map((ref) => readBatch([ref])))).flat()
      }
      return refs.map(
        ({ key }) => new SecretError(`${store.title} did not give "${key}"`, { path: key, cause }),
      )
    }
  }

  const store: SecretStore = {
    title: 'Parameter Store',
    scheme: 'ssm',
    ref: parameterRef,
    nameFromUri: (name) => (name.startsWith('/') || name.startsWith('arn:') ? name : `/${name}`),
    async read(refs) {
      return (await Promise.all(chunks(refs, batchSize).map(readBatch))).flat()
    },
    async readDeclared(refs) {
      const heard = new Map<string, SecretValue>()
      const plain = refs
        .filter(({ key, name }) => key === name && !name.startsWith('arn:'))
        .map(({ name }) => name)
      if (plain.length > 0) {
        const { default: ssm } = await optionalImport('@aws-sdk/client-ssm', () => import('@middy/ssm'))
        await loadThroughMiddy(
          ssm,
          plain,
          await client(),
          ({ Parameters = [] }: GetParametersCommandOutput) => {
            for (const { Name, Value } of Parameters)
              if (Name !== undefined && Value !== undefined) heard.set(Name, Value)
          },
        )
      }
      const unheard = refs.filter(({ key }) => !heard.has(key))
      const read = new Map((await store.read(unheard)).map((value, index) => [unheard[index], value]))
      return refs.map((ref) => heard.get(ref.key) ?? (read.get(ref) as SecretValue | Error))
    },
  }
  return store
}

/** https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html */
const namePattern =
  /^(?:\/?[\w.-]+(?:\/[\w.-]+)*|arn:[\w-]+:ssm:[\w-]*:\d*:parameter\/?[\w./-]+)(?::[\w.-]+)?$/

function parameterRef(name: string, { version, label, stage }: SecretVersion): SecretRef {
  if (!namePattern.test(name))
    throw new SecretError(`"${name}" is not a name that Parameter Store can hold`, { path: name })
  if (stage !== undefined)
    throw new SecretError('Parameter Store knows versions and labels; stages are of Secrets Manager', {
      path: name,
    })
  const selector = version ?? label
  return { key: selector === undefined ? name : `${name}:${selector}`, name }
}

function isMeant({ Name, ARN, Selector = '' }: Parameter, { key }: SecretRef): boolean {
  return key === `${Name}${Selector}` || key === `${ARN}${Selector}`
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  )
}

/**
 * Puts the parameters of Systems Manager's Parameter Store into the context. Needs `@aws-sdk/client-ssm` and the
 * permissions `ssm:GetParameters` and, for SecureStrings under a key of your own, `kms:Decrypt`.
 *
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 *
 * export const handler = middy()
 *   .use(httpApi())
 *   .use(parameterStore({ fetch: { greeting: '/shop/greeting' } }))
 *   .handler(async (request, { secrets }) => {
 *     const key = await secrets.get('/shop/api-key') // held for five minutes
 *     return { greeting: secrets.values.greeting, hasKey: key !== '' }
 *   })
 * ```
 */
export function parameterStore<
  const TFetch extends Readonly<Record<string, string>> = {},
  const TAs extends string = 'secrets',
>(options: SecretsOptions<TFetch, TAs> = {}): Middleware<unknown, SecretsContext<TFetch, TAs>> {
  return secretsMiddleware('parameterStore', parameterStoreStore(options.client), options)
}
