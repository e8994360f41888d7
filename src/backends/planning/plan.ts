import { ConditionError, NoIndexError, SortError } from '../../errors/index.ts'
import type { Comparison, Condition, QueryState } from './query-state.ts'
import { columnsOf, touches } from './condition-columns.ts'
import { narrowness, rangeOf } from './range.ts'
import {
  type KeyRead,
  type NoRead,
  type Plan,
  QueryRead,
  type RangeRead,
  type SingleRead,
  givenBy,
} from './reads.ts'
import { refuseTypes, simplified, withoutEmptyKeys } from './simplify.ts'
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

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const maxKeys = 100
/** As many queries as there are keys in a batch. */
const maxParts = 100

/**
 * Decides, without sending anything, how a query is read: by whole keys if they are given; else from the key or index
 * whose partition is fixed, which gives the wanted order, and which most conditions narrow down, the table first; else in
 * parts; else by a scan, if that is allowed.
 *
 * @throws NoIndexError, SortError, ConditionError
 */
export function plan(table: Table, state: QueryState, options: PlanOptions): Plan {
  const conditions = simplified(state.conditions)
  refuseTypes(conditions ?? [], table)
  const filled = conditions && withoutEmptyKeys(conditions, table)
  if (filled === undefined) return { operation: 'None', why: 'no item can meet the conditions' }
  return new Planner(table, { ...state, conditions: filled }, options).plan()
}

class Planner {
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

  plan(): Plan {
    const paths = this.#allowedPaths()
    return (
      this.#byKeys() ??
      this.#byPath(paths) ??
      this.#byValues(paths) ??
      this.#byAlternatives() ??
      this.#scan(paths)
    )
  }

