/** Tells numbers of both kinds. */
export function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint'
}
