/** What is inside a value, as far as its schema tells. */
export interface ValueShape {
  readonly kind?: string | undefined
  /** The members of an object, by name. */
  readonly members?: ReadonlyMap<string, ValueShape> | undefined
  /** The elements of a list, a set or a record; of a tuple, those behind its items. */
  readonly element?: ValueShape | undefined
  /** The elements of a tuple. */
  readonly items?: readonly ValueShape[] | undefined
}

/** The shape of a member or an element. */
export function shapeAt(shape: ValueShape | undefined, place: string | number): ValueShape | undefined {
  return typeof place === 'number'
    ? (shape?.items?.[place] ?? shape?.element)
    : (shape?.members?.get(place) ?? shape?.element)
}

/** Whether something in a value is of one of these kinds. */
export function hasKind(shape: ValueShape | undefined, kinds: ReadonlySet<string | undefined>): boolean {
  if (shape === undefined) return false
  const { kind, members, element, items = [] } = shape
  return (
    kinds.has(kind) ||
    [...(members?.values() ?? []), ...items, element].some((inner) => hasKind(inner, kinds))
  )
}

/** A value whose leaves are changed, each by the kind that its shape tells. What has no shape stays as it is. */
export function mapLeaves(
  value: unknown,
  shape: ValueShape | undefined,
  change: (leaf: unknown, kind: string | undefined) => unknown,
): unknown {
  if (shape === undefined) return value
  const inside = (inner: unknown, place: string | number): unknown =>
    mapLeaves(inner, shapeAt(shape, place), change)
  if (Array.isArray(value)) return value.map(inside)
  if (value instanceof Set) return new Set(Array.from(value, inside))
  if (shape.members === undefined && shape.element === undefined) return change(value, shape.kind)
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : undefined
  if (members === undefined) return value
  return Object.fromEntries(members.map(([name, member]) => [name, inside(member, name)]))
}
