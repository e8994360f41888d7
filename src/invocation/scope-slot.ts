import { type Scope, currentScope } from './scope.ts'

/** A place for one kind of thing that belongs to an invocation. The code of a record finds what its batch has. */
export class ScopeSlot<T> {
  readonly #values = new WeakMap<Scope, T>()

  set(scope: Scope, value: T): void {
    this.#values.set(scope, value)
  }

  /** The value of the invocation that the calling code belongs to. */
  get(): T | undefined {
    for (let scope = currentScope(); scope !== undefined; scope = scope.parent) {
      const value = this.#values.get(scope)
      if (value !== undefined) return value
    }
    return undefined
  }
}
