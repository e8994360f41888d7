import { type UnknownRecord, asRecord, picked } from '../../core/record.ts'
import type { DeleteOptions, UpdateOptions, WriteConditions } from '../capabilities.ts'
import type { Model } from '../model.ts'
import type { Update } from '../planning/changes.ts'
import { checkedUpdate, freshItem, unfilledUpsert } from '../planning/checked-changes.ts'
import { equals } from '../planning/evaluate.ts'
import {
  type Precondition,
  conflictOf,
  missingItem,
  preconditionOf,
  updatePrecondition,
  versionedPut,
} from '../planning/preconditions.ts'
import {
  type VersionColumn,
  carriedVersion,
  nextVersion,
  versionColumn,
  versioned,
} from '../planning/versions.ts'
import { allOrNone, storeEach } from '../planning/outcomes.ts'
import type { Checks } from '../planning/number-forms.ts'
import type { Form, Stored } from './form.ts'
import { Layer, type MemoryTransaction } from './layer.ts'

/** A model and how its items are kept. */
export interface ItemsOptions<TItem, TInput, T extends Stored> {
  readonly model: Model<TItem, TInput>
  readonly form: Form<T>
  /** What data are checked with. */
  readonly checks: Checks<TItem>
  readonly version: string | undefined
}

/** A write whose data are checked, and that nothing can come between any more. */
export interface ReadyWrite<TItem> {
  readonly id: string
  /** Bytes of what is stored, where the database counts them. */
  readonly size?: () => number
  /** @throws NotFoundError, ConflictError */
  check(): void
  /** Makes what is to be stored; only what this gives stores it. @throws InvalidDataError */
  make(): () => TItem | undefined
}

/** The items of one table, and all writes of them. */
export class MemoryItems<TItem extends object, TInput, T extends Stored> {
  readonly form: Form<T>
  readonly model: Model<TItem, TInput>
  readonly #checks: Checks<TItem>
  readonly #version: VersionColumn | undefined
  readonly #layer: Layer<T>
  readonly #layers = new WeakMap<MemoryTransaction, Layer<T>>()

  constructor(
    { model, form, checks, version }: ItemsOptions<TItem, TInput, T>,
    layer: Layer<T> = new Layer<T>(),
  ) {
    this.model = model
    this.form = form
    this.#checks = checks
    this.#version = versionColumn(model, version)
    this.#layer = layer
  }

