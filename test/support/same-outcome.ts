import { expect } from 'vitest'

/** What came of a call: its value, or what a caller can see of its error. */
export type CallOutcome = { readonly value: unknown } | { readonly error: Readonly<Record<string, unknown>> }

export async function outcomeOf(run: () => unknown): Promise<CallOutcome> {
  try {
    return { value: await run() }
  } catch (error) {
    const { name, message, statusCode, expose, errors, current, ambiguous } = error as Error &
      Record<string, unknown>
    return { error: { name, message, statusCode, expose, errors, current, ambiguous } }
  }
}

/** Does the same on several backends, one call behind the other, and expects the same of each call. */
export async function expectSame<T>(
  backends: readonly T[],
  calls: readonly ((backend: T) => unknown)[],
): Promise<CallOutcome[]> {
  const seen: CallOutcome[] = []
  for (const [index, call] of calls.entries()) {
    const [real, ...doubles] = await Promise.all(backends.map((backend) => outcomeOf(() => call(backend))))
    for (const double of doubles) expect(double, `call ${index}: ${String(call)}`).toEqual(real)
    if (real !== undefined) seen.push(real)
  }
  return seen
}
