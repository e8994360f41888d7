import type { DeleteOptions, UpdateOptions } from '../capabilities.ts'
import { conditionsOf } from '../write-conditions.ts'
import type { Demand } from './writes.ts'

/** What the options of a write demand of the item as it is. */
export function demandOf<TItem>({ when, expect, mustExist = false }: DeleteOptions<TItem>): Demand {
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
  return demandOf({ mustExist: !upsert, ...(typeof seen === 'number' && { expect: seen }), ...options })
}

/** An item with its version, where items have one. */
export function versioned<T extends object>(item: T, column: string | undefined, version: number): T {
  return column === undefined ? item : { ...item, [column]: version }
}
