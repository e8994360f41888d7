import { asRecord } from '../../core/record.ts'

/** PostgreSQL's and MySQL's codes for two transactions that wait for each other. */
export function isDeadlock(error: unknown): boolean {
  const { code, errno } = asRecord(error) ?? {}
  return code === '40P01' || errno === 1213
}

/** PostgreSQL's and MySQL's codes for a value that has to be the only one of its kind. */
export function isDuplicate(error: unknown): boolean {
  const { code, errno } = asRecord(error) ?? {}
  return code === '23505' || errno === 1062
}
