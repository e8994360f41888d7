import { ConditionError, ConflictError, NotFoundError } from '../../errors/index.ts'
import { asRecord } from '../../core/record.ts'
import type { DeleteOptions, UpdateOptions, WriteConditions } from '../capabilities.ts'
import { Query } from '../query.ts'
import type { Condition, QueryRunner } from './query-state.ts'
import { refuseTypes, simplified } from './simplify.ts'
import type { Table } from './table.ts'

/** The precondition of a write: what the item must be like. */
export interface Precondition {
  /** `new`: no item of this key; `existing`: one; `current`: none or one, but no expired one. */
  readonly item?: 'new' | 'existing' | 'current'
  /** The version that the caller has seen. */
  readonly version?: number
  readonly when?: readonly Condition[]
}

/**
 * The precondition that the options of a write make.
 *
 * @param carried - The version that the item or the patch has
 * @throws ConditionError
 */
export function preconditionOf<TItem>(
  { when, expect, mustExist = false }: DeleteOptions<TItem>,
  versionColumn: string | undefined,
  carried?: unknown,
): Precondition {
  if (expect !== undefined && versionColumn === undefined)
    throw new ConditionError('To expect a version, the backend needs the option "version"')
  const version = expect ?? (typeof carried === 'number' ? carried : undefined)
  return {
    ...(mustExist && { item: 'existing' }),
    ...(version !== undefined && { version }),
    when: when === undefined ? [] : Query.conditionsOf(when(Query.of<TItem>(collecting))),
  }
}

/** Conditions are only collected here; which columns there are is checked when they are written. */
const collecting: QueryRunner = {
  checkColumn() {},
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
  const carried = versionColumn === undefined ? undefined : asRecord(patch)[versionColumn]
  const precondition = preconditionOf(options, versionColumn, carried)
  return { ...precondition, item: upsert ? 'current' : 'existing' }
}

/** What a put stores, and its precondition: with versions, the one that it carries, or else that there is no item. */
export function versionedPut<TItem extends object>(
  item: TItem,
  options: WriteConditions<TItem>,
  column: string | undefined,
): { readonly item: TItem; readonly precondition: Precondition } {
  const precondition = preconditionOf(options, column)
  if (column === undefined) return { item, precondition }
  const { version: seen = versionOf(item, column), ...others } = precondition
  return {
    item: versioned(item, column, seen + 1),
    precondition: { ...others, ...(seen > 0 ? { version: seen } : { item: 'new' }) },
  }
}

/** The version that an item carries; 0 for a new one. */
export function versionOf(item: object, column: string): number {
  return Number(asRecord(item)[column] ?? 0)
}

/** An item with its version, where items have one. */
export function versioned<T extends object>(item: T, column: string | undefined, version: number): T {
  return column === undefined ? item : { ...item, [column]: version }
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
export function missingItem(title: string, cause?: unknown): NotFoundError {
  return new NotFoundError(`${title} has no item with this key`, cause === undefined ? {} : { cause })
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
export function conflictOf(title: string, { isNew = false, ...details }: ConflictFacts): ConflictError {
  const reason = isNew
    ? 'has an item with this key already'
    : 'has this item in another state than was expected'
  return new ConflictError(`${title} ${reason}`, details)
}
