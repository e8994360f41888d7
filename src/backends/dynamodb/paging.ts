import { DeadlineError, ThrottledError } from '../../errors/index.ts'
import { remainingTime } from '../../invocation/scope.ts'
import type { PageOptions } from '../planning/query-state.ts'
import type { SourcePortion, PortionOptions, Position, Source } from './sources.ts'
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

interface FoundItems {
  readonly item: AttributeItem
  readonly source: number
  /** Where the item is among those of its portion. */
  readonly portion: SourcePortion
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
  const { limit, looksAhead } = request
  const reading = new PageReading(sources, start, request)
  const wanted = limit + (looksAhead ? 1 : 0)
  let isCut = false
  let cause: Error | undefined
  while (!reading.isAtEnd && reading.found.length < wanted) {
    // Another request only to see whether there is more would read without any limit.
    if (reading.found.length >= limit && reading.requests > 0) break
    isCut = reading.isExhausted
    if (isCut) break
    request.signal?.throwIfAborted()
    cause = await reading.readOn(wanted)
    isCut = cause !== undefined
    if (isCut) break
  }
  const { found, states } = reading
  rewind(states, { start, found, limit })
  const items = found.slice(0, limit).map(({ item }) => item)
  return { items, states: reading.isAtEnd ? undefined : states, isCut, cause }
}

/** How far the sources of a page were read. */
class PageReading {
  readonly found: FoundItems[] = []
  readonly states: SourceState[]
  requests = 0
  #scanned = 0
  readonly #sources: readonly Source[]
  readonly #request: PageRequest

  constructor(sources: readonly Source[], start: readonly SourceState[], request: PageRequest) {
    this.#sources = sources
    this.#request = request
    this.states = [...start]
  }

  get isAtEnd(): boolean {
    return this.states.every((state) => state === 'end')
  }

  /** Whether a ceiling or the time forbids another request. */
  get isExhausted(): boolean {
    const { maxPages = Infinity, maxScanned = Infinity } = this.#request
    return (
      this.requests >= maxPages || this.#scanned >= maxScanned || (this.requests > 0 && remainingTime() <= 0)
    )
  }

  /** Reads a portion of each source that is next. Gives the error that cuts the page short, if one does. */
  async readOn(wanted: number): Promise<Error | undefined> {
    const { width, maxPages = Infinity, maxScanned = Infinity, signal } = this.#request
    const room = Math.min(width, maxPages - this.requests, maxScanned - this.#scanned)
    const open = [...this.states.keys()].filter((index) => this.states[index] !== 'end').slice(0, room)
    // What several read at once is shared out: what one of them reads too much is read again.
    const most = Math.floor((maxScanned - this.#scanned) / open.length)
    const share = Math.ceil((wanted - this.found.length) / open.length)
    try {
      const reads = open.map((index) => this.#portion(index, { wanted: share, most, signal }))
      for (const [place, portion] of (await Promise.all(reads)).entries())
        this.#add(open[place] ?? 0, portion)
      return undefined
    } catch (error) {
      if (error instanceof ThrottledError && this.found.length === 0)
        throw new Interrupted(error, this.states)
      // What was read is given, and the token tells where to go on.
      if (error instanceof ThrottledError || (error instanceof DeadlineError && this.requests > 0))
        return error
      throw error
    }
  }

  #portion(index: number, options: PortionOptions): Promise<SourcePortion> {
    const [state, source] = [this.states[index], this.#sources[index]]
    if (source === undefined || state === 'end') throw new TypeError('A source was read behind its end')
    return source.read(state ?? undefined, options)
  }

  #add(source: number, portion: SourcePortion): void {
    for (const [at, item] of portion.items.entries()) this.found.push({ item, source, portion, at })
    this.states[source] = portion.next ?? 'end'
    this.#scanned += portion.scanned
    this.requests++
  }
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
  { start, found, limit }: { start: readonly SourceState[]; found: readonly FoundItems[]; limit: number },
): void {
  const cut = new Set(found.slice(limit).map(({ source }) => source))
  for (const source of cut) {
    const last = found.slice(0, limit).findLast((other) => other.source === source)
    states[source] = last?.portion.behind(last.at) ?? start[source] ?? null
  }
}
