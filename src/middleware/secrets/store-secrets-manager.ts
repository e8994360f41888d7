import type {
  GetSecretValueCommandOutput,
  ListSecretsCommandInput,
  ListSecretsCommandOutput,
} from '@aws-sdk/client-secrets-manager'
import type { ClientOption } from '../../aws/client.ts'
import { portTo } from '../../aws/port.ts'
import { secretsManager } from '../../aws/secrets-manager.ts'
import { chunks } from '../../core/chunks.ts'
import {
  SecretAlreadyExistsError,
  SecretError,
  SecretNotFoundError,
  SecretPendingDeletionError,
} from '../../errors/index.ts'
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
} from './store.ts'
import { isCode, writeError } from './write-error.ts'

const title = 'Secrets Manager'

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html */
const batchSize = 20

/** Secrets Manager as a {@link SecretStore}. */
export function secretsManagerStore(clientOption: ClientOption | undefined): SecretStore {
  const { call, client } = portTo(secretsManager, { client: clientOption })

  async function readOne({ name, version, stage }: SecretRef, abortSignal: AbortSignal): Promise<Outcome> {
    try {
      const input = {
        SecretId: name,
        ...(version !== undefined && { VersionId: String(version) }),
        ...(stage !== undefined && { VersionStage: stage }),
      }
      const output = await call('GetSecretValue', input, abortSignal)
      return valueOf(output) ?? new SecretNotFoundError(name, title)
    } catch (error) {
      return outcomeOf(name, error)
    }
  }

  async function readBatch(refs: readonly SecretRef[], abortSignal: AbortSignal): Promise<Outcomes> {
    try {
      const input = { SecretIdList: refs.map(({ name }) => name) }
      const output = await call('BatchGetSecretValue', input, abortSignal)
      const { SecretValues = [], Errors = [] } = output
      return refs.map((ref) => {
        const { name } = ref
        const found = SecretValues.find(
          ({ Name, ARN }) => name === Name || name === ARN || isPartOf(name, ARN),
        )
        if (found !== undefined) return valueOf(found) ?? new SecretNotFoundError(name, title)
        const failed = Errors.find(({ SecretId }) => SecretId === name)
        // An answer need not speak of every name.
        if (failed?.ErrorCode === undefined) return readOne(ref, abortSignal)
        return outcomeOf(name, Object.assign(new Error(failed.Message), { name: failed.ErrorCode }))
      })
    } catch (error) {
      // The batch needs a permission of its own; without it, each is read singly, as it is with one forbidden name.
      if (mayBeOfOneName.some((code) => isCode(error, code)))
        return refs.map((ref) => readOne(ref, abortSignal))
      return refs.map(({ name }) => outcomeOf(name, error))
    }
  }

  /** Runs a write; its errors never show the value. */
  async function write(path: string, run: () => Promise<unknown>): Promise<void> {
    try {
      await run()
    } catch (error) {
      if (isCode(error, 'ResourceExistsException'))
        throw new SecretAlreadyExistsError(path, title, { cause: writeError(title, path, error) })
      if (isCode(error, 'ResourceNotFoundException')) throw new SecretNotFoundError(path, title)
      if (isPendingDeletion(error)) throw new SecretPendingDeletionError(path, title)
      throw writeError(title, path, error)
    }
  }

  const store: SecretStore = {
    title,
    scheme: 'secretsmanager',
    ref: secretRef,
    nameFromUri: (name) => name,
    batches(refs) {
      // A batch knows no versions, and one secret alone needs no permission for batches.
      const plain = refs.filter(({ key, name }) => key === name)
      return [...chunks(plain, batchSize), ...refs.filter((ref) => !plain.includes(ref)).map((ref) => [ref])]
    },
    async read(batch, { signal }) {
      return batch.length === 1 ? [await readOne(batch[0] as SecretRef, signal)] : readBatch(batch, signal)
    },
    async readDeclared(refs, options) {
      const heard = new Map<string, Outcome>()
      const { default: loader } = await optionalImport(
        '@aws-sdk/client-secrets-manager',
        () => import('@middy/secrets-manager'),
      )
      const calls = await loadThroughMiddy(
        loader,
        refs.map(({ name }) => name),
        await client(),
        options.signal,
        {
          answered(output: GetSecretValueCommandOutput, { input: { SecretId: path } }: GetSecretValue) {
            heard.set(path, valueOf(output) ?? new SecretNotFoundError(path, title))
          },
          failed(error, { input: { SecretId: path } }: GetSecretValue) {
            heard.set(path, outcomeOf(path, error))
          },
        },
      )
      return refs.map(async ({ name }) => {
        await calls.get(name)
        return heard.get(name) as Outcome
      })
    },
    create: (path, value, { kmsKeyId }, signal) =>
      write(path, () =>
        call(
          'CreateSecret',
          { Name: path, ...fieldsOf(value), ...(kmsKeyId !== undefined && { KmsKeyId: kmsKeyId }) },
          signal,
        ),
      ),
    update: (path, value, { kmsKeyId }, signal) =>
      write(path, () =>
        kmsKeyId === undefined
          ? call('PutSecretValue', { SecretId: path, ...fieldsOf(value) }, signal)
          : call('UpdateSecret', { SecretId: path, ...fieldsOf(value), KmsKeyId: kmsKeyId }, signal),
      ),
    async upsert(path, value, options, signal) {
      try {
        await store.update(path, value, options, signal)
      } catch (missing) {
        if (!(missing instanceof SecretNotFoundError)) throw missing
        try {
          await store.create(path, value, options, signal)
        } catch (error) {
          if (!(error instanceof SecretAlreadyExistsError)) throw error
          await store.update(path, value, options, signal) // Someone else was faster.
        }
      }
    },
    async delete(path, { force = false }, signal) {
      try {
        const input = { SecretId: path, ...(force && { ForceDeleteWithoutRecovery: true }) }
        await write(path, () => call('DeleteSecret', input, signal))
        return true
      } catch (error) {
        if (error instanceof SecretNotFoundError) return false
        throw error
      }
    },
    async *list(prefix, timed) {
      let NextToken: string | undefined
      do {
        const input: ListSecretsCommandInput = {
          MaxResults: 100,
          ...(prefix !== '' && { Filters: [{ Key: 'name', Values: [prefix] }] }),
          ...(NextToken !== undefined && { NextToken }),
        }
        const page: ListSecretsCommandOutput = await timed((signal) =>
          call('ListSecrets', input, signal).catch((error: unknown) => {
            throw readError(title, prefix, error, 'list')
          }),
        )
        for (const { Name } of page.SecretList ?? []) if (Name !== undefined) yield Name
        NextToken = page.NextToken
      } while (NextToken !== undefined && NextToken !== '')
    },
  }
  return store
}

