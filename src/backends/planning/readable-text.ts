import { ConditionError, InvalidDataError } from '../../errors/index.ts'

/** Refuses to store text that no database holds. @throws InvalidDataError */
export function refuseHalves(column: string, value: unknown): void {
  if (typeof value === 'string' && !value.isWellFormed())
    throw new InvalidDataError(`${column} has half of a character, which no database holds`)
}

/**
 * Refuses text to compare with that a database does not read, wherever it is in a value: half of a character.
 *
 * @param hasNul - Whether the database has `U+0000`; PostgreSQL does not
 * @throws ConditionError (400)
 */
export function refuseText(column: string, value: unknown, hasNul = true): void {
  if (hasReadableText(value, hasNul)) return
  throw new ConditionError(`The value for "${column}" has characters that the database cannot hold`, {
    statusCode: 400,
  })
}

function hasReadableText(value: unknown, hasNul: boolean): boolean {
  if (typeof value === 'string') return value.isWellFormed() && (hasNul || !value.includes('\0'))
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
  const members: readonly unknown[] =
    value instanceof Set ? [...value] : Array.isArray(value) ? value : Object.entries(value).flat()
  return members.every((member) => hasReadableText(member, hasNul))
}
