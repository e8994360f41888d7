import type { Query } from 'clearskies-middy'
import { expect } from 'vitest'
import { compare, meant } from '../../support/query-oracle.ts'
import { type AnyCase, type AnyItem, type AnyQuery, asked } from '../../support/random-tables.ts'

/** What is asked. */
export interface Queried {
  query(): Query<AnyItem>
}

/** What came of it: items, or the name of the error. */
export type Outcome = readonly AnyItem[] | string

const refusals = ['NoIndexError', 'SortError', 'ConditionError']

/** Checks one query, in pages of these sizes, against the items that it means. */
export async function checkedQuery(
  tables: Queried,
  one: AnyCase,
  query: AnyQuery,
  limits: readonly number[],
): Promise<Outcome> {
  const made = asked(tables.query(), query)
  const found = await outcomeOf(() => made.all())
  if (typeof found === 'string') {
    expect(await outcomeOf(async () => (await made.page()).items)).toBe(found)
    return found
  }
  const expected = meant(one, query).map((item) => shown(item, query.select))
  expect(sorted(found)).toEqual(sorted(expected))
  expect(await made.count()).toBe(found.length)
  expect(await made.exists()).toBe(found.length > 0)
  expect(await made.first()).toEqual(found[0])
  for (const limit of limits) {
    expect(await chain(made, limit)).toEqual(found)
    expect(await made.limit(limit).count()).toBe(Math.min(limit, found.length))
  }
  if (query.sort !== undefined && query.select === undefined) expect(inOrder(found, query.sort)).toBe(true)
  return found
}

async function outcomeOf(run: () => Promise<readonly AnyItem[]>): Promise<Outcome> {
  try {
    return await run()
  } catch (error) {
    const { name } = error as Error
    if (!refusals.includes(name)) throw error
    return name
  }
}

/** All items, in pages of a size. */
export async function chain(query: Query<AnyItem, AnyItem>, limit: number): Promise<AnyItem[]> {
  const items: AnyItem[] = []
  let after: string | undefined
  do {
    const page = await query.limit(limit).after(after).page()
    expect(page.items.length).toBeLessThanOrEqual(limit)
    items.push(...page.items)
    after = page.next
  } while (after !== undefined)
  return items
}

function shown(item: AnyItem, select: readonly string[] | undefined): AnyItem {
  return Object.fromEntries(Object.entries(item).filter(([column]) => select?.includes(column) ?? true))
}

/** What came of it whatever the order is. */
export function sorted(outcome: Outcome): Outcome {
  return typeof outcome === 'string' ? outcome : outcome.toSorted((a, b) => (text(a) < text(b) ? -1 : 1))
}

function text(item: AnyItem): string {
  const entries = Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(entries, (_, value: unknown) =>
    value instanceof Set ? [...(value as Set<unknown>)] : value,
  )
}

function inOrder(items: readonly AnyItem[], [column, direction]: readonly [string, 'asc' | 'desc']): boolean {
  const sign = direction === 'asc' ? 1 : -1
  return items.every(
    (item, place) => place === 0 || sign * (compare(items[place - 1]?.[column], item[column]) ?? 0) <= 0,
  )
}