  /** The same items as a transaction sees and writes them. */
  within(transaction: MemoryTransaction): MemoryItems<TItem, TInput, T> {
    const { model, form } = this
    const options = { model, form, checks: this.#checks, version: this.#version?.name }
    return new MemoryItems(options, this.#layerOf(transaction))
  }

  #layerOf(transaction: MemoryTransaction): Layer<T> {
    const known = this.#layers.get(transaction)
    if (known !== undefined) return known
    const { within } = transaction
    const layer = new Layer<T>(within === undefined ? this.#layer : this.#layerOf(within))
    this.#layers.set(transaction, layer)
    transaction.add(layer)
    return layer
  }

  /** The items that are there, by their ids. */
  all(): [id: string, stored: T][] {
    return this.#layer.entries().filter(([, stored]) => !this.form.isExpired(stored))
  }

  find(key: object): TItem | undefined {
    const stored = this.kept(key)
    return stored && this.read(stored)
  }

  /** What is stored of the item of a key. It never changes: a write puts another one in its place. */
  kept(key: object): T | undefined {
    return this.#stored(this.form.id(key))
  }

  read(stored: T): TItem {
    return this.form.item(stored) as TItem
  }

  #written(stored: T): TItem {
    return this.form.readable(stored) as TItem
  }

  async create(data: TInput): Promise<TItem> {
    return made(await this.readyCreate(data))
  }

  async createMany(list: readonly TInput[]): Promise<TItem[]> {
    const ready = (data: TInput): Promise<ReadyWrite<TItem>> => this.readyCreate(data)
    return this.form.isAllOrNone
      ? allOrNone(list, async () => this.#makeAll(await Promise.all(list.map(ready))))
      : storeEach(list, { ready, store: async (write) => made(write) })
  }

  #makeAll(writes: readonly ReadyWrite<TItem>[]): TItem[] {
    const ids = new Set<string>()
    for (const { id, check } of writes) {
      check()
      if (ids.has(id)) throw conflictOf(this.model.name, { isNew: true })
      ids.add(id)
    }
    return writes.map(made)
  }

  async readyCreate(data: TInput): Promise<ReadyWrite<TItem>> {
    const item = versioned(await this.#checks.validate(data), this.#version)
    return this.#readyStore(item, { item: 'new' })
  }

  async readyPut(data: TInput, options: WriteConditions<TItem>): Promise<ReadyWrite<TItem>> {
    const { item, precondition } = versionedPut(await this.#checks.validate(data), options, this.#version)
    return this.#readyStore(item, precondition)
  }

  /** Stores an item whatever is there, with the version behind the one that it carries. */
  async readyReplace(data: TInput): Promise<ReadyWrite<TItem>> {
    const item = await this.#checks.validate(data)
    const version = nextVersion(carriedVersion(item, this.#version?.name))
    return this.#readyStore(versioned(item, this.#version, version), {})
  }

  #readyStore(item: TItem, precondition: Precondition): ReadyWrite<TItem> {
    const stored = this.form.stored(item)
    const id = this.form.id(item)
    return {
      id,
      size: () => this.form.sizeOf(stored),
      check: this.#checkOf(id, precondition),
      make: () => () => {
        this.#layer.set(id, stored)
        return this.form.readsBack ? this.#written(stored) : item
      },
    }
  }

  /** @param fills - Whether a new item may get defaults, which a transaction of DynamoDB cannot give it */
  async readyUpdate(asked: Update, options: UpdateOptions<TItem>, fills = true): Promise<ReadyWrite<TItem>> {
    const { key, patch } = asked
    const { form } = this
    const precondition = updatePrecondition(patch, options, this.#version?.name)
    const update = await checkedUpdate(this.#checks, { table: form, version: this.#version?.name }, asked)
    const fresh = options.upsert === true ? await this.#fresh(asked, fills) : undefined
    const id = form.id(key)
    const made = fresh && form.stored({ ...fresh, ...picked(asRecord(key), form.key) })
    form.check(update)
    return {
      id,
      check: this.#checkOf(id, precondition),
      make: () => {
        const stored = this.#stored(id)
        if (stored === undefined) form.checkNew(update)
        const next = stored === undefined ? made : (form.changed(stored, update) ?? stored)
        return () => {
          this.#layer.set(id, next)
          return next && this.#written(next)
        }
      },
    }
  }

  async #fresh(asked: Update, fills: boolean): Promise<UnknownRecord> {
    const { fresh, isFilled } = await freshItem(this.#checks, this.#version, asked)
    if (isFilled && !fills) throw unfilledUpsert()
    return fresh
  }

  readyDelete(key: object, options: DeleteOptions<TItem>): ReadyWrite<TItem> {
    const id = this.form.id(key)
    return {
      id,
      check: this.#checkOf(id, preconditionOf(options, this.#version?.name)),
      make: () => () => {
        const stored = this.#stored(id)
        this.#layer.set(id, undefined)
        return stored && this.#written(stored)
      },
    }
  }

  /** A write that only checks. */
  readyCheck(key: object, options: WriteConditions<TItem>): ReadyWrite<TItem> {
    const id = this.form.id(key)
    const precondition = preconditionOf(options, this.#version?.name)
    return {
      id,
      check: this.#checkOf(id, { ...precondition, item: 'existing' }),
      make: () => () => undefined,
    }
  }

  /** What checks a precondition on the item as it is then. @throws ConditionError */
  #checkOf(id: string, { item, version, when = [] }: Precondition): () => void {
    const { form } = this
    const { name } = this.model
    const conditions = form.conditions(when)
    return () => {
      const stored = this.#stored(id)
      const current = stored && this.#written(stored)
      if (item === 'new' && stored !== undefined) throw conflictOf(name, { isNew: true, current })
      const plain = stored?.plain ?? {}
      const isSeen = version === undefined || equals(plain[this.#version?.name ?? ''], version)
      const isMet = isSeen && conditions.every((condition) => form.meets(plain, condition))
      if (stored === undefined && item !== 'new' && (item === 'existing' || !isMet)) throw missingItem(name)
      if (!isMet) throw conflictOf(name, { current })
    }
  }

  #stored(id: string): T | undefined {
    const stored = this.#layer.get(id)
    return stored === undefined || this.form.isExpired(stored) ? undefined : stored
  }
}

/** Makes one write. */
export function doneAlready<T>({ check, make }: ReadyWrite<T>): T | undefined {
  check()
  return make()()
}

/** A write that always gives an item. */
function made<T>(ready: ReadyWrite<T>): T {
  return doneAlready(ready) as T
}
