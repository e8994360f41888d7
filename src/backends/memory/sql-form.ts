import { asRecord } from '../../core/record.ts'
import type { UnknownRecord } from '../../core/record.ts'
import { ConditionError, InvalidDataError, KeyChangeError } from '../../errors/index.ts'
import { fromJson, toJson } from '../../wire/json-column.ts'
import { sumOf } from '../../wire/number-sum.ts'
import type { Model } from '../model.ts'
import type { Update } from '../planning/changes.ts'
import { checkType } from '../planning/check-type.ts'
import { equals, meets, order } from '../planning/evaluate.ts'
import { missingPlace, unfitPlace } from '../planning/actions.ts'
import { type Addition, additionsOf } from '../planning/additions.ts'
import { isNumeric } from '../../core/is-numeric.ts'
import { checkInside, isObject, shapeOfPlace, valueAt, withPlaces, withValueAt } from '../planning/places.ts'
import type { Comparison, Condition, Explanation, QueryState } from '../planning/query-state.ts'
import { toTokenValues } from '../planning/token-values.ts'
import { nextVersion, versionColumn, versioned, carriedVersion } from '../planning/versions.ts'
import type { Form, Found, Stored } from './form.ts'
import { meetsPattern } from './pattern.ts'

/** Stores and finds as a table of SQL does: any order, any pattern, and JSON for what is no scalar. */
export class SqlForm implements Form<Stored> {
  readonly isAllOrNone = true
  readonly readsBack = true
  readonly key: readonly string[]
  readonly #model: Model
  readonly #version: string | undefined

  constructor(model: Model, version: string | undefined) {
    this.key = model.key
    this.#model = model
    this.#version = version
  }

