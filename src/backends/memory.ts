import {
  ColumnError,
  ConditionError,
  ConflictError,
  InvalidDataError,
  KeyChangeError,
  NotFoundError,
} from '../errors/index.ts'
import { checkOptions, is, oneOf } from '../core/options.ts'
import type {
  Creates,
  DeleteOptions,
  Deletes,
  Finds,
  Patch,
  Queries,
  UpdateOptions,
  Updates,
  WriteConditions,
} from './capabilities.ts'
import { plan } from './planning/plan.ts'
import type { Plan, SingleRead } from './planning/reads.ts'
import { isEmpty, refuseTypes, simplified } from './planning/simplify.ts'
import { type Table, tableOf } from './planning/table.ts'
import { indexColumns, keyOf } from './dynamodb/writes.ts'
import { mapConcurrently } from '../core/map-concurrently.ts'
import { equals, meets, order } from './planning/evaluate.ts'
import type { Model } from './model.ts'
import { Query } from './query.ts'
import type { Condition, Page, PageOptions, QueryRunner, QueryState } from './planning/query-state.ts'
import { readToken, writeToken } from './planning/token.ts'

/** Options of {@link MemoryBackend}. */
export interface MemoryOptions {
  /** What to do with a query that no key or index serves. @default 'error' */
  readonly scan?: 'error' | 'allow'
  /** Signs page tokens. */
  readonly tokenSecret?: string
  /** A column that counts an item's changes, for optimistic locking. */
  readonly version?: string
  /** The column that says, in seconds since 1970, when an item expires. */
  readonly ttl?: string
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Items in memory, with the behaviour of a table: the same keys, conditions, orders, pages, conflicts and errors. For
 * tests.
 *
 * @example
 * ```ts
 * import { MemoryBackend } from 'clearskies-middy/backends/memory'
 * import { model } from 'clearskies-middy/backends/model'
 * import { z } from 'zod'
 *
 * const Product = model({ name: 'products', key: ['id'], schema: z.object({ id: z.string() }) })
 * const products = new MemoryBackend(Product)
 * await products.create({ id: '7' })
 * ```
 */
export class MemoryBackend<TItem extends object, TInput, TKey extends string>
  implements
    Creates<TItem, TInput>,
    Finds<TItem, Pick<TItem, TKey & keyof TItem>>,
    Queries<TItem>,
    Updates<TItem, Pick<TItem, TKey & keyof TItem>, TInput>,
    Deletes<TItem, Pick<TItem, TKey & keyof TItem>>
{
  /** Items that meet a condition; see {@link Query}. */
  readonly where: Query<TItem>['where']
  readonly #model: Model<TItem, TInput, TKey>
  readonly #options: MemoryOptions
  readonly #table: Table
  readonly #items = new Map<string, TItem>()

  constructor(model: Model<TItem, TInput, TKey>, options: MemoryOptions = {}) {
    checkOptions('MemoryBackend', options, {
      scan: oneOf('error', 'allow'),
      tokenSecret: is('string'),
      version: (value: unknown) => typeof value === 'string' && model.has(value),
      ttl: (value: unknown) => typeof value === 'string' && model.has(value),
    })
    this.#model = model
    this.#options = options
    this.#table = tableOf(model)
    const all = this.query()
    this.where = all.where.bind(all)
  }

  async create(data: TInput): Promise<TItem> {
    const item = this.#versioned(await this.#model.validate(data), 1)
    return this.#store(item, this.#demanded(this.#id(item), { isNew: true }))
  }

  createMany(list: readonly TInput[]): Promise<TItem[]> {
    return mapConcurrently(list, (data) => this.create(data))
  }

  async put(data: TInput, options: WriteConditions<TItem> = {}): Promise<TItem> {
    const item = await this.#model.validate(data)
    const id = this.#id(item)
    const { version } = this.#options
    if (version === undefined) return this.#store(item, this.#demanded(id, options))
    const { expect: seen = Number((item as Fields)[version] ?? 0), ...others } = options
    this.#demanded(id, { ...others, ...(seen === 0 ? { isNew: true } : { expect: seen }) })
    return this.#store(this.#versioned(item, seen + 1), id)
  }

  async find(key: Pick<TItem, TKey & keyof TItem>): Promise<TItem | undefined> {
    return structuredClone(this.#held(this.#id(key)))
  }

  async findMany(keys: readonly Pick<TItem, TKey & keyof TItem>[]): Promise<(TItem | undefined)[]> {
    return Promise.all(keys.map((key) => this.find(key)))
  }

  async update(
    key: Pick<TItem, TKey & keyof TItem>,
    patch: Patch<TItem>,
    { upsert = false, ...options }: UpdateOptions<TItem> = {},
  ): Promise<TItem> {
    const id = this.#id(key)
    const { version } = this.#options
    const changes = Object.entries(patch as Fields).filter(
      ([column, value]) => value !== undefined && column !== version,
    )
    for (const [column, value] of changes) this.#checkChange(key, column, value)
    const seen = version === undefined ? undefined : (patch as Fields)[version]
    this.#demanded(id, { ...(typeof seen === 'number' && { expect: seen }), ...options, mustExist: !upsert })
    const held = this.#held(id)
    const item = (held ?? this.#keyOf(key)) as Fields
    const kept = Object.entries({ ...item, ...Object.fromEntries(changes) }).filter(
      ([column, value]) => value !== null || !changes.some(([changed]) => changed === column),
    )
    const changed = Object.fromEntries(
      kept.filter(([, value]) => !(value instanceof Set && value.size === 0)),
    )
    const current = version === undefined ? 0 : Number(item[version] ?? 0)
    const isSame = held !== undefined && changes.length === 0
    return this.#store((isSame ? changed : this.#versioned(changed, current + 1)) as TItem, id)
  }

  async delete(
    key: Pick<TItem, TKey & keyof TItem>,
    options: DeleteOptions<TItem> = {},
  ): Promise<TItem | undefined> {
    const id = this.#id(key)
    const item = this.#held(id)
    this.#demanded(id, options)
    this.#items.delete(id)
    return item
  }

  /** All items, to narrow down. */
  query(): Query<TItem> {
    return Query.of<TItem>(this.#runner)
  }

  readonly #runner: QueryRunner = {
    checkColumn: (column) => {
      if (!this.#model.has(column)) throw new ColumnError(column)
    },
    page: async (state, options) => this.#page(state, options),
    count: async (state, { signal }) => {
      signal?.throwIfAborted()
      return Math.min(this.#found(state, this.#plan(state)).length, state.limit ?? Infinity)
    },
    explain: (state) => {
      const chosen = this.#plan(state)
      return { plan: { ...chosen, why: chosen.why }, requests: [] }
    },
  }

  #plan(state: QueryState): Plan {
    const { scan = 'error', ttl } = this.#options
    return plan(this.#table, state, { scan, ttl, title: this.#model.name })
  }

  #page(state: QueryState, { signal }: PageOptions): Page<unknown> {
    signal?.throwIfAborted()
    const chosen = this.#plan(state)
    const { after, limit = Infinity, select, conditions, sort, index } = state
    const binding = [this.#model.name, conditions, sort, index]
    const all = this.#found(state, chosen)
    const start = after === undefined ? 0 : this.#behind(all, readToken(after, binding, this.#options))
    const found = all.slice(start, start + limit)
    const items = found.map(({ item }) =>
      structuredClone(select === undefined ? item : picked(item as Fields, select)),
    )
    const last = found.at(-1)
    return last === undefined || start + limit >= all.length
      ? { items }
      : { items, next: writeToken([last.part, plainKey(last.place)], binding, this.#options) }
  }

  /** Also where the item of the token is gone: the page goes on behind its place. */
  #behind(all: readonly Found<TItem>[], token: unknown): number {
    const [part, place] = token as [number, readonly unknown[]]
    const at = all.findIndex(
      (found) => found.part > part || (found.part === part && found.compare(fromPlainKey(place)) > 0),
    )
    return at < 0 ? all.length : at
  }

  /** The items that a plan gives, in its order. */
  #found(state: QueryState, chosen: Plan): Found<TItem>[] {
    if (chosen.operation === 'None') return []
    const reads = chosen.operation === 'Union' ? chosen.parts.map(({ read }) => read) : [chosen]
    const seen = new Set<TItem>()
    return reads.flatMap((read, part) => {
      const items = this.#read(read, state.conditions).filter((item) => !seen.has(item))
      for (const item of items) seen.add(item)
      return this.#ordered(read, items, part)
    })
  }

  /** An index holds only items that have its columns. */
  #read(read: SingleRead, conditions: readonly Condition[]): TItem[] {
    const wanted = 'keys' in read ? read.check : [...read.key, ...read.filter, ...read.check]
    const present = 'keys' in read ? [] : read.order
    const keys = 'keys' in read ? new Set(read.keys.map((key) => this.#id(key))) : undefined
    return [...this.#items].flatMap(([id, item]) => {
      const fields = item as Fields
      const isFound =
        (keys === undefined || keys.has(id)) &&
        !this.#isExpired(item) &&
        present.every((column) => fields[column] !== undefined && fields[column] !== null) &&
        [...wanted, ...conditions].every((condition) => meets(fields, condition))
      return isFound ? [item] : []
    })
  }

  #ordered(read: SingleRead, items: readonly TItem[], part: number): Found<TItem>[] {
    const columns = 'keys' in read ? this.#table.key : [...new Set([...read.order, ...this.#table.key])]
    const sign = 'keys' in read || read.forward ? 1 : -1
    const placeOf = (item: object): unknown[] => columns.map((column) => (item as Fields)[column])
    const found = items.map((item): Found<TItem> => {
      const place = placeOf(item)
      return { item, part, place, compare: (other) => sign * compareAll(place, other) }
    })
    if (!('keys' in read)) return found.sort((a, b) => a.compare(b.place))
    // By their keys, items come in the order in which the keys are given.
    const ids = read.keys.map((key) => this.#id(key))
    const rank = (item: object): number => ids.indexOf(this.#id(item))
    return found
      .map((one) => {
        const place = [rank(one.item)]
        return { ...one, place, compare: (other: readonly unknown[]) => compareAll(place, other) }
      })
      .sort((a, b) => a.compare(b.place))
  }

  /** @throws NotFoundError, ConflictError. Gives the id. */
  #demanded(
    id: string,
    { isNew = false, mustExist = false, expect, when }: { readonly isNew?: boolean } & DeleteOptions<TItem>,
  ): string {
    const item = this.#held(id)
    const { name } = this.#model
    const { version } = this.#options
    if (expect !== undefined && version === undefined)
      throw new ConditionError('To expect a version, the backend needs the option "version"')
    const conditions = this.#conditionsOf(when)
    if (isNew && item !== undefined)
      throw new ConflictError(`${name} has an item with this key already`, { current: structuredClone(item) })
    const fields = (item ?? {}) as Fields
    const isSeen = expect === undefined || fields[version ?? ''] === expect
    const isMet = isSeen && conditions.every((one) => meets(fields, one))
    if (item === undefined && !isNew && (mustExist || !isMet))
      throw new NotFoundError(`${name} has no item with this key`)
    if (!isMet)
      throw new ConflictError(`${name} has this item in another state than was expected`, {
        current: structuredClone(item),
      })
    return id
  }

  #conditionsOf(when: WriteConditions<TItem>['when']): readonly Condition[] {
    const conditions = simplified(when === undefined ? [] : Query.conditionsOf(when(this.query())))
    if (conditions === undefined) throw new ConditionError('The conditions of the write can never hold')
    refuseTypes(conditions, this.#table)
    return conditions
  }

  #checkChange(key: Fields, column: string, value: unknown): void {
    if (!this.#model.has(column)) throw new ColumnError(column)
    if (this.#table.key.includes(column) && !equals(value, key[column])) throw new KeyChangeError(column)
  }

  #versioned<T extends object>(item: T, version: number): T {
    return this.#options.version === undefined ? item : { ...item, [this.#options.version]: version }
  }

  #store(item: TItem, id: string): TItem {
    const indexed = indexColumns(this.#table)
    const kept = Object.fromEntries(
      Object.entries(item as Fields).filter(([column, value]) => {
        if (value === undefined || (value instanceof Set && value.size === 0)) return false
        return !indexed.includes(column) || this.#isIndexed(column, value)
      }),
    )
    this.#items.set(id, structuredClone(kept) as TItem)
    return item
  }

  /** An index leaves out what has no value in its columns, and takes none that is empty. */
  #isIndexed(column: string, value: unknown): boolean {
    if (isEmpty(value)) throw new InvalidDataError(`The key column "${column}" is empty`)
    refuseTypes([{ column, operator: '=', value }], this.#table)
    return value !== null
  }

  #held(id: string): TItem | undefined {
    const item = this.#items.get(id)
    return item === undefined || this.#isExpired(item) ? undefined : item
  }

  #isExpired(item: TItem): boolean {
    const at = this.#options.ttl === undefined ? undefined : (item as Fields)[this.#options.ttl]
    return typeof at === 'number' && at <= Math.floor(Date.now() / 1000)
  }

  #id(item: object): string {
    return JSON.stringify(keyOf({ table: this.#table, dates: 'iso' }, item))
  }

  #keyOf(item: object): object {
    return picked(item as Fields, this.#table.key)
  }
}

/** An item, and its place in the order of what is found. */
interface Found<TItem> {
  readonly item: TItem
  /** Which of several reads gives it. */
  readonly part: number
  readonly place: readonly unknown[]
  /** Negative in front of another place of the same part, positive behind it. */
  readonly compare: (place: readonly unknown[]) => number
}

function compareAll(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [index, one] of a.entries()) {
    const compared = order(one, b[index]) ?? 0
    if (compared !== 0) return compared
  }
  return 0
}

/** A form for JSON, from which the values can be told and made again. */
function plainKey(values: readonly unknown[]): unknown[] {
  return values.map((value) => {
    if (typeof value === 'bigint') return { number: value.toString() }
    if (typeof value === 'number' && !Number.isSafeInteger(value)) return { number: String(value) }
    if (typeof value === 'number') return { number: String(value) }
    if (value instanceof Date) return { date: value.getTime() }
    return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64') } : value
  })
}

function fromPlainKey(values: readonly unknown[]): unknown[] {
  return values.map((value) => {
    if (typeof value !== 'object' || value === null) return value
    const { number, date, bytes } = value as { number?: string; date?: number; bytes?: string }
    if (bytes !== undefined) return Buffer.from(bytes, 'base64')
    if (date !== undefined) return new Date(date)
    return /^-?\d+$/.test(String(number)) ? BigInt(String(number)) : Number(number)
  })
}

function picked(item: Fields, columns: readonly string[]): object {
  return Object.fromEntries(Object.entries(item).filter(([column]) => columns.includes(column)))
}
