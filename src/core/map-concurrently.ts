/**
 * Calls `run` for each element, for `concurrency` elements at the same time, and gives the results in the order of the list. Calls it for
 * all elements, even if some calls fail.
 *
 * @throws the first error in the order of the list
 */
export async function mapConcurrently<T, TResult>(
  list: readonly T[],
  run: (element: T) => Promise<TResult>,
  concurrency = 10,
): Promise<TResult[]> {
  const results = new Array<TResult>(list.length)
  const errors: { readonly index: number; readonly error: unknown }[] = []
  const left = list.entries()
  async function work(): Promise<void> {
    for (const [index, element] of left) {
      try {
        results[index] = await run(element)
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