  #allowedPaths(): readonly AccessPath[] {
    const { index } = this.#state
    const { paths } = this.#table
    if (index === undefined) return paths
    const found = paths.find(({ name }) => name === index) ?? (index === 'table' ? paths[0] : undefined)
    if (found !== undefined) return [found]
    const names = paths.flatMap(({ name }) => name ?? []).join(', ')
    throw new ConditionError(`${this.#options.title} has no index "${index}"; it has ${names || 'none'}`)
  }

  /** The whole key, or a few of them. */
  #byKeys(): KeyRead | undefined {
    if (this.#state.index !== undefined && this.#state.index !== 'table') return undefined
    const found: Comparison[] = []
    for (const column of this.#table.key) {
      const fixed = this.#equal(column) ?? this.#oneOf(column)
      if (fixed === undefined) return undefined
      found.push(fixed)
    }
    const keys = product(found)
    if (keys.length > maxKeys || (keys.length > 1 && this.#state.sort !== undefined)) return undefined
    return {
      operation: keys.length === 1 ? 'GetItem' : 'BatchGetItem',
      keys,
      check: without(this.#state.conditions, found),
      why: 'the whole key is given',
    }
  }

  /** One index whose partition is fixed. */
  #byPath(paths: readonly AccessPath[]): RangeRead | NoRead | undefined {
    const keyed = paths.filter(({ partition }) => this.#isFixed(partition))
    if (keyed.length === 0) return undefined
    const usable = this.#usable(keyed)
    let best = this.#narrowed(usable[0] as AccessPath)
    for (const path of usable.slice(1)) {
      const other = this.#narrowed(path)
      if (other.rank > best.rank || (other.rank === best.rank && kindOf(path) < kindOf(best.path)))
        best = other
    }
    return this.#read(best)
  }

  #isFixed(partition: readonly string[]): boolean {
    for (const column of partition) if (this.#equal(column) === undefined) return false
    return true
  }

  /** The paths that can give what is wanted; says what is missing if none can. */
  #usable(keyed: readonly AccessPath[]): AccessPath[] {
    const { title, hydrate = false } = this.#options
    const { consistent = false, sort, index } = this.#state
    // Most tables: nothing that could speak against any of them.
    if (sort === undefined && !consistent && keyed.every(({ columns }) => columns === 'all'))
      return [...keyed]
    const current = keyed.filter(({ isGlobal }) => !(consistent && isGlobal))
    if (current.length === 0)
      throw new ConditionError(
        `${title}: the index "${keyed[0]?.name}" is a global one, which cannot be read consistently`,
      )
    const covering = hydrate ? current : current.filter((path) => this.#missing(path).length === 0)
    if (covering.length === 0) {
      const [path] = current as [AccessPath]
      throw new ConditionError(
        `${title}: the index "${path.name}" does not hold ${this.#missing(path).join(', ')}: select() what it holds, or set hydrate`,
      )
    }
    if (sort === undefined) return covering
    const sorted = covering.filter((path) => this.#isSortedBy(path, sort.column))
    const conflict = sorted.some((path) => this.#narrowed(path).rank > 0)
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
  #missing({ columns }: AccessPath): string[] {
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
    const first = sort.find((one) => this.#equal(one) === undefined)
    return first === column || partition.includes(column) || this.#equal(column) !== undefined
  }

  #isNarrowed(path: AccessPath): boolean {
    const { rank } = this.#narrowed(path)
    return rank > 0 && rank < 3
  }

  /** How far the conditions on its keys narrow a path down. */
  #narrowed(path: AccessPath): NarrowedPath {
    const key: Comparison[] = []
    const check: Comparison[] = []
    let rank = 0
    for (const column of path.partition) key.push(this.#equal(column) as Comparison)
    const said = key.slice()
    for (const column of path.sort) {
      const on = this.#on(column)
      if (on.length === 0) break
      const range = rangeOf(on)
      if (range.isEmpty) return { path, key, said, check, rank: 4, emptyColumn: column }
      if (range.key === undefined) break
      key.push(range.key)
      said.push(...on)
      check.push(...range.check)
      rank = Math.max(rank, narrowness(range.key))
      if (range.key.operator !== '=') break
    }
    return { path, key, said, check, rank, emptyColumn: undefined }
  }

  #read({ path, key, said, check, emptyColumn }: NarrowedPath): RangeRead | NoRead {
    if (emptyColumn !== undefined)
      return { operation: 'None', why: `no "${emptyColumn}" meets the conditions` }
    const filter: Condition[] = []
    const here: Condition[] = [...check]
    for (const condition of this.#state.conditions) {
      if (said.includes(condition as Comparison)) continue
      const isHere = touches(condition, path.order) || isBeyond(path, condition)
      ;(isHere ? here : filter).push(condition)
    }
    const hydrate = path.columns !== 'all' && this.#missing(path).length > 0
    return new QueryRead(path, {
      key,
      filter,
      check: here,
      hydrate,
      forward: this.#state.sort?.direction !== 'desc',
    })
  }

  /** A partition that is one of a few values: a query for each. */
  #byValues(paths: readonly AccessPath[]): Plan | undefined {
    for (const { partition } of paths) {
      const lists = partition.filter((column) => this.#equal(column) === undefined)
      const list = lists.length === 1 ? this.#oneOf(lists[0] as string) : undefined
      const values = (list?.value ?? []) as unknown[]
      if (list === undefined || values.length > maxParts) continue
      const others = without(this.#state.conditions, [list])
      const groups = values.map((value) => [
        ...others,
        { column: list.column, operator: '=' as const, value },
      ])
      return this.#union(groups, true, `"${list.column}" is one of ${values.length} values`)
    }
    return undefined
  }

  /** Alternatives of which each has a key or index. */
  #byAlternatives(): Plan | undefined {
    const { conditions } = this.#state
    const choice = conditions.find((condition) => 'or' in condition)
    if (choice === undefined || choice.or.length > maxParts) return undefined
    const others = without(conditions, [choice])
    try {
      const groups = choice.or.map((group) => [...others, ...group])
      return this.#union(groups, false, 'each alternative has a key or index')
    } catch (error) {
      if (error instanceof NoIndexError) return undefined
      throw error
    }
  }

  /** @param areDisjoint - Whether no item can be in two of the groups */
  #union(groups: readonly (readonly Condition[])[], areDisjoint: boolean, why: string): Plan {
    const { sort } = this.#state
    if (sort !== undefined)
      throw new SortError(
        `${this.#options.title} is read in ${groups.length} parts here, which have no order by "${sort.column}" together`,
      )
    const reads = groups.flatMap((conditions): SingleRead[] => {
      const part = plan(this.#table, { ...this.#state, conditions }, { ...this.#options, scan: 'error' })
      if (part.operation === 'None') return []
      return part.operation === 'Union' ? part.parts.map(({ read }) => read) : [part]
    })
    if (reads.length === 0) return { operation: 'None', why }
    const parts = reads.map((read, index) => ({
      read,
      except: areDisjoint ? [] : reads.slice(0, index).map(givenBy),
    }))
    return { operation: 'Union', parts, why }
  }

  #scan(paths: readonly AccessPath[]): RangeRead {
    const { title, scan } = this.#options
    const { sort, conditions } = this.#state
    if (sort !== undefined)
      throw new SortError(
        `Without a fixed partition the items of ${title} have no order to sort by "${sort.column}"`,
      )
    if (scan === 'error') {
      const keys = this.#table.paths.map(
        ({ name, partition }) => `${partition.join(' and ')}${name === undefined ? '' : ` (${name})`}`,
      )
      throw new NoIndexError(
        `This would read all of ${title}: fix one of ${keys.join(', ')} by "=", or allow it with scan: 'allow'`,
      )
    }
    const path =
      this.#state.index === undefined
        ? (this.#table.paths[0] as AccessPath)
        : (this.#usable(paths)[0] as AccessPath)
    return {
      operation: 'Scan',
      index: path.name,
      key: [],
      filter: conditions.filter((condition) => !isBeyond(path, condition)),
      check: conditions.filter((condition) => isBeyond(path, condition)),
      forward: true,
      order: path.order,
      hydrate: this.#missing(path).length > 0,
      why: 'no partition is fixed, and scans are allowed',
    }
  }

  /** The conditions on a column. A path's keys are different columns, so none is taken twice. */
  #on(column: string): Comparison[] {
    const on: Comparison[] = []
    for (const one of this.#comparisons) if (one.column === column) on.push(one)
    return on
  }

  #equal(column: string): Comparison | undefined {
    return this.#comparison(column, '=')
  }

  #oneOf(column: string): Comparison | undefined {
    return this.#comparison(column, 'in')
  }

  #comparison(column: string, operator: '=' | 'in'): Comparison | undefined {
    for (const one of this.#comparisons) if (one.operator === operator && one.column === column) return one
    return undefined
  }
}

/** A path with the conditions that its keys take. */
interface NarrowedPath {
  readonly path: AccessPath
  readonly key: Comparison[]
  /** The conditions that the key says. */
  readonly said: readonly Comparison[]
  /** What it does not say of them. */
  readonly check: readonly Comparison[]
  /** How far that narrows it down. */
  readonly rank: number
  /** A column of which no value can meet the conditions. */
  readonly emptyColumn: string | undefined
}

function without(conditions: readonly Condition[], some: readonly Condition[]): Condition[] {
  return conditions.filter((condition) => !some.includes(condition))
}

/** Whether a condition is on what an index does not hold: then it is checked here, on the items read by their keys. */
function isBeyond({ columns }: AccessPath, condition: Condition): boolean {
  return columns !== 'all' && columnsOf([condition]).some((column) => !columns.has(column))
}

/** The table before a local index before a global one. */
function kindOf({ name, isGlobal }: AccessPath): number {
  return name === undefined ? 0 : isGlobal ? 2 : 1
}

/** Every key that the conditions allow, each once. */
function product(conditions: readonly Comparison[]): Record<string, unknown>[] {
  let keys: Record<string, unknown>[] = [{}]
  for (const { column, operator, value } of conditions) {
    const values = operator === 'in' ? (value as unknown[]) : [value]
    if (keys.length * values.length > maxKeys) return Array.from({ length: maxKeys + 1 }, () => ({}))
    keys = keys.flatMap((key) => values.map((one) => ({ ...key, [column]: one })))
  }
  return keys
}
