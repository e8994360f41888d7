import { meets, order } from '../planning/evaluate.ts'
import type { Plan, SingleRead } from '../planning/reads.ts'
import type { Condition } from '../planning/query-state.ts'
import type { Table } from '../planning/table.ts'
import type { Found, Stored } from './form.ts'

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
export function found<T extends Stored>(chosen: Plan, items: Items<T>): Found<T>[] {
  if (chosen.operation === 'None') return []
  const reads = chosen.operation === 'Union' ? chosen.parts.map(({ read }) => read) : [chosen]
  const seen = new Set<string>()
  return reads.flatMap((read, part) => {
    const fresh = entriesOf(read, items).filter(([id]) => !seen.has(id))
    for (const [id] of fresh) seen.add(id)
    const { placeOf, sign } = placesIn(read, items)
    return inOrder(fresh.map(([id, item]) => ({ item, part, sign, place: placeOf(id, item) })))
  })
}

/** An item, and where it stands. */
interface Placed<T> extends Pick<Found<T>, 'item' | 'part' | 'place'> {
  readonly sign: 1 | -1
}

function inOrder<T>(placed: readonly Placed<T>[]): Found<T>[] {
  return placed
    .map(({ item, part, sign, place }): Found<T> => {
      return { item, part, place, compare: (other) => sign * comparePlaces(place, other) }
    })
    .sort((a, b) => a.compare(b.place))
}

/** An index holds only items that have its columns. */
function entriesOf<T extends Stored>(
  read: SingleRead,
  { all, idOf, conditions }: Items<T>,
): (readonly [id: string, item: T])[] {
  const wanted = 'keys' in read ? read.check : [...read.key, ...read.filter, ...read.check]
  const present = 'keys' in read ? [] : read.order
  const keys = 'keys' in read ? new Set(read.keys.map(idOf)) : undefined
  return all.filter(
    ([id, { plain }]) =>
      (keys === undefined || keys.has(id)) &&
      present.every((column) => plain[column] !== undefined && plain[column] !== null) &&
      [...wanted, ...conditions].every((condition) => meets(plain, condition)),
  )
}

interface Places {
  readonly placeOf: (id: string, item: Stored) => readonly unknown[]
  readonly sign: 1 | -1
}

/** By their keys, items come in the order in which the keys are given. */
function placesIn(read: SingleRead, { table, idOf }: Pick<Items<Stored>, 'table' | 'idOf'>): Places {
  if ('keys' in read) {
    const ids = read.keys.map(idOf)
    return { placeOf: (id) => [ids.indexOf(id)], sign: 1 }
  }
  const columns = [...new Set([...read.order, ...table.key])]
  return {
    placeOf: (_, { plain }) => columns.map((column) => plain[column]),
    sign: read.forward ? 1 : -1,
  }
}

function comparePlaces(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [index, value] of a.entries()) {
    const compared = order(value, b[index]) ?? 0
    if (compared !== 0) return compared
  }
  return 0
}
