/** How many single writes go at once. */
const concurrency = 10

/**
 * Does something for each of a list, some at once, in a list of results. All are tried, whatever becomes of the others.
 *
 * @throws the first error, by the order of the list
 */
export async function mapConcurrently<T, TResult>(
  list: readonly T[],
  run: (one: T) => Promise<TResult>,
): Promise<TResult[]> {
  const results = new Array<TResult>(list.length)
  const errors: { readonly index: number; readonly error: unknown }[] = []
  const left = list.entries()
  async function work(): Promise<void> {
    for (const [index, one] of left) {
      try {
        results[index] = await run(one)
      } catch (error) {
        errors.push({ index, error })
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, list.length) }, work))
  const [first] = errors.sort((a, b) => a.index - b.index)
  if (first !== undefined) throw first.error
  return results
}
