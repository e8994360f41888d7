import { type InputError, ValidationError } from '../../errors/index.ts'
import { asRecord } from '../../core/record.ts'
import { Decimal } from '../../wire/decimal.ts'

/**
 * An item or a patch with one text for each number in its columns of decimals, as a database gives them back.
 *
 * @throws ValidationError for what is no number
 */
export function withPlainDecimals<T>(item: T, columns: readonly string[], what: string): T {
  const given = columns.length === 0 ? undefined : asRecord(item)
  if (given === undefined) return item
  const errors: InputError[] = []
  const plain: Record<string, string> = {}
  for (const column of columns) {
    const value = Object.hasOwn(given, column) ? given[column] : undefined
    if (value === undefined || value === null) continue
    const decimal = Decimal.of(value)
    if (decimal === undefined)
      errors.push({ path: [column], message: 'The column takes a number, or its text' })
    else plain[column] = decimal.text
  }
  if (errors.length > 0) throw new ValidationError(`${what} is not valid`, { errors })
  return { ...item, ...plain }
}
