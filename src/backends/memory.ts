import { ColumnError, InvalidDataError, InvalidTokenError, KeyChangeError } from '../errors/index.ts'
import { mapConcurrently } from '../core/map-concurrently.ts'
import { checkOptions, oneOf } from '../core/options.ts'
import { asRecord, picked } from '../core/record.ts'
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
import { type Found, found } from './memory/found.ts'
import type { Model } from './model.ts'
import { conditionColumns } from './planning/condition-columns.ts'
import { equals, meets, order } from './planning/evaluate.ts'
import { indexColumns, keyOf } from './planning/keys.ts'
import { plan } from './planning/plan.ts'
import {
  type Precondition,
  conditionChecks,
  conflictOf,
  deleteChecks,
  meetable,
  missingItem,
  preconditionOf,
  updateChecks,
  updatePrecondition,
  versionedPut,
} from './planning/preconditions.ts'
import {
  type VersionColumn,
  carriedVersion,
  nextVersion,
  versionColumn,
  versioned,
} from './planning/versions.ts'
import type { Page, PageOptions, QueryRunner, QueryState } from './planning/query-state.ts'
import type { Plan } from './planning/reads.ts'
import { isEmpty, refuseTypes } from './planning/simplify.ts'
import { type Table, tableOf } from './planning/table.ts'
import { fromTokenValues, toTokenValues } from './planning/token-values.ts'
import { type TokenOptions, checkTokenOptions, readToken, tokenChecks, writeToken } from './planning/token.ts'
import { Query } from './query.ts'

/** Options of {@link MemoryBackend}. */
export interface MemoryOptions extends TokenOptions {
  /** What to do with a query that no key or index serves. @default 'error' */
  readonly scan?: 'error' | 'allow'
  /** A column that counts an item's changes, for optimistic locking. */
  readonly version?: string
  /** The column that says, in seconds since 1970, when an item expires. */
  readonly ttl?: string
}

