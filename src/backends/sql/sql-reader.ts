import type { SelectQueryBuilder } from 'kysely'
import { ColumnError, InvalidTokenError } from '../../errors/index.ts'
import { type UnknownRecord, picked } from '../../core/record.ts'
import type { Model } from '../model.ts'
import type { ColumnKind } from '../planning/column-kinds.ts'
import type { Explanation, Page, PageOptions, QueryRunner, QueryState } from '../planning/query-state.ts'
import { fromTokenValues, toTokenValues } from '../planning/token-values.ts'
import { type TokenOptions, readToken, writeToken } from '../planning/token.ts'
import type { AnyTables } from './database.ts'
import { type OrderColumn, behind, orderOf, orderedByKeys } from './keyset.ts'
import { toItem } from './rows.ts'
import type { SqlAccess } from './sql-access.ts'

type Row = UnknownRecord
type Select = SelectQueryBuilder<AnyTables, string, Row>

/** Runs the queries of one model's table. */
export class SqlReader implements QueryRunner {
  readonly #model: Model
  readonly #open: () => Promise<SqlAccess>
  readonly #options: TokenOptions

  constructor(model: Model, open: () => Promise<SqlAccess>, options: TokenOptions) {
    this.#model = model
    this.#open = open
    this.#options = options
  }

  checkColumn(column: string): void {
    if (!this.#model.has(column)) throw new ColumnError(column)
  }

  async page(state: QueryState, { signal }: PageOptions): Promise<Page<unknown>> {
    signal?.throwIfAborted()
    const access = await this.#open()
    const { limit = Infinity, select } = state
    const order = orderOf(state, this.#model.key)
    // One more than is wanted tells whether there is a next page.
    const query = this.#query(access, state)
    const rows = await (limit === Infinity ? query : query.limit(limit + 1)).execute()
    const given = rows.slice(0, limit)
    const hasMore = select !== undefined || order.some(({ column }) => this.#isInexact(access, column))
    const columns = hasMore ? (select ?? this.#model.columns) : undefined
    const items = given.map((row) => toItem(this.#model, columns === undefined ? row : picked(row, columns)))
    const last = given.at(-1)
    if (rows.length <= limit || last === undefined) return { items }
    const place = toTokenValues(order.map(({ column }) => last[exactName(column)] ?? last[column]))
    return { items, next: writeToken(place, this.#binding(state), this.#options) }
  }

  async count(state: QueryState, { signal }: PageOptions): Promise<number> {
    signal?.throwIfAborted()
    const { kysely, conditions } = await this.#open()
    const { limit = Infinity } = state
    const all = kysely
      .selectFrom(this.#model.name)
      .where((builder) => conditions.all(builder, state.conditions))
    const counted =
      limit === Infinity
        ? all.select((builder) => builder.fn.countAll().as('total'))
        : kysely
            .selectFrom(
              all
                .select((builder) => builder.lit(1).as('one'))
                .limit(limit)
                .as('some'),
            )
            .select((builder) => builder.fn.countAll().as('total'))
    const { total } = (await counted.executeTakeFirstOrThrow()) as { total: unknown }
    return Number(total)
  }

  async explain(state: QueryState): Promise<Explanation> {
    const { sql, parameters } = this.#query(await this.#open(), state).compile()
    return {
      plan: { operation: 'select', why: 'the database chooses the index' },
      requests: [{ sql, parameters }],
    }
  }

  /** Whether drivers round a column: dates to milliseconds, and in MySQL long numbers. */
  #isInexact({ engine }: SqlAccess, column: string): boolean {
    const kind = this.#model.kind(column)
    return kind === 'date' || (kind === 'bigint' && engine === 'mysql')
  }

  #query(access: SqlAccess, state: QueryState): Select {
    const { kysely, conditions, engine, sql } = access
    const { select, after } = state
    const order = orderOf(state, this.#model.key)
    // What orders the rows is read in any case, for a page may end at any of them.
    const columns = (select ?? this.#model.columns)?.concat(order.map(({ column }) => column))
    const all = kysely.selectFrom(this.#model.name)
    const chosen = columns === undefined ? all.selectAll() : all.select([...new Set(columns)])
    // Where a page ends is told exactly, or the next one would begin with the same row.
    const exact = order
      .filter(({ column }) => this.#isInexact(access, column))
      .map(({ column }) =>
        sql`cast(${sql.ref(column)} as ${sql.raw(engine === 'mysql' ? 'char' : 'text')})`.as(
          exactName(column),
        ),
      )
    let query = (exact.length === 0 ? chosen : chosen.select(exact)).where((builder) =>
      conditions.all(builder, state.conditions),
    ) as unknown as Select
    if (after !== undefined) {
      const place = this.#place(after, state, order)
      query = query.where((builder) => behind(builder, order, place))
    }
    return orderedByKeys(query, order, engine)
  }

  #binding({ conditions, sort }: QueryState): unknown {
    return [this.#model.name, conditions, sort]
  }

  #place(token: string, state: QueryState, order: readonly OrderColumn[]): unknown[] {
    const place = fromTokenValues(readToken(token, this.#binding(state), this.#options))
    if (place.length !== order.length) throw new InvalidTokenError()
    if (!order.every(({ column }, at) => isPlaceOf(this.#model.kind(column), place[at])))
      throw new InvalidTokenError()
    return place
  }
}

/** Whether a value of a token can be one of a column of this kind: a database refuses others with errors of its own. */
function isPlaceOf(kind: ColumnKind | undefined, value: unknown): boolean {
  if (value === null) return true
  switch (kind) {
    case 'string':
      return typeof value === 'string'
    case 'number':
    case 'bigint':
      return (
        ['number', 'bigint'].includes(typeof value) ||
        (typeof value === 'string' && /^-?[\d.]+(?:e[+-]?\d+)?$/i.test(value))
      )
    case 'date':
      return value instanceof Date || (typeof value === 'string' && !Number.isNaN(Date.parse(value)))
    case 'boolean':
      return ['boolean', 'number'].includes(typeof value)
    case 'bytes':
      return value instanceof Uint8Array
    default:
      return !Array.isArray(value)
  }
}

function exactName(column: string): string {
  return `exactly ${column}`
}
