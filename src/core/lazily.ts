/** Makes a value once, when it is first needed. All callers share it. After a failure, the next call tries again. */
export function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let making: Promise<T> | undefined
  return () =>
    (making ??= make().catch((error: unknown) => {
      making = undefined // The next call tries again.
      throw error
    }))
}
