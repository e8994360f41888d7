import type * as sdk from '@aws-sdk/client-secrets-manager'
import type { Port } from '../../aws/port.ts'
import {
  SecretAlreadyExistsError,
  SecretNotFoundError,
  SecretPendingDeletionError,
} from '../../errors/index.ts'
import { secretTitle } from './secret-name.ts'
import type { CreateSecretOptions, DeleteSecretOptions, SecretValue, SecretWrite } from './store.ts'
import { isCode, isPendingDeletion, tagsOf, writeError } from './write-error.ts'

/** Writes secrets. */
export class SecretWriter {
  readonly #port: Port<typeof sdk>

  constructor(port: Port<typeof sdk>) {
    this.#port = port
  }

  create({ name, value, options, signal }: SecretWrite<CreateSecretOptions>): Promise<void> {
    const { kmsKeyId, tags } = options
    const input = {
      Name: name,
      ...fieldsOf(value),
      ...(kmsKeyId !== undefined && { KmsKeyId: kmsKeyId }),
      ...(tags !== undefined && { Tags: tagsOf(tags) }),
    }
    return written(name, this.#port.call('CreateSecret', input, signal))
  }

  update({ name, value, options: { kmsKeyId }, signal }: SecretWrite): Promise<void> {
    const input = { SecretId: name, ...fieldsOf(value) }
    return written(
      name,
      kmsKeyId === undefined
        ? this.#port.call('PutSecretValue', input, signal)
        : this.#port.call('UpdateSecret', { ...input, KmsKeyId: kmsKeyId }, signal),
    )
  }

  async upsert(write: SecretWrite<CreateSecretOptions>): Promise<void> {
    try {
      await this.update(write)
    } catch (missing) {
      if (!(missing instanceof SecretNotFoundError)) throw missing
      try {
        await this.create(write)
      } catch (error) {
        if (!(error instanceof SecretAlreadyExistsError)) throw error
        await this.update(write) // Someone else was faster.
      }
    }
  }

  /** Gives whether there was one. */
  async delete(name: string, { force = false }: DeleteSecretOptions, signal: AbortSignal): Promise<boolean> {
    const input = { SecretId: name, ...(force && { ForceDeleteWithoutRecovery: true }) }
    try {
      await written(name, this.#port.call('DeleteSecret', input, signal))
      return true
    } catch (error) {
      if (error instanceof SecretNotFoundError) return false
      throw error
    }
  }
}

/** What a write comes to. Its errors never show the value. */
async function written(name: string, writing: Promise<unknown>): Promise<void> {
  try {
    await writing
  } catch (error) {
    if (isCode(error, 'ResourceExistsException'))
      throw new SecretAlreadyExistsError(name, secretTitle, { cause: writeError(secretTitle, name, error) })
    if (isCode(error, 'ResourceNotFoundException')) throw new SecretNotFoundError(name, secretTitle)
    if (isPendingDeletion(error)) throw new SecretPendingDeletionError(name, secretTitle)
    throw writeError(secretTitle, name, error)
  }
}

function fieldsOf(value: SecretValue): { SecretString: string } | { SecretBinary: Uint8Array } {
  return typeof value === 'string' ? { SecretString: value } : { SecretBinary: value }
}
