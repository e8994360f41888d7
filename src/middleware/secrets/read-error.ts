import { reasonOf } from '../../aws/client.ts'
import { asRecord } from '../../core/record.ts'
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

/** Errors that one name among several brings about, by what it may do, or is, or is encrypted with. */
const codesOfOneName: ReadonlySet<unknown> = new Set([
  'AccessDeniedException',
  'DecryptionFailure',
  'InvalidKeyId',
  'InvalidParameterException',
  'InvalidRequestException',
  'ResourceNotFoundException',
  'ValidationException',
])

/** Whether a failure may concern one name alone, and not the whole store. */
export function isOfOneName(error: unknown): boolean {
  const { name, cause } = (error ?? {}) as Partial<Error>
  return codesOfOneName.has(error instanceof SecretError ? asRecord(cause)?.['name'] : name)
}
