import type {
  DeleteItemCommandInput,
  PutItemCommandInput,
  UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import {
  ColumnError,
  ConditionError,
  InvalidDataError,
  KeyChangeError,
  TypeMismatchError,
} from '../../errors/index.ts'
import type { Condition } from '../planning/query-state.ts'
import { normalizedConditions } from './dates.ts'
import { notExpired } from './compile.ts'
import { Expression, type Path, checkedUpdate } from './expression.ts'
import { columnsOf } from '../planning/condition-columns.ts'
import { refuseTypes, simplified } from '../planning/simplify.ts'
import type { Table } from '../planning/table.ts'
import { marshall, marshallItem } from '../../wire/marshall.ts'
import type { DateMode, AttributeItem } from '../../wire/attribute-value.ts'

/** Where and how a table is written. */
export interface WriteTarget {
  readonly name: string
  readonly table: Table
  readonly dates: DateMode
  readonly has: (column: string) => boolean
  readonly version: string | undefined
  readonly ttl: string | undefined
  /** Seconds since 1970. */
  readonly now: number
}

/** The precondition of a write: what the item must be like. */
export interface Precondition {
  /** `new`: no item of this key; `existing`: one; `current`: none or one, but no expired one. */
  readonly item?: 'new' | 'existing' | 'current'
  /** The version that the caller has seen. */
  readonly version?: number
  readonly when?: readonly Condition[]
}

/**
 * Changes that need no reading first: DynamoDB makes them on what is there. The client tries again when an answer is lost;
 * what is added is then added twice, unless a version is expected, which makes that a conflict.
 */
export interface Changes {
  /** Numbers to add; a column without one begins at 0. */
  readonly add?: Readonly<Record<string, number | bigint>>
  /** Elements to put behind a list; a column without one begins empty. */
  readonly append?: Readonly<Record<string, readonly unknown[]>>
  /** Elements to put in front of a list. */
  readonly prepend?: Readonly<Record<string, readonly unknown[]>>
  /** Members to put into a set. */
  readonly setAdd?: Readonly<Record<string, readonly unknown[]>>
  /** Members to take out of a set. */
  readonly setDelete?: Readonly<Record<string, readonly unknown[]>>
  /** Values for columns that have none. */
  readonly ifNotExists?: Readonly<Record<string, unknown>>
  /** Values for places inside columns: `[['address', 'zip'], '1000']`. What is around the place must be there. */
  readonly set?: readonly (readonly [path: Path, value: unknown])[]
  /** Columns, and places inside them, to remove. */
  readonly remove?: readonly Path[]
}

/** The input of a write that stores a whole item. */
export function putInput(
  target: WriteTarget,
  item: object,
  precondition: Precondition,
): PutItemCommandInput & { Item: AttributeItem } {
  const wire = marshallItem(item, target.dates)
  const expression = new Expression()
  const condition = preconditionText(target, precondition, expression)
  checkKeys(target, wire)
  return {
    TableName: target.name,
    Item: wire,
    ...(condition !== undefined && {
      ConditionExpression: condition,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
    ...expression.attributes(),
  }
}

/** The input of a write that changes an item; `undefined` if it would change nothing. */
export function updateInput(
  target: WriteTarget,
  key: object,
  patch: object,
  changes: Changes,
  precondition: Precondition,
): (UpdateItemCommandInput & { Key: AttributeItem }) | undefined {
  const expression = new Expression()
  const update = updateText(target, key, patch, changes, expression)
  if (update === '') return undefined
  const condition = preconditionText(target, precondition, expression)
  return {
    TableName: target.name,
    Key: keyOf(target, key),
    UpdateExpression: checkedUpdate(update),
    ReturnValues: 'ALL_NEW',
    ...(condition !== undefined && {
      ConditionExpression: condition,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
    ...expression.attributes(),
  }
}

/** The input of a write that removes an item. */
export function deleteInput(
  target: WriteTarget,
  key: object,
  precondition: Precondition,
): DeleteItemCommandInput & { Key: AttributeItem } {
  const expression = new Expression()
  const condition = preconditionText(target, precondition, expression)
  return {
    TableName: target.name,
    Key: keyOf(target, key),
    ReturnValues: 'ALL_OLD',
    ...(condition !== undefined && {
      ConditionExpression: condition,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
    ...expression.attributes(),
  }
}

function preconditionText(
  target: WriteTarget,
  { item, version, when }: Precondition,
  expression: Expression,
): string | undefined {
  const { table, ttl, now, version: versionColumn } = target
  const texts: string[] = []
  const key = table.key[0] as string
  // An item that has expired counts as none, though DynamoDB may still hold it.
  if (item === 'new') {
    const absent = `attribute_not_exists(${expression.name(key)})`
    texts.push(
      ttl === undefined ? absent : `(${absent} OR ${expression.name(ttl)} <= ${expression.value(now, ttl)})`,
    )
  } else if (item === 'existing') {
    texts.push(`attribute_exists(${expression.name(key)})`)
    if (ttl !== undefined) texts.push(notExpired(expression, { column: ttl, now }))
  } else if (item === 'current' && ttl !== undefined) texts.push(notExpired(expression, { column: ttl, now }))
  if (version !== undefined && versionColumn !== undefined)
    texts.push(`${expression.name(versionColumn)} = ${expression.value(version, versionColumn)}`)
  const further = expression.conditions(checkedConditions(target, when))
  if (further !== undefined) texts.push(further)
  return texts.length === 0 ? undefined : texts.join(' AND ')
}

/** The conditions of a write as the item has to meet them. @throws ConditionError for those that make no sense */
export function checkedConditions(
  { table, dates, has }: WriteTarget,
  when: readonly Condition[] = [],
): readonly Condition[] {
  for (const column of columnsOf(when)) if (!has(column)) throw new ColumnError(column)
  const simple = simplified(normalizedConditions(when, dates))
  if (simple === undefined) throw new ConditionError('The conditions of the write can never hold')
  refuseTypes(simple, table)
  return simple
}

function updateText(
  target: WriteTarget,
  key: object,
  patch: object,
  changes: Changes,
  expression: Expression,
): string {
  const set: string[] = []
  const remove: string[] = []
  const add: string[] = []
  const subtract: string[] = []
  const written = new PathSet()
  const { dates, version } = target
  const place = (path: Path): string => {
    written.add(path)
    const column = typeof path === 'string' ? path : String(path[0])
    if (!target.has(column)) throw new ColumnError(column)
    if (target.table.key.includes(column)) throw new KeyChangeError(column)
    return expression.path(path)
  }
  const value = (of: unknown, path: Path): string => expression.wireValue(marshall(of, String(path), dates))

  for (const [column, one] of Object.entries(patch)) {
    if (one === undefined || column === version || isSameKey(target, key, column, one)) continue
    const name = place(column)
    if (one === null || (one instanceof Set && one.size === 0)) remove.push(name)
    else set.push(`${name} = ${value(checkIndexValue(target, column, one), column)}`)
  }
  for (const [path, one] of changes.set ?? []) set.push(`${place(path)} = ${value(one, path)}`)
  for (const path of changes.remove ?? []) remove.push(place(path))
  for (const [column, one] of Object.entries(changes.ifNotExists ?? {})) {
    const name = place(column)
    set.push(`${name} = if_not_exists(${name}, ${value(one, column)})`)
  }
  const empty = (): string => expression.wireValue({ L: [] })
  for (const [column, list] of Object.entries(changes.append ?? {})) {
    const name = place(column)
    set.push(`${name} = list_append(if_not_exists(${name}, ${empty()}), ${value([...list], column)})`)
  }
  for (const [column, list] of Object.entries(changes.prepend ?? {})) {
    const name = place(column)
    set.push(`${name} = list_append(${value([...list], column)}, if_not_exists(${name}, ${empty()}))`)
  }
  for (const [column, number] of Object.entries(changes.add ?? {})) {
    if (typeof number !== 'number' && typeof number !== 'bigint')
      throw new TypeMismatchError(column, 'a number to add', typeof number)
    add.push(`${place(column)} ${value(number, column)}`)
  }
  for (const [column, members] of Object.entries(changes.setAdd ?? {}))
    if (members.length > 0) add.push(`${place(column)} ${value(new Set(members), column)}`)
  for (const [column, members] of Object.entries(changes.setDelete ?? {}))
    if (members.length > 0) subtract.push(`${place(column)} ${value(new Set(members), column)}`)
  const isChange = set.length + remove.length + add.length + subtract.length > 0
  if (isChange && version !== undefined)
    add.push(`${expression.name(version)} ${expression.value(1, version)}`)
  return [
    set.length > 0 ? `SET ${set.join(', ')}` : '',
    remove.length > 0 ? `REMOVE ${remove.join(', ')}` : '',
    add.length > 0 ? `ADD ${add.join(', ')}` : '',
    subtract.length > 0 ? `DELETE ${subtract.join(', ')}` : '',
  ]
    .filter((clause) => clause !== '')
    .join(' ')
}

function isSameKey({ table, dates }: WriteTarget, key: object, column: string, value: unknown): boolean {
  if (!table.key.includes(column)) return false
  const given = (key as Readonly<Record<string, unknown>>)[column]
  if (JSON.stringify(marshall(given, column, dates)) === JSON.stringify(marshall(value, column, dates)))
    return true
  throw new KeyChangeError(column)
}

/** Places that an update writes: DynamoDB takes none twice, nor one inside another. */
class PathSet {
  readonly #paths: (readonly (string | number)[])[] = []

  add(path: Path): void {
    const parts = typeof path === 'string' ? [path] : path
    const isInside = (inner: readonly unknown[], outer: readonly unknown[]): boolean =>
      outer.every((part, index) => part === inner[index])
    const other = this.#paths.find((one) => isInside(one, parts) || isInside(parts, one))
    if (other !== undefined)
      throw new ConditionError(`The update writes ${parts.join('.')} and ${other.join('.')}, which overlap`)
    this.#paths.push(parts)
  }
}

/** A key as DynamoDB takes it: whole, and each part a string, a number or bytes. */
export function keyOf({ table, dates }: Pick<WriteTarget, 'table' | 'dates'>, key: object): AttributeItem {
  const given = key as Readonly<Record<string, unknown>>
  const wire: AttributeItem = {}
  for (const column of table.key) {
    const value = given[column]
    wire[column] = checkKeyValue(
      table,
      column,
      value === undefined ? undefined : marshall(value, column, dates),
    )
  }
  return wire
}

function checkKeys({ table }: WriteTarget, wire: AttributeItem): void {
  for (const column of table.key)
    checkKeyValue(table, column, Object.hasOwn(wire, column) ? wire[column] : undefined)
  for (const column of indexColumns(table)) {
    const attribute = Object.hasOwn(wire, column) ? wire[column] : undefined
    // An index leaves out what has no value there; a NULL it refuses.
    if (attribute?.NULL === true) Reflect.deleteProperty(wire, column)
    else if (attribute !== undefined) checkKeyValue(table, column, attribute)
  }
}

function checkIndexValue({ table, dates }: WriteTarget, column: string, value: unknown): unknown {
  if (indexColumns(table).includes(column)) checkKeyValue(table, column, marshall(value, column, dates))
  return value
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
  const [type, content] = Object.entries(value)[0] as [string, unknown]
  if (type !== 'S' && type !== 'N' && type !== 'B')
    throw new InvalidDataError(`The key column "${column}" takes a string, a number or bytes`)
  const expected = table.typeOf(column)
  if (expected !== undefined && expected !== type)
    throw new TypeMismatchError(column, keyNames[expected], keyNames[type])
  if ((content as { length: number }).length === 0)
    throw new InvalidDataError(`The key column "${column}" is empty, which DynamoDB refuses`)
  return value
}
