import { ConditionError } from '../../errors/index.ts'

/** A column, or a place inside one: names of members and positions in lists. */
export type Path = string | readonly (string | number)[]

/**
 * Changes that need no reading first: DynamoDB makes them on what is there. The client tries again when an answer is lost;
 * what is added is then added twice, unless a version is expected, which makes that a conflict.
 */
export interface Changes {
  /** Numbers to add, or the text of one for a column of decimals; a column without one begins at 0. */
  readonly add?: Readonly<Record<string, number | bigint | string>>
  /** Elements to put behind a list; a column without one begins empty. */
  readonly append?: Readonly<Record<string, readonly unknown[]>>
  /** Elements to put in front of a list. */
  readonly prepend?: Readonly<Record<string, readonly unknown[]>>
  /** Members to put into a set. */
  readonly setAdd?: Readonly<Record<string, readonly unknown[]>>
  /** Members to take out of a set. */
  readonly setDelete?: Readonly<Record<string, readonly unknown[]>>
  /** Values for columns that have none. */
  readonly ifNotExists?: Readonly<Record<string, unknown>>
  /** Values for places inside columns: `[['address', 'zip'], '1000']`. What is around the place must be there. */
  readonly set?: readonly (readonly [path: Path, value: unknown])[]
  /** Columns, and places inside them, to remove. */
  readonly remove?: readonly Path[]
}

/** An update, as it is asked for. */
export interface Update {
  readonly key: object
  readonly patch: object
  readonly changes: Changes
}

/** The changes among the options of an update. Their types name the places of one model, and here any model's are taken. */
export function changesIn(options: object): Changes {
  return options
}

/** Places that an update writes: DynamoDB takes none twice, nor one inside another. */
export class PathSet {
  readonly #paths: (readonly (string | number)[])[] = []

  add(path: Path): void {
    const parts = typeof path === 'string' ? [path] : path
    const isInside = (inner: readonly unknown[], outer: readonly unknown[]): boolean =>
      outer.every((part, index) => part === inner[index])
    const other = this.#paths.find((written) => isInside(written, parts) || isInside(parts, written))
    if (other !== undefined)
      throw new ConditionError(`The update writes ${parts.join('.')} and ${other.join('.')}, which overlap`)
    this.#paths.push(parts)
  }
}
