import type {
  GetParametersByPathCommandOutput,
  GetParametersCommandOutput,
  Parameter,
} from '@aws-sdk/client-ssm'
import type { ClientOption } from '../../aws/client.ts'
import { portTo } from '../../aws/port.ts'
import { ssm } from '../../aws/ssm.ts'
import { chunks } from '../../core/chunks.ts'
import { SecretAlreadyExistsError, SecretError, SecretNotFoundError } from '../../errors/index.ts'
import { optionalImport } from '../../core/optional-import.ts'
import { loadThroughMiddy } from './middy-loader.ts'
import { readError } from './read-error.ts'
import {
  type Outcome,
  type Outcomes,
  type SecretRef,
  type SecretStore,
  type SecretValue,
  type SecretVersion,
  type WriteSecretOptions,
} from './store.ts'
import { isCode, writeError } from './write-error.ts'

const title = 'Parameter Store'

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html */
const batchSize = 10

/** Parameter Store as a {@link SecretStore}. */
export function ssmStore(clientOption: ClientOption | undefined): SecretStore {
  const { call, client } = portTo(ssm, { client: clientOption })

  async function readBatch(refs: readonly SecretRef[], abortSignal: AbortSignal): Promise<Outcomes> {
    try {
      const input = { Names: refs.map(({ key }) => key), WithDecryption: true }
      const output = await call('GetParameters', input, abortSignal)
      return refs.map((ref) => {
        const found = output.Parameters?.find((parameter) => isMeant(parameter, ref))
        return found?.Value ?? new SecretNotFoundError(ref.key, title)
      })
    } catch (cause) {
      if (refs.length > 1 && isOfOneName(cause)) return refs.map((ref) => readSingly(ref, abortSignal))
      return refs.map(({ key }) => readError(title, key, cause))
    }
  }

  async function readSingly(ref: SecretRef, abortSignal: AbortSignal): Promise<Outcome> {
    const [outcome] = await readBatch([ref], abortSignal)
    return outcome as Outcome
  }

  /** Through Middy's loader, which knows neither selectors nor ARNs. */
  async function readPlain(
    refs: readonly SecretRef[],
    abortSignal: AbortSignal,
  ): Promise<ReadonlyMap<string, Promise<Outcome>>> {
    const { default: loader } = await optionalImport('@aws-sdk/client-ssm', () => import('@middy/ssm'))
    const heard = new Map<string, Outcome>()
    const calls = await loadThroughMiddy(
      loader,
      refs.map(({ name }) => name),
      await client(),
      abortSignal,
      {
        answered({ Parameters = [] }: GetParametersCommandOutput, { input }: GetParameters) {
          for (const path of input.Names) {
            const value = Parameters.find(({ Name }) => Name === path)?.Value
            heard.set(path, value ?? new SecretNotFoundError(path, title))
          }
        },
        failed(cause, { input }: GetParameters) {
          if (!isOfOneName(cause))
            for (const path of input.Names) heard.set(path, readError(title, path, cause))
        },
      },
    )
    const outcome = async (ref: SecretRef): Promise<Outcome> => {
      await calls.get(ref.name)
      return heard.get(ref.name) ?? readSingly(ref, abortSignal)
    }
    return new Map(refs.map((ref) => [ref.key, outcome(ref)]))
  }

  async function put(
    path: string,
    value: SecretValue,
    { kmsKeyId, type }: WriteSecretOptions,
    isNew: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    if (typeof value !== 'string' || value === '')
      throw new SecretError(path, `${title} holds text, and not none: "${path}" was not written`)
    // A parameter keeps the type that it was created with.
    const Type = isNew || kmsKeyId !== undefined ? (type ?? 'SecureString') : undefined
    try {
      await call(
        'PutParameter',
        {
          Name: path,
          Value: value,
          Overwrite: !isNew,
          ...(Type !== undefined && { Type }),
          ...(kmsKeyId !== undefined && { KeyId: kmsKeyId }),
        },
        signal,
      )
    } catch (error) {
      if (isCode(error, 'ParameterAlreadyExists'))
        throw new SecretAlreadyExistsError(path, title, { cause: writeError(title, path, error) })
      throw writeError(title, path, error)
    }
  }

  async function exists(path: string, signal: AbortSignal): Promise<boolean> {
    try {
      const output = await call('GetParameters', { Names: [path], WithDecryption: false }, signal)
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
      const isPlain = ({ key, name }: SecretRef): boolean => key === name && !name.startsWith('arn:')
      const plain = refs.filter(isPlain)
      const others = refs.filter((ref) => !isPlain(ref))
      const [heard, ...batches] = await Promise.all([
        plain.length > 0 ? readPlain(plain, options.signal) : new Map<string, Promise<Outcome>>(),
        ...store.batches(others).map((batch) => store.read(batch, options)),
      ])
      const read = batches.flat()
      return refs.map((ref) => heard.get(ref.key) ?? (read[others.indexOf(ref)] as Outcome))
    },
    create: (path, value, options, signal) => put(path, value, options, true, signal),
    async update(path, value, options, signal) {
      // Overwriting would create it.
      if (!(await exists(path, signal))) throw new SecretNotFoundError(path, title)
      await put(path, value, options, false, signal)
    },
    async upsert(path, value, options, signal) {
      try {
        await put(path, value, options, true, signal)
      } catch (error) {
        if (!(error instanceof SecretAlreadyExistsError)) throw error
        await put(path, value, options, false, signal)
      }
    },
    async delete(path, _, signal) {
      try {
        await call('DeleteParameter', { Name: path }, signal)
        return true
      } catch (error) {
        if (isCode(error, 'ParameterNotFound')) return false
        throw writeError(title, path, error)
      }
    },
    async *list(prefix, timed) {
      let NextToken: string | undefined
      do {
        const input = {
          Path: prefix.startsWith('/') ? prefix : `/${prefix}`,
          Recursive: true,
          WithDecryption: false,
          ...(NextToken !== undefined && { NextToken }),
        }
        const page: GetParametersByPathCommandOutput = await timed((signal) =>
          call('GetParametersByPath', input, signal).catch((error: unknown) => {
            throw readError(title, prefix, error, 'list')
          }),
        )
        for (const { Name } of page.Parameters ?? []) if (Name !== undefined) yield Name
        NextToken = page.NextToken // A page may be empty and not the last.
      } while (NextToken !== undefined && NextToken !== '')
    },
  }
  return store
}

