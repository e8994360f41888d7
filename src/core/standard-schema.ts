import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type InputError, ValidationError } from '../errors/index.ts'

/** Whether a value is a Standard Schema: https://standardschema.dev */
export function isSchema(value: { readonly '~standard'?: { readonly validate?: unknown } } | null): boolean {
  return typeof value?.['~standard']?.validate === 'function'
}

/**
 * Validates a value, and gives what the schema makes of it.
 *
 * @throws ValidationError with the schema's findings
 */
export async function validated<T>(
  schema: StandardSchemaV1<unknown, T>,
  value: unknown,
  what: string,
): Promise<T> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  throw new ValidationError(`${what} is not valid`, { errors: result.issues.map(toInputError) })
}

/** A schema's finding as the library's errors have it: the message and the place, never the value. */
export function toInputError({ path = [], message }: StandardSchemaV1.Issue): InputError {
  return { path: path.map((part) => (typeof part === 'object' ? part.key : part)), message }
}
