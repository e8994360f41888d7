import { type UnknownRecord, picked } from '../../core/record.ts'
import { ItemTooLargeError } from '../../errors/index.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import { isLarger, sizeOf } from '../../wire/item-size.ts'
import { marshallItem, maxItemBytes } from '../../wire/marshall.ts'
import { type ReadingOptions, plainItem, unmarshallItem } from '../../wire/unmarshall.ts'
import type { Model } from '../model.ts'
import { type ActionTarget, actionsOf, missingPlace } from '../planning/actions.ts'
import type { Update } from '../planning/changes.ts'
import { meets } from '../planning/evaluate.ts'
import { keyId } from '../planning/key-id.ts'
import type { NumberForms } from '../planning/number-forms.ts'
import { storedConditions } from '../planning/operands.ts'
import { checkKeys, indexColumns, keyOf } from '../planning/keys.ts'
import { withPlaces } from '../planning/places.ts'
import { plan } from '../planning/plan.ts'
import { meetable } from '../planning/preconditions.ts'
import type { Condition, Explanation, QueryState } from '../planning/query-state.ts'
import { shapesOf } from '../planning/reading.ts'
import type { Plan } from '../planning/reads.ts'
import type { TableOptions } from '../planning/table-options.ts'
import { tableOf } from '../planning/table.ts'
import { withActions } from './apply-actions.ts'
import type { Form, Found, Stored } from './form.ts'
import { found } from './found.ts'

/** An item in DynamoDB's typed form. */
interface StoredAttributes extends Stored {
  readonly attributes: AttributeItem
}

/** Stores and finds as DynamoDB does: what that refuses is refused by the same code. */
export class DynamoDbForm implements Form<StoredAttributes> {
  readonly isAllOrNone = false
  readonly readsBack = false
  readonly key: readonly string[]
  readonly #model: Model
  readonly #options: TableOptions
  readonly #target: ActionTarget
  readonly #reading: ReadingOptions
  readonly #forms: Pick<NumberForms<unknown>, 'typed' | 'typedItem'>

  /** @param forms - Which texts stand for numbers */
  constructor(model: Model, options: TableOptions, forms: Pick<NumberForms<unknown>, 'typed' | 'typedItem'>) {
    const { numbers = 'safe', dates = 'iso', version } = options
    const table = tableOf(model)
    const indexed = indexColumns(table)
    this.key = table.key
    this.#model = model
    this.#options = options
    this.#forms = forms
    this.#target = {
      table,
      dates,
      typed: this.#forms.typed,
      version,
      has: (column) => model.has(column),
      shape: (column) => model.shape(column),
      isNullable: (column) => model.isNullable(column) && !indexed.includes(column),
    }
    this.#reading = { numbers, dates, ...shapesOf(model, version) }
  }

  id(key: object): string {
    return keyId(keyOf(this.#target, key), this.key)
  }

  stored(item: object): StoredAttributes {
    const attributes = marshallItem(this.#forms.typedItem(item), this.#target.dates)
    checkKeys(this.#target, attributes)
    return keptItem(attributes)
  }

  item({ attributes }: StoredAttributes): UnknownRecord {
    return unmarshallItem(structuredClone(attributes), this.#reading)
  }

  readable({ attributes }: StoredAttributes): UnknownRecord {
    const columns = Object.keys(attributes).map((column) => {
      try {
        return unmarshallItem(structuredClone(picked(attributes, [column])), this.#reading)
      } catch {
        return {}
      }
    })
    return Object.assign({}, ...columns) as UnknownRecord
  }

  changed({ attributes }: StoredAttributes, update: Update): StoredAttributes | undefined {
    const actions = actionsOf(this.#target, update)
    if (actions.length === 0) return undefined
    const next = withActions(attributes, actions, this.#model.name)
    if (isLarger(next, maxItemBytes)) throw new ItemTooLargeError(sizeOf(next), maxItemBytes)
    return keptItem(next)
  }

  check(update: Update): void {
    actionsOf(this.#target, update)
  }

  checkNew(update: Update): void {
    const isInside = actionsOf(this.#target, update).some(
      ({ path }) => typeof path !== 'string' && path.length > 1,
    )
    if (isInside) throw missingPlace(this.#model.name)
  }

  conditions(when: readonly Condition[]): readonly Condition[] {
    return meetable(storedConditions(withPlaces(when, this.#target), this.#target), this.#target.table)
  }

  meets(plain: UnknownRecord, condition: Condition): boolean {
    return meets(plain, condition)
  }

  found(
    state: QueryState,
    all: readonly (readonly [id: string, stored: StoredAttributes])[],
  ): Found<StoredAttributes>[] {
    const { table } = this.#target
    const asked = this.#normalized(state)
    const { conditions } = asked
    return found(this.#plan(asked), { table, all, idOf: (key) => this.id(key), conditions })
  }

  explain(state: QueryState): Explanation['plan'] {
    const chosen = this.#plan(this.#normalized(state))
    return { ...chosen, why: chosen.why }
  }

  #normalized(state: QueryState): QueryState {
    const { consistent = this.#options.consistent ?? false } = state
    return { ...state, consistent, conditions: storedConditions(state.conditions, this.#target) }
  }

  #plan(state: QueryState): Plan {
    const { scan = 'error', hydrate = false, ttl } = this.#options
    return plan(this.#target.table, state, { scan, hydrate, ttl, title: this.#model.name })
  }

  sizeOf({ attributes }: StoredAttributes): number {
    return sizeOf(attributes)
  }

  isExpired({ attributes }: StoredAttributes): boolean {
    const { ttl } = this.#options
    const at = ttl === undefined ? undefined : attributes[ttl]?.N
    return at !== undefined && Number(at) <= Math.floor(Date.now() / 1000)
  }
}

function keptItem(attributes: AttributeItem): StoredAttributes {
  // Bytes are the caller's own until here.
  const copy = structuredClone(attributes)
  return { attributes: copy, plain: plainItem(copy) }
}
