import { ConditionError } from '../../errors/index.ts'
import type { DeleteOptions, UpdateOptions, WriteConditions } from '../capabilities.ts'
import { conditionsOf } from '../planning/write-conditions.ts'
import type { Precondition } from './writes.ts'

/** The precondition that the options of a write make. */
export function preconditionOf<TItem>(
  { when, expect, mustExist = false }: DeleteOptions<TItem>,
  versionColumn: string | undefined,
): Precondition {
  if (expect !== undefined && versionColumn === undefined)
    throw new ConditionError('To expect a version, the backend needs the option "version"')
  return {
    ...(mustExist && { item: 'existing' }),
    ...(expect !== undefined && { version: expect }),
    when: conditionsOf(when),
  }
}

/** The same for an update, whose patch can carry the version that was seen. */
export function updatePrecondition<TItem>(
  patch: object,
  { upsert = false, ...options }: UpdateOptions<TItem>,
  versionColumn: string | undefined,
): Precondition {
  const seen = versionColumn === undefined ? undefined : (patch as Record<string, unknown>)[versionColumn]
  const carried = typeof seen === 'number' && { expect: seen }
  const precondition = preconditionOf({ mustExist: !upsert, ...carried, ...options }, versionColumn)
  return upsert ? { ...precondition, item: 'current' } : precondition
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
  return Number((item as Readonly<Record<string, unknown>>)[column] ?? 0)
}

/** An item with its version, where items have one. */
export function versioned<T extends object>(item: T, column: string | undefined, version: number): T {
  return column === undefined ? item : { ...item, [column]: version }
}
