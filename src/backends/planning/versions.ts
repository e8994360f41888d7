import { asRecord } from '../../core/record.ts'
import { ConditionError } from '../../errors/index.ts'
import type { Model } from '../model.ts'

/** How often an item was written. The schema may declare it as a bigint. */
export type Version = number | bigint

/** The column that counts an item's changes. */
export interface VersionColumn {
  readonly name: string
  readonly isBigint: boolean
}

export function versionColumn(
  model: Pick<Model, 'kind'>,
  name: string | undefined,
): VersionColumn | undefined {
  return name === undefined ? undefined : { name, isBigint: model.kind(name) === 'bigint' }
}

/**
 * A version that somebody has seen; 0 stands for no item.
 *
 * @throws ConditionError (400) for anything else: a lock must not be off without a word
 */
export function seenVersion(value: unknown): Version {
  const isNumber = typeof value === 'number' && Number.isSafeInteger(value)
  if ((isNumber || typeof value === 'bigint') && value >= 0) return value
  throw new ConditionError('A version is a whole number from 0, as it was read', { statusCode: 400 })
}

/** The version that an item or a patch carries; `undefined` if it has none. @throws ConditionError */
export function carriedVersion(item: object, column: string | undefined): Version | undefined {
  const value = column !== undefined && Object.hasOwn(item, column) ? asRecord(item)[column] : undefined
  return value === undefined ? undefined : seenVersion(value)
}

/** The version behind another one. */
export function nextVersion(version: Version = 0): Version {
  return typeof version === 'bigint' ? version + 1n : version + 1
}

/** An item with its version, where items have one. */
export function versioned<T extends object>(
  item: T,
  column: VersionColumn | undefined,
  version: Version = 1,
): T {
  if (column === undefined) return item
  return { ...item, [column.name]: column.isBigint ? BigInt(version) : version }
}
