/** Makes a value when it is first needed, and once: all callers share it. A failure is not kept. */
export function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let making: Promise<T> | undefined
  return () =>
    (making ??= make().catch((error: unknown) => {
      making = undefined // What failed once may work the next time.
      throw error
    }))
}
