import { reasonOf } from '../../aws/client.ts'
import { SecretError } from '../../errors/index.ts'

/**
 * The error of a read, with the original as its cause: but where an answer could not be understood, the original quotes
 * it, with what is secret in it, and only its name remains.
 */
export function readError(
  store: string,
  path: string,
  error: unknown,
  deed: 'give' | 'list' = 'give',
): SecretError {
  const { name, $metadata } = (error ?? {}) as { name?: string; $metadata?: object }
  const cause =
    error instanceof SyntaxError
      ? Object.assign(new Error('The answer could not be understood'), { name, $metadata })
      : error
  return new SecretError(path, `${store} did not ${deed} "${path}": ${reasonOf(error)}`, { cause })
}
