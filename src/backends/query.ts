import { ColumnError, ConditionError, DeadlineError, InvalidResponseError } from '../errors/index.ts'
import { checkOptions, is, isCount } from '../core/options.ts'
import { unfinished } from '../core/unfinished.ts'
import type { Column } from './model.ts'
import { comparisonOf, isOperator, comparisonOperators } from './planning/comparison.ts'
import type { ColumnPath, Selected, ValueAt } from './planning/column-path.ts'
import type { OperandFor, OperatorFor } from './planning/operand-types.ts'
import { outermost } from './planning/places.ts'
import type {
  Choice,
  Comparison,
  Condition,
  CountOptions,
  Explanation,
  Page,
  PageOptions,
  QueryRunner,
  QueryState,
} from './planning/query-state.ts'

export type { ColumnPath, Selected, ValueAt } from './planning/column-path.ts'
export type { OperandFor, OperatorFor } from './planning/operand-types.ts'
export type { CountOptions, Explanation, Operator, Page, PageOptions } from './planning/query-state.ts'

const countChecks = { signal: is('object') }
const pageChecks = { ...countChecks, maxPages: isLimit, maxScanned: isLimit }

/** How many at most; `Infinity` for no bound. */
function isLimit(value: unknown): boolean {
  return isCount(value) || value === Infinity
}

/** Columns, and the value that each must have. What has no value is asked for with `is-null`. */
export type Equalities<TItem> = { readonly [K in Column<TItem>]?: Exclude<TItem[K], null> }

/** One of the alternatives of `or()`: equal columns, another query's conditions, or conditions added to none. */
export type Alternative<TItem> =
  Equalities<TItem> | Query<TItem, unknown> | ((query: Query<TItem>) => Query<TItem, unknown>)

/**
 * Which items are wanted. Every method gives a new query; nothing is sent before one of the ends: `page`, `all`,
 * `first`, `count`, `exists`, `for await`.
 *
 * A value of `undefined`, `null`, NaN or an invalid date is refused at once with a `ConditionError` (400): it would ask for
 * more than was meant. So is an unknown column or operator. `is-null` asks for what has no value.
 *
 * @example
 * ```ts
 * import { MemoryBackend, type Query, model } from 'clearskies-middy'
 * import * as z from 'zod'
 *
 * const schema = z.object({ author: z.string(), title: z.string(), price: z.number() })
 * const products = new MemoryBackend(model({ name: 'products', key: ['author', 'title'], schema }))
 * const cheap: Query<z.infer<typeof schema>> = products.where('author', '=', 'Le Guin').where('price', '<', 10)
 *
 * console.log(await cheap.count(), await cheap.sortBy('title').limit(20).page())
 * for await (const { title } of cheap) console.log(title)
 * ```
 */
export class Query<TItem, TSelected = TItem> implements AsyncIterable<TSelected> {
  readonly #runner: QueryRunner
  readonly #state: QueryState
  /** @internal */
  readonly [unfinished]: string = 'a query has no end: .page(), .all(), .first(), .count() or .exists()'

  private constructor(runner: QueryRunner, state: QueryState = { conditions: [] }) {
    this.#runner = runner
    this.#state = state
  }

  /**
   * What would be sent of it, for instance inside of a handler's answer, is nothing.
   *
   * @internal
   */
  toJSON(): never {
    throw new InvalidResponseError(`What is sent holds what is no answer yet: ${this[unfinished]}`)
  }

  /** @internal */
  static of<TItem>(runner: QueryRunner): Query<TItem> {
    return new Query(runner)
  }

  #with(change: Partial<QueryState>): Query<TItem, TSelected> {
    return new Query(this.#runner, { ...this.#state, ...change })
  }

