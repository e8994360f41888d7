import type { Explanation } from 'clearskies-middy'
import {
  type AnyCase,
  type AnyCondition,
  type AnyItem,
  type AnyQuery,
  type TableShape,
  idOf,
} from './random-tables.ts'

interface ReadPart {
  readonly operation: string
  readonly index?: string | undefined
  readonly keys?: readonly AnyItem[]
  readonly key?: readonly Condition[]
  readonly filter?: readonly Condition[]
  readonly check?: readonly Condition[]
}

type Condition =
  | { readonly column: string; readonly operator: AnyCondition[1]; readonly value: unknown }
  | { readonly or: readonly (readonly Condition[])[] }

/** The items that a query means, found without any index, key or page. */
export function meant({ items, shape }: AnyCase, query: AnyQuery, { plan }: Explanation): AnyItem[] {
  const matching = items.filter(
    (item) =>
      query.where.every((condition) => holds(item, condition)) &&
      (query.or.length === 0 || query.or.some((group) => group.every((condition) => holds(item, condition)))),
  )
  const { parts = [{ read: plan }] } = plan as { parts?: readonly { readonly read: ReadPart }[] }
  if (plan.operation === 'None') return matching
  return matching.filter((item) => parts.some(({ read }) => gives(read, item, shape, parts.length > 1)))
}

/** An index holds only the items that have its columns; one of several reads, only those that it asks for. */
function gives(read: ReadPart, item: AnyItem, shape: TableShape, isPart: boolean): boolean {
  const { index, keys, key = [], filter = [], check = [] } = read
  const { partition = [], sort = [] } = index === undefined ? {} : (shape.indexes[index] ?? {})
  const isHeld = [partition, sort].flat().every((column) => !isNull(item[column]))
  if (!isPart) return isHeld
  const isAsked = keys?.some((one) => idOf(one, shape) === idOf(item, shape)) ?? true
  return isHeld && isAsked && [...key, ...filter, ...check].every((condition) => asks(condition, item))
}

function asks(condition: Condition, item: AnyItem): boolean {
  return 'or' in condition
    ? condition.or.some((group) => group.every((one) => asks(one, item)))
    : holds(item, [condition.column, condition.operator, condition.value])
}

const isNull = (value: unknown): boolean => value === undefined || value === null

/** What a condition means, said once more and in another way than the library does. */
export function holds(item: AnyItem, [column, operator, operand]: AnyCondition): boolean {
  const held = item[column]
  const compared = (value: unknown): number | undefined => compare(held, value)
  const list = operand as readonly unknown[]
  switch (operator) {
    case '=':
      return compared(operand) === 0
    case '!=':
      return compared(operand) !== 0
    case 'in':
      return list.some((value) => compared(value) === 0)
    case 'not-in':
      return !list.some((value) => compared(value) === 0)
    case '<':
      return (compared(operand) ?? 1) < 0
    case '<=':
      return (compared(operand) ?? 1) <= 0
    case '>':
      return (compared(operand) ?? -1) > 0
    case '>=':
      return (compared(operand) ?? -1) >= 0
    case 'between':
      return (compared(list[0]) ?? -1) >= 0 && (compared(list[1]) ?? 1) <= 0
    case 'is-null':
      return isNull(held)
    case 'is-not-null':
      return !isNull(held)
    case 'begins-with':
      return plain(held)?.startsWith(plain(operand) ?? '') ?? false
    case 'contains':
      if (held instanceof Set) return held.has(operand)
      return isNull(held) ? false : (held as string | readonly unknown[]).includes(operand as string)
    case 'like':
      return typeof held === 'string' && like(String(operand)).test(held)
  }
}

function like(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('%', '.*')}$`, 'u')
}

/** Text and bytes in a form whose order and beginnings are those of their bytes. */
function plain(value: unknown): string | undefined {
  if (typeof value === 'string') return `text ${Buffer.from(value).toString('hex')}`
  return value instanceof Uint8Array ? `bytes ${Buffer.from(value).toString('hex')}` : undefined
}

/** A plan has dates in the form that the database has. */
const stored = (value: unknown): unknown => (value instanceof Date ? value.toISOString() : value)

/** Below, equal or above; `undefined` for values that have no order. */
export function compare(one: unknown, other: unknown): number | undefined {
  const [a, b] = [stored(one), stored(other)]
  if (typeof a !== typeof b || isNull(a) || isNull(b)) return undefined
  const [left, right] = [plain(a) ?? Number(a), plain(b) ?? Number(b)]
  return left < right ? -1 : left > right ? 1 : 0
}
