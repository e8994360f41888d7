import type { Scope } from '../../invocation/scope.ts'

/**
 * The invocations that use a store. Lambda freezes a process while none is running, and what was being read then may
 * never arrive.
 */
export class RunningInvocations {
  readonly #scopes = new Set<Scope>()
  /** Counts the times at which none was running. */
  era = 0

  begin(scope: Scope): void {
    if (this.#scopes.has(scope)) return
    for (const other of this.#scopes) if (!other.isRunning) this.#scopes.delete(other)
    if (this.#scopes.size === 0) this.era++
    this.#scopes.add(scope)
  }
}