interface GetParameters {
  readonly input: { readonly Names: readonly string[] }
}

/** Errors that one name among several brings about, by what it may do, or is, or is encrypted with. */
function isOfOneName(error: unknown): boolean {
  return ['AccessDeniedException', 'ValidationException', 'InvalidKeyId'].some((code) => isCode(error, code))
}

/** https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html */
const namePattern =
  /^(?:\/?[\w.-]+(?:\/[\w.-]+)*|arn:[\w-]+:ssm:[\w-]*:\d*:parameter\/?[\w./-]+)(?::[\w.-]+)?$/

function parameterRef(path: string, { version, label, stage }: SecretVersion): SecretRef {
  const selector = version ?? label
  const key = selector === undefined ? path : `${path}:${selector}`
  // With its selector: one that the service refuses would take down all that are read along with it.
  if (!namePattern.test(key)) throw new SecretError(path, `"${key}" is not a name that ${title} can hold`)
  if (stage !== undefined)
    throw new SecretError(path, `${title} knows versions and labels; stages are of Secrets Manager`)
  if (version !== undefined && label !== undefined)
    throw new SecretError(path, `"${path}" is asked for by a version and by a label; one is enough`)
  // Colons are also in ARNs, where the sixth is the selector's.
  const parts = key.split(':')
  const hasSelector = key.startsWith('arn:') ? parts.length > 6 : parts.length > 1
  return { key, name: hasSelector ? parts.slice(0, -1).join(':') : key }
}

function isMeant({ Name, ARN, Selector = '' }: Parameter, { key }: SecretRef): boolean {
  return key === `${Name}${Selector}` || key === `${ARN}${Selector}`
}
