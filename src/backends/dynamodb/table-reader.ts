import type { AttributeValue, QueryCommandInput } from '@aws-sdk/client-dynamodb'
import { ColumnError, DeadlineError, InvalidTokenError, ThrottledError } from '../../errors/index.ts'
import type {
  CountOptions,
  Explanation,
  Page,
  PageOptions,
  QueryRunner,
  QueryState,
} from '../planning/query-state.ts'
import { fromText, toText } from '../planning/token-values.ts'
import { readToken, writeToken } from '../planning/token.ts'
import { compile } from './compile.ts'
import { normalizedConditions } from './dates.ts'
import { Interrupted, type SourceState, readPage } from './paging.ts'
import { columnsOf } from '../planning/condition-columns.ts'
import { plan } from '../planning/plan.ts'
import type { Part, Plan, RangeRead } from '../planning/reads.ts'
import { type PartOf, type Source, keySource, rangeSource } from './sources.ts'
import type { Table } from '../planning/table.ts'
import { type TableAccess, nowInSeconds } from './table-access.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import { picked } from '../../core/record.ts'
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

  checkColumn(column: string): void {
    if (!this.#access.model.has(column)) throw new ColumnError(column)
  }

  async page(asked: QueryState, options: PageOptions, isLast = false): Promise<Page<unknown>> {
    const table = await this.#access.describe()
    const state = this.#normalized(asked)
    const parts = this.#parts(this.#plan(table, state))
    if (parts.length === 0) return { items: [] }
    const { limit = Infinity, after, select } = state
    const binding = this.#binding(state, parts)
    const segments = parts.length === 1 && state.segments !== undefined ? state.segments : 1
    const sources = this.#sources({ table, state }, parts, segments)
    const start =
      after === undefined ? sources.map(() => null) : this.#statesOf(after, binding, sources.length)
    try {
      const request = { ...options, limit, looksAhead: !isLast && limit !== Infinity, width: segments }
      const { items, states, isCut } = await readPage(sources, start, request)
      const wanted = select === undefined ? items : items.map((item) => picked(item, select))
      return {
        items: await this.#access.items(wanted, select === undefined),
        ...(states !== undefined && { next: this.#token(states, binding) }),
        ...(isCut && { complete: false as const }),
      }
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error
      const { message, cause } = error.cause
      throw new ThrottledError(message, { cause, next: this.#token(error.states, binding) })
    }
  }

  async count(asked: QueryState, { signal }: CountOptions): Promise<number> {
    const table = await this.#access.describe()
    const state = this.#normalized(asked)
    const { limit = Infinity } = state
    const parts = this.#parts(this.#plan(table, state))
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
    const requests = this.#parts(chosen).map(({ read, except }) =>
      'keys' in read
        ? {
            TableName: this.#access.model.name,
            Keys: read.keys.map((key) => keyOf({ table, dates: 'iso' }, key)),
          }
        : this.#request({ table, state }, { read, except }),
    )
    // The reason is made when it is read; here it is said.
    return { plan: { ...chosen, why: chosen.why }, requests }
  }

  #normalized(state: QueryState): QueryState {
    const { consistent = this.#access.options.consistent ?? false } = state
    const conditions = normalizedConditions(state.conditions, this.#access.reading.dates)
    return { ...state, conditions, consistent }
  }

  #plan(table: Table, state: QueryState): Plan {
    const { scan = 'error', hydrate = false, ttl } = this.#access.options
    return plan(table, state, { scan, hydrate, ttl, title: this.#access.model.name })
  }

  #parts(chosen: Plan): readonly Part[] {
    if (chosen.operation === 'None') return []
    return chosen.operation === 'Union' ? chosen.parts : [{ read: chosen, except: [] }]
  }

  #request(
    { table: { key }, state: { select, consistent } }: Question,
    { read, except }: PartOf<RangeRead>,
    isCount = false,
  ): QueryCommandInput {
    // The keys are read in any case, for a page may end at any item; and so is what is checked here.
    const needed = [...key, ...read.order, ...columnsOf([...read.check, ...except.flat()])]
    const columns = read.hydrate ? [...key, ...read.order] : select && [...select, ...needed]
    const { ttl, onCapacity } = this.#access.options
    return compile(read, {
      table: this.#access.model.name,
      select: columns && [...new Set(columns)],
      consistent,
      ttl: ttl === undefined ? undefined : { column: ttl, now: nowInSeconds() },
      isCount,
      capacity: onCapacity !== undefined,
    })
  }

  #sources(question: Question, parts: readonly Part[], segments = 1): Source[] {
    const { table, state } = question
    const { consistent = false } = state
    const shared = {
      connection: this.#access.connection,
      table: this.#access.model.name,
      keyColumns: table.key,
      consistent,
      capacity: this.#access.options.onCapacity !== undefined,
      isExpired: (item: AttributeItem) => this.#access.isExpired(item),
    }
    return parts.flatMap(({ read, except }) => {
      if ('keys' in read) {
        const keys = read.keys.map((key) => keyOf({ table, dates: this.#access.reading.dates ?? 'iso' }, key))
        return [keySource({ read, except }, keys, shared)]
      }
      const request = this.#request(question, { read, except })
      if (segments === 1 || read.operation !== 'Scan') return [rangeSource({ read, except }, request, shared)]
      return Array.from({ length: segments }, (_, segment) =>
        rangeSource({ read, except }, request, { ...shared, segment: [segment, segments] }),
      )
    })
  }

  async #countRange(question: CountQuestion, part: PartOf<RangeRead>): Promise<number> {
    const { limit, signal } = question
    const { read, except } = part
    if (read.check.length + except.length > 0 || read.hydrate) return this.#countItems(question, part)
    const request = this.#request(question, part, true)
    let total = 0
    let start: AttributeItem | undefined
    do {
      const input = { ...request, ...(start !== undefined && { ExclusiveStartKey: start }) }
      const { Count = 0, LastEvaluatedKey } = await this.#access.connection.call(
        read.operation,
        input,
        signal,
      )
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
  #binding({ conditions, sort, segments }: QueryState, parts: readonly Part[]): unknown {
    const ways = parts.map(({ read }) => ('keys' in read ? read.operation : [read.operation, read.index]))
    return [this.#access.model.name, conditions, sort, segments, ways]
  }

  #token(states: readonly SourceState[], binding: unknown): string {
    return writeToken(
      states.map((state) =>
        typeof state === 'object' && state !== null ? Object.entries(state).map(encoded) : state,
      ),
      binding,
      this.#access.options,
    )
  }

  #statesOf(token: string, binding: unknown, count: number): SourceState[] {
    const states = readToken(token, binding, this.#access.options) as (
      null | 'end' | number | [string, AttributeInToken][]
    )[]
    if (!Array.isArray(states) || states.length !== count) throw new InvalidTokenError()
    return states.map((state) =>
      Array.isArray(state) ? Object.fromEntries(state.map(decoded)) : state,
    ) as SourceState[]
  }
}

/** Keys are strings, numbers and bytes; only bytes need another form in JSON. */
function encoded([column, value]: [string, AttributeValue]): unknown {
  return [column, value.B === undefined ? value : { B: toText(value.B) }]
}

function decoded([column, value]: [string, AttributeInToken]): [string, unknown] {
  return [column, value.B === undefined ? value : { B: fromText(value.B) }]
}

interface AttributeInToken {
  readonly B?: string
}
