import { asRecord } from '../../core/record.ts'
import { Decimal } from '../../wire/decimal.ts'
import type { NumberMode } from '../../wire/unmarshall.ts'
import { type ValueShape, hasKind, mapLeaves, shapeAt } from '../../wire/value-shape.ts'
import type { Model } from '../model.ts'

/** What a model checks writes with. */
export type Checks<TItem> = Pick<
  Model<TItem, never>,
  'validate' | 'checkStored' | 'checkPatch' | 'checkElements' | 'newItem' | 'kind' | 'has'
>

type CheckedModel<TItem> = Checks<TItem> & Pick<Model, 'columns' | 'shape'>

/** The texts that stand for numbers in a model's columns: decimals, and numbers that are read as text. */
export class NumberForms<TItem> {
  /** The checks of the model, which take each number as it was read. */
  readonly checks: Checks<TItem>
  readonly #columns: ReadonlyMap<string, ValueShape>
  readonly #kinds: ReadonlySet<string | undefined>

  constructor(model: CheckedModel<TItem>, numbers: NumberMode) {
    this.#kinds = new Set(numbers === 'string' ? ['decimal', 'number'] : ['decimal'])
    this.#columns = shapesWith(model, this.#kinds)
    this.checks = numbers === 'safe' ? model : tolerant(model)
  }

  /** A value of a column, or of a place inside of it, with each text that stands for a number made one. */
  readonly typed = (path: string | readonly (string | number)[], value: unknown): unknown => {
    const [column = '', ...places] = typeof path === 'string' ? [path] : path
    let shape = this.#columns.get(String(column))
    for (const place of places) shape = shapeAt(shape, place)
    return mapLeaves(value, shape, (leaf, kind) =>
      typeof leaf === 'string' && this.#kinds.has(kind) ? (Decimal.of(leaf) ?? leaf) : leaf,
    )
  }

  /** The same for a whole item. */
  readonly typedItem = (item: object): object => {
    if (this.#columns.size === 0) return item
    const columns = Object.entries(item)
    return Object.fromEntries(columns.map(([column, value]) => [column, this.typed(column, value)]))
  }
}

function shapesWith(
  model: Pick<Model, 'columns' | 'shape'>,
  kinds: ReadonlySet<string | undefined>,
): Map<string, ValueShape> {
  const found = new Map<string, ValueShape>()
  for (const column of model.columns ?? []) {
    const shape = model.shape(column)
    if (shape !== undefined && hasKind(shape, kinds)) found.set(column, shape)
  }
  return found
}

/**
 * The checks for a backend that reads numbers as text or as bigints: what was read can be written. The schema is asked with
 * the number, and where it leaves that as it is, the form that keeps all digits stays.
 */
function tolerant<TItem>(model: CheckedModel<TItem>): Checks<TItem> {
  const members = shapesWith(model, new Set(['number']))
  const asked = <T>(given: T): T => ({
    ...given,
    ...replaced(given, (value, name) => mapLeaves(value, members.get(name), asNumber)),
  })
  const kept = <T>(output: T, given: unknown): T => {
    const originals = asRecord(given) ?? {}
    return {
      ...output,
      ...replaced(output, (value, name) => restored(value, originals[name], members.get(name))),
    }
  }
  return {
    kind: (column) => model.kind(column),
    has: (column) => model.has(column),
    validate: async (data) =>
      kept(await model.validate(asRecord(data) === undefined ? data : asked(data)), data),
    newItem: async (item) => kept(await model.newItem(asked(item)), item),
    checkStored: async (data) =>
      kept(await model.checkStored(asRecord(data) === undefined ? data : asked(data)), data),
    checkPatch: async (patch, exempt, isWhole) =>
      kept(await model.checkPatch(asked(patch), exempt, isWhole), patch),
    checkElements: async (column, elements) => {
      const shape = shapeAt(members.get(column), 0)
      const numbers = elements.map((element) => mapLeaves(element, shape, asNumber))
      const checked = await model.checkElements(column, numbers)
      return checked.map((element, index) => restored(element, elements[index], shape))
    },
  }
}

function replaced(
  record: unknown,
  change: (value: unknown, name: string) => unknown,
): Record<string, unknown> {
  const members = Object.entries(asRecord(record) ?? {})
  return Object.fromEntries(members.map(([name, value]) => [name, change(value, name)]))
}

function asNumber(value: unknown, kind: string | undefined): unknown {
  const isOther = typeof value === 'bigint' || (typeof value === 'string' && Decimal.of(value) !== undefined)
  return isOther && kind === 'number' ? Number(value) : value
}

/** What a schema made of a value, with each number that it left as it was in the form in which it was given. */
function restored(checked: unknown, given: unknown, shape: ValueShape | undefined): unknown {
  if (shape === undefined) return checked
  if (Array.isArray(checked) && Array.isArray(given))
    return checked.map((element: unknown, index) => restored(element, given[index], shapeAt(shape, index)))
  if (checked instanceof Set && given instanceof Set) {
    const elements: readonly unknown[] = [...given]
    return new Set(
      Array.from(checked, (element, index) => restored(element, elements[index], shapeAt(shape, index))),
    )
  }
  const [members, originals] = [asRecord(checked), asRecord(given)]
  if (members === undefined || originals === undefined)
    return typeof checked === 'number' && asNumber(given, shape.kind) === checked ? given : checked
  const isPlain = shape.members !== undefined || shape.element !== undefined
  return isPlain
    ? replaced(members, (member, name) => restored(member, originals[name], shapeAt(shape, name)))
    : checked
}
