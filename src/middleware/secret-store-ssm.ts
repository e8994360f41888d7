import type {
  GetParametersByPathCommandOutput,
  GetParametersCommandOutput,
  Parameter,
} from '@aws-sdk/client-ssm'
import { type ClientOption, lazyClient, ownClients, reasonOf } from '../aws-client.ts'
import { SecretAlreadyExistsError, SecretError, SecretNotFoundError } from '../errors.ts'
import { optionalImport } from '../optional-import.ts'
import { loadThroughMiddy } from './middy-loader.ts'
import {
  type Outcome,
  type SecretRef,
  type SecretStore,
  type SecretValue,
  type SecretVersion,
  type WriteSecretOptions,
  chunks,
} from './secret-store.ts'
import { isCode, writeError } from './secret-write-error.ts'

const title = 'Parameter Store'

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html */
const batchSize = 10

const loadSdk = () => optionalImport('@aws-sdk/client-ssm', () => import('@aws-sdk/client-ssm'))
const ownClient = ownClients(async (config) => new (await loadSdk()).SSMClient(config))

/** Parameter Store as a {@link SecretStore}. */
export function ssmStore(clientOption: ClientOption | undefined): SecretStore {
  const client = lazyClient(clientOption, ownClient)

  async function call<T = unknown>(command: object, abortSignal?: AbortSignal): Promise<T> {
    return (await (await client()).send(command, { ...(abortSignal && { abortSignal }) })) as T
  }

  async function readBatch(refs: readonly SecretRef[], abortSignal: AbortSignal): Promise<Outcome[]> {
    try {
      const { GetParametersCommand } = await loadSdk()
      const command = new GetParametersCommand({ Names: refs.map(({ key }) => key), WithDecryption: true })
      const output = await call<GetParametersCommandOutput>(command, abortSignal)
      return refs.map((ref) => {
        const found = output.Parameters?.find((parameter) => isMeant(parameter, ref))
        return found?.Value ?? new SecretNotFoundError(title, { path: ref.key })
      })
    } catch (cause) {
      // One forbidden name makes the whole call fail; the others get their own.
      if (refs.length > 1 && isCode(cause, 'AccessDeniedException'))
        return (await Promise.all(refs.map((ref) => readBatch([ref], abortSignal)))).flat()
      return refs.map(
        ({ key }) =>
          new SecretError(`${title} did not give "${key}": ${reasonOf(cause)}`, { path: key, cause }),
      )
    }
  }

  async function put(
    path: string,
    value: SecretValue,
    { kmsKeyId, type }: WriteSecretOptions,
    isNew: boolean,
  ): Promise<void> {
    if (typeof value !== 'string' || value === '')
      throw new SecretError(`${title} holds text, and not none: "${path}" was not written`, { path })
    const { PutParameterCommand } = await loadSdk()
    // A parameter keeps the type that it was created with.
    const Type = isNew || kmsKeyId !== undefined ? (type ?? 'SecureString') : undefined
    try {
      await call(
        new PutParameterCommand({
          Name: path,
          Value: value,
          Overwrite: !isNew,
          ...(Type !== undefined && { Type }),
          ...(kmsKeyId !== undefined && { KeyId: kmsKeyId }),
        }),
      )
    } catch (error) {
      if (isCode(error, 'ParameterAlreadyExists'))
        throw new SecretAlreadyExistsError(title, { path, cause: error })
      throw writeError(title, path, error)
    }
  }

  async function exists(path: string): Promise<boolean> {
    const { GetParametersCommand } = await loadSdk()
    try {
      const command = new GetParametersCommand({ Names: [path], WithDecryption: false })
      const output = await call<GetParametersCommandOutput>(command)
      return (output.Parameters?.length ?? 0) > 0
    } catch (error) {
      throw writeError(title, path, error)
    }
  }

  const store: SecretStore = {
    title,
    scheme: 'ssm',
    ref: parameterRef,
    nameFromUri: (name) => (name.startsWith('/') || name.startsWith('arn:') ? name : `/${name}`),
    batches: (refs) => chunks(refs, batchSize),
    read: (batch, { signal }) => readBatch(batch, signal),
    async readDeclared(refs, options) {
      const heard = new Map<string, SecretValue>()
      const plain = refs.filter(({ key, name }) => key === name && !name.startsWith('arn:'))
      if (plain.length > 0) {
        const { default: ssm } = await optionalImport('@aws-sdk/client-ssm', () => import('@middy/ssm'))
        const names = plain.map(({ name }) => name)
        await loadThroughMiddy(
          ssm,
          names,
          await client(),
          options.signal,
          (output: GetParametersCommandOutput) => {
            for (const { Name, Value } of output.Parameters ?? [])
              if (Name !== undefined && Value !== undefined) heard.set(Name, Value)
          },
        )
      }
      const unheard = refs.filter(({ key }) => !heard.has(key))
      const batches = await Promise.all(store.batches(unheard).map((batch) => store.read(batch, options)))
      const read = new Map(batches.flat().map((outcome, index) => [unheard[index], outcome]))
      return refs.map((ref) => heard.get(ref.key) ?? (read.get(ref) as Outcome))
    },
    create: (path, value, options) => put(path, value, options, true),
    async update(path, value, options) {
      // Overwriting would create it.
      if (!(await exists(path))) throw new SecretNotFoundError(title, { path })
      await put(path, value, options, false)
    },
    async upsert(path, value, options) {
      try {
        await put(path, value, options, true)
      } catch (error) {
        if (!(error instanceof SecretAlreadyExistsError)) throw error
        await put(path, value, options, false)
      }
    },
    async delete(path) {
      const { DeleteParameterCommand } = await loadSdk()
      try {
        await call(new DeleteParameterCommand({ Name: path }))
        return true
      } catch (error) {
        if (isCode(error, 'ParameterNotFound')) return false
        throw writeError(title, path, error)
      }
    },
    async *list(prefix, abortSignal) {
      const { GetParametersByPathCommand } = await loadSdk()
      let NextToken: string | undefined
      do {
        const command = new GetParametersByPathCommand({
          Path: prefix.startsWith('/') ? prefix : `/${prefix}`,
          Recursive: true,
          WithDecryption: false,
          ...(NextToken !== undefined && { NextToken }),
        })
        const page = await call<GetParametersByPathCommandOutput>(command, abortSignal)
        for (const { Name } of page.Parameters ?? []) if (Name !== undefined) yield Name
        NextToken = page.NextToken // A page may be empty and not the last.
      } while (NextToken !== undefined && NextToken !== '')
    },
  }
  return store
}

/** https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html */
const namePattern =
  /^(?:\/?[\w.-]+(?:\/[\w.-]+)*|arn:[\w-]+:ssm:[\w-]*:\d*:parameter\/?[\w./-]+)(?::[\w.-]+)?$/

function parameterRef(path: string, { version, label, stage }: SecretVersion): SecretRef {
  if (!namePattern.test(path))
    throw new SecretError(`"${path}" is not a name that ${title} can hold`, { path })
  if (stage !== undefined)
    throw new SecretError(`${title} knows versions and labels; stages are of Secrets Manager`, { path })
  const selector = version ?? label
  const key = selector === undefined ? path : `${path}:${selector}`
  // Colons are also in ARNs, where the sixth is the selector's.
  const parts = path.split(':')
  const hasSelector = path.startsWith('arn:') ? parts.length > 6 : parts.length > 1
  return { key, name: hasSelector ? parts.slice(0, -1).join(':') : path }
}

function isMeant({ Name, ARN, Selector = '' }: Parameter, { key }: SecretRef): boolean {
  return key === `${Name}${Selector}` || key === `${ARN}${Selector}`
}
