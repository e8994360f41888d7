import { ConditionError, NoIndexError, SortError } from '../../errors/index.ts'
import type { Choice, Comparison, Condition, QueryState } from './query-state.ts'
import { conditionColumns, fixesOneOf, isChoice, touches } from './condition-columns.ts'
import { type NarrowedPath, Paths, type PlanOptions, keysOf } from './paths.ts'
import {
  type KeyRead,
  type NoRead,
  type Part,
  type Plan,
  QueryRead,
  type RangeRead,
  distinctParts,
} from './reads.ts'
import { refuseTypes, simplified, withoutEmptyKeys } from './simplify.ts'
import type { AccessPath, Table } from './table.ts'

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const maxKeys = 100
/** The most that a plan sends, what is nested in one another counted together. */
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
  if (conditions === undefined) return noRead('no item can meet the conditions')
  return planned({ table, options }, { ...state, conditions }, conditions.filter(isChoice))
}

interface Planned {
  readonly table: Table
  readonly options: PlanOptions
}

/** @param open - The choices that may be read in parts; the others are filters */
function planned({ table, options }: Planned, state: QueryState, open: readonly Choice[]): Plan {
  const filled = withoutEmptyKeys(state.conditions, table)
  if (filled === undefined) return noRead('no item can meet the conditions')
  return new Planner({ table, options }, { ...state, conditions: filled }, open).plan()
}

class Planner {
  readonly #table: Table
  readonly #state: QueryState
  readonly #options: PlanOptions
  readonly #paths: Paths
  readonly #open: readonly Choice[]
  /** Why a way that begins well cannot be taken. */
  #refusal: ConditionError | undefined

  constructor({ table, options }: Planned, state: QueryState, open: readonly Choice[]) {
    this.#table = table
    this.#state = state
    this.#options = options
    this.#paths = new Paths(table, state, options)
    this.#open = open
  }

  plan(): Plan {
    const paths = this.#allowedPaths()
    return (
      this.#byKeys() ??
      this.#byPath(paths) ??
      this.#byValues(paths) ??
      this.#byAlternatives(paths) ??
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
    const keys = keysOf(found, maxKeys)
    if (keys === undefined || (keys.length > 1 && this.#state.sort !== undefined)) return undefined
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
    const usable = this.#attempt(() => this.#paths.usable(keyed))
    let best: NarrowedPath | undefined
    for (const path of usable ?? []) {
      const other = this.#paths.narrowed(path)
      const isBetter =
        best === undefined ||
        other.rank > best.rank ||
        (other.rank === best.rank && indexRank(path) < indexRank(best.path))
      if (isBetter) best = other
    }
    return best && this.#read(best, keyed)
  }

  /** What fails for the way that is tried is said only if there is no other way. */
  #attempt<T>(run: () => T): T | undefined {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof ConditionError)) throw error
      this.#refusal ??= error
      return undefined
    }
  }

  #read(narrowed: NarrowedPath, keyed: readonly AccessPath[]): RangeRead | NoRead {
    const { path, key, stated, check, emptyColumn } = narrowed
    if (emptyColumn !== undefined) return noRead(`no "${emptyColumn}" meets the conditions`)
    const filter: Condition[] = []
    const checked: Condition[] = [...check]
    for (const condition of this.#state.conditions) {
      if (stated.includes(condition)) continue
      const isChecked = touches(condition, path.order) || isBeyond(path, condition)
      if (isChecked) checked.push(condition)
      else filter.push(condition)
    }
    const hydrate = path.columns !== 'all' && this.#paths.missing(path).length > 0
    const { sort, index } = this.#state
    const isChosenByOrder = sort !== undefined && index === undefined
    return new QueryRead(path, {
      key,
      filter,
      check: checked,
      hydrate,
      forward: sort?.direction !== 'desc',
      narrower: isChosenByOrder ? this.#paths.narrower(narrowed, keyed)?.path : undefined,
    })
  }

