/** What a value is where its stored form does not tell: text or a number of DynamoDB, a value of JSON. */
export type TypedKind = 'bigint' | 'date' | 'decimal' | 'number' | 'set' | 'bytes'

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
