import { ConditionError, ConflictError, InvalidDataError, NotFoundError } from '../errors.ts'
import { checkOptions, is, oneOf } from '../options.ts'
import type { Creates, Deletes, Finds, Patch, Queries, Updates } from './capabilities.ts'
import { type Plan, plan } from './dynamodb/plan.ts'
import { meets, order } from './evaluate.ts'
import type { Model } from './model.ts'
import { type Page, Query, type QueryRunner, type QueryState } from './query.ts'
import { readToken, writeToken } from './token.ts'

/** Options of {@link MemoryBackend}. */
export interface MemoryOptions {
  /** What to do with a query that no key or index serves. @default 'error' */
  readonly scan?: 'error' | 'allow'
  /** Signs page tokens. */
  readonly tokenSecret?: string
}

/**
 * Items in memory, with the behaviour of a table: the same keys, conditions, orders, pages and errors. For tests.
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
  readonly #items = new Map<string, TItem>()

  constructor(model: Model<TItem, TInput, TKey>, options: MemoryOptions = {}) {
    checkOptions('MemoryBackend', options, { scan: oneOf('error', 'allow'), tokenSecret: is('string') })
    this.#model = model
    this.#options = options
    const all = this.query()
    this.where = all.where.bind(all)
  }

  async create(data: TInput): Promise<TItem> {
    const item = await this.#model.validate(data)
    const id = this.#id(item)
    if (this.#items.has(id)) throw new ConflictError(`${this.#model.name} has an item with this key already`)
    this.#items.set(id, structuredClone(item))
    return item
  }

  createMany(list: readonly TInput[]): Promise<TItem[]> {
    return Promise.all(list.map((data) => this.create(data)))
  }

  async put(data: TInput): Promise<TItem> {
    const item = await this.#model.validate(data)
    this.#items.set(this.#id(item), structuredClone(item))
    return item
  }

  async find(key: Pick<TItem, TKey & keyof TItem>): Promise<TItem | undefined> {
    return structuredClone(this.#items.get(this.#id(key)))
  }

  findMany(keys: readonly Pick<TItem, TKey & keyof TItem>[]): Promise<(TItem | undefined)[]> {
    return Promise.all(keys.map((key) => this.find(key)))
  }

  async update(key: Pick<TItem, TKey & keyof TItem>, patch: Patch<TItem>): Promise<TItem> {
    const id = this.#id(key)
    const changes = Object.entries(patch as Record<string, unknown>).filter(
      ([, value]) => value !== undefined,
    )
    for (const [column, value] of changes) {
      this.#checkColumn(column)
      if (this.#model.key.includes(column as TKey) && value !== (key as Record<string, unknown>)[column]) {
        throw new ConditionError(
          `The key column "${column}" cannot be changed: create a new item and delete this one`,
        )
      }
    }
    const item = this.#items.get(id)
    if (item === undefined) throw new NotFoundError(`${this.#model.name} has no item with this key`)
    const removed = new Set(changes.filter(([, value]) => value === null).map(([column]) => column))
    const changed = Object.fromEntries(
      Object.entries({ ...item, ...Object.fromEntries(changes) }).filter(([column]) => !removed.has(column)),
    )
    this.#items.set(id, structuredClone(changed) as TItem)
    return changed as TItem
  }

  async delete(key: Pick<TItem, TKey & keyof TItem>): Promise<TItem | undefined> {
    const id = this.#id(key)
    const item = this.#items.get(id)
    this.#items.delete(id)
    return item
  }

  query(): Query<TItem> {
    return new Query<TItem>(this.#runner)
  }

  readonly #runner: QueryRunner = {
    checkColumn: (column) => {
      this.#checkColumn(column)
    },
    page: async (state) => this.#page(state),
    count: async (state) =>
      Math.min(this.#matching(state, this.#plan(state)).length, state.limit ?? Infinity),
    explain: (state) => ({ plan: this.#plan(state) }),
  }

  #plan(state: QueryState): Plan {
    return plan(this.#model, state, { scan: this.#options.scan ?? 'error' })
  }

  #page(state: QueryState): Page<unknown> {
    const chosen = this.#plan(state)
    const { after, limit = Infinity, select, ...question } = state
    const all = this.#matching(state, chosen)
    const start =
      after === undefined
        ? 0
        : this.#behind(all, readToken(after, question, this.#options.tokenSecret) as string)
    const items = all.slice(start, start + limit)
    const last = items.at(-1)
    const page = {
      items: items.map((item) => structuredClone(select === undefined ? item : picked(item, select))),
    }
    return last === undefined || start + limit >= all.length
      ? page
      : { ...page, next: writeToken(this.#id(last), question, this.#options.tokenSecret) }
  }

  #behind(all: readonly TItem[], id: string): number {
    return all.findIndex((item) => this.#id(item) === id) + 1
  }

  /** The items that a plan gives, in its order. An index holds only items that have its columns. */
  #matching(state: QueryState, { order: columns, forward }: Plan): TItem[] {
    const matching = [...this.#items.values()].filter((item) => {
      const fields = item as Readonly<Record<string, unknown>>
      return (
        columns.every((column) => fields[column] !== undefined) &&
        state.conditions.every((condition) => meets(fields, condition))
      )
    })
    matching.sort((a, b) =>
      compareBy([...columns, ...this.#model.key], a as Record<string, unknown>, b as Record<string, unknown>),
    )
    return forward ? matching : matching.reverse()
  }

  #id(item: object): string {
    const fields = item as Readonly<Record<string, unknown>>
    return JSON.stringify(
      this.#model.key.map((column) => {
        const value = fields[column]
        if (value === undefined || value === null || value === '')
          throw new InvalidDataError(`The key column "${column}" has no value`)
        return typeof value === 'bigint' ? Number(value) : value
      }),
    )
  }

  #checkColumn(column: string): void {
    if (!this.#model.has(column)) throw new ConditionError(`The model has no column "${column}"`)
  }
}

function compareBy(
  columns: readonly string[],
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): number {
  for (const column of columns) {
    const compared = order(a[column], b[column]) ?? 0
    if (compared !== 0) return compared
  }
  return 0
}

function picked(item: object, columns: readonly string[]): object {
  return Object.fromEntries(Object.entries(item).filter(([column]) => columns.includes(column)))
}