/**
 * Items in memory, with the behaviour of a table: the same keys, conditions, orders, pages, conflicts and errors. For
 * tests.
 *
 * @example
 * ```ts
 * import { MemoryBackend } from 'clearskies-middy/backends/memory'
 * import { model } from 'clearskies-middy/backends/model'
 * import * as z from 'zod'
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
  readonly #version: VersionColumn | undefined
  readonly #items = new Map<string, TItem>()

  constructor(model: Model<TItem, TInput, TKey>, options: MemoryOptions = {}) {
    checkOptions('MemoryBackend', options, {
      scan: oneOf('error', 'allow'),
      ...tokenChecks,
      version: (value: unknown) => typeof value === 'string' && model.has(value),
      ttl: (value: unknown) => typeof value === 'string' && model.has(value),
    })
    checkTokenOptions('MemoryBackend', options)
    this.#model = model
    this.#options = options
    this.#table = tableOf(model)
    this.#version = versionColumn(model, options.version)
    const all = this.query()
    this.where = all.where.bind(all)
  }

  async create(data: TInput): Promise<TItem> {
    const item = versioned(await this.#model.validate(data), this.#version)
    const id = this.#id(item)
    this.#check(id, { item: 'new' })
    return this.#store(id, item)
  }

  createMany(list: readonly TInput[]): Promise<TItem[]> {
    return mapConcurrently(list, (data) => this.create(data))
  }

  async put(data: TInput, options: WriteConditions<TItem> = {}): Promise<TItem> {
    checkOptions('put', options, conditionChecks)
    const { item, precondition } = versionedPut(await this.#model.validate(data), options, this.#version)
    const id = this.#id(item)
    this.#check(id, precondition)
    return this.#store(id, item)
  }

  async find(key: Pick<TItem, TKey & keyof TItem>): Promise<TItem | undefined> {
    return structuredClone(this.#stored(this.#id(key)))
  }

  async findMany(keys: readonly Pick<TItem, TKey & keyof TItem>[]): Promise<(TItem | undefined)[]> {
    return Promise.all(keys.map((key) => this.find(key)))
  }

  async update(
    key: Pick<TItem, TKey & keyof TItem>,
    patch: Patch<TItem, TKey>,
    options: UpdateOptions<TItem> = {},
  ): Promise<TItem> {
    checkOptions('update', options, updateChecks)
    const id = this.#id(key)
    const { version } = this.#options
    const exempt = [...this.#table.key, ...(version === undefined ? [] : [version])]
    const checked = await this.#model.checkPatch(patch, exempt)
    const changes = Object.entries(checked).filter(([column]) => column !== version)
    for (const change of changes) this.#checkChange(key, change)
    const whole = versioned({ ...patch, ...picked(asRecord(key), this.#table.key) }, this.#version)
    const fresh = options.upsert === true ? await this.#model.newItem(whole) : undefined
    this.#check(id, updatePrecondition(patch, options, version))
    const stored = this.#stored(id)
    if (stored === undefined) return this.#store(id, versioned(fresh ?? {}, this.#version) as TItem)
    const item = stored
    const changed = { ...item, ...Object.fromEntries(changes) }
    const removed = changes
      .filter(([column, value]) => value === null && !this.#model.isNullable(column))
      .map(([column]) => column)
    const kept = Object.entries(changed).filter(
      ([column, value]) => !removed.includes(column) && !(value instanceof Set && value.size === 0),
    )
    const isSame = changes.length === 0
    const next = Object.fromEntries(kept)
    const count = nextVersion(carriedVersion(item, version))
    return this.#store(id, (isSame ? next : versioned(next, this.#version, count)) as TItem)
  }

  async delete(
    key: Pick<TItem, TKey & keyof TItem>,
    options: DeleteOptions<TItem> = {},
  ): Promise<TItem | undefined> {
    checkOptions('delete', options, deleteChecks)
    const id = this.#id(key)
    const item = this.#stored(id)
    this.#check(id, preconditionOf(options, this.#options.version))
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
      return Math.min(this.#found(state).length, state.limit ?? Infinity)
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
    const { after, limit = Infinity, select, conditions, sort, index } = state
    const binding = [this.#model.name, conditions, sort, index]
    const all = this.#found(state)
    const start = after === undefined ? 0 : startBehind(all, readToken(after, binding, this.#options))
    const some = all.slice(start, start + limit)
    const items = some.map(({ item }) =>
      structuredClone(select === undefined ? item : picked(asRecord(item), select)),
    )
    const last = some.at(-1)
    if (last === undefined || start + limit >= all.length) return { items }
    return { items, next: writeToken([last.part, toTokenValues(last.place)], binding, this.#options) }
  }

  #found(state: QueryState): Found<TItem>[] {
    return found(this.#plan(state), {
      table: this.#table,
      all: [...this.#items].filter(([, item]) => !this.#isExpired(item)),
      idOf: (key) => this.#id(key),
      conditions: state.conditions,
    })
  }

  /** @throws NotFoundError, ConflictError */
  #check(id: string, { item, version, when = [] }: Precondition): void {
    for (const column of conditionColumns(when)) this.#runner.checkColumn(column)
    const conditions = meetable(when, this.#table)
    const { name } = this.#model
    const stored = this.#stored(id)
    const current = structuredClone(stored)
    if (item === 'new' && stored !== undefined) throw conflictOf(name, { isNew: true, current })
    const columns = asRecord(stored ?? {})
    const isSeen = version === undefined || equals(columns[this.#options.version ?? ''], version)
    const isMet = isSeen && conditions.every((condition) => meets(columns, condition))
    if (stored === undefined && item !== 'new' && (item === 'existing' || !isMet)) throw missingItem(name)
    if (!isMet) throw conflictOf(name, { current })
  }

  #checkChange(key: object, [column, value]: readonly [column: string, value: unknown]): void {
    this.#runner.checkColumn(column)
    if (this.#table.key.includes(column) && !equals(value, asRecord(key)[column]))
      throw new KeyChangeError(column)
  }

  #store(id: string, item: TItem): TItem {
    const indexed = indexColumns(this.#table)
    const kept = Object.entries(item).filter(([column, value]) => {
      if (value === undefined || (value instanceof Set && value.size === 0)) return false
      return !indexed.includes(column) || this.#isIndexed(column, value)
    })
    this.#items.set(id, structuredClone(Object.fromEntries(kept)) as TItem)
    return item
  }

  /** An index leaves out what has no value in its columns, and takes none that is empty. */
  #isIndexed(column: string, value: unknown): boolean {
    if (isEmpty(value)) throw new InvalidDataError(`The key column "${column}" is empty`)
    refuseTypes([{ column, operator: '=', value }], this.#table)
    return value !== null
  }

  #stored(id: string): TItem | undefined {
    const item = this.#items.get(id)
    return item === undefined || this.#isExpired(item) ? undefined : item
  }

  #isExpired(item: TItem): boolean {
    const { ttl } = this.#options
    const at = ttl === undefined ? undefined : asRecord(item)[ttl]
    return typeof at === 'number' && at <= Math.floor(Date.now() / 1000)
  }

  #id(item: object): string {
    return JSON.stringify(keyOf({ table: this.#table, dates: 'iso' }, item))
  }
}

/** Also where the item of the token is gone: the page goes on behind its place. */
function startBehind(all: readonly Found<unknown>[], token: unknown): number {
  const parts: readonly unknown[] = Array.isArray(token) ? token : []
  const [part, place, ...others] = parts
  if (typeof part !== 'number' || !Number.isInteger(part) || part < 0 || others.length > 0)
    throw new InvalidTokenError()
  const values = fromTokenValues(place)
  const sample = all.find((other) => other.part === part)?.place ?? values
  const isPlace =
    sample.length === values.length && sample.every((value, at) => order(value, values[at]) !== undefined)
  if (!isPlace) throw new InvalidTokenError()
  const at = all.findIndex((other) => other.part > part || (other.part === part && other.compare(values) > 0))
  return at < 0 ? all.length : at
}
