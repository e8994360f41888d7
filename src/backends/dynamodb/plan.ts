import { ConditionError, NoIndexError, SortError } from '../../errors.ts'
import type { Index, Model } from '../model.ts'
import type { Comparison, Condition, QueryState } from '../query.ts'

/** How a query is going to be run. */
export interface Plan {
  readonly operation: 'Query' | 'Scan'
  /** The index, unless it is the table itself. */
  readonly index: string | undefined
  /** Conditions on the keys of the table or index. */
  readonly key: readonly Comparison[]
  /** What is left, for DynamoDB to filter after reading. */
  readonly filter: readonly Condition[]
  readonly forward: boolean
  /** The columns of the table's or index's key, whose order the items come in. */
  readonly order: readonly string[]
  readonly why: string
}

/** The options of a backend that a plan depends on. */
export interface PlanOptions {
  readonly scan: 'error' | 'allow'
}

interface Candidate {
  readonly name: string | undefined
  readonly partition: string
  readonly sort: string | undefined
}

const rangeOperators = new Set<string>(['=', '<', '<=', '>', '>=', 'between', 'begins-with'])

/**
 * Decides, without sending anything, from which key or index a query is read: one whose partition column is fixed,
 * which gives the wanted order, and among those the one that most conditions narrow down, the table first.
 *
 * @throws NoIndexError, SortError, ConditionError
 */
export function plan(model: Model, state: QueryState, { scan }: PlanOptions): Plan {
  const candidates = candidatesOf(model)
  if (state.index !== undefined && !candidates.some(({ name }) => name === state.index)) {
    throw new ConditionError(
      `${model.name} has no index "${state.index}"; it has ${candidates.flatMap(({ name }) => name ?? []).join(', ') || 'none'}`,
    )
  }
  const allowed = candidates.filter(({ name }) => state.index === undefined || name === state.index)
  const keyed = allowed.filter(
    ({ partition }) =>
      equality(state, partition) !== undefined && !(state.consistent === true && partition !== model.key[0]),
  )
  if (keyed.length === 0) return planScan(model, state, scan, candidates)

  const { sort } = state
  const usable =
    sort === undefined
      ? keyed
      : keyed.filter((candidate) => candidate.sort === sort.column || candidate.partition === sort.column)
  if (usable.length === 0) {
    throw new SortError(
      `No index of ${model.name} with ${keyed.map(({ partition }) => partition).join(' or ')} as partition is ordered by "${sort?.column}"`,
    )
  }
  const [chosen] = usable
    .map((candidate) => ({ candidate, range: rangeOf(state, candidate) }))
    .sort((a, b) => rank(b.range) - rank(a.range))
  const { candidate, range } = chosen as { candidate: Candidate; range: Comparison | undefined }
  const partition = equality(state, candidate.partition) as Comparison
  const key = range === undefined ? [partition] : [partition, range]
  const filter = state.conditions.filter((condition) => !key.includes(condition as Comparison))
  refuseKeyFilters(candidate, filter)
  return {
    operation: 'Query',
    index: candidate.name,
    key,
    filter,
    forward: sort?.direction !== 'desc',
    order: [candidate.partition, ...(candidate.sort === undefined ? [] : [candidate.sort])],
    why: `"${candidate.partition}" is fixed${range === undefined ? '' : ` and "${range.column}" narrowed`} in ${candidate.name === undefined ? 'the table' : `the index ${candidate.name}`}`,
  }
}

function candidatesOf({ key, indexes }: Model): Candidate[] {
  const table: Candidate[] =
    key[0] === undefined ? [] : [{ name: undefined, partition: key[0], sort: key[1] }]
  return [
    ...table,
    ...Object.entries(indexes).map(([name, { partition, sort }]: [string, Index]) => ({
      name,
      partition,
      sort,
    })),
  ]
}

function planScan(
  model: Model,
  state: QueryState,
  scan: 'error' | 'allow',
  candidates: readonly Candidate[],
): Plan {
  if (state.sort !== undefined)
    throw new SortError(
      `Without a fixed partition column the items of ${model.name} have no order to sort by "${state.sort.column}"`,
    )
  if (scan === 'error') {
    const keys = candidates.map(
      ({ name, partition }) => `${partition}${name === undefined ? '' : ` (${name})`}`,
    )
    throw new NoIndexError(
      `This would read all of ${model.name}: fix one of ${keys.join(', ')} by "=", or allow it with scan: 'allow'`,
    )
  }
  return {
    operation: 'Scan',
    index: state.index,
    key: [],
    filter: state.conditions,
    forward: true,
    order: model.key,
    why: 'no partition column is fixed, and scans are allowed',
  }
}

function equality({ conditions }: QueryState, column: string): Comparison | undefined {
  return conditions.find(
    (condition): condition is Comparison =>
      'column' in condition && condition.column === column && condition.operator === '=',
  )
}

/** The best condition on the sort column that can be part of the key; DynamoDB takes one. */
function rangeOf({ conditions }: QueryState, { sort }: Candidate): Comparison | undefined {
  const ranges = conditions.filter(
    (condition): condition is Comparison =>
      'column' in condition && condition.column === sort && rangeOperators.has(condition.operator),
  )
  return ranges.sort((a, b) => rank(b) - rank(a))[0]
}

function rank(range: Comparison | undefined): number {
  if (range === undefined) return 0
  return range.operator === '=' ? 3 : range.operator === 'between' || range.operator === 'begins-with' ? 2 : 1
}

/** DynamoDB refuses to filter by a key column; a second condition on one has to be said in another way. */
function refuseKeyFilters({ partition, sort }: Candidate, filter: readonly Condition[]): void {
  for (const condition of filter) {
    if ('or' in condition) continue
    if (condition.column === partition || condition.column === sort) {
      throw new ConditionError(
        `The key column "${condition.column}" takes one condition here, and not ${condition.operator} beside another`,
      )
    }
  }
}
