/** PostgreSQL's and MySQL's codes for credentials that are not accepted. */
const codes: ReadonlySet<unknown> = new Set([
  '28000',
  '28P01',
  'ER_ACCESS_DENIED_ERROR',
  1045,
  'EAUTH',
  'WRONGPASS',
])

/**
 * Whether an error says that credentials were not accepted: the codes of PostgreSQL (28P01, 28000), of MySQL (1045) and of
 * other drivers, or an HTTP status of 401 or 403, in the error or in a cause of it.
 */
export function isAuthenticationError(error: unknown): boolean {
  for (
    let depth = 0, found: unknown = error;
    depth < 5 && isCredentialsObject(found);
    depth++, found = found['cause']
  ) {
    const { code, errno, status, statusCode, response } = found
    if (codes.has(code) || codes.has(errno)) return true
    const answer = isCredentialsObject(response) ? [response['status'], response['statusCode']] : []
    const answered = [status, statusCode, ...answer]
    if (answered.some((value) => value === 401 || value === 403)) return true
  }
  return false
}

function isCredentialsObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Uses the values that the attempts give, one after the other, until one is accepted. */
export async function firstAccepted<T>(
  attempts: readonly (() => Promise<string>)[],
  use: (value: string) => T | Promise<T>,
  isRefusal: (error: unknown) => boolean,
): Promise<T> {
  const tried = new Set<string>()
  let failure: unknown
  for (const attempt of attempts) {
    let value: string
    try {
      value = await attempt()
    } catch (error) {
      throw failure ?? error // There is no other value: what the use of this one came to is what counts.
    }
    const known = typeof value === 'string' ? value : JSON.stringify(value)
    if (tried.has(known)) continue // Refused once already: too many of these lock an account.
    tried.add(known)
    try {
      return await use(value)
    } catch (error) {
      failure = error
      if (!isRefusal(error)) throw error
    }
  }
  throw failure
}
