import { ConditionError, SortError } from '../../errors/index.ts'
import { columnsOf } from './condition-columns.ts'
import type { Comparison, Condition, QueryState } from './query-state.ts'
import { narrowness, rangeOf } from './range.ts'
import type { AccessPath, Table } from './table.ts'

/** The options of a backend that a plan depends on. */
export interface PlanOptions {
  readonly scan: 'error' | 'allow'
  /** For messages. */
  readonly title: string
  /** Whether what an index does not hold is read by the keys it holds. */
  readonly hydrate?: boolean
  /** The column that says whether an item counts as absent, which every read has to see. */
  readonly ttl?: string | undefined
}

/** A path with the conditions that its keys take. */
export interface NarrowedPath {
  readonly path: AccessPath
  readonly key: Comparison[]
  /** The conditions that the key says. */
  readonly stated: readonly Condition[]
  /** What it does not say of them. */
  readonly check: readonly Comparison[]
  /** How far that narrows it down. */
  readonly rank: number
  /** A column of which no value can meet the conditions. */
  readonly emptyColumn: string | undefined
}

/** A condition that gives a column one of several values. */
export type OneOf = Comparison & { readonly operator: 'in' | 'not-in' }

/** The keys and indexes of a table, as far as they serve a query. */
export class Paths {
  readonly #table: Table
  readonly #state: QueryState
  readonly #options: PlanOptions
  readonly #comparisons: readonly Comparison[]

  constructor(table: Table, state: QueryState, options: PlanOptions) {
    this.#table = table
    this.#state = state
    this.#options = options
    this.#comparisons = state.conditions.filter((condition) => 'column' in condition)
  }

  /** Whether every column of a partition has one value. */
  isFixed(partition: readonly string[]): boolean {
    for (const column of partition) if (this.equal(column) === undefined) return false
    return true
  }

  /** The paths that can give what is wanted; says what is missing if none can. */
  usable(keyed: readonly AccessPath[]): readonly AccessPath[] {
    const { title, hydrate = false } = this.#options
    const { consistent = false, sort, index } = this.#state
    // Most tables: nothing that could speak against any of them.
    if (sort === undefined && !consistent && keyed.every(({ columns }) => columns === 'all')) return keyed
    const current = keyed.filter(({ isGlobal }) => !(consistent && isGlobal))
    if (current.length === 0)
      throw new ConditionError(
        `${title}: the index "${keyed[0]?.name}" is a global one, which cannot be read consistently`,
      )
    const covering = hydrate ? current : current.filter((path) => this.missing(path).length === 0)
    if (covering.length === 0) {
      const [lacking] = current.map((path) => `"${path.name}" does not hold ${this.missing(path).join(', ')}`)
      throw new ConditionError(`${title}: the index ${lacking}: select() what it holds, or set hydrate`)
    }
    if (sort === undefined) return covering
    const sorted = covering.filter((path) => this.#isSortedBy(path, sort.column))
    const conflict = sorted.some((path) => this.narrowed(path).rank > 0)
      ? undefined
      : covering.find((path) => !sorted.includes(path) && this.#isNarrowed(path))
    if (sorted.length > 0 && (conflict === undefined || index !== undefined)) return sorted
    throw new SortError(
      sorted.length === 0
        ? `No key or index of ${title} with this partition is sorted by "${sort.column}"; they are sorted by ${covering.flatMap((path) => path.sort[0] ?? []).join(', ') || 'nothing'}`
        : `${title} can be narrowed down by "${conflict?.sort[0]}" or sorted by "${sort.column}", each by another index: choose one with using("${sorted[0]?.name ?? 'table'}")`,
    )
  }

  /** Which wanted columns an index does not hold. */
  missing({ columns }: AccessPath): string[] {
    if (columns === 'all') return []
    const { select } = this.#state
    if (select === undefined && this.#table.columns === undefined) return ['all columns']
    const wanted = new Set([
      ...(select ?? this.#table.columns ?? []),
      ...columnsOf(this.#state.conditions),
      ...[this.#options.ttl ?? []].flat(),
    ])
    return [...wanted].filter((column) => !columns.has(column))
  }

  #isSortedBy({ partition, sort }: AccessPath, column: string): boolean {
    const first = sort.find((name) => this.equal(name) === undefined)
    return first === column || partition.includes(column) || this.equal(column) !== undefined
  }

  #isNarrowed(path: AccessPath): boolean {
    const { rank } = this.narrowed(path)
    return rank > 0 && rank < 3
  }

  /** How far the conditions on its keys narrow a path down. */
  narrowed(path: AccessPath): NarrowedPath {
    const key: Comparison[] = []
    const check: Comparison[] = []
    let rank = 0
    for (const column of path.partition) {
      const equal = this.equal(column)
      if (equal !== undefined) key.push(equal)
    }
    const stated = key.slice()
    for (const column of path.sort) {
      const on = this.#on(column)
      if (on.length === 0) break
      const range = rangeOf(on)
      if (range.isEmpty) return { path, key, stated, check, rank: 4, emptyColumn: column }
      if (range.key === undefined) break
      key.push(range.key)
      stated.push(...on)
      check.push(...range.check)
      rank = Math.max(rank, narrowness(range.key))
      if (range.key.operator !== '=') break
    }
    return { path, key, stated, check, rank, emptyColumn: undefined }
  }

  /** The conditions on a column. A path's keys are different columns, so none is taken twice. */
  #on(column: string): Comparison[] {
    const on: Comparison[] = []
    for (const comparison of this.#comparisons) if (comparison.column === column) on.push(comparison)
    return on
  }

  /** The condition that fixes a column. */
  equal(column: string): Comparison | undefined {
    for (const comparison of this.#comparisons)
      if (comparison.operator === '=' && comparison.column === column) return comparison
    return undefined
  }

  /** The condition that gives a column one of several values. */
  oneOf(column: string): OneOf | undefined {
    for (const comparison of this.#comparisons)
      if (comparison.operator === 'in' && comparison.column === column) return comparison
    return undefined
  }
}
