import { ConflictError } from '../../errors/index.ts'

/** Items by their ids. A layer over another one holds what a transaction has written, and is laid into it at the end. */
export class Layer<T> {
  readonly #below: Layer<T> | undefined
  readonly #items = new Map<string, T | undefined>()
  /** What was below where the layer has written, as the transaction has met it. */
  readonly #met = new Map<string, T | undefined>()

  constructor(below?: Layer<T>) {
    this.#below = below
  }

  get(id: string): T | undefined {
    return this.#items.has(id) ? this.#items.get(id) : this.#below?.get(id)
  }

  /** @param item - `undefined` takes the item away */
  set(id: string, item: T | undefined): void {
    if (this.#below === undefined && item === undefined) {
      this.#items.delete(id)
      return
    }
    if (this.#below !== undefined && !this.#items.has(id)) this.#met.set(id, this.#below.get(id))
    this.#items.set(id, item)
  }

  entries(): [id: string, item: T][] {
    const all = new Map<string, T | undefined>([...(this.#below?.entries() ?? []), ...this.#items])
    return [...all].flatMap(([id, item]): [string, T][] => (item === undefined ? [] : [[id, item]]))
  }

  /** @throws ConflictError where somebody else has written since */
  check(): void {
    for (const [id, item] of this.#met)
      if (this.#below?.get(id) !== item)
        throw new ConflictError('Other work on the same rows was done at the same time')
  }

  /** Lays what was written into the layer below. */
  apply(): void {
    for (const [id, item] of this.#items) this.#below?.set(id, item)
  }
}

/**
 * The layers of one transaction, one for each table that it has touched. `MemoryBackend` like SQL gives it to the function
 * of `transaction()`; other backends join it by `within()`.
 *
 * @example
 * ```ts
 * import { MemoryBackend, type MemoryTransaction } from 'clearskies-middy/backends/memory'
 * import { model } from 'clearskies-middy/backends/model'
 * import * as z from 'zod'
 *
 * const schema = z.object({ id: z.string() })
 * const orders = new MemoryBackend(model({ name: 'orders', key: ['id'], schema }), { like: 'sql' })
 * const lines = new MemoryBackend(model({ name: 'lines', key: ['id'], schema }), { like: 'sql' })
 *
 * async function placeLine(transaction: MemoryTransaction, id: string): Promise<void> {
 *   await (await lines.within(transaction)).create({ id })
 * }
 *
 * await orders.transaction(async (own, transaction) => {
 *   await own.create({ id: '7' })
 *   await placeLine(transaction, '7-1')
 * })
 * ```
 */
export class MemoryTransaction {
  /** The transaction that this one is a part of. */
  readonly within: MemoryTransaction | undefined
  readonly #layers: Pick<Layer<unknown>, 'check' | 'apply'>[] = []

  constructor(within?: MemoryTransaction) {
    this.within = within
  }

  /** Adds the changes of one store. */
  add(layer: Pick<Layer<unknown>, 'check' | 'apply'>): void {
    this.#layers.push(layer)
  }

  /** All of it, or none. @throws ConflictError */
  commit(): void {
    for (const layer of this.#layers) layer.check()
    for (const layer of this.#layers) layer.apply()
  }
}
