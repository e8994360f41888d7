import type { SecretVersion } from './store.ts'
import type { SecretForm } from './value.ts'

/** Options of `secrets.get()`. */
export interface GetSecretOptions extends SecretVersion, SecretForm {
  /** Gives `undefined` for a secret that does not exist, instead of an error. A field that is missing is an error. */
  readonly optional?: boolean
  /** Asks the store even if a fresh value is held. */
  readonly refresh?: boolean
  /** Stops waiting. What others wait for goes on. */
  readonly signal?: AbortSignal
}

/** Options of `secrets.withFresh()`. */
export interface WithFreshOptions extends SecretForm {
  /** Whether an error says that the credentials were not accepted. @default the codes of PostgreSQL, MySQL and other drivers, and HTTP's 401 and 403 */
  readonly isAuthError?: (error: unknown) => boolean
}

/** Options of `secrets.list()`. */
export interface ListSecretsOptions {
  /** How many names at most. */
  readonly limit?: number
  readonly signal?: AbortSignal
}
