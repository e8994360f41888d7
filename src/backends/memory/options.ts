import { type OptionChecks, is, oneOf } from '../../core/options.ts'
import type { Model } from '../model.ts'
import { type TokenOptions, tokenChecks } from '../planning/token.ts'
import type { LikeDynamoDbOptions } from './dynamodb-form.ts'

/** The databases that memory can stand for. */
export type MemoryLike = 'dynamodb' | 'sql'

/** Options of {@link MemoryBackend}. Beside `like`, those of the backend that it stands for. */
export interface MemoryOptions<TLike extends MemoryLike = MemoryLike>
  extends TokenOptions, LikeDynamoDbOptions {
  /** The backend that it stands for: `DynamoDbBackend` or `SqlBackend`. What that refuses is refused. @default 'dynamodb' */
  readonly like?: TLike
  /** What to do with a query that no key or index serves. DynamoDB's. @default 'error' */
  readonly scan?: 'error' | 'allow'
  /** A column that counts an item's changes, for optimistic locking. */
  readonly version?: string
  /** The column that says, in seconds since 1970, when an item expires. DynamoDB's. */
  readonly ttl?: string
}

/** The options that there are: SQL has fewer. */
export function memoryOptionChecks(model: Pick<Model, 'has'>, { like }: MemoryOptions): OptionChecks {
  const isColumn = (value: unknown): boolean => typeof value === 'string' && model.has(value)
  const both: OptionChecks = { like: oneOf('dynamodb', 'sql'), ...tokenChecks, version: isColumn }
  if (like === 'sql') return both
  return {
    ...both,
    scan: oneOf('error', 'allow'),
    ttl: isColumn,
    numbers: oneOf('safe', 'bigint', 'string'),
    dates: oneOf('iso', 'seconds', 'milliseconds'),
    consistent: is('boolean'),
    hydrate: is('boolean'),
  }
}
