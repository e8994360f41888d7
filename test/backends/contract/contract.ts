import type { Creates, Deletes, Finds, Model, Queries, Updates } from 'clearskies-middy'
import { describe } from 'vitest'
import { conditionContract } from './conditions.ts'
import { pageContract } from './pages.ts'
import { additionContract } from './additions.ts'
import { decimalContract } from './decimals.ts'
import { kindContract } from './kinds.ts'
import { pathContract } from './paths.ts'
import { operandContract } from './operands.ts'
import { writeContract } from './writes.ts'

/** All that a table's backend does. */
export type TableBackend<TItem, TInput, TKey> = Creates<TItem, TInput> &
  Finds<TItem, TKey> &
  Queries<TItem> &
  Updates<TItem, TKey, TInput> &
  Deletes<TItem, TKey>

/** The options that the contract uses; `ttl` and `encryptTokens` only with their flags. */
export interface ContractOptions {
  readonly scan?: 'allow'
  readonly tokenSecret?: string
  readonly encryptTokens?: boolean
  readonly version?: string
  readonly ttl?: string
}

/** Makes a backend of a model; its table is created, empty, with the first one. */
export type OpenBackend = <TItem extends object, TInput, TKey extends string>(
  model: Model<TItem, TInput, TKey>,
  options: ContractOptions,
) => Promise<TableBackend<TItem, TInput, Pick<TItem, TKey & keyof TItem>>>

/** What not every backend does. */
export interface ContractFlags {
  /** Refuses a query that no key or index serves, and an order that none gives. @default true */
  readonly refusesScans?: boolean
  /** Gives items in the order of their keys, where no other is asked for. @default true */
  readonly keepsKeyOrder?: boolean
  /** Leaves out of an index what lacks its columns. @default true */
  readonly hasSparseIndexes?: boolean
  /** Has only the patterns `a`, `a%` and `%a%`. @default true */
  readonly hasFewPatterns?: boolean
  /** Refuses a key column with an empty text. @default true */
  readonly refusesEmptyKeys?: boolean
  /** Takes infinite numbers for numbers. @default false */
  readonly hasInfinity?: boolean
  /** Holds the character NUL in text. @default true */
  readonly holdsNul?: boolean
  /** Holds sets. @default true */
  readonly holdsSets?: boolean
  /** Tells `null` from no value in a column that may have either. @default true */
  readonly holdsNulls?: boolean
  /** Finds whole objects by equality: dynalite, unlike DynamoDB, does not. @default true */
  readonly comparesObjects?: boolean
  /**
   * Checks a condition and writes in one step, selects members of columns, finds beginnings of bytes. moto does none of it.
   *
   * @default true
   */
  readonly isWhole?: boolean
  /** Has the option `ttl`. @default true */
  readonly expires?: boolean
  /** Has the option `encryptTokens`. @default false */
  readonly encryptsTokens?: boolean
}

/** A backend under test, with every flag said. */
export interface ContractCase {
  readonly open: OpenBackend
  readonly flags: Required<ContractFlags>
}

const tables: Required<ContractFlags> = {
  refusesScans: true,
  keepsKeyOrder: true,
  hasSparseIndexes: true,
  hasFewPatterns: true,
  refusesEmptyKeys: true,
  hasInfinity: false,
  holdsNul: true,
  holdsSets: true,
  holdsNulls: true,
  comparesObjects: true,
  isWhole: true,
  expires: true,
  encryptsTokens: false,
}

/** Where tables of SQL differ from those of DynamoDB. */
export const sqlFlags: ContractFlags = {
  refusesScans: false,
  hasSparseIndexes: false,
  hasFewPatterns: false,
  refusesEmptyKeys: false,
  holdsSets: false,
  holdsNulls: false,
  expires: false,
}

/** What every backend with queries does, whatever stores the items. */
export function backendContract(name: string, open: OpenBackend, flags: ContractFlags = {}): void {
  const one: ContractCase = { open, flags: { ...tables, ...flags } }
  describe(name, () => {
    writeContract(one)
    conditionContract(one)
    operandContract(one)
    pageContract(one)
    pathContract(one)
    additionContract(one)
    kindContract(one)
    decimalContract(one)
  })
}
