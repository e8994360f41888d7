import { ColumnError, ConditionError, KeyChangeError, TypeMismatchError } from '../../errors/index.ts'
import { checkIndexValue, isSameKey } from '../planning/keys.ts'
import { Decimal } from '../../wire/decimal.ts'
import { marshall } from '../../wire/marshall.ts'
import type { Expression, Path } from './expression.ts'
import type { WriteTarget } from './write-target.ts'

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

/** The text of an update; an empty one if it changes nothing. */
export function updateText(
  target: WriteTarget,
  { key, patch, changes }: Update,
  expression: Expression,
): string {
  const clauses = new Clauses(target, expression)
  clauses.patch(key, patch)
  clauses.places(changes)
  clauses.lists(changes)
  clauses.sums(changes)
  return clauses.text()
}

/** Collects the clauses of an update. */
class Clauses {
  readonly #target: WriteTarget
  readonly #expression: Expression
  readonly #written = new PathSet()
  readonly #set: string[] = []
  readonly #remove: string[] = []
  readonly #add: string[] = []
  readonly #delete: string[] = []

  constructor(target: WriteTarget, expression: Expression) {
    this.#target = target
    this.#expression = expression
  }

  patch(key: object, patch: object): void {
    for (const [column, value] of Object.entries(patch)) {
      if (value === undefined || column === this.#target.version) continue
      if (isSameKey(this.#target, key, [column, value])) continue
      const name = this.#place(column)
      const isNone = value === null && !this.#target.isNullable(column)
      if (isNone || (value instanceof Set && value.size === 0)) this.#remove.push(name)
      else if (value === null) this.#set.push(`${name} = ${this.#value(value, column)}`)
      else this.#set.push(`${name} = ${this.#value(checkIndexValue(this.#target, column, value), column)}`)
    }
  }

  places({ set = [], remove = [], ifNotExists = {} }: Changes): void {
    for (const [path, value] of set) this.#set.push(`${this.#place(path)} = ${this.#value(value, path)}`)
    for (const path of remove) this.#remove.push(this.#place(path))
    for (const [column, value] of Object.entries(ifNotExists)) {
      const name = this.#place(column)
      this.#set.push(`${name} = if_not_exists(${name}, ${this.#value(value, column)})`)
    }
  }

  lists({ append = {}, prepend = {} }: Changes): void {
    const present = (name: string): string =>
      `if_not_exists(${name}, ${this.#expression.wireValue({ L: [] })})`
    for (const [column, list] of Object.entries(append)) {
      const name = this.#place(column)
      this.#set.push(`${name} = list_append(${present(name)}, ${this.#value([...list], column)})`)
    }
    for (const [column, list] of Object.entries(prepend)) {
      const name = this.#place(column)
      this.#set.push(`${name} = list_append(${this.#value([...list], column)}, ${present(name)})`)
    }
  }

  sums({ add = {}, setAdd = {}, setDelete = {} }: Changes): void {
    for (const [column, number] of Object.entries(add)) {
      const isNumber = this.#target.typed?.(column, number) instanceof Decimal
      if (!isNumber && typeof number !== 'number' && typeof number !== 'bigint')
        throw new TypeMismatchError(column, 'a number to add', typeof number)
      this.#add.push(`${this.#place(column)} ${this.#value(number, column)}`)
    }
    for (const [column, members] of Object.entries(setAdd)) this.#members(this.#add, column, members)
    for (const [column, members] of Object.entries(setDelete)) this.#members(this.#delete, column, members)
  }

  #members(clause: string[], column: string, members: readonly unknown[]): void {
    if (members.length > 0) clause.push(`${this.#place(column)} ${this.#value(new Set(members), column)}`)
  }

  #place(path: Path): string {
    this.#written.add(path)
    const column = typeof path === 'string' ? path : String(path[0])
    if (!this.#target.has(column)) throw new ColumnError(column)
    if (this.#target.table.key.includes(column)) throw new KeyChangeError(column)
    return this.#expression.path(path)
  }

  #value(value: unknown, path: Path): string {
    const { typed, dates } = this.#target
    const stored = typed === undefined ? value : typed(path, value)
    return this.#expression.wireValue(marshall(stored, String(path), dates))
  }

  text(): string {
    const { version } = this.#target
    const isChange = this.#set.length + this.#remove.length + this.#add.length + this.#delete.length > 0
    if (isChange && version !== undefined)
      this.#add.push(`${this.#expression.name(version)} ${this.#expression.value(1, version)}`)
    const clauses = { SET: this.#set, REMOVE: this.#remove, ADD: this.#add, DELETE: this.#delete }
    return Object.entries(clauses)
      .flatMap(([keyword, parts]) => (parts.length > 0 ? [`${keyword} ${parts.join(', ')}`] : []))
      .join(' ')
  }
}

/** Places that an update writes: DynamoDB takes none twice, nor one inside another. */
class PathSet {
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
