import { asRecord } from '../../core/record.ts'
import { meets, order } from '../planning/evaluate.ts'
import type { Plan, SingleRead } from '../planning/reads.ts'
import type { Condition } from '../planning/query-state.ts'
import type { Table } from '../planning/table.ts'

/** An item, and its place in the order of what is found. */
export interface Found<TItem> {
  readonly item: TItem
  /** Which of several reads gives it. */
  readonly part: number
  readonly place: readonly unknown[]
  /** Negative in front of another place of the same part, positive behind it. */
  readonly compare: (place: readonly unknown[]) => number
}

/** What a plan is run on. */
export interface Items<TItem> {
  readonly table: Table
  /** The items that have not expired, by their ids. */
  readonly all: readonly (readonly [id: string, item: TItem])[]
  readonly idOf: (key: object) => string
  /** All conditions of the query. */
  readonly conditions: readonly Condition[]
}

/** The items that a plan gives, in its order. */
export function found<TItem extends object>(chosen: Plan, items: Items<TItem>): Found<TItem>[] {
  if (chosen.operation === 'None') return []
  const reads = chosen.operation === 'Union' ? chosen.parts.map(({ read }) => read) : [chosen]
  const seen = new Set<TItem>()
  return reads.flatMap((read, part) => {
    const fresh = itemsOf(read, items).filter((item) => !seen.has(item))
    for (const item of fresh) seen.add(item)
    const places = placesIn(read, items)
    return fresh
      .map((item): Found<TItem> => {
        const place = places.placeOf(item)
        return { item, part, place, compare: (other) => places.sign * compareAll(place, other) }
      })
      .sort((a, b) => a.compare(b.place))
  })
}

/** An index holds only items that have its columns. */
function itemsOf<TItem extends object>(read: SingleRead, { all, idOf, conditions }: Items<TItem>): TItem[] {
  const wanted = 'keys' in read ? read.check : [...read.key, ...read.filter, ...read.check]
  const present = 'keys' in read ? [] : read.order
  const keys = 'keys' in read ? new Set(read.keys.map(idOf)) : undefined
  return all.flatMap(([id, item]) => {
    const columns = asRecord(item)
    const isFound =
      (keys === undefined || keys.has(id)) &&
      present.every((column) => columns[column] !== undefined && columns[column] !== null) &&
      [...wanted, ...conditions].every((condition) => meets(columns, condition))
    return isFound ? [item] : []
  })
}

interface Places {
  readonly placeOf: (item: object) => readonly unknown[]
  readonly sign: 1 | -1
}

/** By their keys, items come in the order in which the keys are given. */
function placesIn(read: SingleRead, { table, idOf }: Items<object>): Places {
  if ('keys' in read) {
    const ids = read.keys.map(idOf)
    return { placeOf: (item) => [ids.indexOf(idOf(item))], sign: 1 }
  }
  const columns = [...new Set([...read.order, ...table.key])]
  return {
    placeOf: (item) => columns.map((column) => asRecord(item)[column]),
    sign: read.forward ? 1 : -1,
  }
}

function compareAll(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [index, value] of a.entries()) {
    const compared = order(value, b[index]) ?? 0
    if (compared !== 0) return compared
  }
  return 0
}
