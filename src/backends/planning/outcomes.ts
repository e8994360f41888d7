import { mapConcurrently } from '../../core/map-concurrently.ts'
import { PartialBatchError } from '../../errors/index.ts'

/** What became of the items of a call for several, by their positions in its list: each is in one of the three. */
export interface BatchOutcome {
  /** What is done. */
  readonly done: readonly number[]
  /** What is certainly not. */
  readonly failed: readonly number[]
  /** What may be done or not: nobody has said. */
  readonly unknown: readonly number[]
}

const outcomeKey: unique symbol = Symbol.for('clearskies-middy.outcome')

/**
 * What became of each item, from the error of `createMany()`, `findMany()` or `batch()` of a backend of tables. The error
 * itself is the first one in the order of the list. `undefined` for any other error.
 *
 * @example
 * ```ts
 * import { outcomeOf } from 'clearskies-middy/backends/outcome'
 *
 * export function leftOf<T>(list: readonly T[], error: unknown) {
 *   const outcome = outcomeOf(error)
 *   if (outcome === undefined) throw error
 *   const itemsAt = (positions: readonly number[]) => positions.map((position) => list[position])
 *   return { notStored: itemsAt(outcome.failed), perhapsStored: itemsAt(outcome.unknown) }
 * }
 * ```
 */
export function outcomeOf(error: unknown): BatchOutcome | undefined {
  const { [outcomeKey]: outcome }: { readonly [outcomeKey]?: BatchOutcome } = new Object(error)
  return outcome
}

/** What became of one item. */
export type Fate = keyof BatchOutcome

/**
 * The error of a call for several, with what became of each item in the order of the list. No log shows that. An error that
 * several calls share, or that takes nothing more, becomes the cause of one of its own.
 */
export function told(error: unknown, fates: readonly Fate[]): unknown {
  const positionsOf = (...wanted: Fate[]): number[] =>
    fates.flatMap((fate, index) => (wanted.includes(fate) ? [index] : []))
  const [done, failed, unknown] = [positionsOf('done'), positionsOf('failed'), positionsOf('unknown')]
  const value: BatchOutcome = { done, failed, unknown }
  const isOwn = typeof error === 'object' && error !== null && !Object.hasOwn(error, outcomeKey)
  if (isOwn && Reflect.defineProperty(error, outcomeKey, { value })) return error
  return told(new PartialBatchError(done, positionsOf('failed', 'unknown'), { cause: error }), fates)
}

/** How the items of a list are stored, each for itself. */
interface EachWrite<T, TReady, TStored> {
  /** Checks an item. Nothing is stored before. */
  readonly ready: (data: T) => Promise<TReady>
  readonly store: (ready: TReady) => Promise<TStored>
  /** Whether an item may be stored although storing it has failed. */
  readonly mayBeDone?: (error: unknown) => boolean
}

/** Stores all items of a list, each for itself. @throws the first error in the order of the list, with what became of each */
export async function storeEach<T, TReady, TStored>(
  list: readonly T[],
  { ready, store, mayBeDone = () => false }: EachWrite<T, TReady, TStored>,
): Promise<TStored[]> {
  const fates = list.map((): Fate => 'failed')
  try {
    return await mapConcurrently([...list.entries()], async ([index, data]) => {
      const checked = await ready(data)
      try {
        const stored = await store(checked)
        fates[index] = 'done'
        return stored
      } catch (error) {
        if (mayBeDone(error)) fates[index] = 'unknown'
        throw error
      }
    })
  } catch (error) {
    throw told(error, fates)
  }
}

/**
 * Does what stores the items of a list all or none, or comes before.
 *
 * @param mayBeDone - Whether they may be stored although that has failed
 * @throws the error, with what became of each
 */
export async function allOrNone<TResult>(
  list: readonly unknown[],
  run: () => Promise<TResult>,
  mayBeDone: (error: unknown) => boolean = () => false,
): Promise<TResult> {
  try {
    return await run()
  } catch (error) {
    const fate: Fate = mayBeDone(error) ? 'unknown' : 'failed'
    throw told(
      error,
      list.map(() => fate),
    )
  }
}
