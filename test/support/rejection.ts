import { expect } from 'vitest'

/** The error that a promise is rejected with, which is one of this class. */
export async function rejection<TError extends Error>(
  promise: Promise<unknown>,
  kind: new (...args: never[]) => TError,
): Promise<TError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error, `a ${kind.name}`).toBeInstanceOf(kind)
  return error as TError
}
