import { KeyChangeError, TypeMismatchError, ValidationError } from '../../errors/index.ts'
import { isNumeric } from '../../core/is-numeric.ts'
import { Decimal } from '../../wire/decimal.ts'
import { refuseSum } from './actions.ts'
import { type Changes, PathSet } from './changes.ts'
import { type Columns, type Place, placeOf, shapeOfPlace } from './places.ts'

/** What `add` or `append` puts to what is at a place. */
export type Addition =
  | { readonly kind: 'add'; readonly place: Place; readonly value: number | bigint | string }
  | { readonly kind: 'append'; readonly place: Place; readonly value: readonly unknown[] }

/** The table that is added to. */
export interface AddedTo extends Columns {
  readonly key: readonly string[]
}

/**
 * The additions of an update, for databases without DynamoDB's own.
 *
 * @param written - The columns that the update writes beside them
 * @throws ColumnError, KeyChangeError, ConditionError, TypeMismatchError, ValidationError
 */
export function additionsOf(
  table: AddedTo,
  { add = {}, append = {} }: Changes,
  written: readonly string[],
): Addition[] {
  const sums = Object.entries(add).map(([text, value]): Addition => {
    const place = placeOf(table, text)
    const isDecimal = typeof value === 'string' && Decimal.of(value) !== undefined
    if (!isNumeric(value) && !isDecimal) throw new TypeMismatchError(text, 'a number to add', typeof value)
    refuseSum(table, place)
    return { kind: 'add', place, value }
  })
  const lists = Object.entries(append).map(([text, value]): Addition => {
    const place = placeOf(table, text)
    const kind = shapeOfPlace(table, place)?.kind
    if (kind !== undefined && kind !== 'array' && kind !== 'json')
      throw new ValidationError('The patch is not valid', {
        errors: [{ path: [...place], message: 'The column holds no list to append to' }],
      })
    return { kind: 'append', place, value }
  })
  const paths = new PathSet()
  for (const column of written) paths.add(column)
  for (const { place } of [...sums, ...lists]) {
    paths.add(place)
    const [column = ''] = place
    if (table.key.includes(column)) throw new KeyChangeError(column)
  }
  return [...sums, ...lists]
}
