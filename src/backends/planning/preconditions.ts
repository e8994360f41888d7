import { ConditionError, ConflictError, NotFoundError } from '../../errors/index.ts'
import { type OptionChecks, is } from '../../core/options.ts'
import type { DeleteOptions, UpdateOptions, WriteConditions } from '../capabilities.ts'
import { Query } from '../query.ts'
import type { Condition, QueryRunner } from './query-state.ts'
import { located } from './located.ts'
import { refuseTypes, simplified } from './simplify.ts'
import type { Table } from './table.ts'
import {
  type Version,
  type VersionColumn,
  carriedVersion,
  nextVersion,
  seenVersion,
  versioned,
} from './versions.ts'

/** The precondition of a write: what the item must be like. */
export interface Precondition {
  /** `new`: no item of this key; `existing`: one; `current`: none or one, but no expired one. */
  readonly item?: 'new' | 'existing' | 'current'
  /** The version that the caller has seen. */
  readonly version?: Version
  readonly when?: readonly Condition[]
}

/** The options of a write with conditions, for `checkOptions`. */
export const conditionChecks: OptionChecks = { when: is('function'), expect: (): boolean => true }
/** The options of an update. */
export const updateChecks: OptionChecks = {
  ...conditionChecks,
  upsert: is('boolean'),
  add: is('object'),
  append: is('object'),
}
/** The options of a delete. */
export const deleteChecks: OptionChecks = { ...conditionChecks, mustExist: is('boolean') }

/**
 * The precondition that the options of a write make.
 *
 * @param carried - The version that the item or the patch has
 * @throws ConditionError
 */
export function preconditionOf<TItem>(
  options: DeleteOptions<TItem>,
  versionColumn: string | undefined,
  carried?: Version,
): Precondition {
  // A lost variable must not become a write without a lock: "expect" counts as given also with the value undefined.
  const isExpected = Object.hasOwn(options, 'expect')
  if (isExpected && versionColumn === undefined)
    throw new ConditionError('To expect a version, the backend needs the option "version"')
  const version = isExpected ? seenVersion(options.expect) : carried
  return {
    ...(options.mustExist === true && { item: 'existing' }),
    ...(version !== undefined && { version }),
    when: options.when === undefined ? [] : collected(options.when),
  }
}

/** The conditions that a function adds to none. @throws ConditionError if there are none */
function collected<TItem>(when: (query: Query<TItem>) => Query<TItem, unknown>): readonly Condition[] {
  const conditions = Query.conditionsOf(when(Query.of<TItem>(collecting)))
  if (conditions.length === 0)
    throw new ConditionError('The function "when" returns no query with a condition: return query.where(…)')
  return conditions
}

/** Conditions are only collected here; which columns there are is checked when they are written. */
const collecting: QueryRunner = {
  placeOf: (column) => [column],
  page: refuseToRun,
  count: refuseToRun,
  explain: refuseToRun,
}

function refuseToRun(): never {
  throw new ConditionError('The conditions of a write are no query that can be run')
}

/** The same for an update, whose patch can carry the version that was seen. */
export function updatePrecondition<TItem>(
  patch: object,
  { upsert = false, ...options }: UpdateOptions<TItem>,
  versionColumn: string | undefined,
): Precondition {
  const precondition = preconditionOf(options, versionColumn, carriedVersion(patch, versionColumn))
  return { ...precondition, item: upsert ? 'current' : 'existing' }
}

/** What a put stores, and its precondition: with versions, the one that it carries, or else that there is no item. */
export function versionedPut<TItem extends object>(
  item: TItem,
  options: WriteConditions<TItem>,
  column: VersionColumn | undefined,
): { readonly item: TItem; readonly precondition: Precondition } {
  const { version, ...others } = preconditionOf(options, column?.name, carriedVersion(item, column?.name))
  const isSeen = version !== undefined && version > 0
  return {
    item: versioned(item, column, nextVersion(version)),
    precondition: { ...others, ...(isSeen ? { version } : column !== undefined && { item: 'new' }) },
  }
}

/** The conditions of a write as an item of the table has to meet them. Those that can never hold are met by no item. */
export function meetable(when: readonly Condition[], table: Table): readonly Condition[] {
  const [column = ''] = table.key
  const simple = simplified(when) ?? [
    { column, operator: 'is-null', value: undefined },
    { column, operator: 'is-not-null', value: undefined },
  ]
  refuseTypes(simple, table)
  return simple
}

/** No item has the key of a write that needs one. */
export function missingItem(table: string, cause?: unknown): NotFoundError {
  return located(new NotFoundError('There is no item with this key', cause === undefined ? {} : { cause }), {
    table,
  })
}

/** What stands against a write. */
export interface ConflictFacts {
  /** Whether the write was to make a new item. */
  readonly isNew?: boolean
  readonly ambiguous?: boolean
  readonly cause?: unknown
  readonly current?: unknown
}

/** The item is not what the precondition says. */
export function conflictOf(table: string, { isNew = false, ...details }: ConflictFacts): ConflictError {
  const reason = isNew
    ? 'There is an item with this key already'
    : 'The item is in another state than was expected'
  return located(new ConflictError(reason, details), { table })
}