  id(key: object): string {
    const values = this.key.map((column) => {
      const value = asRecord(key)[column]
      if (value === undefined || value === null)
        throw new InvalidDataError(`The key column "${column}" has no value`)
      checkType(this.#model, column, value)
      // A number and a bigint are the same to a database.
      return typeof value === 'number' || typeof value === 'bigint' ? { number: String(value) } : value
    })
    return JSON.stringify(toTokenValues(values))
  }

  stored(item: object): Stored {
    this.id(item)
    const columns = Object.entries(item).flatMap(([column, value]: [string, unknown]) => {
      const isNone = value === undefined || (value === null && !this.#model.isNullable(column))
      return isNone ? [] : [[column, this.#column(column, value)] as const]
    })
    return { plain: Object.fromEntries(columns) }
  }

  /** A value as it comes back from its column. */
  #column(column: string, value: unknown): unknown {
    if (value instanceof Uint8Array) return new Uint8Array(value)
    if (value instanceof Date) return new Date(value)
    if (typeof value === 'object' && value !== null)
      return fromJson(JSON.parse(toJson(value, this.#model.shape(column), column)), this.#model.shape(column))
    return this.#model.kind(column) === 'decimal' ? String(value) : value
  }

  item({ plain }: Stored): UnknownRecord {
    return structuredClone(plain)
  }

  readable(stored: Stored): UnknownRecord {
    return this.item(stored)
  }

  changed({ plain }: Stored, update: Update): Stored | undefined {
    const columns = this.#written(update)
    const additions = this.#additions(update)
    if (columns.length + additions.length === 0) return undefined
    let next: UnknownRecord = { ...plain, ...Object.fromEntries(columns) }
    for (const addition of additions) next = this.#added(next, addition)
    const version = nextVersion(carriedVersion(plain, this.#version))
    return this.stored(versioned(next, versionColumn(this.#model, this.#version), version))
  }

  /** What an update writes into whole columns. */
  #written({ patch }: Update): [column: string, value: unknown][] {
    return Object.entries(patch).filter(
      ([column, value]) => value !== undefined && column !== this.#version && !this.key.includes(column),
    )
  }

  #additions(update: Update): Addition[] {
    const columns = this.#written(update).map(([column]) => column)
    return additionsOf(this.#model, update.changes, columns)
  }

  /** @throws InvalidDataError */
  #added(item: UnknownRecord, { kind, place, value }: Addition): UnknownRecord {
    if (!isObject(valueAt(item, place.slice(0, -1)))) throw missingPlace(this.#model.name)
    const old = valueAt(item, place) ?? undefined
    if (kind === 'append') {
      const list: unknown = old ?? []
      if (!isListOperator(list)) throw unfitPlace(this.#model.name)
      return withValueAt(item, place, [...list, ...value])
    }
    const isText = ['bigint', 'decimal'].includes(shapeOfPlace(this.#model, place)?.kind ?? '')
    if (old !== undefined && !isNumeric(old) && !(isText && typeof old === 'string'))
      throw unfitPlace(this.#model.name)
    return withValueAt(item, place, withAdded(old, value))
  }

  check(update: Update): void {
    const { key, patch } = update
    this.#additions(update)
    for (const [column, value] of Object.entries(patch))
      if (value !== undefined && this.key.includes(column) && !equals(value, asRecord(key)[column]))
        throw new KeyChangeError(column)
  }

  checkNew(update: Update): void {
    if (this.#additions(update).some(({ place }) => place.length > 1)) throw missingPlace(this.#model.name)
  }

  conditions(when: readonly Condition[]): readonly Condition[] {
    const conditions = withPlaces(when, this.#model)
    this.#checkAll(conditions)
    return conditions
  }

  #checkAll(conditions: readonly Condition[]): void {
    for (const condition of conditions) {
      if (!('or' in condition)) this.#check(condition)
      else for (const group of condition.or) this.#checkAll(group)
    }
  }

  /** @throws ColumnError, TypeMismatchError, ConditionError */
  #check({ column, path, operator, value }: Comparison): void {
    // Inside of JSON a value of another type is another value.
    if (path !== undefined) {
      checkInside(column, operator, value)
      return
    }
    switch (operator) {
      case 'is-null':
      case 'is-not-null':
      case 'like':
        return
      case 'begins-with':
      case 'contains': {
        const kind = this.#model.kind(column)
        const isText =
          typeof value === 'string' || (operator === 'begins-with' && value instanceof Uint8Array)
        if (!isText && kind !== 'array' && kind !== 'set' && kind !== 'json')
          throw new ConditionError(`The condition on "${column}" takes a string`)
        return
      }
      case 'in':
      case 'not-in':
      case 'between':
        for (const operand of value) checkType(this.#model, column, operand)
        return
      default:
        checkType(this.#model, column, value)
    }
  }

  meets(plain: UnknownRecord, condition: Condition): boolean {
    if ('or' in condition)
      return condition.or.some((group) => group.every((inner) => this.meets(plain, inner)))
    if (condition.operator !== 'like') return meets(plain, condition)
    return meetsPattern(valueAt(plain, condition.path ?? [condition.column]), condition.value)
  }

  found(state: QueryState, all: readonly (readonly [id: string, stored: Stored])[]): Found<Stored>[] {
    const conditions = this.conditions(state.conditions)
    const { sort } = state
    const sign = sort?.direction === 'desc' ? -1 : 1
    // Rows without a value come last, in either direction; what is equal comes in the order of the keys.
    const columns = [...new Set([...(sort === undefined ? [] : [sort.column]), ...this.key])]
    return all
      .filter(([, { plain }]) => conditions.every((condition) => this.meets(plain, condition)))
      .map(([, item]): Found<Stored> => {
        const place = columns.map((column) => item.plain[column] ?? null)
        return { item, part: 0, place, compare: (other) => comparedPlaces(place, other, sign) }
      })
      .sort((a, b) => a.compare(b.place))
  }

  explain(state: QueryState): Explanation['plan'] {
    this.conditions(state.conditions)
    return { operation: 'select', why: 'the database chooses the index' }
  }

  sizeOf(): number {
    return 0
  }

  isExpired(): boolean {
    return false
  }
}

function comparedPlaces(a: readonly unknown[], b: readonly unknown[], sign: 1 | -1): number {
  for (const [index, value] of a.entries()) {
    const other = b[index]
    if (value === null || other === null) {
      if (value !== other) return value === null ? 1 : -1
      continue
    }
    const compared = order(value, other) ?? 0
    if (compared !== 0) return sign * compared
  }
  return 0
}

/** Decimals are texts here. */
function withAdded(old: unknown, number: number | bigint | string): unknown {
  if (old === undefined || old === null) return number
  if (typeof old === 'bigint') return old + BigInt(number)
  return typeof old === 'string' ? sumOf(old, String(number)) : Number(old) + Number(number)
}

function isListOperator(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}