interface GetSecretValue {
  readonly input: { readonly SecretId: string }
}

/** Errors of a whole batch that may be due to one name. */
const mayBeOfOneName = [
  'AccessDeniedException',
  'DecryptionFailure',
  'InvalidParameterException',
  'InvalidRequestException',
  'ResourceNotFoundException',
  'ValidationException',
]

function outcomeOf(path: string, cause: unknown): Error {
  if (isCode(cause, 'ResourceNotFoundException')) return new SecretNotFoundError(path, title, { cause })
  if (isPendingDeletion(cause)) return new SecretPendingDeletionError(path, title, { cause })
  return readError(title, path, cause)
}

/** The code alone does not tell: other invalid requests have it, too. */
function isPendingDeletion(error: unknown): boolean {
  return (
    isCode(error, 'InvalidRequestException') && /delet/i.test((error as { message?: string }).message ?? '')
  )
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

function fieldsOf(value: SecretValue): { SecretString: string } | { SecretBinary: Uint8Array } {
  return typeof value === 'string' ? { SecretString: value } : { SecretBinary: value }
}

/** An ARN may be given without the six characters that Secrets Manager adds to a name. */
function isPartOf(name: string, arn: string | undefined): boolean {
  return name.startsWith('arn:') && arn?.startsWith(`${name}-`) === true && arn.length === name.length + 7
}

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html */
const namePattern = /^[\w/+=.@:-]{1,2048}$/

function secretRef(path: string, { version, stage, label }: SecretVersion): SecretRef {
  if (!namePattern.test(path)) throw new SecretError(path, `"${path}" is not a name that ${title} can hold`)
  if (label !== undefined)
    throw new SecretError(path, `${title} knows versions and stages; labels are of Parameter Store`)
  const key = version === undefined && stage === undefined ? path : `${path} ${version ?? ''} ${stage ?? ''}`
  return {
    key,
    name: path,
    ...(version !== undefined && { version }),
    ...(stage !== undefined && { stage }),
  }
}
