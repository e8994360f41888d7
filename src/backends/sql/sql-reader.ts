import type { RawBuilder, SelectQueryBuilder, SqlBool } from 'kysely'
import { type UnknownRecord, picked } from '../../core/record.ts'
import type { Explanation, Page, PageOptions, QueryRunner, QueryState } from '../planning/query-state.ts'
import { partsAt, placeOf } from '../planning/places.ts'
import { type TokenOptions, readToken, writeToken } from '../planning/token.ts'
import { type AnyTables, selected } from './database.ts'
import { type Keyset, orderOf, orderedByKeys, partsBehind } from './keyset.ts'
import { PlaceWriter } from './place.ts'
import type { RowMapper } from './rows.ts'
import type { SqlAccess } from './sql-access.ts'
import { reading } from './transactions.ts'

type Select = SelectQueryBuilder<AnyTables, string, UnknownRecord>

/** How many rows a loop reads at a time, and a page at most. */
const rowsOfLoop = 500
const rowsOfPage = 10_000

/** The statements of a page, and what tells where it ends. */
interface PageStatements {
  /** One after the other, until the page is full. */
  readonly parts: readonly Select[]
  readonly place: PlaceWriter
}

/** Runs the queries of one model's table. */
export class SqlReader implements QueryRunner {
  readonly #rows: RowMapper
  readonly #open: () => Promise<SqlAccess>
  readonly #options: TokenOptions

  constructor(rows: RowMapper, open: () => Promise<SqlAccess>, options: TokenOptions) {
    this.#rows = rows
    this.#open = open
    this.#options = options
  }

  placeOf(column: string): readonly string[] {
    return placeOf(this.#rows.model, column)
  }

  async page(
    state: QueryState,
    { signal, maxPages = Infinity }: PageOptions,
    isLast = false,
  ): Promise<Page<unknown>> {
    const { limit = Infinity, select } = state
    const access = await this.#open()
    const { parts, place } = this.#statements(access, state)
    const most = Math.min(limit, rowsOfPage, maxPages * rowsOfLoop)
    // One more than is wanted tells whether there is a next page.
    const wanted = isLast && most === limit ? most : most + 1
    const rows: UnknownRecord[] = []
    for (const part of parts) {
      signal?.throwIfAborted()
      if (rows.length < wanted)
        rows.push(...(await reading(access.kysely, () => part.limit(wanted - rows.length).execute())))
    }
    const given = rows.slice(0, most)
    const extra = new Set(place.columns.map(({ name }) => name))
    const whole = given.map((row) => this.#rows.toItem(this.#wanted(row, select, extra)))
    const items = partsAt(whole, state.places)
    const last = given.at(-1)
    if (rows.length <= most || last === undefined) return { items }
    const next = writeToken(place.of(last), this.#binding(state), this.#options)
    return { items, next, ...(most < limit && { complete: false as const }) }
  }

  /** The columns of a row that were asked for, without those that tell its place. */
  #wanted(row: UnknownRecord, select: QueryState['select'], extra: ReadonlySet<string>): UnknownRecord {
    if (select === undefined && extra.size === 0) return row
    const columns = select ?? this.#rows.model.columns
    return picked(row, columns ?? Object.keys(row).filter((column) => !extra.has(column)))
  }

  async count(state: QueryState, { signal }: PageOptions): Promise<number> {
    signal?.throwIfAborted()
    const { kysely, conditions } = await this.#open()
    const { limit = Infinity } = state
    const all = kysely
      .selectFrom(this.#rows.model.name)
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
    const { total } = (await reading(kysely, () => counted.executeTakeFirstOrThrow())) as { total: unknown }
    return Number(total)
  }

  async explain(state: QueryState): Promise<Explanation> {
    const { parts } = this.#statements(await this.#open(), state)
    return {
      plan: { operation: 'select', why: 'the database chooses the index' },
      requests: parts.map((part) => {
        const { sql, parameters } = part.compile()
        return { sql, parameters }
      }),
    }
  }

  #statements({ kysely, conditions, engine, sql }: SqlAccess, state: QueryState): PageStatements {
    const { select, after } = state
    const keyset: Keyset = { sql, engine, order: orderOf(state, this.#rows.model.key) }
    const place = new PlaceWriter(this.#rows.model, keyset)
    // What orders the rows is read in any case, for a page may end at any of them.
    const columns = (select ?? this.#rows.model.columns)?.concat(keyset.order.map(({ column }) => column))
    const all = kysely.selectFrom(this.#rows.model.name)
    const chosen =
      columns === undefined
        ? all.selectAll()
        : all.select([...new Set(columns)].map((column) => selected(sql, column)))
    const extra = place.columns.map(({ name, value }) => value.as(name))
    const placed = extra.length === 0 ? chosen : chosen.select(extra)
    const filtered = placed.where((builder) => conditions.all(builder, state.conditions))
    const ordered = orderedByKeys(filtered, keyset)
    const behind: readonly (RawBuilder<SqlBool> | undefined)[] =
      after === undefined
        ? [undefined]
        : partsBehind(keyset, place.read(readToken(after, this.#binding(state), this.#options)))
    return { place, parts: behind.map((part) => (part === undefined ? ordered : ordered.where(part))) }
  }

  #binding({ conditions, sort }: QueryState): unknown {
    return [this.#rows.model.name, conditions, sort]
  }
}
