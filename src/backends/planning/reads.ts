import type { Comparison, Condition } from './query-state.ts'
import type { AccessPath } from './table.ts'

/** Items that are read by their whole keys, in this order. */
export interface KeyRead {
  readonly operation: 'GetItem' | 'BatchGetItem'
  readonly keys: readonly Readonly<Record<string, unknown>>[]
  /** What is checked here, on the items: DynamoDB filters nothing then. */
  readonly check: readonly Condition[]
  readonly why: string
}

/** Items that are read one after the other from the table or an index. */
export interface RangeRead {
  readonly operation: 'Query' | 'Scan'
  /** The index, unless it is the table itself. */
  readonly index: string | undefined
  /** Conditions on the keys of the table or index. */
  readonly key: readonly Comparison[]
  /** What DynamoDB filters after reading. */
  readonly filter: readonly Condition[]
  /** What is checked here: conditions that DynamoDB takes neither in the key nor in the filter. */
  readonly check: readonly Condition[]
  readonly forward: boolean
  /** The columns of the table's or index's key, whose order the items come in. */
  readonly order: readonly string[]
  /** Whether the index holds less than is wanted, so that the items are read by their keys. */
  readonly hydrate: boolean
  readonly why: string
}

/** One of several reads. */
export interface Part {
  readonly read: SingleRead
  /** What the reads in front of it have given already: items that meet all of one of these. */
  readonly except: readonly (readonly Condition[])[]
}

/** Several reads, one after the other. */
export interface UnionRead {
  readonly operation: 'Union'
  readonly parts: readonly Part[]
  readonly why: string
}

/** Nothing has to be read: no item can meet the conditions. */
export interface NoRead {
  readonly operation: 'None'
  readonly why: string
}

export type SingleRead = KeyRead | RangeRead
/** How a query is going to be run. */
export type Plan = SingleRead | UnionRead | NoRead

/** The read of a path. Its reason is only said where somebody asks: most plans are made to be run. */
export class QueryRead implements RangeRead {
  readonly operation = 'Query'
  readonly index: string | undefined
  readonly key: readonly Comparison[]
  readonly filter: readonly Condition[]
  readonly check: readonly Condition[]
  readonly forward: boolean
  readonly order: readonly string[]
  readonly hydrate: boolean
  readonly #path: AccessPath
  readonly #narrower: AccessPath | undefined

  constructor(
    path: AccessPath,
    {
      key,
      filter,
      check,
      hydrate,
      forward,
      narrower,
    }: Pick<RangeRead, 'key' | 'filter' | 'check' | 'hydrate' | 'forward'> & {
      /** Another index, which would narrow the items down further, in another order. */
      readonly narrower?: AccessPath | undefined
    },
  ) {
    this.index = path.name
    this.key = key
    this.filter = filter
    this.check = check
    this.forward = forward
    this.order = path.order
    this.hydrate = hydrate
    this.#path = path
    this.#narrower = narrower
  }

  get why(): string {
    const { name, partition } = this.#path
    const narrowed = this.key.slice(partition.length).map(({ column }) => `"${column}"`)
    const fixed = partition.map((column) => `"${column}"`).join(', ')
    const place = name === undefined ? 'the table' : `the index ${name}`
    const range = narrowed.length === 0 ? '' : ` and ${narrowed.join(', ')} narrowed`
    const other =
      this.#narrower && `; using("${this.#narrower.name}") would read fewer items, in another order`
    return `${fixed} is fixed${range} in ${place}${other ?? ''}`
  }
}

/** What an item must be for a read to give it. An index holds only items that have its columns. */
function givenBy(read: SingleRead): readonly Condition[] {
  if ('keys' in read) {
    const or = read.keys.map((key) =>
      Object.entries(key).map(([column, value]): Comparison => ({ column, operator: '=', value })),
    )
    return [{ or }, ...read.check]
  }
  const present = read.order.map((column): Comparison => ({
    column,
    operator: 'is-not-null',
    value: undefined,
  }))
  return [...read.key, ...read.filter, ...read.check, ...present]
}

/** Parts of which none gives what one in front of it has given. */
export function distinctParts(parts: readonly Part[]): Part[] {
  const given = parts.map(({ read }) => givenBy(read))
  return parts.map(({ read }, index) => ({ read, except: given.slice(0, index) }))
}
