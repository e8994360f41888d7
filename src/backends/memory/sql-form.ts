import { asRecord } from '../../core/record.ts'
import type { UnknownRecord } from '../../core/record.ts'
import { ConditionError, InvalidDataError, KeyChangeError } from '../../errors/index.ts'
import { elementJson, fromJson, toJson } from '../../wire/json-column.ts'
import { sumOf } from '../../wire/number-sum.ts'
import type { Model } from '../model.ts'
import type { Update } from '../planning/changes.ts'
import { checkType } from '../planning/check-type.ts'
import { equals, meets, order } from '../planning/evaluate.ts'
import { missingPlace, unfitPlace } from '../planning/actions.ts'
import { type Addition, additionsOf } from '../planning/additions.ts'
import { isNumeric } from '../../core/is-numeric.ts'
import type { NumberForms } from '../planning/number-forms.ts'
import { storedConditions } from '../planning/operands.ts'
import {
  checkJson,
  isObject,
  jsonKinds,
  shapeOfPlace,
  valueAt,
  withPlaces,
  withValueAt,
} from '../planning/places.ts'
import {
  type Comparison,
  type Condition,
  type Explanation,
  type QueryState,
  isEquality,
} from '../planning/query-state.ts'
import { refuseHalves, refuseText } from '../planning/readable-text.ts'
import type { SchemaShape } from '../planning/schema-shape.ts'
import { toTokenValues } from '../planning/token-values.ts'
import { nextVersion, versionColumn, versioned, carriedVersion } from '../planning/versions.ts'
import type { Form, Found, Stored } from './form.ts'
import { meetsPattern } from './pattern.ts'

/** A row as it is read. In its plain form, decimals are numbers and no text. */
interface StoredRow extends Stored {
  readonly row: UnknownRecord
}

/** Stores and finds as a table of SQL does: any order, any pattern, and JSON for what is no scalar. */
export class SqlForm implements Form<StoredRow> {
  readonly isAllOrNone = true
  readonly readsBack = true
  readonly key: readonly string[]
  readonly #model: Model
  readonly #version: string | undefined
  readonly #forms: Pick<NumberForms<unknown>, 'typed' | 'typedItem'>

  /** @param forms - Which texts stand for numbers */
  constructor(
    model: Model,
    version: string | undefined,
    forms: Pick<NumberForms<unknown>, 'typed' | 'typedItem'>,
  ) {
    this.key = model.key
    this.#model = model
    this.#version = version
    this.#forms = forms
  }

