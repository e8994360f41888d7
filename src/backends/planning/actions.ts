import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import {
  ColumnError,
  InvalidDataError,
  KeyChangeError,
  TypeMismatchError,
  ValidationError,
} from '../../errors/index.ts'
import { isNumeric } from '../../core/is-numeric.ts'
import { Decimal } from '../../wire/decimal.ts'
import { marshall } from '../../wire/marshall.ts'
import { type Columns, type Place, placeOf, shapeOfPlace } from './places.ts'
import { type Changes, type Path, PathSet, type Update } from './changes.ts'
import type { SchemaShape } from './schema-shape.ts'
import { type KeyTarget, checkIndexValue, isSameKey } from './keys.ts'

/** What an update does at one place. */
export type Action =
  | { readonly kind: 'remove'; readonly path: Path }
  | {
      /** `fill` is for a place without a value, `join` and `leave` are of sets. */
      readonly kind: 'set' | 'fill' | 'append' | 'prepend' | 'add' | 'join' | 'leave'
      readonly path: Path
      readonly value: AttributeValue
    }

/** The table that is updated. */
export interface ActionTarget extends KeyTarget {
  readonly has: (column: string) => boolean
  /** What is inside a column, as far as the schema tells. */
  readonly shape: (column: string) => SchemaShape | undefined
  /** Whether `null` is a value of a column, and takes none away. No index takes it in its keys. */
  readonly isNullable: (column: string) => boolean
  readonly version: string | undefined
}

/** An update as single actions at places that do not overlap; none for an update that changes nothing. */
export function actionsOf(target: ActionTarget, { key, patch, changes }: Update): Action[] {
  const actions = [
    ...patchActions(target, key, patch),
    ...placeActions(target, changes),
    ...listActions(target, changes),
    ...sumActions(target, changes),
  ]
  const written = new PathSet()
  for (const { path } of actions) {
    written.add(path)
    const column = typeof path === 'string' ? path : String(path[0])
    if (!target.has(column)) throw new ColumnError(column)
    if (target.table.key.includes(column)) throw new KeyChangeError(column)
  }
  const { version } = target
  if (actions.length > 0 && version !== undefined)
    actions.push({ kind: 'add', path: version, value: { N: '1' } })
  return actions
}

function patchActions(target: ActionTarget, key: object, patch: object): Action[] {
  return Object.entries(patch).flatMap(([column, value]: [string, unknown]): Action[] => {
    if (value === undefined || column === target.version || isSameKey(target, key, [column, value])) return []
    const isNone = value === null && !target.isNullable(column)
    if (isNone || (value instanceof Set && value.size === 0)) return [{ kind: 'remove', path: column }]
    if (value !== null) checkIndexValue(target, column, value)
    return [{ kind: 'set', path: column, value: valueOfAction(target, column, value) }]
  })
}

function placeActions(target: ActionTarget, { set = [], remove = [], ifNotExists = {} }: Changes): Action[] {
  return [
    ...set.map(([path, value]): Action => ({ kind: 'set', path, value: valueOfAction(target, path, value) })),
    ...remove.map((path): Action => ({ kind: 'remove', path })),
    ...Object.entries(ifNotExists).map(([column, value]): Action => ({
      kind: 'fill',
      path: column,
      value: valueOfAction(target, column, value),
    })),
  ]
}

function listActions(target: ActionTarget, { append = {}, prepend = {} }: Changes): Action[] {
  const action =
    (kind: 'append' | 'prepend') =>
    ([column, list]: [string, readonly unknown[]]): Action => ({
      kind,
      ...placed(target, column, [...list]),
    })
  return [...Object.entries(append).map(action('append')), ...Object.entries(prepend).map(action('prepend'))]
}

function sumActions(target: ActionTarget, { add = {}, setAdd = {}, setDelete = {} }: Changes): Action[] {
  const members =
    (kind: 'join' | 'leave') =>
    ([column, list]: [string, readonly unknown[]]): Action[] =>
      list.length === 0 ? [] : [{ kind, path: column, value: valueOfAction(target, column, new Set(list)) }]
  return [
    ...Object.entries(add).map(([column, number]): Action => {
      if (!isNumeric(number) && !(target.typed?.(column, number) instanceof Decimal))
        throw new TypeMismatchError(column, 'a number to add', typeof number)
      refuseSum(target, placeOf(target, column))
      return { kind: 'add', ...placed(target, column, number) }
    }),
    ...Object.entries(setAdd).flatMap(members('join')),
    ...Object.entries(setDelete).flatMap(members('leave')),
  ]
}

/** A value at the place that a text names. @throws ColumnError */
function placed(target: ActionTarget, text: string, value: unknown): { path: Path; value: AttributeValue } {
  const place = placeOf(target, text)
  const path = place.length === 1 ? text : place
  return { path, value: valueOfAction(target, path, value) }
}

/** @throws ValidationError for a place that holds no number */
export function refuseSum(columns: Columns, place: Place): void {
  const kind = shapeOfPlace(columns, place)?.kind
  if (kind === undefined || ['number', 'bigint', 'decimal', 'json'].includes(kind)) return
  throw new ValidationError('The patch is not valid', {
    errors: [{ path: [...place], message: 'The column holds no number to add to' }],
  })
}

function valueOfAction({ dates, typed }: ActionTarget, path: Path, value: unknown): AttributeValue {
  return marshall(typed === undefined ? value : typed(path, value), String(path), dates)
}

/** A place inside a column is written, and what should be around it is not there. */
export function missingPlace(title: string, cause?: unknown): InvalidDataError {
  return new InvalidDataError(
    `The update of ${title} writes to a place inside a column, and what should be around it is not there`,
    { cause },
  )
}

/** What is stored is no number to add to, no list or no set. */
export function unfitPlace(title: string, cause?: unknown): InvalidDataError {
  return new InvalidDataError(
    `The update of ${title} adds to a value that is of another type than what is added`,
    { cause },
  )
}
