import { type AnyCase, type AnyCondition, type AnyItem, type AnyQuery } from './random-tables.ts'

/** The items that a query means, found without any plan, key or page. */
export function meant({ items, shape }: AnyCase, query: AnyQuery): AnyItem[] {
  const matching = items.filter(
    (item) =>
      query.where.every((condition) => holds(item, condition)) &&
      (query.or.length === 0 || query.or.some((group) => group.every((condition) => holds(item, condition)))),
  )
  // Who names an index wants what it holds: items that have its columns.
  const index = shape.indexes[query.index ?? '']
  const held = [index?.partition ?? [], index?.sort ?? []].flat()
  return matching.filter((item) => held.every((column) => !isNull(item[column])))
}

const isNull = (value: unknown): boolean => value === undefined || value === null

/** What a condition means, said once more and in another way than the library does. */
export function holds(item: AnyItem, [column, operator, operand]: AnyCondition): boolean {
  const held = valueAt(item, column)
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

/** What is in a column, or in a member of one: no column's own name has a dot. */
function valueAt(item: AnyItem, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as AnyItem | undefined)?.[name], item)
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
