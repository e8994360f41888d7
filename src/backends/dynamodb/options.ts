import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import type { ClientOption } from '../../aws/client.ts'
import type { NumberMode } from '../../wire/unmarshall.ts'
import type { DateMode } from '../../wire/attribute-value.ts'
import type { TokenOptions } from '../planning/token.ts'

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