  /** A partition that is one of a few values: a query for each. */
  #byValues(paths: readonly AccessPath[]): Plan | undefined {
    for (const path of paths) {
      const [column, ...more] = path.partition.filter((name) => this.#paths.equal(name) === undefined)
      const list = column === undefined || more.length > 0 ? undefined : this.#paths.oneOf(column)
      if (list === undefined) continue
      const { value: values } = list
      const others = without(this.#state.conditions, [list])
      const groups = values.map((value): Group => {
        const equal: Comparison = { column: list.column, operator: '=', value }
        return { conditions: [...others, equal], open: [] }
      })
      const why = `"${list.column}" is one of ${values.length} values`
      const union = this.#attempt(() => this.#union({ groups, areDisjoint: true, why }))
      if (union !== undefined) return union
    }
    return undefined
  }

  /**
   * Alternatives of which each has a key or index. One choice is read in parts, one with few alternatives first, and the others are
   * filters; several are only multiplied where the partition of an index has several columns.
   */
  #byAlternatives(paths: readonly AccessPath[]): Plan | undefined {
    const columns = new Set(paths.flatMap(({ partition }) => partition))
    const keyed = this.#open
      .filter((choice) => fixesOneOf(choice, columns))
      .sort((a, b) => a.or.length - b.or.length)
    const isComposite = paths.some(({ partition }) => partition.length > 1)
    for (const choice of keyed) {
      const union = this.#attempt(() => this.#alternatives(choice, []))
      if (union !== undefined) return union
    }
    const [first, ...others] = keyed
    if (first === undefined || others.length === 0 || !isComposite) return undefined
    return this.#attempt(() => this.#alternatives(first, others))
  }

  /** @param open - Other choices that may be read in parts */
  #alternatives(choice: Choice, open: readonly Choice[]): Plan {
    const others = without(this.#state.conditions, [choice])
    const groups = choice.or.map((group): Group => ({
      conditions: [...others, ...group],
      open: [...open, ...group.filter(isChoice)],
    }))
    return this.#union({ groups, areDisjoint: false, why: 'each alternative has a key or index' })
  }

  #union({ groups, areDisjoint, why }: Groups): Plan {
    const { sort } = this.#state
    const { title } = this.#options
    if (sort !== undefined)
      throw new SortError(
        `${title} is read in ${groups.length} parts here, which have no order by "${sort.column}" together`,
      )
    const parts: Part[] = []
    const options = { ...this.#options, scan: 'error' as const }
    for (const { conditions, open } of groups) {
      const part = planned({ table: this.#table, options }, { ...this.#state, conditions }, open)
      if (part.operation === 'None') continue
      parts.push(...(part.operation === 'Union' ? part.parts : [{ read: part, except: [] }]))
      if (parts.length > maxParts)
        throw new NoIndexError(
          `This would send more than ${maxParts} requests to ${title}: ask for fewer values or alternatives`,
        )
    }
    if (parts.length === 0) return noRead(why)
    return { operation: 'Union', parts: areDisjoint ? parts : distinctParts(parts), why }
  }

  #scan(paths: readonly AccessPath[]): RangeRead {
    const { title, scan } = this.#options
    const { sort, conditions, index } = this.#state
    const isRefused = scan === 'error' || sort !== undefined || index !== undefined
    if (this.#refusal !== undefined && isRefused) throw this.#refusal
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
    const [path = this.#table.paths[0]] = index === undefined ? [] : this.#paths.usable(paths)
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

interface Group {
  readonly conditions: readonly Condition[]
  /** The choices among them that may be read in parts. */
  readonly open: readonly Choice[]
}

interface Groups {
  readonly groups: readonly Group[]
  /** Whether no item can be in two of the groups. */
  readonly areDisjoint: boolean
  readonly why: string
}

function noRead(why: string): NoRead {
  return { operation: 'None', why }
}

function without(conditions: readonly Condition[], some: readonly Condition[]): Condition[] {
  return conditions.filter((condition) => !some.includes(condition))
}

/** Whether a condition is on what an index does not hold: then it is checked here, on the items read by their keys. */
function isBeyond({ columns }: AccessPath, condition: Condition): boolean {
  return columns !== 'all' && conditionColumns([condition]).some((column) => !columns.has(column))
}

/** The table before a local index before a global one. */
function indexRank({ name, isGlobal }: AccessPath): number {
  return name === undefined ? 0 : isGlobal ? 2 : 1
}