  /**
   * Adds conditions; all must hold. An object means equality of each column. `address.city` is a member of the column
   * `address`.
   */
  where<
    TPath extends ColumnPath<TItem> & string,
    TOperator extends OperatorFor<NonNullable<ValueAt<TItem, TPath>>> & string,
  >(
    column: TPath,
    operator: TOperator,
    ...operand: OperandFor<NonNullable<ValueAt<TItem, TPath>>, TOperator>
  ): Query<TItem, TSelected>
  where(equal: Equalities<TItem>): Query<TItem, TSelected>
  where(
    first: string | Readonly<Record<string, unknown>>,
    operator?: string,
    value?: unknown,
  ): Query<TItem, TSelected> {
    const added =
      typeof first === 'string' ? [this.#comparison(first, operator, value)] : this.#equalities(first)
    return this.#with({ conditions: [...this.#state.conditions, ...added] })
  }

  /**
   * Adds alternatives: at least one must hold as a whole, beside all other conditions.
   *
   * @example
   * ```ts
   * import { MemoryBackend, model } from 'clearskies-middy'
   * import * as z from 'zod'
   *
   * const Product = model({ name: 'products', key: ['id'], schema: z.object({ id: z.string(), price: z.number() }) })
   * const products = new MemoryBackend(Product, { scan: 'allow' })
   *
   * await products.query().or({ id: '7' }, (query) => query.where('price', '<', 5)).all()
   * ```
   */
  or(...alternatives: readonly Alternative<TItem>[]): Query<TItem, TSelected> {
    if (alternatives.length === 0) throw new ConditionError('or() takes at least one alternative')
    const choice: Choice = { or: alternatives.map((alternative) => this.#alternative(alternative)) }
    return this.#with({ conditions: [...this.#state.conditions, choice] })
  }

  #alternative(alternative: Alternative<TItem>): readonly Condition[] {
    const query =
      typeof alternative === 'function' ? alternative(new Query<TItem>(this.#runner)) : alternative
    const conditions = query instanceof Query ? query.#state.conditions : this.#equalities(query)
    if (conditions.length === 0) throw new ConditionError('An alternative of or() has no condition')
    return conditions
  }

  #equalities(equal: object): Comparison[] {
    return Object.entries(equal).map(([column, value]) => this.#comparison(column, '=', value))
  }

  /** @internal */
  static conditionsOf<TItem>(query: Query<TItem, unknown>): readonly Condition[] {
    // A function that should give a query may give nothing.
    return new Object(query) instanceof Query ? query.#state.conditions : []
  }

  #comparison(column: string, operator: string | undefined, value: unknown): Comparison {
    const path = this.#runner.placeOf(column)
    if (isOperator(operator)) {
      const comparison = comparisonOf(column, operator, value)
      return path.length > 1 ? { ...comparison, path } : comparison
    }
    throw new ConditionError(
      `"${String(operator)}" is not an operator; there are ${[...comparisonOperators].join(' ')}`,
    )
  }

  /** The order. The backend refuses one that none of its indexes gives. */
  sortBy(column: Column<TItem>, direction: 'asc' | 'desc' = 'asc'): Query<TItem, TSelected> {
    if (this.#runner.placeOf(column).length > 1) throw new ColumnError(column)
    const directions: readonly unknown[] = ['asc', 'desc']
    if (!directions.includes(direction)) throw new ConditionError('A direction is asc or desc')
    return this.#with({ sort: { column, direction } })
  }

  /** How many items are returned at most, whatever conditions filter out. */
  limit(count: number): Query<TItem, TSelected> {
    if (!Number.isSafeInteger(count) || count < 1)
      throw new ConditionError('A limit is a whole number from 1')
    return this.#with({ limit: count })
  }

  /** Reads these columns only; of `address.city` the column `address` with this member alone, if it has it. */
  select<TPath extends ColumnPath<TItem> & string>(
    ...columns: readonly TPath[]
  ): Query<TItem, Selected<TItem, TPath>> {
    if (columns.length === 0) throw new ConditionError('select() takes at least one column')
    const places = outermost(columns.map((column) => this.#runner.placeOf(column)))
    const select = [...new Set(places.flatMap(([column = '']) => column))]
    const isInside = places.some((place) => place.length > 1)
    return new Query(this.#runner, { ...this.#state, select, ...(isInside && { places }) })
  }

  /** Reads from this index. */
  using(index: string): Query<TItem, TSelected> {
    return this.#with({ index })
  }

  /** Reads what was written last, and not what was written a moment ago. */
  consistent(): Query<TItem, TSelected> {
    return this.#with({ consistent: true })
  }

  /** Reads a scan in several parts at once; the order of the items is then nobody's. */
  segments(count: number): Query<TItem, TSelected> {
    if (!Number.isSafeInteger(count) || count < 1 || count > 1_000_000)
      throw new ConditionError('A scan has 1 to 1,000,000 segments')
    return this.#with({ segments: count })
  }

  /** Goes on behind a page. */
  after(token: string | null | undefined): Query<TItem, TSelected> {
    return token === null || token === undefined ? this : this.#with({ after: token })
  }

  /** A page of at most `limit` items. */
  page(options: PageOptions = {}): Promise<Page<TSelected>> {
    checkOptions('page', options, pageChecks)
    return this.#runner.page(this.#state, options) as Promise<Page<TSelected>>
  }

  /** All items in one list. @throws ConditionError if there are more than `max` */
  async all(options: { readonly max?: number } = {}): Promise<TSelected[]> {
    checkOptions('all', options, { max: isCount })
    const { max = 10_000 } = options
    const { limit = Infinity } = this.#state
    const items: TSelected[] = []
    for await (const item of this.#with({ limit: Math.min(limit, max + 1) })) {
      if (items.length === max)
        throw new ConditionError(
          `There are more than ${max} items: read them with "for await", or raise "max"`,
        )
      items.push(item)
    }
    return items
  }

  /** The first item. */
  async first(options: PageOptions = {}): Promise<TSelected | undefined> {
    checkOptions('first', options, pageChecks)
    const page = await this.#runner.page({ ...this.#state, limit: 1 }, options, true)
    if (page.items.length === 0 && page.complete === false)
      throw new DeadlineError('The time, or what may be read, was up before there was a first item')
    return page.items[0] as TSelected | undefined
  }

  /** How many items there are, at most `limit`. */
  count(options: CountOptions = {}): Promise<number> {
    checkOptions('count', options, countChecks)
    return this.#runner.count(this.#state, options)
  }

  /** Whether there is any. */
  async exists(options: CountOptions = {}): Promise<boolean> {
    checkOptions('exists', options, countChecks)
    return (await this.#runner.count({ ...this.#state, limit: 1 }, options)) > 0
  }

  /**
   * What would be sent, and why so: from which key or index, what the database filters, what is checked here. A promise
   * only where the table has first to be described.
   */
  explain(): Explanation | Promise<Explanation> {
    return this.#runner.explain(this.#state)
  }

  /** All items, page by page, as they are needed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TSelected, void, undefined> {
    let { after } = this.#state
    const { limit = Infinity, segments = 1 } = this.#state
    let remaining = limit
    // A page alone is held at a time, however many items are wanted.
    const options = { maxPages: segments }
    do {
      const state = {
        ...this.#state,
        ...(after !== undefined && { after }),
        ...(remaining !== Infinity && { limit: remaining }),
      }
      // A page that ended early is gone on with: if there is no time left, the next one says so.
      const page = await this.#runner.page(state, options, true)
      yield* page.items as TSelected[]
      remaining -= page.items.length
      after = page.next
    } while (after !== undefined && remaining > 0)
  }
}
