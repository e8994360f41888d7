import { InvalidDataError, KeyChangeError, TypeMismatchError } from '../../errors/index.ts'
import { asRecord } from '../../core/record.ts'
import type { AttributeItem, DateMode } from '../../wire/attribute-value.ts'
import { marshall } from '../../wire/marshall.ts'
import type { Table } from './table.ts'

/** A table, and how it stores dates and numbers. */
export interface KeyTarget {
  readonly table: Table
  readonly dates: DateMode
  /** A value with each text that stands for a number made one; without it none does. */
  readonly typed?: ((path: string | readonly (string | number)[], value: unknown) => unknown) | undefined
}

/** A value of a column in its stored form. */
export function keyAttribute(
  { dates, typed }: KeyTarget,
  column: string,
  value: unknown,
): AttributeItem[string] {
  return marshall(typed === undefined ? value : typed(column, value), column, dates)
}

/** A key as DynamoDB takes it: whole, and each part a string, a number or bytes. */
export function keyOf(target: KeyTarget, key: object): AttributeItem {
  const given = asRecord(key)
  const wire: AttributeItem = {}
  for (const column of target.table.key) {
    const value = given[column]
    wire[column] = checkKeyValue(
      target.table,
      column,
      value === undefined ? undefined : keyAttribute(target, column, value),
    )
  }
  return wire
}

/** Checks the values of all keys, and leaves a NULL out of those of indexes. */
export function checkKeys({ table }: KeyTarget, wire: AttributeItem): void {
  for (const column of table.key)
    checkKeyValue(table, column, Object.hasOwn(wire, column) ? wire[column] : undefined)
  for (const column of indexColumns(table)) {
    const attribute = Object.hasOwn(wire, column) ? wire[column] : undefined
    // An index leaves out what has no value there; a NULL it refuses.
    if (attribute?.NULL === true) Reflect.deleteProperty(wire, column)
    else if (attribute !== undefined) checkKeyValue(table, column, attribute)
  }
}

/** Checks a value that a column gets which the key of an index may have. */
export function checkIndexValue(target: KeyTarget, column: string, value: unknown): unknown {
  const { table } = target
  if (indexColumns(table).includes(column)) checkKeyValue(table, column, keyAttribute(target, column, value))
  return value
}

/** Whether a column is one of the key, and has the value that it has there. @throws KeyChangeError for another one */
export function isSameKey(
  target: KeyTarget,
  key: object,
  [column, value]: readonly [column: string, value: unknown],
): boolean {
  if (!target.table.key.includes(column)) return false
  const textOf = (part: unknown): string => JSON.stringify(keyAttribute(target, column, part))
  if (textOf(asRecord(key)[column]) === textOf(value)) return true
  throw new KeyChangeError(column)
}

/** The columns of the keys of indexes, but for those of the table's own. */
export function indexColumns({ key, paths }: Table): string[] {
  return paths
    .flatMap(({ partition, sort }) => [...partition, ...sort])
    .filter((column) => !key.includes(column))
}

const keyNames = { S: 'a string', N: 'a number', B: 'bytes', BOOL: 'a boolean' } as const

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.CoreComponents.html */
function checkKeyValue(
  table: Table,
  column: string,
  value: AttributeItem[string] | undefined,
): AttributeItem[string] {
  if (value === undefined) throw new InvalidDataError(`The key column "${column}" has no value`)
  const { S: text, N: number, B: bytes } = value
  const type = text !== undefined ? 'S' : number !== undefined ? 'N' : 'B'
  const content = text ?? number ?? bytes
  if (content === undefined)
    throw new InvalidDataError(`The key column "${column}" takes a string, a number or bytes`)
  const expected = table.typeOf(column)
  if (expected !== undefined && expected !== type)
    throw new TypeMismatchError(column, keyNames[expected], keyNames[type])
  if (content.length === 0)
    throw new InvalidDataError(`The key column "${column}" is empty, which DynamoDB refuses`)
  return value
}
