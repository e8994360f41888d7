/** No chain of errors is longer that is meant to be read. */
const mostCauses = 20

/**
 * The first of an error and its causes that a check takes. Anything at all can be thrown: what cannot be looked at has
 * no cause.
 */
export function findCause<T>(error: unknown, is: (cause: unknown) => cause is T): T | undefined {
  let cause = error
  try {
    for (let depth = 0; depth < mostCauses; depth++) {
      if (is(cause)) return cause
      if (typeof cause !== 'object' || cause === null) return undefined
      cause = (cause as { readonly cause?: unknown }).cause
    }
  } catch {
    // A revoked proxy, or a getter that throws.
  }
  return undefined
}
