import type { CredentialsOption, LightCredentials } from './light-credentials.ts'
import type { Interruption } from './interruption.ts'
import { isRecord, textOf, variable } from './record.ts'
import { setupError } from './setup-error.ts'

/** New ones are asked for when less than this is left, in milliseconds. */
const renewal = 300_000

/** Gives the credentials of a client: those of the option, of the environment, of the container, or of the SDK's chain. */
export class CredentialsSource {
  readonly #option: CredentialsOption | undefined
  #kept: LightCredentials | undefined
  #environment: LightCredentials | undefined
  #asking: Promise<LightCredentials> | undefined
  #chain: (() => Promise<LightCredentials>) | undefined

  constructor(option: CredentialsOption | undefined) {
    this.#option = option
  }

  /** Gives them at once where they are known. */
  get(interruption: Interruption): LightCredentials | Promise<LightCredentials> {
    if (typeof this.#option === 'object') return this.#option
    const environment = this.#ofEnvironment()
    if (environment !== undefined) return environment
    if (this.#kept !== undefined && timeLeft(this.#kept) > renewal) return this.#kept
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    return interruption.until(this.#asking)
  }

  /**
   * Throws away credentials that the service takes for expired.
   *
   * @returns whether there may be others
   */
  forget(refused: LightCredentials): boolean {
    if (this.#kept === refused) this.#kept = this.#chain = undefined
    return typeof this.#option !== 'object' && this.#ofEnvironment() !== refused
  }

  /** Lambda gives a function its credentials by the environment. */
  #ofEnvironment(): LightCredentials | undefined {
    if (this.#option !== undefined) return undefined
    const accessKeyId = variable('AWS_ACCESS_KEY_ID')
    const secretAccessKey = accessKeyId && variable('AWS_SECRET_ACCESS_KEY')
    if (!accessKeyId || !secretAccessKey) return undefined
    const sessionToken = variable('AWS_SESSION_TOKEN')
    const before = this.#environment
    const isSame =
      before?.accessKeyId === accessKeyId &&
      before.secretAccessKey === secretAccessKey &&
      before.sessionToken === sessionToken
    return isSame ? before : (this.#environment = { accessKeyId, secretAccessKey, sessionToken })
  }

  async #ask(): Promise<LightCredentials> {
    const before = this.#kept
    try {
      return (this.#kept = await this.#provide())
    } catch (error) {
      if (before !== undefined && this.#kept === before && timeLeft(before) > 0) return before
      throw error
    }
  }

  async #provide(): Promise<LightCredentials> {
    if (typeof this.#option === 'function') return this.#option()
    if (
      variable('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI') ??
      variable('AWS_CONTAINER_CREDENTIALS_FULL_URI')
    ) {
      const { containerCredentials } = await import('./container.ts')
      return containerCredentials()
    }
    this.#chain ??= await chain()
    return this.#chain()
  }
}

/** Milliseconds until credentials end. */
function timeLeft({ expiration }: LightCredentials): number {
  if (expiration === undefined) return Infinity
  const end = new Date(expiration).getTime()
  return Number.isNaN(end) ? Infinity : end - Date.now()
}

/** Whether a value is credentials. What is sent in a header must be able to stand there. */
export function isCredentials(value: unknown): value is LightCredentials {
  if (!isRecord(value)) return false
  const { accessKeyId, secretAccessKey, sessionToken = 'none', expiration } = value
  const isDate =
    expiration === undefined || /^(?:string|number)$/.test(typeof expiration) || expiration instanceof Date
  return (
    isHeaderText(accessKeyId) && textOf(secretAccessKey) !== undefined && isHeaderText(sessionToken) && isDate
  )
}

function isHeaderText(value: unknown): boolean {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}

/** The SDK's own chain: profiles, SSO, web identity, instance metadata. */
async function chain(): Promise<() => Promise<LightCredentials>> {
  try {
    const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
    return defaultProvider()
  } catch (cause) {
    const { code } = new Object(cause) as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause
    throw await setupError(
      'There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_CONTAINER_CREDENTIALS_FULL_URI, or install @aws-sdk/credential-provider-node for profiles, SSO and instance roles',
      cause,
    )
  }
}
