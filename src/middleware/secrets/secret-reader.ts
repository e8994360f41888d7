import type { GetSecretValueCommandOutput } from '@aws-sdk/client-secrets-manager'
import type * as sdk from '@aws-sdk/client-secrets-manager'
import { isLightClient } from '../../aws/client.ts'
import type { Port } from '../../aws/port.ts'
import { chunks } from '../../core/chunks.ts'
import { optionalImport } from '../../core/optional-import.ts'
import { SecretNotFoundError, SecretPendingDeletionError } from '../../errors/index.ts'
import { loadThroughMiddy } from './middy-loader.ts'
import { readInBatches } from './read-in-batches.ts'
import { isOfOneName, readError } from './read-error.ts'
import { secretTitle } from './secret-name.ts'
import type { Outcome, Outcomes, ReadOptions, SecretRef, SecretValue, Timed } from './store.ts'
import { isCode, isPendingDeletion } from './write-error.ts'

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html */
const secretsPerRequest = 20

/** Reads secrets. */
export class SecretReader {
  readonly #port: Port<typeof sdk>
  /** Whether the role lacks the permission for batches: each refusal costs a round trip, and rings alarms. */
  #isBatchDenied = false

  constructor(port: Port<typeof sdk>) {
    this.#port = port
  }

  /** Which can be read in one call. */
  batches(refs: readonly SecretRef[]): SecretRef[][] {
    // A batch knows no versions, and one secret alone needs no permission for batches.
    const plain = this.#isBatchDenied ? [] : refs.filter(({ key, name }) => key === name)
    return [
      ...chunks(plain, secretsPerRequest),
      ...refs.filter((ref) => !plain.includes(ref)).map((ref) => [ref]),
    ]
  }

  async read(batch: readonly SecretRef[], { signal }: ReadOptions): Promise<Outcomes> {
    const [first] = batch
    return batch.length === 1 && first !== undefined
      ? [await this.#readOne(first, signal)]
      : this.#readBatch(batch, signal)
  }

  /** Reads what is declared, through Middy's loader. */
  async readDeclared(refs: readonly SecretRef[], options: ReadOptions): Promise<Outcomes> {
    const client = await this.#port.client()
    // Middy's loader would load the package of the SDK.
    if (isLightClient(client)) return readInBatches(this, refs, options)
    const heard = new Map<string, Outcome>()
    const { default: loader } = await optionalImport(
      '@aws-sdk/client-secrets-manager',
      () => import('@middy/secrets-manager'),
    )
    const names = refs.map(({ name }) => name)
    const calls = await loadThroughMiddy(loader, names, client, options.signal, {
      answered(output: GetSecretValueCommandOutput, { input: { SecretId: name } }: GetSecretValue) {
        heard.set(name, secretValue(output) ?? new SecretNotFoundError(name, secretTitle))
      },
      failed(error, { input: { SecretId: name } }: GetSecretValue) {
        heard.set(name, refusalOf(name, error))
      },
    })
    return refs.map(async ({ name }) => {
      await calls.get(name)
      return heard.get(name) ?? new SecretNotFoundError(name, secretTitle)
    })
  }

  /** All names with a beginning. */
  async *list(prefix: string, timed: Timed): AsyncGenerator<string, void> {
    let NextToken: string | undefined
    do {
      const input: sdk.ListSecretsCommandInput = {
        MaxResults: 100,
        ...(prefix !== '' && { Filters: [{ Key: 'name', Values: [prefix] }] }),
        ...(NextToken !== undefined && { NextToken }),
      }
      const page: sdk.ListSecretsCommandOutput = await timed((signal) =>
        this.#port.call('ListSecrets', input, signal).catch((error: unknown) => {
          throw readError(secretTitle, prefix, error, 'list')
        }),
      )
      for (const { Name } of page.SecretList ?? []) if (Name !== undefined) yield Name
      NextToken = page.NextToken
    } while (NextToken)
  }

  async #readOne({ name, version, stage }: SecretRef, signal: AbortSignal): Promise<Outcome> {
    try {
      const input = {
        SecretId: name,
        ...(version !== undefined && { VersionId: String(version) }),
        ...(stage !== undefined && { VersionStage: stage }),
      }
      const output = await this.#port.call('GetSecretValue', input, signal)
      return secretValue(output) ?? new SecretNotFoundError(name, secretTitle)
    } catch (error) {
      return refusalOf(name, error)
    }
  }

  async #readBatch(refs: readonly SecretRef[], signal: AbortSignal): Promise<Outcomes> {
    try {
      const input = { SecretIdList: refs.map(({ name }) => name) }
      const output = await this.#port.call('BatchGetSecretValue', input, signal)
      return refs.map((ref) => secretOutcome(output, ref.name) ?? this.#readOne(ref, signal))
    } catch (error) {
      if (!isOfOneName(error)) return refs.map(({ name }) => refusalOf(name, error))
      if (isCode(error, 'AccessDeniedException')) this.#isBatchDenied = true
      // Each singly: it needs no permission for batches, and one forbidden name takes down no other.
      return refs.map((ref) => this.#readOne(ref, signal))
    }
  }
}

interface GetSecretValue {
  readonly input: { readonly SecretId: string }
}

/** `undefined` for a name that the answer does not speak of. */
function secretOutcome(
  { SecretValues = [], Errors = [] }: sdk.BatchGetSecretValueCommandOutput,
  name: string,
): Outcome | undefined {
  const found = SecretValues.find(({ Name, ARN }) => name === Name || name === ARN || isPartOf(name, ARN))
  if (found !== undefined) return secretValue(found) ?? new SecretNotFoundError(name, secretTitle)
  const failed = Errors.find(({ SecretId }) => SecretId === name)
  if (failed?.ErrorCode === undefined) return undefined
  return refusalOf(name, Object.assign(new Error(failed.Message), { name: failed.ErrorCode }))
}

function refusalOf(name: string, cause: unknown): Error {
  if (isCode(cause, 'ResourceNotFoundException')) return new SecretNotFoundError(name, secretTitle, { cause })
  if (isPendingDeletion(cause)) return new SecretPendingDeletionError(name, secretTitle, { cause })
  return readError(secretTitle, name, cause)
}

function secretValue({
  SecretString,
  SecretBinary,
}: {
  readonly SecretString?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
}): SecretValue | undefined {
  return SecretString ?? SecretBinary
}

/** An ARN may be given without the six characters that Secrets Manager adds to a name. */
function isPartOf(name: string, arn: string | undefined): boolean {
  return name.startsWith('arn:') && arn?.startsWith(`${name}-`) === true && arn.length === name.length + 7
}
