import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import { type ClientOption, isClientOption } from '../../aws/client.ts'
import { type OptionChecks, is, oneOf } from '../../core/options.ts'
import type { TableOptions } from '../planning/table-options.ts'

/** Options of {@link DynamoDbBackend}. */
export interface DynamoDbOptions extends TableOptions {
  /** A `DynamoDBClient`, or anything else with its `send`, or a function that gives one. @default one per region and process */
  readonly client?: ClientOption
  /** Whether items are checked by the schema when they are written, or also when they are read. @default 'write' */
  readonly validate?: 'write' | 'both'
  /** Told what each request has consumed. What it throws changes nothing. */
  readonly onCapacity?: (consumed: ConsumedCapacity) => void
}

/** What the options take that a table in memory has not. */
export const dynamoDbChecks: OptionChecks = {
  client: isClientOption,
  validate: oneOf('write', 'both'),
  onCapacity: is('function'),
}
