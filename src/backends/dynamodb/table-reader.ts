import { DeadlineError, ThrottledError } from '../../errors/index.ts'
import type {
  CountOptions,
  Explanation,
  Page,
  PageOptions,
  QueryRunner,
  QueryState,
} from '../planning/query-state.ts'
import { readToken, writeToken } from '../planning/token.ts'
import { type RangeRequest, compile, filters, isKeyOf, rangeInput } from './compile.ts'
import { type KeyRequestOptions, compileKeys } from './compile-keys.ts'
import { storedConditions } from '../planning/operands.ts'
import { Interrupted, type SourceState, readPage } from './paging.ts'
import { conditionColumns } from '../planning/condition-columns.ts'
import { plan } from '../planning/plan.ts'
import { outermost, partsAt, placeOf, wholeColumns } from '../planning/places.ts'
import type { KeyRead, Part, Plan, RangeRead } from '../planning/reads.ts'
import { fromPositions, toPositions } from './positions.ts'
import { type PartWith, type Source, keySource, rangeSource } from './sources.ts'
import type { Table } from '../planning/table.ts'
import { type TableAccess, nowInSeconds } from './table-access.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import { picked } from '../../core/record.ts'
import { located } from '../planning/located.ts'
import { keyOf } from '../planning/keys.ts'

/** What is asked of which table. */
interface Question {
  readonly table: Table
  readonly state: QueryState
}

interface CountQuestion extends Question {
  /** The most that is counted. */
  readonly limit: number
  readonly signal: AbortSignal | undefined
}

/** Runs the queries of one model's table. */
export class TableReader implements QueryRunner {
  readonly #access: TableAccess

  constructor(access: TableAccess) {
    this.#access = access
  }

