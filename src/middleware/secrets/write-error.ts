import { reasonOf } from '../../aws/client.ts'
import { asRecord } from '../../core/record.ts'
import { SecretError } from '../../errors/index.ts'

/** Whether an AWS error is of a kind. */
export function isCode(error: unknown, code: string): boolean {
  return asRecord(error)?.['name'] === code
}

/** What IAM says first; it names who may not do what. */
const refusal = /^User: \S+ is not authorized to perform: [\w:*-]+/

/**
 * The error of a write. Services repeat the value that they refuse in their messages, so of the original only the code and
 * the request's id remain.
 */
export function writeError(store: string, path: string, error: unknown): SecretError {
  if (error instanceof SecretError) return error
  const { name, message, $metadata } = (error ?? {}) as {
    name?: string
    message?: string
    $metadata?: object
  }
  const cause = Object.assign(new Error('The store refused the call'), { name: name ?? 'Error', $metadata })
  const reason =
    name === 'AccessDeniedException'
      ? [name, ...(refusal.exec(message ?? '') ?? [])].join(': ')
      : reasonOf(error)
  return new SecretError(path, `${store} did not write "${path}": ${reason}`, { cause })
}

/** Tags as both services take them. */
export function tagsOf(tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}

/** Whether a secret is deleted and can be restored. The code alone does not tell: other invalid requests have it, too. */
export function isPendingDeletion(error: unknown): boolean {
  if (!isCode(error, 'InvalidRequestException')) return false
  const message = asRecord(error)?.['message']
  return typeof message === 'string' && /delet/i.test(message)
}
