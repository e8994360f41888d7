import { checkOptions, oneOf } from '../../core/options.ts'
import type { Model } from '../model.ts'
import { type TableOptions, checkTableOptions } from '../planning/table-options.ts'
import { checkTokenOptions, tokenChecks } from '../planning/token.ts'

/** The databases that memory can stand for. */
export type MemoryLike = 'dynamodb' | 'sql'

/** Options of {@link MemoryBackend}. Beside `like`, those of the backend that it stands for: SQL has fewer. */
export interface MemoryOptions<TLike extends MemoryLike = MemoryLike> extends TableOptions {
  /** The backend that it stands for: `DynamoDbBackend` or `SqlBackend`. What that refuses is refused. @default 'dynamodb' */
  readonly like?: TLike
}

/**
 * Refuses options that are wrong for a model.
 *
 * @throws TypeError
 */
export function checkMemoryOptions(model: Pick<Model, 'key' | 'has' | 'kind'>, options: MemoryOptions): void {
  const own = { like: oneOf('dynamodb', 'sql') }
  if (options.like === 'sql') {
    checkOptions('MemoryBackend', options, {
      ...own,
      ...tokenChecks,
      version: (value: unknown) => typeof value === 'string' && model.has(value),
    })
    checkTokenOptions('MemoryBackend', options)
  } else checkTableOptions('MemoryBackend', { model, options }, own)
  if (model.key.length === 0) throw new TypeError('MemoryBackend(): the model needs a key')
}