  placeOf(column: string): readonly string[] {
    return placeOf(this.#access.model, column)
  }

  async page(asked: QueryState, options: PageOptions, isLast = false): Promise<Page<unknown>> {
    const table = await this.#access.describe()
    const state = this.#normalized(asked)
    const ways = waysOf(this.#plan(table, state), state)
    if (ways.length === 0) return { items: [] }
    const { limit = Infinity, select } = state
    const start = this.#starts({ table, state }, ways)
    const width = ways.some(({ segment }) => segment !== undefined) ? ways.length : 1
    try {
      const request = { ...options, limit, looksAhead: !isLast && limit !== Infinity, width }
      const { items, states, isCut } = await readPage(this.#sources({ table, state }, ways), start, request)
      const wanted = select === undefined ? items : items.map((item) => picked(item, select))
      return {
        items: partsAt(await this.#access.items(wanted, select === undefined), state.places),
        ...(states !== undefined && { next: this.#token(states, state, ways) }),
        ...(isCut && { complete: false as const }),
      }
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error
      const { message, cause } = error.cause
      const next = this.#token(error.states, state, ways)
      throw located(new ThrottledError(message, { cause, next }), error.cause)
    }
  }

  async count(asked: QueryState, { signal }: CountOptions): Promise<number> {
    const table = await this.#access.describe()
    const state = this.#normalized(asked)
    const { limit = Infinity } = state
    const parts = waysOf(this.#plan(table, state), {})
    let total = 0
    for (const { read, except } of parts) {
      if (total >= limit) break
      total +=
        read.operation === 'Query' || read.operation === 'Scan'
          ? await this.#countRange({ table, state, limit: limit - total, signal }, { read, except })
          : await this.#countItems({ table, state, limit: limit - total, signal }, { read, except })
    }
    return Math.min(total, limit)
  }

  explain(asked: QueryState): Explanation | Promise<Explanation> {
    const table = this.#access.describe()
    if (table instanceof Promise) return table.then((described) => this.#explained(described, asked))
    return this.#explained(table, asked)
  }

  #explained(table: Table, asked: QueryState): Explanation {
    const state = this.#normalized(asked)
    const chosen = this.#plan(table, state)
    const ways = waysOf(chosen, state)
    const starts = this.#starts({ table, state }, ways)
    const requests = ways.flatMap((way, index) => this.#requests({ table, state }, way, starts[index]))
    // The reason is made when it is read; here it is said.
    return { plan: { ...chosen, why: chosen.why }, requests }
  }

  /** What `page()` sends first for a part. */
  #requests(question: Question, { read, except, segment }: CountedPart, start: SourceState = null): object[] {
    if (start === 'end') return []
    if ('keys' in read) {
      const keys = this.#keys(question.table, read).slice(typeof start === 'number' ? start : 0)
      return compileKeys(keys, this.#keyRequest(question))
    }
    const request = this.#request(question, { read, except })
    const { limit = Infinity } = question.state
    const input = rangeInput(request, {
      wanted: Math.ceil((limit + 1) / (segment?.[1] ?? 1)),
      most: Infinity,
      start: typeof start === 'number' ? undefined : (start ?? undefined),
      segment,
      isFiltered: filters({ read, except }, request, this.#access.options.ttl),
      portion: 0,
    })
    return [input]
  }

  #normalized(state: QueryState): QueryState {
    const { consistent = this.#access.options.consistent ?? false } = state
    const conditions = storedConditions(state.conditions, this.#access.form)
    return { ...state, conditions, consistent }
  }

  #plan(table: Table, state: QueryState): Plan {
    const { scan = 'error', hydrate = false, ttl } = this.#access.options
    return plan(table, state, { scan, hydrate, ttl, title: this.#access.model.name })
  }

  #request(
    { table: { key }, state: { select, places, consistent } }: Question,
    { read, except }: PartWith<RangeRead>,
    isCount = false,
  ): RangeRequest {
    // The keys are read in any case, for a page may end at any item; and so is what is checked here.
    const needed = [...key, ...read.order, ...conditionColumns([...read.check, ...except.flat()])]
    const selected = places ?? (select && wholeColumns(select))
    const columns = read.hydrate
      ? wholeColumns([...key, ...read.order])
      : selected && outermost([...selected, ...wholeColumns(needed)])
    const { ttl, onCapacity } = this.#access.options
    return compile(read, {
      table: this.#access.model.name,
      select: columns,
      consistent,
      ttl: ttl === undefined ? undefined : { column: ttl, now: nowInSeconds() },
      isCount,
      capacity: onCapacity !== undefined,
    })
  }

  #sources(question: Question, ways: readonly CountedPart[]): Source[] {
    const shared = {
      ...this.#keyRequest(question),
      connection: this.#access.connection,
      ttl: this.#access.options.ttl,
      isExpired: (item: AttributeItem) => this.#access.isExpired(item),
    }
    return ways.map(({ read, except, segment }) => {
      if ('keys' in read) return keySource({ read, except }, this.#keys(question.table, read), shared)
      const request = this.#request(question, { read, except })
      return rangeSource({ read, except }, request, segment === undefined ? shared : { ...shared, segment })
    })
  }

  #keyRequest({ table, state: { consistent } }: Question): KeyRequestOptions {
    return {
      table: this.#access.model.name,
      keyColumns: table.key,
      consistent,
      capacity: this.#access.options.onCapacity !== undefined,
    }
  }

  #keys(table: Table, { keys }: KeyRead): AttributeItem[] {
    return keys.map((key) => keyOf({ table, ...this.#access.form }, key))
  }

  async #countRange(question: CountQuestion, part: PartWith<RangeRead>): Promise<number> {
    const { limit, signal } = question
    const { read, except } = part
    const isCheckedHere = read.check.length + except.length > 0 || isKeyOf(read, this.#access.options.ttl)
    if (isCheckedHere || read.hydrate) return this.#countItems(question, part)
    const request = this.#request(question, part, true)
    let total = 0
    let start: AttributeItem | undefined
    do {
      const input = { ...request, ...(start !== undefined && { ExclusiveStartKey: start }) }
      const { Count = 0, LastEvaluatedKey } = await this.#access.connection.call(read.operation, input, {
        signal,
      })
      total += Count
      start = LastEvaluatedKey
    } while (start !== undefined && total < limit)
    return total
  }

  async #countItems({ table, state, limit, signal }: CountQuestion, part: Part): Promise<number> {
    const sources = this.#sources({ table, state: { ...state, select: [...table.key] } }, [part])
    const request = { limit, looksAhead: false, width: 1, ...(signal && { signal }) }
    const { items, isCut, cause } = await readPage(sources, [null], request)
    if (isCut) throw cause ?? new DeadlineError('The time was up before all items were counted')
    return items.length
  }

  /** What a token belongs to: the question and the way it is read, but not how much of the answer is wanted at once. */
  #binding({ conditions, sort, segments }: QueryState, ways: readonly CountedPart[]): unknown {
    const reads = ways
      .filter(({ segment = [0] }) => segment[0] === 0)
      .map(({ read }) => ('keys' in read ? read.operation : [read.operation, read.index]))
    return [this.#access.model.name, conditions, sort, segments, reads]
  }

  #token(states: readonly SourceState[], state: QueryState, ways: readonly CountedPart[]): string {
    return writeToken(toPositions(states), this.#binding(state, ways), this.#access.options)
  }

  /** Where each read begins. */
  #starts({ table, state }: Question, ways: readonly CountedPart[]): SourceState[] {
    if (state.after === undefined) return ways.map(() => null)
    const token = readToken(state.after, this.#binding(state, ways), this.#access.options)
    return fromPositions(
      token,
      ways.map(({ read }) => read),
      table,
    )
  }
}

/** One read of a plan, or one segment of it. */
interface CountedPart extends Part {
  readonly segment?: readonly [number, number]
}

function waysOf(chosen: Plan, { segments = 1 }: Pick<QueryState, 'segments'>): readonly CountedPart[] {
  if (chosen.operation === 'None') return []
  if (chosen.operation === 'Union') return chosen.parts
  const only: Part = { read: chosen, except: [] }
  if (chosen.operation !== 'Scan' || segments === 1) return [only]
  return Array.from({ length: segments }, (_, index) => ({ ...only, segment: [index, segments] }))
}
