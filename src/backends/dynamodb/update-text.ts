import { ColumnError, KeyChangeError, TypeMismatchError } from '../../errors/index.ts'
import { checkIndexValue, isSameKey } from '../planning/keys.ts'
import { Decimal } from '../../wire/decimal.ts'
import { marshall } from '../../wire/marshall.ts'
import { type Changes, type Path, PathSet, type Update } from '../planning/changes.ts'
import type { Expression } from './expression.ts'
import type { WriteTarget } from './write-target.ts'

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
