import type { Column } from '../model.ts'

/** Values without members that a condition could reach. */
type Whole =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | Date
  | Uint8Array
  | readonly unknown[]
  | ReadonlySet<unknown>
  | ReadonlyMap<unknown, unknown>

/** The members of every object that a value may be. */
type Member<TValue> = TValue extends Whole | null | undefined ? never : keyof TValue & string

/** A column, or a member of one: `address.city`. A column whose own name has a dot is found first. */
export type ColumnPath<TItem> =
  Column<TItem> | { [K in Column<TItem>]: `${K}.${Member<TItem[K]>}` }[Column<TItem>]

type MemberOf<T, K> = T extends unknown ? (K extends keyof T ? T[K] : never) : never

/** What is at a {@link ColumnPath}. */
export type ValueAt<TItem, TPath> = TPath extends keyof TItem
  ? TItem[TPath]
  : TPath extends `${infer C}.${infer M}`
    ? MemberOf<MemberOf<TItem, C>, M>
    : never

/** The columns of which only members are selected. */
type PathParts<TItem, TPath> = {
  [C in Column<TItem>]: TPath extends `${C}.${string}` ? C : never
}[Column<TItem>]

/** Some members of an object; of every object that it may be. */
type PathPart<TValue, TMember> = TValue extends Whole | null | undefined
  ? never
  : Pick<TValue, TMember & keyof TValue>

/** An item with what was selected. An object of which only members are selected is left out where it has none of them. */
export type Selected<TItem, TPath> = [TPath] extends [keyof TItem]
  ? Pick<TItem, TPath>
  : Pick<TItem, TPath & keyof TItem> & {
      [C in Exclude<PathParts<TItem, Exclude<TPath, keyof TItem>>, TPath>]?: PathPart<
        TItem[C],
        TPath extends `${C}.${infer M}` ? M : never
      >
    }
