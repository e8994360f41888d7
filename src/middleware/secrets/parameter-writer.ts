import type * as sdk from '@aws-sdk/client-ssm'
import type { Port } from '../../aws/port.ts'
import { SecretAlreadyExistsError, SecretError, SecretNotFoundError } from '../../errors/index.ts'
import { parameterTitle } from './parameter-name.ts'
import type { CreateSecretOptions, SecretWrite } from './store.ts'
import { isCode, tagsOf, writeError } from './write-error.ts'

/** Writes parameters. */
export class ParameterWriter {
  readonly #port: Port<typeof sdk>

  constructor(port: Port<typeof sdk>) {
    this.#port = port
  }

  create(write: SecretWrite<CreateSecretOptions>): Promise<void> {
    return this.#put(write, true)
  }

  async update(write: SecretWrite): Promise<void> {
    // Overwriting would create it.
    if (!(await this.#exists(write.name, write.signal)))
      throw new SecretNotFoundError(write.name, parameterTitle)
    await this.#put(write, false)
  }

  async upsert(write: SecretWrite<CreateSecretOptions>): Promise<void> {
    try {
      await this.#put(write, true)
    } catch (error) {
      if (!(error instanceof SecretAlreadyExistsError)) throw error
      await this.#put(write, false)
    }
  }

  /** Gives whether there was one. */
  async delete(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#port.call('DeleteParameter', { Name: name }, signal)
      return true
    } catch (error) {
      if (isCode(error, 'ParameterNotFound')) return false
      throw writeError(parameterTitle, name, error)
    }
  }

  async #put(
    { name, value, options, signal }: SecretWrite<CreateSecretOptions>,
    isNew: boolean,
  ): Promise<void> {
    if (typeof value !== 'string' || value === '')
      throw new SecretError(name, `${parameterTitle} holds text, and not none: "${name}" was not written`)
    const { kmsKeyId, type = 'SecureString', tier, tags } = options
    const input = {
      Name: name,
      Value: value,
      Overwrite: !isNew,
      // A parameter keeps the type that it was created with.
      ...((isNew || kmsKeyId !== undefined) && { Type: type }),
      ...(kmsKeyId !== undefined && { KeyId: kmsKeyId }),
      ...(tier !== undefined && { Tier: tier }),
      // The service takes tags of new parameters only.
      ...(isNew && tags !== undefined && { Tags: tagsOf(tags) }),
    }
    try {
      await this.#port.call('PutParameter', input, signal)
    } catch (error) {
      if (isCode(error, 'ParameterAlreadyExists'))
        throw new SecretAlreadyExistsError(name, parameterTitle, {
          cause: writeError(parameterTitle, name, error),
        })
      throw writeError(parameterTitle, name, error)
    }
  }

  async #exists(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      const input = { Names: [name], WithDecryption: false }
      const { Parameters = [] } = await this.#port.call('GetParameters', input, signal)
      return Parameters.length > 0
    } catch (error) {
      throw writeError(parameterTitle, name, error)
    }
  }
}
