import type { ActionTarget } from '../planning/actions.ts'

/** Where and how a table is written. */
export interface WriteTarget extends ActionTarget {
  readonly name: string
  /** An item with each text that stands for a number made one. */
  readonly typedItem: (item: object) => object
  readonly ttl: string | undefined
  /** Seconds since 1970. */
  readonly now: number
}
