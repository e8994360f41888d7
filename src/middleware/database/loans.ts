import { setTimeout as after } from 'node:timers/promises'
import type { Scope } from '../../invocation/scope.ts'

/** Takes back at once what was lent; resolves when the database knows. */
type Ending = () => void | Promise<void>

/** Milliseconds that an ended invocation waits for its statements to be cancelled. */
const patience = 500

/** What the invocations that run beside each other have borrowed from one pool, or wait for. */
export class Loans {
  readonly #endings = new WeakMap<Scope, Set<Ending>>()
  /** Statements that are being cancelled, whoever has begun them. */
  readonly #cancellations = new Set<Promise<void>>()

  /** Notes what is lent to a unit of work. The function that is returned says that it was given back. */
  lend(ending: Ending, borrower: Scope | undefined): () => void {
    const sets = withInvocation(borrower).map((scope) => this.#endingsOf(scope))
    for (const endings of sets) endings.add(ending)
    return () => {
      for (const endings of sets) endings.delete(ending)
    }
  }

  #endingsOf(scope: Scope): Set<Ending> {
    let endings = this.#endings.get(scope)
    if (endings === undefined) this.#endings.set(scope, (endings = new Set()))
    return endings
  }

  /** Notes a statement that is being cancelled. */
  cancelling(cancellation: Promise<void>): void {
    const noted = cancellation
      .catch(() => undefined)
      .finally(() => {
        this.#cancellations.delete(noted)
      })
    this.#cancellations.add(noted)
  }

  /** Takes back all that a unit of work has not given back; `undefined` where nothing has to be waited for. */
  end(borrower: Scope): Promise<void> | undefined {
    for (const ending of this.#endings.get(borrower) ?? []) {
      const cancellation = ending()
      if (cancellation !== undefined) this.cancelling(cancellation)
    }
    this.#endings.delete(borrower)
    if (this.#cancellations.size === 0) return undefined
    const stop = new AbortController()
    const late = after(patience, undefined, { signal: stop.signal }).catch(() => undefined)
    return Promise.race([Promise.all(this.#cancellations), late]).then(() => {
      stop.abort()
    })
  }
}

/** A record's work ends at the latest with the invocation that the record is of. */
function withInvocation(scope: Scope | undefined): Scope[] {
  if (scope === undefined) return []
  return scope.recordId === undefined ? [scope] : [scope, ...withInvocation(scope.parent)]
}
