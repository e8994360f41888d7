import { ClearskiesError, type ErrorDetails } from './clearskies-error.ts'

/** A secret cannot be read or written. The error has the secret's name and never its value. */
export class SecretError extends ClearskiesError {
  override name = 'SecretError'
  /** The name, as it was asked for. */
  readonly path: string

  constructor(path: string, message: string, details?: ErrorDetails) {
    // Names can be anything that somebody asks for, and a message is one line of a log.
    super(message.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' '), details)
    this.path = path
  }
}

/** The store has no secret of that name. */
export class SecretNotFoundError extends SecretError {
  override name = 'SecretNotFoundError'

  constructor(path: string, store: string, details?: ErrorDetails) {
    super(path, `${store} has no "${path}"`, details)
  }
}

/** The store has a secret of that name already. */
export class SecretAlreadyExistsError extends SecretError {
  override name = 'SecretAlreadyExistsError'

  constructor(path: string, store: string, details?: ErrorDetails) {
    super(path, `${store} has a "${path}" already`, details)
  }
}

/** The secret is deleted but can be restored for some days. Until then its name is neither readable nor free. */
export class SecretPendingDeletionError extends SecretError {
  override name = 'SecretPendingDeletionError'

  constructor(path: string, store: string, details?: ErrorDetails) {
    super(
      path,
      `${store} has deleted "${path}", but may still restore it: restore it, or delete it with force`,
      details,
    )
  }
}

/** Options of {@link SecretTimeoutError}. */
export interface SecretTimeoutDetails extends ErrorDetails {
  /** How long the store had time. */
  seconds: number
  /** What the store did not do. @default 'give' */
  deed?: 'give' | 'write' | 'list'
}

/** The store did not answer within the option `timeout`. */
export class SecretTimeoutError extends SecretError {
  override name = 'SecretTimeoutError'
  readonly seconds: number

  constructor(path: string, store: string, { seconds, deed = 'give', ...details }: SecretTimeoutDetails) {
    super(
      path,
      `${store} did not ${deed} "${path}" within ${Number(seconds.toPrecision(2))} seconds`,
      details,
    )
    this.seconds = seconds
  }
}
