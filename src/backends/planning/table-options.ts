import { type OptionChecks, checkOptions, is, oneOf } from '../../core/options.ts'
import type { DateMode } from '../../wire/attribute-value.ts'
import type { NumberMode } from '../../wire/unmarshall.ts'
import type { Model } from '../model.ts'
import type { ColumnKind } from './column-kinds.ts'
import { type TokenOptions, checkTokenOptions, tokenChecks } from './token.ts'

/** The options that decide what is stored, found and read in a table of DynamoDB, or in memory that stands for one. */
export interface TableOptions extends TokenOptions {
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
}

/**
 * Refuses options that are wrong for a model.
 *
 * @param more - The checks of the options that the backend has beside these
 * @throws TypeError
 */
export function checkTableOptions(
  backend: string,
  { model, options }: { model: Pick<Model, 'key' | 'has' | 'kind'>; options: TableOptions },
  more: OptionChecks,
): void {
  const isColumn = (value: unknown): boolean => typeof value === 'string' && model.has(value)
  checkOptions(backend, options, {
    ...more,
    scan: oneOf('error', 'allow'),
    ...tokenChecks,
    version: isColumn,
    ttl: isColumn,
    numbers: oneOf('safe', 'bigint', 'string'),
    dates: oneOf('iso', 'seconds', 'milliseconds'),
    consistent: is('boolean'),
    hydrate: is('boolean'),
  })
  checkTokenOptions(backend, options)
  if (model.key.length > 2) throw new TypeError(`${backend}(): a key has one or two columns`)
  const { ttl, dates } = options
  if (ttl !== undefined && !holdsSeconds(model.kind(ttl), dates))
    throw new TypeError(
      `${backend}(): the column "${ttl}" of the option "ttl" has to hold seconds since 1970: a number, or a date with dates: 'seconds'`,
    )
}

/** DynamoDB deletes by numbers alone. */
function holdsSeconds(kind: ColumnKind | undefined, dates: DateMode | undefined): boolean {
  if (kind === 'date') return dates === 'seconds'
  return kind === undefined || ['number', 'bigint', 'decimal'].includes(kind)
}
