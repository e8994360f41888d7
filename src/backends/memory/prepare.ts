import { ConditionError, ConflictError, NotFoundError, TransactionError } from '../../errors/index.ts'
import { checkOptions } from '../../core/options.ts'
import type { DeleteOptions, Patch, WriteConditions } from '../capabilities.ts'
import { changesIn } from '../planning/changes.ts'
import { conditionChecks, deleteChecks } from '../planning/preconditions.ts'
import {
  type DynamoDbUpdateOptions,
  type PreparedWrites,
  updateOptionChecks,
} from '../planning/prepared-writes.ts'
import {
  type TransactOptions,
  type TransactWrite,
  type WriteTransaction,
  checkTransactionSize,
  foreignPart,
} from '../planning/transact.ts'
import type { PreparedReads, Snapshot, TransactFindOptions, TransactRead } from '../planning/transact-find.ts'
import type { Stored } from './form.ts'
import type { MemoryItems, ReadyWrite } from './items.ts'

type ReadyWrites = ReadyWrite<unknown>

/** A write, and the items that it is of. */
interface Unsent {
  readonly items: object
  readonly ready: () => Promise<ReadyWrites>
}

/** Writes to memory that are made together. */
class MemoryWrites implements WriteTransaction {
  readonly #writes: Unsent[] = []

  /** @throws ConditionError for a transaction of another database */
  static with(transaction: WriteTransaction | undefined, write: Unsent): MemoryWrites {
    const own = transaction ?? new MemoryWrites()
    if (!(own instanceof MemoryWrites)) throw foreignPart()
    own.#writes.push(write)
    return own
  }

  async commit({ signal }: TransactOptions): Promise<void> {
    signal?.throwIfAborted()
    const made = await Promise.all(
      this.#writes.map(async ({ items, ready }) => ({ items, ready: await ready() })),
    )
    const written = new Map<object, Set<string>>()
    for (const { items, ready } of made) {
      const ids = written.get(items) ?? new Set()
      if (ids.has(ready.id))
        throw new ConditionError('A transaction writes an item at most once, this one twice')
      written.set(items, ids.add(ready.id))
    }
    checkTransactionSize(made.reduce((sum, { ready }) => sum + (ready.size?.() ?? 0), 0))
    const failed = made.flatMap(({ ready }, index) => (holds(ready) ? [] : [index]))
    if (failed.length > 0)
      throw new TransactionError(failed.map((index) => ({ index, code: 'ConditionalCheckFailed' })))
    const stores = made.map(({ ready }) => ready.make())
    for (const store of stores) store()
  }
}

function holds({ check }: ReadyWrites): boolean {
  try {
    check()
    return true
  } catch (error) {
    if (error instanceof ConflictError || error instanceof NotFoundError) return false
    throw error
  }
}

/** What a read has found, and its bytes. */
interface FoundInMemory {
  readonly stored: Stored
  readonly size: number
}

/** Reads of memory that are made together. */
class MemorySnapshot implements Snapshot {
  readonly #reads: (() => FoundInMemory | undefined)[] = []

  /** A snapshot, for one read more. @throws ConditionError for a snapshot of another database */
  static of(snapshot: Snapshot | undefined): MemorySnapshot {
    const own = snapshot ?? new MemorySnapshot()
    if (!(own instanceof MemorySnapshot)) throw foreignPart()
    return own
  }

  /** @param read - Reads, and gives what it has found and its bytes */
  add(read: () => FoundInMemory | undefined): void {
    this.#reads.push(read)
  }

  async take({ signal }: TransactFindOptions): Promise<void> {
    signal?.throwIfAborted()
    // Nothing is awaited in between, so no write comes in between. An item that is read twice counts once.
    const sizes = new Map(
      this.#reads.flatMap((read) => read() ?? []).map(({ stored, size }) => [stored, size]),
    )
    checkTransactionSize([...sizes.values()].reduce((sum, size) => sum + size, 0))
  }
}

/** The writes and reads of one table that are made together with others. */
export class MemoryPrepare<TItem extends object, TInput, TKey extends object, T extends Stored>
  implements PreparedWrites<TItem, TInput, TKey>, PreparedReads<TItem, TKey>
{
  readonly #items: MemoryItems<TItem, TInput, T>

  constructor(items: MemoryItems<TItem, TInput, T>) {
    this.#items = items
  }

  create(data: TInput): TransactWrite {
    return this.#prepared(() => this.#items.readyCreate(data))
  }

  put(data: TInput, options: WriteConditions<TItem> = {}): TransactWrite {
    checkOptions('prepare.put', options, conditionChecks)
    return this.#prepared(() => this.#items.readyPut(data, options))
  }

  update(
    key: TKey,
    patch: Patch<TItem, keyof TKey & string>,
    options: DynamoDbUpdateOptions<TItem> = {},
  ): TransactWrite {
    checkOptions('prepare.update', options, updateOptionChecks)
    return this.#prepared(() =>
      this.#items.readyUpdate({ key, patch, changes: changesIn(options) }, options, false),
    )
  }

  delete(key: TKey, options: DeleteOptions<TItem> = {}): TransactWrite {
    checkOptions('prepare.delete', options, deleteChecks)
    return this.#prepared(async () => this.#items.readyDelete(key, options))
  }

  check(key: TKey, options: WriteConditions<TItem> = {}): TransactWrite {
    checkOptions('prepare.check', options, conditionChecks)
    return this.#prepared(async () => this.#items.readyCheck(key, options))
  }

  find(key: TKey): TransactRead<TItem> {
    const items = this.#items
    return {
      'a read that is not sent yet: use backend.prepare.find': {
        join(before) {
          const snapshot = MemorySnapshot.of(before)
          let stored: T | undefined
          snapshot.add(() => {
            stored = items.kept(key)
            return stored && { stored, size: items.form.sizeOf(stored) }
          })
          return { snapshot, item: async () => stored && items.read(stored) }
        },
      },
    }
  }

  #prepared(ready: () => Promise<ReadyWrites>): TransactWrite {
    const write = { items: this.#items, ready }
    return {
      'a write that is not sent yet: use backend.prepare': {
        join: (transaction) => MemoryWrites.with(transaction, write),
      },
    }
  }
}
