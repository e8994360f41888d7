import { ConditionError, NoIndexError, SortError } from '../../errors/index.ts'
import { conditionColumns, impliesValue } from './condition-columns.ts'
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

  /** The paths that can give what is wanted. @throws ConditionError that says what is missing if none can */
  usable(keyed: readonly AccessPath[]): readonly AccessPath[] {
    const whole = keyed.filter((path) => this.isWhole(path))
    const { sort } = this.#state
    if (whole.length === 0) throw this.#sparseError(keyed)
    const covering = this.#covering(whole)
    if (sort === undefined) return covering
    const sorted = covering.filter((path) => this.#isSortedBy(path, sort.column))
    if (sorted.length > 0) return sorted
    const sparse = keyed.filter((path) => !whole.includes(path) && this.#isSortedBy(path, sort.column))
    if (sparse.length > 0) throw this.#sparseError(sparse)
    throw new SortError(
      `No key or index of ${this.#options.title} with this partition is sorted by "${sort.column}"; they are sorted by ${covering.flatMap((path) => path.sort[0] ?? []).join(', ') || 'nothing'}`,
    )
  }

  /** Those that are as current as is wanted, and hold what is wanted. */
  #covering(paths: readonly AccessPath[]): readonly AccessPath[] {
    const { title, hydrate = false } = this.#options
    const { consistent = false } = this.#state
    const current = paths.filter(({ isGlobal }) => !(consistent && isGlobal))
    if (current.length === 0)
      throw new ConditionError(
        `${title}: the index "${paths[0]?.name}" is a global one, which cannot be read consistently`,
      )
    const covering = hydrate ? current : current.filter((path) => this.missing(path).length === 0)
    if (covering.length > 0) return covering
    const [lacking] = current.map((path) => `"${path.name}" does not hold ${this.missing(path).join(', ')}`)
    throw new ConditionError(`${title}: the index ${lacking}: select() what it holds, or set hydrate`)
  }

  /** Whether a path has every item that meets the conditions: an index leaves out those that lack one of its columns. */
  isWhole({ name, order }: AccessPath): boolean {
    if (name === undefined || this.#state.index === name) return true
    return order.every((column) => !this.#mayLack(column))
  }

  #mayLack(column: string): boolean {
    const { key, mayLack } = this.#table
    return mayLack(column) && !key.includes(column) && !impliesValue(this.#state.conditions, column)
  }

  #sparseError([path, ...others]: readonly AccessPath[]): ConditionError {
    const { title } = this.#options
    const lacking = path?.order.filter((column) => this.#mayLack(column)).map((column) => `"${column}"`)
    const names = [path, ...others].map((sparse) => `using("${sparse?.name}")`).join(' or ')
    const message = `The index "${path?.name}" of ${title} leaves out items without ${lacking?.join(' and ')}: if they are not wanted, say so with ${names}`
    return this.#state.sort === undefined ? new NoIndexError(message) : new SortError(message)
  }

  /** An index that would narrow a query down further than the path that gives its order. */
  narrower(chosen: NarrowedPath, keyed: readonly AccessPath[]): NarrowedPath | undefined {
    return keyed
      .map((path) => this.narrowed(path))
      .find(({ path, rank }) => rank > chosen.rank && rank < 3 && this.isWhole(path))
  }

  /** Which wanted columns an index does not hold. */
  missing({ columns }: AccessPath): string[] {
    if (columns === 'all') return []
    const { select } = this.#state
    if (select === undefined && this.#table.columns === undefined) return ['all columns']
    const wanted = new Set([
      ...(select ?? this.#table.columns ?? []),
      ...conditionColumns(this.#state.conditions),
      ...[this.#options.ttl ?? []].flat(),
    ])
    return [...wanted].filter((column) => !columns.has(column))
  }

  #isSortedBy({ partition, sort }: AccessPath, column: string): boolean {
    const first = sort.find((name) => this.equal(name) === undefined)
    return first === column || partition.includes(column) || this.equal(column) !== undefined
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

/** Every key that the conditions allow, each once; `undefined` for more than there may be. */
export function keysOf(
  conditions: readonly Comparison[],
  most: number,
): Record<string, unknown>[] | undefined {
  let keys: Record<string, unknown>[] = [{}]
  for (const { column, operator, value } of conditions) {
    const values = operator === 'in' ? value : [value]
    if (keys.length * values.length > most) return undefined
    keys = keys.flatMap((key) => values.map((part) => ({ ...key, [column]: part })))
  }
  return keys
}
