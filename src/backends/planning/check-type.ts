import { TypeMismatchError } from '../../errors/index.ts'
import { isNumeric } from '../../core/is-numeric.ts'
import { Decimal } from '../../wire/decimal.ts'
import type { ColumnKind } from './column-kinds.ts'
import type { Model } from '../model.ts'

/** What each kind of column takes, in words. */
const expectations: Readonly<Partial<Record<ColumnKind, [what: string, is: (value: unknown) => boolean]>>> = {
  string: ['text', (value) => typeof value === 'string'],
  number: ['a number', isNumeric],
  bigint: ['a number', isNumeric],
  decimal: ['a number or its text', (value) => Decimal.of(value) !== undefined],
  boolean: ['true or false', (value) => typeof value === 'boolean'],
  date: ['a Date', (value) => value instanceof Date],
  bytes: ['bytes', (value) => value instanceof Uint8Array],
}

/**
 * Refuses a value of another type than its column's: MySQL would turn one into the other, by which 0 equals most text.
 *
 * @throws TypeMismatchError
 */
export function checkType(model: Model, column: string, value: unknown): void {
  const [what, is] = expectations[model.kind(column) ?? 'object'] ?? []
  if (what !== undefined && is?.(value) === false) throw new TypeMismatchError(column, what, typeof value)
}
