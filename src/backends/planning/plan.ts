import { ConditionError, NoIndexError, SortError } from '../../errors/index.ts'
import type { Comparison, Condition, QueryState } from './query-state.ts'
import { columnsOf, touches } from './condition-columns.ts'
import { type NarrowedPath, Paths, type PlanOptions } from './paths.ts'
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
  readonly #paths: Paths

  constructor(table: Table, state: QueryState, options: PlanOptions) {
    this.#table = table
    this.#state = state
    this.#options = options
    this.#paths = new Paths(table, state, options)
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
      const fixed = this.#paths.equal(column) ?? this.#paths.oneOf(column)
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
    const keyed = paths.filter(({ partition }) => this.#paths.isFixed(partition))
    if (keyed.length === 0) return undefined
    const usable = this.#paths.usable(keyed)
    let best: NarrowedPath | undefined
    for (const path of usable) {
      const other = this.#paths.narrowed(path)
      const isBetter =
        best === undefined ||
        other.rank > best.rank ||
        (other.rank === best.rank && kindOf(path) < kindOf(best.path))
      if (isBetter) best = other
    }
    return best && this.#read(best)
  }

  #read({ path, key, stated, check, emptyColumn }: NarrowedPath): RangeRead | NoRead {
    if (emptyColumn !== undefined)
      return { operation: 'None', why: `no "${emptyColumn}" meets the conditions` }
    const filter: Condition[] = []
    const checked: Condition[] = [...check]
    for (const condition of this.#state.conditions) {
      if (stated.includes(condition)) continue
      const isChecked = touches(condition, path.order) || isBeyond(path, condition)
      if (isChecked) checked.push(condition)
      else filter.push(condition)
    }
    const hydrate = path.columns !== 'all' && this.#paths.missing(path).length > 0
    return new QueryRead(path, {
      key,
      filter,
      check: checked,
      hydrate,
      forward: this.#state.sort?.direction !== 'desc',
    })
  }

  /** A partition that is one of a few values: a query for each. */
  #byValues(paths: readonly AccessPath[]): Plan | undefined {
    for (const { partition } of paths) {
      const [column, ...more] = partition.filter((name) => this.#paths.equal(name) === undefined)
      const list = column === undefined || more.length > 0 ? undefined : this.#paths.oneOf(column)
      if (list === undefined || list.value.length > maxParts) continue
      const values = list.value
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
    const [path = this.#table.paths[0]] = this.#state.index === undefined ? [] : this.#paths.usable(paths)
    return {
      operation: 'Scan',
      index: path.name,
      key: [],
      filter: conditions.filter((condition) => !isBeyond(path, condition)),
      check: conditions.filter((condition) => isBeyond(path, condition)),
      forward: true,
      order: path.order,
      hydrate: this.#paths.missing(path).length > 0,
      why: 'no partition is fixed, and scans are allowed',
    }
  }
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
    const values = operator === 'in' ? value : [value]
    if (keys.length * values.length > maxKeys) return Array.from({ length: maxKeys + 1 }, () => ({}))
    keys = keys.flatMap((key) => values.map((part) => ({ ...key, [column]: part })))
  }
  return keys
}
