import { InvalidTokenError } from '../../errors/index.ts'
import { asRecord, picked } from '../../core/record.ts'
import { order } from '../planning/evaluate.ts'
import type {
  CountOptions,
  Explanation,
  Page,
  PageOptions,
  QueryRunner,
  QueryState,
} from '../planning/query-state.ts'
import { partsAt, placeOf } from '../planning/places.ts'
import { fromTokenValues, toTokenValues } from '../planning/token-values.ts'
import { type TokenOptions, readToken, writeToken } from '../planning/token.ts'
import type { Found, Stored } from './form.ts'
import type { MemoryItems } from './items.ts'

/** Runs the queries of one table. */
export class MemoryReader<TItem extends object, TInput, T extends Stored> implements QueryRunner {
  readonly #open: () => MemoryItems<TItem, TInput, T>
  readonly #tokens: TokenOptions

  constructor(open: () => MemoryItems<TItem, TInput, T>, tokens: TokenOptions) {
    this.#open = open
    this.#tokens = tokens
  }

  placeOf(column: string): readonly string[] {
    return placeOf(this.#open().model, column)
  }

  async page(state: QueryState, { signal }: PageOptions): Promise<Page<unknown>> {
    signal?.throwIfAborted()
    const items = this.#open()
    const { after, limit = Infinity, select, conditions, sort, index } = state
    const binding = [items.model.name, conditions, sort, index]
    const all = this.#found(state)
    const start = after === undefined ? 0 : startBehind(all, readToken(after, binding, this.#tokens))
    const some = all.slice(start, start + limit)
    const wanted = some.map(({ item }) => {
      const whole = items.read(item)
      return select === undefined ? whole : picked(asRecord(whole), select)
    })
    const found = partsAt(wanted, state.places)
    const last = some.at(-1)
    if (last === undefined || start + limit >= all.length) return { items: found }
    return { items: found, next: writeToken([last.part, toTokenValues(last.place)], binding, this.#tokens) }
  }

  async count(state: QueryState, { signal }: CountOptions): Promise<number> {
    signal?.throwIfAborted()
    return Math.min(this.#found(state).length, state.limit ?? Infinity)
  }

  explain(state: QueryState): Explanation {
    return { plan: this.#open().form.explain(state), requests: [] }
  }

  #found(state: QueryState): Found<T>[] {
    const items = this.#open()
    return items.form.found(state, items.all())
  }
}

/** Also where the item of the token is gone: the page goes on behind its place. */
function startBehind(all: readonly Found<unknown>[], token: unknown): number {
  const parts: readonly unknown[] = Array.isArray(token) ? token : []
  const [part, place, ...others] = parts
  if (typeof part !== 'number' || !Number.isInteger(part) || part < 0 || others.length > 0)
    throw new InvalidTokenError()
  const values = fromTokenValues(place)
  const sample = all.find((other) => other.part === part)?.place ?? values
  const isPlace =
    sample.length === values.length && sample.every((value, at) => isComparable(value, values[at]))
  if (!isPlace) throw new InvalidTokenError()
  const at = all.findIndex((other) => other.part > part || (other.part === part && other.compare(values) > 0))
  return at < 0 ? all.length : at
}

/** Rows may be without a value where they are sorted. */
function isComparable(a: unknown, b: unknown): boolean {
  return a === null || b === null || order(a, b) !== undefined
}
