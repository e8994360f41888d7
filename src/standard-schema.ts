import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type InputError, ValidationError } from './errors.ts'

/**
 * What a Standard Schema makes of a value.
 *
 * @throws ValidationError with the schema's findings
 * @see https://standardschema.dev
 */
export async function validated<T>(
  schema: StandardSchemaV1<unknown, T>,
  value: unknown,
  what: string,
): Promise<T> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  throw new ValidationError(`${what} is not valid`, { errors: result.issues.map(inputError) })
}

function inputError({ path = [], message }: StandardSchemaV1.Issue): InputError {
  return { path: path.map((part) => (typeof part === 'object' ? part.key : part)), message }
}
