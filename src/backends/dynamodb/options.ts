import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import type { ClientOption } from '../../aws/client.ts'
import type { UpdateOptions } from '../capabilities.ts'
import type { NumberMode } from '../../wire/unmarshall.ts'
import type { DateMode } from '../../wire/attribute-value.ts'
import type { TokenOptions } from '../planning/token.ts'
import type { Changes } from './changes.ts'
import { type OptionChecks, is } from '../../core/options.ts'
import { updateChecks } from '../planning/preconditions.ts'

/** Options of {@link DynamoDbBackend}. */
export interface DynamoDbOptions extends TokenOptions {
  /** A `DynamoDBClient`, or anything else with its `send`, or a function that gives one. @default one per region and process */
  readonly client?: ClientOption
  /** What to do with a query that no key or index serves. @default 'error' */
  readonly scan?: 'error' | 'allow'
  /** A column that counts an item's changes, for optimistic locking: a write that has seen an older one is a conflict. */
  readonly version?: string
  /** The column that says, in seconds since 1970, when an item expires; one that has counts as absent. */
  readonly ttl?: string
  /**
   * What numbers become on reading; `safe` refuses a whole one that JavaScript would round. Columns that the schema
   * declares as bigint always are. @default 'safe'
   */
  readonly numbers?: NumberMode
  /** How dates are stored. Columns that the schema declares as dates are read as such. @default 'iso' */
  readonly dates?: DateMode
  /**
   * Whether reads see every write that was acknowledged before. A query that only a global index serves, which cannot, is
   * refused then. @default false
   */
  readonly consistent?: boolean
  /** Whether items are read by their keys where an index holds less than is wanted. @default false */
  readonly hydrate?: boolean
  /** Whether items are checked by the schema when they are written, or also when they are read. @default 'write' */
  readonly validate?: 'write' | 'both'
  /** Told what each request has consumed. */
  readonly onCapacity?: (consumed: ConsumedCapacity) => void
}

/** The options of an update, for `checkOptions`. */
export const updateOptionChecks: OptionChecks = {
  ...updateChecks,
  add: is('object'),
  append: is('object'),
  prepend: is('object'),
  setAdd: is('object'),
  setDelete: is('object'),
  ifNotExists: is('object'),
  set: (value: unknown): boolean => Array.isArray(value),
  remove: (value: unknown): boolean => Array.isArray(value),
}

/** Options of `update()`: conditions, and changes that DynamoDB makes on what is there. */
export type DynamoDbUpdateOptions<TItem> = UpdateOptions<TItem> &
  Changes & { readonly add?: { readonly [C in keyof TItem]?: Addend<NonNullable<TItem[C]>> } }

/** What is added: a column of decimals takes text, too. */
type Addend<TValue> = TValue extends string ? string | number | bigint : number | bigint
