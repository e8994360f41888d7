import { type UnknownRecord, asRecord } from '../../core/record.ts'
import { ColumnError, ConditionError } from '../../errors/index.ts'
import type { Model } from '../model.ts'
import { type Comparison, type Condition, isEquality } from './query-state.ts'
import { setOwn } from '../../wire/attribute-value.ts'
import { type ColumnKind, type SchemaShape, unknownShape } from './schema-shape.ts'

/** A column and the names of the members that lead to a place inside of it; the column alone, for itself. */
export type Place = readonly string[]

/** What places are found by. */
export type Columns = Pick<Model, 'has' | 'shape'>

/**
 * The place that a text such as `address.city` names: the column of that very name, or else a member of a column.
 *
 * @throws ColumnError; ConditionError for an element of a list
 */
export function placeOf(columns: Columns, text: string): Place {
  if (columns.has(text)) return [text]
  for (let dot = text.lastIndexOf('.'); dot > 0; dot = text.lastIndexOf('.', dot - 1)) {
    const column = text.slice(0, dot)
    if (columns.has(column))
      return [column, ...members(columns.shape(column) ?? unknownShape, text.slice(dot + 1), text)]
  }
  throw new ColumnError(text)
}

/** What has no members. */
const scalars: ReadonlySet<unknown> = new Set([
  'string',
  'number',
  'bigint',
  'decimal',
  'boolean',
  'date',
  'bytes',
])

/** @param path - The rest of the text, behind what has the shape */
function members(shape: SchemaShape, path: string, text: string): Place {
  const { kind, members: named, element } = shape
  if (kind === 'array' || kind === 'set')
    throw new ConditionError(
      `"${text}" is a place in a list, and only members of objects can be reached: "contains" finds elements`,
    )
  if (path === '' || path.startsWith('.') || scalars.has(kind)) throw new ColumnError(text)
  // A member's own name may have dots, too.
  if (named?.has(path) === true) return [path]
  const dot = path.indexOf('.')
  const name = dot < 0 ? path : path.slice(0, dot)
  const inner = named?.get(name) ?? element
  if (inner === undefined && named !== undefined && shape.isLoose !== true) throw new ColumnError(text)
  if (dot < 0) return [name]
  if (scalars.has(inner?.kind) && !named?.has(name)) return [path]
  return [name, ...members(inner ?? unknownShape, path.slice(dot + 1), text)]
}

/** The shape of a place, as far as the schema tells. */
export function shapeOfPlace(
  columns: Pick<Columns, 'shape'>,
  [column = '', ...names]: Place,
): SchemaShape | undefined {
  let shape = columns.shape(column)
  for (const name of names) shape = shape?.members?.get(name) ?? shape?.element
  return shape
}

/** The same conditions, each with its place inside a column. @throws ColumnError, ConditionError */
export function withPlaces(conditions: readonly Condition[], columns: Columns): readonly Condition[] {
  return conditions.map((condition) => {
    if ('or' in condition) return { or: condition.or.map((group) => withPlaces(group, columns)) }
    const path = placeOf(columns, condition.column)
    return path.length > 1 ? { ...condition, path } : condition
  })
}

/** Kinds of columns that SQL stores as JSON. */
export const jsonKinds: ReadonlySet<ColumnKind | undefined> = new Set(['array', 'object', 'set', 'json'])

/**
 * Refuses operands that JSON cannot be compared with as on other backends: inside of it bytes are text, and sets are lists.
 *
 * @throws ConditionError
 */
export function checkJson(
  { column, path = [column], operator, value }: Comparison,
  columns: Pick<Columns, 'shape'>,
): void {
  const isInside = path.length > 1
  if (!isInside && !jsonKinds.has(columns.shape(column)?.kind)) return
  const operands: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (operands.some((operand) => operand === Infinity || operand === -Infinity))
    throw new ConditionError(`The condition on "${column}" has a value without an end`, { statusCode: 400 })
  const isRefused = (operand: unknown): boolean =>
    operand instanceof Set || (operand instanceof Uint8Array && !isEquality(operator))
  if (isInside && operands.some(isRefused))
    throw new ConditionError(`The condition on "${column}" cannot be said of a value inside of JSON`)
  if (isInside && operator === 'begins-with' && typeof value !== 'string')
    throw new ConditionError(`The condition on "${column}" takes a string`)
}

/** What is at a place of an item. */
export function valueAt(item: UnknownRecord, place: Place): unknown {
  let value: unknown = item
  for (const name of place) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

/** Whether a value has members that a path can name. */
export function isObject(value: unknown): value is UnknownRecord {
  const isWhole = Array.isArray(value) || value instanceof Uint8Array || value instanceof Date
  return asRecord(value) !== undefined && !isWhole && !(value instanceof Set)
}

/** A copy of an item with a value at a place. */
export function withValueAt(item: UnknownRecord, place: Place, value: unknown): UnknownRecord {
  const copy = { ...item }
  put(copy, place, value)
  return copy
}

/** The places of which none is inside of another, each once. */
export function outermost(places: readonly Place[]): readonly Place[] {
  const outer = places.filter((place) => !places.some((other) => isAround(other, place)))
  return [...new Map(outer.map((place) => [JSON.stringify(place), place])).values()]
}

/** Columns as places. */
export function wholeColumns(columns: readonly string[]): readonly Place[] {
  return columns.map((column) => [column])
}

/** Items with what is at some places; whole ones without places. */
export function partsAt(items: readonly unknown[], places: readonly Place[] | undefined): unknown[] {
  return items.map((item) => (places === undefined ? item : partAt(asRecord(item) ?? {}, places)))
}

/** Whether one place has another one inside of it. */
function isAround(outer: Place, inner: Place): boolean {
  return outer.length < inner.length && outer.every((name, index) => name === inner[index])
}

/** An item with what is at some places. An object of which no member is there is left out. */
function partAt(item: UnknownRecord, places: readonly Place[]): UnknownRecord {
  const part: Record<string, unknown> = {}
  for (const place of places) {
    const value = valueAt(item, place)
    if (value !== undefined) put(part, place, value)
  }
  return part
}

function put(target: Record<string, unknown>, [name = '', ...others]: Place, value: unknown): void {
  if (others.length === 0) {
    setOwn(target, name, value)
    return
  }
  const around: Record<string, unknown> = { ...(Object.hasOwn(target, name) ? asRecord(target[name]) : {}) }
  put(around, others, value)
  setOwn(target, name, around)
}
