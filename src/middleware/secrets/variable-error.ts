import {
  SecretError,
  SecretNotFoundError,
  SecretPendingDeletionError,
  SecretTimeoutError,
} from '../../errors/index.ts'

/** The same kind of error, which also says which variable names the secret. */
export function ofVariable(variable: string, title: string, cause: SecretError): SecretError {
  const needed = `The variable "${variable}" needs a secret:`
  const store = `${needed} ${title}`
  const { path } = cause
  if (cause instanceof SecretNotFoundError) return new SecretNotFoundError(path, store, { cause })
  if (cause instanceof SecretPendingDeletionError)
    return new SecretPendingDeletionError(path, store, { cause })
  if (cause instanceof SecretTimeoutError)
    return new SecretTimeoutError(path, store, { seconds: cause.seconds, cause })
  return new SecretError(path, `${needed} ${cause.message}`, { cause })
}
