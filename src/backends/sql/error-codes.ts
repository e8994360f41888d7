import { asRecord } from '../../core/record.ts'
import { ClearskiesError, StatementTimeoutError, UnavailableError } from '../../errors/index.ts'

/**
 * PostgreSQL's and MySQL's codes for work that is undone because of other work at the same time: two that wait for each other,
 * and, under snapshot isolation (Aurora DSQL always, MariaDB's innodb_snapshot_isolation), two that write the same.
 */
export function isContention(error: unknown): boolean {
  const { code, errno } = asRecord(error) ?? {}
  return code === '40P01' || code === '40001' || errno === 1213 || errno === 1020
}

/** PostgreSQL's and MySQL's codes for a value that has to be the only one of its kind. */
export function isDuplicate(error: unknown): boolean {
  const { code, errno } = asRecord(error) ?? {}
  return code === '23505' || errno === 1062
}

/** Of PostgreSQL: a text that is no uuid or number, a number out of range, NUL and other characters, dates; of MySQL the same. */
const unreadable: ReadonlySet<unknown> = new Set(['22P02', '22P05', '22003', '22007', '22008', '22021'])
const unreadableNumbers: ReadonlySet<unknown> = new Set([1264, 1292, 1366, 1367])

/** Whether a statement has a value that the column's type cannot hold. */
export function isUnreadable(error: unknown): boolean {
  const { code, errno } = asRecord(error) ?? {}
  return unreadable.has(code) || unreadableNumbers.has(errno)
}

/** Of Node's sockets, and of mysql2. */
const lostConnections: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
])

/** Whether a connection ended before a statement was answered, so that nobody knows whether it was done. */
export function isUnanswered(error: unknown): boolean {
  const { code, severity, message } = asRecord(error) ?? {}
  return lostConnections.has(code) || isFatal(severity) || message === 'Connection terminated unexpectedly'
}

/** Whether the database itself says that a commit was not done. Whatever else fails then says nothing of it. */
export function isRefusal(error: unknown): boolean {
  const { severity, sqlState, name } = asRecord(error) ?? {}
  // The class 08 is of connections.
  const isServers = typeof sqlState === 'string' && !sqlState.startsWith('08')
  return isServers || (severity !== undefined && !isFatal(severity)) || name === 'AbortedTransactionError'
}

/** PostgreSQL ends the connection after such an error. */
function isFatal(severity: unknown): boolean {
  return severity === 'FATAL' || severity === 'PANIC'
}

/** Codes of Node for a connection that was never there. */
const unconnected: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH'])

/** Whether nobody knows whether a statement was done. What is not known of an error counts as such. */
export function isUncertain(error: unknown): boolean {
  if (error instanceof StatementTimeoutError) return true
  if (error instanceof ClearskiesError) return isAmbiguous(error)
  return !isRefusal(error) && !unconnected.has(asRecord(error)?.['code'])
}

/** Whether an error of the library says so itself. */
export function isAmbiguous(error: unknown): boolean {
  return error instanceof UnavailableError && error.ambiguous
}
