import type { KeyTarget } from '../planning/keys.ts'

/** Where and how a table is written. */
export interface WriteTarget extends KeyTarget {
  readonly name: string
  readonly has: (column: string) => boolean
  /** Whether `null` is a value of a column, and takes none away. No index takes it in its keys. */
  readonly isNullable: (column: string) => boolean
  /** An item with each text that stands for a number made one. */
  readonly typedItem: (item: object) => object
  readonly version: string | undefined
  readonly ttl: string | undefined
  /** Seconds since 1970. */
  readonly now: number
}
