import type { UnknownRecord } from '../../core/record.ts'
import type { Update } from '../planning/changes.ts'
import type { Explanation, Condition, QueryState } from '../planning/query-state.ts'

/** What is stored of one item. */
export interface Stored {
  /** The item as conditions are checked on it. */
  readonly plain: UnknownRecord
}

/** An item, and its place in the order of what is found. */
export interface Found<TItem> {
  readonly item: TItem
  /** Which of several reads gives it. */
  readonly part: number
  readonly place: readonly unknown[]
  /** Negative in front of another place of the same part, positive behind it. */
  readonly compare: (place: readonly unknown[]) => number
}

/** How one database stores the items of one model, and finds them. `T` is what it stores. */
export interface Form<T extends Stored> {
  /** The columns of the key. */
  readonly key: readonly string[]
  /** One text for each key. @throws InvalidDataError, TypeMismatchError */
  id(key: object): string
  /** A copy of an item, in the database's form. @throws InvalidDataError */
  stored(item: object): T
  /** A copy of what is stored, as the model has it. @throws InvalidDataError */
  item(stored: T): UnknownRecord
  /** The same as far as it can be read: a write that is done must not fail over it. */
  readable(stored: T): UnknownRecord
  /** A stored item with what an update makes of it; `undefined` for an update without a change. @throws InvalidDataError, KeyChangeError */
  changed(stored: T, update: Update): T | undefined
  /** Refuses an update that no item can take. @throws ConditionError, InvalidDataError */
  check(update: Update): void
  /** Refuses an update that only an item that is there can take. @throws InvalidDataError */
  checkNew(update: Update): void
  /** The conditions of a write, as {@link meets} takes them. @throws ConditionError */
  conditions(when: readonly Condition[]): readonly Condition[]
  /** Whether an item meets a condition. */
  meets(plain: UnknownRecord, condition: Condition): boolean
  /** What a query gives, in its order. @throws ConditionError */
  found(state: QueryState, all: readonly (readonly [id: string, stored: T])[]): Found<T>[]
  /** Why it gives that. */
  explain(state: QueryState): Explanation['plan']
  /** Bytes of an item, where the database counts them. */
  sizeOf(stored: T): number
  /** Whether the item counts as absent. */
  isExpired(stored: T): boolean
  /** Stores several items all or none. */
  readonly isAllOrNone: boolean
  /** Whether a write gives back what is stored, and not what it was given. */
  readonly readsBack: boolean
}