  id(key: object): string {
    const values = this.key.map((column) => {
      const value = asRecord(key)[column]
      if (value === undefined || value === null)
        throw new InvalidDataError(`The key column "${column}" has no value`)
      checkType(this.#model, column, value)
      refuseText(column, value, false)
      // A number and a bigint are the same to a database.
      return typeof value === 'number' || typeof value === 'bigint'
        ? { number: String(value) }
        : this.#forms.typed(column, value)
    })
    return JSON.stringify(toTokenValues(values))
  }

  stored(item: object): StoredRow {
    const columns = Object.entries(item).flatMap(([column, value]: [string, unknown]) => {
      const isNone = value === undefined || (value === null && !this.#model.isNullable(column))
      return isNone ? [] : [[column, this.#column(column, value)] as const]
    })
    this.id(item)
    const row = Object.fromEntries(columns)
    return { row, plain: asRecord(this.#forms.typedItem(row)) }
  }

  /** A value as it comes back from its column. */
  #column(column: string, value: unknown): unknown {
    if (value instanceof Uint8Array) return new Uint8Array(value)
    if (value instanceof Date) return new Date(value)
    const shape = this.#model.shape(column)
    const json = typeof value === 'object' && value !== null ? toJson(value, shape, column) : undefined
    if (json !== undefined) return fromJson(JSON.parse(json), shape)
    refuseHalves(column, value)
    refuseText(column, value, false)
    return shape?.kind === 'decimal' ? String(value) : value
  }

  item({ row }: StoredRow): UnknownRecord {
    return structuredClone(row)
  }

  readable(stored: StoredRow): UnknownRecord {
    return this.item(stored)
  }

  changed({ row }: StoredRow, update: Update): StoredRow | undefined {
    const columns = this.#written(update)
    const additions = this.#additions(update)
    if (columns.length + additions.length === 0) return undefined
    let next: UnknownRecord = { ...row, ...Object.fromEntries(columns) }
    for (const addition of additions) next = this.#added(next, addition)
    const version = nextVersion(carriedVersion(row, this.#version))
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
    return withValueAt(item, place, withAdded(old, value, place.length > 1))
  }

  check(update: Update): void {
    const { key, patch } = update
    this.#additions(update)
    for (const [column, value] of Object.entries(patch))
      if (
        value !== undefined &&
        this.key.includes(column) &&
        !this.#isSame(column, value, asRecord(key)[column])
      )
        throw new KeyChangeError(column)
  }

  #isSame(column: string, a: unknown, b: unknown): boolean {
    return equals(this.#forms.typed(column, a), this.#forms.typed(column, b))
  }

  checkNew(update: Update): void {
    if (this.#additions(update).some(({ place }) => place.length > 1)) throw missingPlace(this.#model.name)
  }

  conditions(when: readonly Condition[]): readonly Condition[] {
    const conditions = withPlaces(when, this.#model)
    const shape = (column: string): SchemaShape | undefined => this.#model.shape(column)
    const stored = storedConditions(conditions, { shape, typed: this.#forms.typed })
    this.#refuse(conditions)
    return stored
  }

  /** Refuses what SQL has no words for. @throws ConditionError, InvalidDataError */
  #refuse(conditions: readonly Condition[]): void {
    for (const condition of conditions) {
      if ('or' in condition) for (const group of condition.or) this.#refuse(group)
      else this.#refuseOperands(condition)
    }
  }

  #refuseOperands(comparison: Comparison): void {
    const { column, path = [column], operator, value } = comparison
    const shape = shapeOfPlace(this.#model, path)
    checkJson(comparison, this.#model)
    refuseText(column, value, false)
    const isJson = path.length > 1 || jsonKinds.has(shape?.kind)
    if (operator === 'contains' && isJson) elementJson(value, shape, column)
    else if (operator === 'contains' && typeof value !== 'string')
      throw new ConditionError(`The condition on "${column}" takes a string`)
    const operands = operator === 'in' || operator === 'not-in' ? value : [value]
    for (const operand of isJson && isEquality(operator) ? operands : [])
      if (isObject(operand) || Array.isArray(operand) || operand instanceof Set)
        toJson(operand, shape, column)
  }

  meets(plain: UnknownRecord, condition: Condition): boolean {
    if ('or' in condition)
      return condition.or.some((group) => group.every((inner) => this.meets(plain, inner)))
    if (condition.operator !== 'like') return meets(plain, condition)
    return meetsPattern(valueAt(plain, condition.path ?? [condition.column]), condition.value)
  }

  found(state: QueryState, all: readonly (readonly [id: string, stored: StoredRow])[]): Found<StoredRow>[] {
    const conditions = this.conditions(state.conditions)
    const { sort } = state
    const sign = sort?.direction === 'desc' ? -1 : 1
    // Rows without a value come last, in either direction; what is equal comes in the order of the keys.
    const columns = [...new Set([...(sort === undefined ? [] : [sort.column]), ...this.key])]
    return all
      .filter(([, { plain }]) => conditions.every((condition) => this.meets(plain, condition)))
      .map(([, item]): Found<StoredRow> => {
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

/** Decimals are texts here. PostgreSQL's numbers inside of JSON are decimals. */
function withAdded(old: unknown, number: number | bigint | string, isInside: boolean): unknown {
  if (old === undefined || old === null) return number
  if (typeof old === 'bigint') return old + BigInt(number)
  if (typeof old === 'string') return sumOf(old, String(number))
  const left = Number(old)
  return isInside ? Number(sumOf(String(left), String(number))) : left + Number(number)
}

function isListOperator(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}
