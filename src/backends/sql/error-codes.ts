import { asRecord } from '../../core/record.ts'

/**
 * PostgreSQL's and MySQL's codes for work that is undone because of other work at the same time: two that wait for each other,
 * and, under snapshot isolation (Aurora DSQL always), two that write the same.
 */
export function isContention(error: unknown): boolean {
  const { code, errno } = asRecord(error) ?? {}
  return code === '40P01' || code === '40001' || errno === 1213
}

/** PostgreSQL's and MySQL's codes for a value that has to be the only one of its kind. */
export function isDuplicate(error: unknown): boolean {
  const { code, errno } = asRecord(error) ?? {}
  return code === '23505' || errno === 1062
}
