import { ConditionError } from '../../errors/index.ts'
import type { DeleteOptions, UpdateOptions, WriteConditions } from '../capabilities.ts'
import { conditionsOf } from '../planning/write-conditions.ts'
import type { Demand } from './writes.ts'

/** What the options of a write demand of the item as it is. */
export function demandOf<TItem>(
  { when, expect, mustExist = false }: DeleteOptions<TItem>,
  versionColumn: string | undefined,
): Demand {
  if (expect !== undefined && versionColumn === undefined)
    throw new ConditionError('To expect a version, the backend needs the option "version"')
  return {
    ...(mustExist && { item: 'existing' }),
    ...(expect !== undefined && { version: expect }),
    when: conditionsOf(when),
  }
}

/** The same for an update, whose patch can carry the version that was seen. */
export function updateDemand<TItem>(
  patch: object,
  { upsert = false, ...options }: UpdateOptions<TItem>,
  versionColumn: string | undefined,
): Demand {
  const seen = versionColumn === undefined ? undefined : (patch as Record<string, unknown>)[versionColumn]
  const carried = typeof seen === 'number' && { expect: seen }
  const demand = demandOf({ mustExist: !upsert, ...carried, ...options }, versionColumn)
  return upsert ? { ...demand, item: 'current' } : demand
}

/** What a put stores, and what it demands: with versions, the one that it carries, or else that there is no item. */
export function versionedPut<TItem extends object>(
  item: TItem,
  options: WriteConditions<TItem>,
  column: string | undefined,
): { readonly item: TItem; readonly demand: Demand } {
  const demand = demandOf(options, column)
  if (column === undefined) return { item, demand }
  const { version: seen = versionOf(item, column), ...others } = demand
  return {
    item: versioned(item, column, seen + 1),
    demand: { ...others, ...(seen > 0 ? { version: seen } : { item: 'new' }) },
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
