import { ConditionError, TypeMismatchError } from '../../errors/index.ts'
import { isNumeric } from '../../core/is-numeric.ts'
import { Decimal } from '../../wire/decimal.ts'
import type { ColumnKind } from './column-kinds.ts'
import type { KeyTarget } from './keys.ts'
import { type Columns, isObject, shapeOfPlace } from './places.ts'
import { refuseText } from './readable-text.ts'
import type { Comparison, Operator } from './query-state.ts'

/** What each kind of column takes, in words. */
const expectations: Readonly<Partial<Record<ColumnKind, [what: string, is: (value: unknown) => boolean]>>> = {
  string: ['a string', (value) => typeof value === 'string'],
  number: ['a number', (value) => isNumeric(value) || value instanceof Decimal],
  bigint: ['a number', (value) => isNumeric(value) || value instanceof Decimal],
  decimal: ['a number or its text', (value) => Decimal.of(value) !== undefined],
  boolean: ['a boolean', (value) => typeof value === 'boolean'],
  date: ['a Date', (value) => value instanceof Date],
  bytes: ['bytes', (value) => value instanceof Uint8Array],
  array: ['a list', (value) => Array.isArray(value)],
  set: ['a Set', (value) => value instanceof Set],
  object: ['an object', isObject],
}

const ordered: ReadonlySet<ColumnKind> = new Set(['string', 'number', 'bigint', 'decimal', 'date', 'bytes'])

/** The kinds of columns that an operator has a meaning for; the others are for all. */
const kindsOfOperators: Readonly<Partial<Record<Operator, ReadonlySet<ColumnKind>>>> = {
  '<': ordered,
  '<=': ordered,
  '>': ordered,
  '>=': ordered,
  between: ordered,
  'begins-with': new Set<ColumnKind>(['string', 'bytes']),
  contains: new Set<ColumnKind>(['string', 'array', 'set', 'json']),
  like: new Set<ColumnKind>(['string']),
}

/** What conditions are checked by: the kinds of columns, and the texts that stand for numbers in them. */
export type CheckedColumns = Pick<Columns, 'shape'> & Pick<KeyTarget, 'typed'>

/**
 * Refuses a value of another type than its column's: MySQL would turn one into the other, by which 0 equals most text.
 *
 * @throws TypeMismatchError; ConditionError (400) for a fraction where there are whole numbers
 */
export function checkType(columns: CheckedColumns, column: string, value: unknown): void {
  checkKind(column, columns.shape(column)?.kind, value)
}

function checkKind(column: string, kind: ColumnKind | undefined, value: unknown): void {
  const [what, is] = (kind && expectations[kind]) ?? []
  if (what !== undefined && is?.(value) === false) throw new TypeMismatchError(column, what, typeof value)
  // PostgreSQL refuses what is no whole number. The number is the caller's, as a rule.
  if (kind === 'bigint' && typeof value === 'number' && !Number.isInteger(value))
    throw new ConditionError(`The condition on "${column}" takes a whole number`, { statusCode: 400 })
}

/**
 * Refuses an operator and a value that the column's kind has no meaning for. A database would answer them with an error of its
 * own, or read a number as text, each in its own way.
 *
 * @throws TypeMismatchError; ConditionError (400) for half of a character
 */
export function checkComparison(comparison: Comparison, columns: CheckedColumns): void {
  const { column, path = [column], operator, value } = comparison
  const kind = shapeOfPlace(columns, path)?.kind
  if (kind !== undefined && kindsOfOperators[operator]?.has(kind) === false)
    throw new TypeMismatchError(column, `no "${operator}", being ${expectations[kind]?.[0] ?? kind}`, 'one')
  refuseText(column, value)
  const check = (operand: unknown): void => {
    checkKind(column, kind, columns.typed?.(path, operand) ?? operand)
  }
  switch (operator) {
    case 'is-null':
    case 'is-not-null':
    case 'like':
    case 'contains':
      return
    case 'begins-with':
      if (typeof value !== 'string' && !(value instanceof Uint8Array))
        throw new TypeMismatchError(column, 'a beginning of text or bytes', typeof value)
      check(value)
      return
    case 'in':
    case 'not-in':
    case 'between':
      value.forEach(check)
      return
    default:
      check(value)
  }
}
