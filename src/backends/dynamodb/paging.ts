import { DeadlineError, ThrottledError } from '../../errors/index.ts'
import { remainingTime } from '../../invocation/scope.ts'
import type { PageOptions } from '../planning/query-state.ts'
import type { Portion, Position, Source } from './sources.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'

/** Where a source stands: at its beginning, behind an item, or at its end. */
export type SourceState = null | Position | 'end'

/** What a page came to. */
export interface ReadPage {
  readonly items: AttributeItem[]
  /** Where each source stands behind the page; `undefined` if all are at their end. */
  readonly states: readonly SourceState[] | undefined
  /** Whether the page ended for lack of time, or because it may read no more. */
  readonly isCut: boolean
  /** What it was cut short by, if by an error. */
  readonly cause?: Error | undefined
}

/** What is asked for. */
export interface PageRequest extends PageOptions {
  readonly limit: number
  /** Whether it has to be known if there is another page. */
  readonly looksAhead: boolean
  /** How many sources are read at once: one after the other, or all segments of a scan. */
  readonly width: number
}

interface Found {
  readonly item: AttributeItem
  readonly source: number
  /** Where the item is among those of its portion. */
  readonly portion: Portion
  readonly at: number
}

/**
 * Reads a page from sources, one after the other or several at once, until it is full, they are at their end, or a
 * ceiling is reached.
 */
export async function readPage(
  sources: readonly Source[],
  start: readonly SourceState[],
  request: PageRequest,
): Promise<ReadPage> {
  const { limit, looksAhead, width, maxPages = Infinity, maxScanned = Infinity, signal } = request
  const states: SourceState[] = [...start]
  const found: Found[] = []
  const wanted = limit + (looksAhead ? 1 : 0)
  let [requests, scanned] = [0, 0]
  let isCut = false
  let cause: Error | undefined

  const isOpen = (): boolean => states.some((state) => state !== 'end')
  while (isOpen() && found.length < wanted) {
    // Another request only to see whether there is more would read without any limit.
    if (found.length >= limit && requests > 0) break
    if (requests >= maxPages || scanned >= maxScanned || (requests > 0 && remainingTime() <= 0)) {
      isCut = true
      break
    }
    signal?.throwIfAborted()
    const room = Math.min(width, maxPages - requests, maxScanned - scanned)
    const open = [...states.keys()].filter((index) => states[index] !== 'end').slice(0, room)
    // What several read at once is shared out: what one of them reads too much is read again.
    const most = Math.floor((maxScanned - scanned) / open.length)
    const share = Math.ceil((wanted - found.length) / open.length)
    let portions: Portion[]
    try {
      portions = await Promise.all(
        open.map((index) => {
          const state = states[index] ?? null
          const from = state === null ? undefined : (state as Position)
          return (sources[index] as Source).read(from, { wanted: share, most, signal })
        }),
      )
    } catch (error) {
      if (error instanceof ThrottledError && found.length === 0) throw new Interrupted(error, states)
      if (!(error instanceof ThrottledError) && !(error instanceof DeadlineError && requests > 0)) throw error
      // What was read is given, and the token tells where to go on.
      isCut = true
      cause = error
      break
    }
    for (const [place, portion] of portions.entries()) {
      const index = open[place] as number
      for (const [at, item] of portion.items.entries()) found.push({ item, source: index, portion, at })
      states[index] = portion.next ?? 'end'
      scanned += portion.scanned
      requests++
    }
  }
  const items = found.slice(0, limit)
  rewind(states, { start, found, limit })
  return { items: items.map(({ item }) => item), states: isOpen() ? states : undefined, isCut, cause }
}

/** The database took no more requests before a page had its first item. */
export class Interrupted extends Error {
  override readonly cause: ThrottledError
  readonly states: readonly SourceState[]

  constructor(cause: ThrottledError, states: readonly SourceState[]) {
    super(cause.message)
    this.cause = cause
    this.states = states
  }
}

/** Cut to its limit, a page ends behind its own last items, and not where reading ended. */
function rewind(
  states: SourceState[],
  { start, found, limit }: { start: readonly SourceState[]; found: readonly Found[]; limit: number },
): void {
  const cut = new Set(found.slice(limit).map(({ source }) => source))
  for (const source of cut) {
    const last = found.slice(0, limit).findLast((other) => other.source === source)
    states[source] = last?.portion.behind(last.at) ?? start[source] ?? null
  }
}
