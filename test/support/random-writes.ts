import type { Creates, Deletes, Finds, Queries, Updates } from '../../src/backends/capabilities.ts'
import fc from 'fast-check'
import { type AnyCondition, type AnyItem, type AnyQuery, asked } from './random-tables.ts'
import { holds } from './query-oracle.ts'

/** Whether a write is made, and what it leaves behind; an error's name where it is not made. */
type Outcome = 'ConflictError' | 'NotFoundError' | AnyItem | undefined

/** One write of the random tables; `key` and `item` are places in a list of items. */
export interface AnyWrite {
  readonly kind: 'create' | 'put' | 'update' | 'delete'
  readonly item: number
  readonly when?: readonly AnyCondition[] | undefined
  readonly patch: AnyItem
  readonly isFlagged: boolean
  readonly changes: AnyChanges
}

/** Changes on what is there, which SQL does not know. */
interface AnyChanges {
  readonly add?: { readonly n: number }
  readonly append?: { readonly l: readonly string[] }
  readonly remove?: readonly 'd'[]
}

/** What is written to. */
export type Written = Creates<AnyItem> &
  Finds<AnyItem, AnyItem> &
  Queries<AnyItem> &
  Updates<AnyItem, AnyItem> &
  Deletes<AnyItem, AnyItem>

const conditions: fc.Arbitrary<readonly AnyCondition[]> = fc
  .subarray<AnyCondition>(
    [
      ['f', '=', true],
      ['n', '>', 1],
      ['n', 'is-not-null'],
      ['b', 'is-null'],
      ['b', '!=', 'ab'],
      ['l', 'contains', 'a'],
    ],
    { minLength: 1, maxLength: 2 },
  )
  .map((some) => [...some])

/** Columns that are in no key and no index of the tables of writes. */
const patches: fc.Arbitrary<AnyItem> = fc.record(
  {
    b: fc.constantFrom('a', 'ab', '😀', null),
    f: fc.constantFrom(true, false, null),
    d: fc.constantFrom(new Date('2020-01-01T00:00:00.000Z')),
    s: fc.constantFrom(new Set(['a']), new Set(['ab', 'b'])),
  },
  { requiredKeys: [] },
)

/** @param items - How many items there are to write */
export function writesOf(items: number): fc.Arbitrary<AnyWrite[]> {
  const write: fc.Arbitrary<AnyWrite> = fc.record({
    kind: fc.constantFrom('create', 'put', 'update', 'update', 'delete'),
    item: fc.nat({ max: items - 1 }),
    when: fc.option(conditions, { nil: undefined }),
    patch: patches,
    isFlagged: fc.boolean(),
    changes: fc.record(
      {
        // Downwards: 2^53 is one of the items' numbers, and one above it is not read back.
        add: fc.constantFrom({ n: -1 }, { n: -2 }),
        append: fc.constantFrom({ l: ['c'] }, { l: [] }),
        remove: fc.constant<readonly 'd'[]>(['d']),
      },
      { requiredKeys: [] },
    ),
  })
  return fc.array(write, { minLength: 5, maxLength: 20 })
}

/** What a table holds, told without any engine. */
export class WriteOracle {
  readonly #stored = new Map<number, AnyItem>()
  readonly #items: readonly AnyItem[]

  constructor(items: readonly AnyItem[]) {
    this.#items = items
  }

  stored(place: number): AnyItem | undefined {
    return this.#stored.get(place)
  }

  /** What a write must come to. */
  apply({ kind, item: place, when = [], patch, isFlagged, changes }: AnyWrite): Outcome {
    const before = this.#stored.get(place)
    const item = this.#items[place] ?? {}
    const isMet = when.every((condition) => holds(before ?? {}, condition))
    if (kind === 'create') return before === undefined ? this.#store(place, item) : 'ConflictError'
    if (kind === 'put') {
      if (isMet) return this.#store(place, item)
      return before === undefined ? 'NotFoundError' : 'ConflictError'
    }
    if (before === undefined) {
      if (kind === 'delete') return isFlagged || !isMet ? 'NotFoundError' : undefined
      return 'NotFoundError'
    }
    if (!isMet) return 'ConflictError'
    if (kind === 'update') return this.#store(place, changed(before, patch, changes))
    this.#stored.delete(place)
    return before
  }

  #store(place: number, item: AnyItem): AnyItem {
    this.#stored.set(place, item)
    return item
  }
}

function changed(before: AnyItem, patch: AnyItem, { add, append, remove }: AnyChanges): AnyItem {
  const after: Record<string, unknown> = { ...before, ...patch }
  if (add !== undefined) after['n'] = Number(before['n'] ?? 0) + add.n
  if (append !== undefined) after['l'] = [...((before['l'] as string[] | undefined) ?? []), ...append.l]
  if (remove !== undefined && !('d' in patch)) delete after['d']
  return after
}

/** Makes a write on a backend. */
export async function written(
  tables: Written,
  { kind, item: place, when, patch, isFlagged, changes }: AnyWrite,
  { items, key }: { readonly items: readonly AnyItem[]; readonly key: readonly string[] },
): Promise<Outcome> {
  const item = items[place] ?? {}
  const own = Object.fromEntries(key.map((column) => [column, item[column]]))
  const conditional = when !== undefined && {
    when: (query: ReturnType<Written['query']>) => asked(query, { where: when, or: [] } satisfies AnyQuery),
  }
  const free = 'd' in patch ? { ...changes, remove: undefined } : changes
  const given = Object.fromEntries(Object.entries(free).filter(([, value]) => value !== undefined))
  try {
    if (kind === 'create') return await tables.create(item)
    if (kind === 'put') return await tables.put(item, { ...conditional })
    if (kind === 'update') return await tables.update(own, patch as never, { ...conditional, ...given })
    return await tables.delete(own, { ...conditional, ...(isFlagged && { mustExist: true }) })
  } catch (error) {
    const { name } = error as Error
    if (name !== 'ConflictError' && name !== 'NotFoundError') throw error
    return name
  }
}
