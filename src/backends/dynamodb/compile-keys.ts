import type { BatchGetItemCommandInput, GetItemCommandInput } from '@aws-sdk/client-dynamodb'
import { chunks } from '../../core/chunks.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import { keyId } from '../planning/key-id.ts'

/** What requests by keys have in common. */
export interface KeyRequestOptions {
  readonly table: string
  readonly keyColumns: readonly string[]
  readonly consistent?: boolean | undefined
  readonly capacity?: boolean | undefined
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const keysPerRequest = 100

/** Asks for the item of one key. */
export function compileGet(
  Key: AttributeItem,
  { table: TableName, consistent = false, capacity = false }: KeyRequestOptions,
): GetItemCommandInput {
  return {
    TableName,
    Key,
    ...(consistent && { ConsistentRead: true }),
    ...(capacity && { ReturnConsumedCapacity: 'INDEXES' }),
  }
}

/** Asks for the items of up to 100 keys. */
export function compileBatchGet(
  Keys: AttributeItem[],
  { table, consistent = false, capacity = false }: KeyRequestOptions,
): BatchGetItemCommandInput {
  return {
    RequestItems: { [table]: { Keys, ...(consistent && { ConsistentRead: true }) } },
    ...(capacity && { ReturnConsumedCapacity: 'INDEXES' }),
  }
}

/** The keys in batches, each key once. */
export function keyBatches(keys: readonly AttributeItem[], columns: readonly string[]): AttributeItem[][] {
  return chunks([...new Map(keys.map((key) => [keyId(key, columns), key])).values()], keysPerRequest)
}

/** The requests for the items of some keys. */
export function compileKeys(
  keys: readonly AttributeItem[],
  options: KeyRequestOptions,
): (GetItemCommandInput | BatchGetItemCommandInput)[] {
  const [only, ...others] = keys
  if (only !== undefined && others.length === 0) return [compileGet(only, options)]
  return keyBatches(keys, options.keyColumns).map((some) => compileBatchGet(some, options))
}
