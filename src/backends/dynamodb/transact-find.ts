import type { AttributeItem } from '../../wire/attribute-value.ts'
import { foreignPart } from '../planning/transact.ts'
import type { Snapshot, TransactFindOptions } from '../planning/transact-find.ts'
import { type BuiltPart, type TransactPart, Parts } from './parts.ts'

/** A read as it is sent. */
export interface PreparedRead extends BuiltPart {
  readonly key: AttributeItem
}

/** The reads that are sent in one `TransactGetItems`, each item once. */
export class DynamoDbSnapshot implements Snapshot {
  readonly #reads = new Parts<PreparedRead>()
  #found: readonly (AttributeItem | undefined)[] = []

  /** A snapshot, for one read more. @throws ConditionError for a snapshot of another database */
  static of(snapshot: Snapshot | undefined): DynamoDbSnapshot {
    const own = snapshot ?? new DynamoDbSnapshot()
    if (!(own instanceof DynamoDbSnapshot)) throw foreignPart()
    return own
  }

  /** Adds a read, and gives what gives its item then. */
  add(read: TransactPart<PreparedRead>): () => AttributeItem | undefined {
    const position = this.#reads.add(read)
    return () => this.#found[position]
  }

  async take({ signal }: TransactFindOptions): Promise<void> {
    const reads = await this.#reads.built()
    const parts = [...Map.groupBy(reads, ({ id }) => id).values()].flatMap(([first]) => first ?? [])
    const input = {
      TransactItems: parts.map(({ table: TableName, key: Key }) => ({ Get: { TableName, Key } })),
    }
    const output = await this.#reads.call('TransactGetItems', input, { parts, signal })
    const items = new Map(parts.map(({ id }, index) => [id, output?.Responses?.[index]?.Item]))
    this.#found = reads.map(({ id }) => items.get(id))
  }
}
