import { setTimeout as after } from 'node:timers/promises'
import { type Scope, currentScope } from '../../invocation/scope.ts'

/** Takes back at once what was lent; resolves when the database knows. */
type Ending = () => void | Promise<void>

/** Milliseconds that an ended invocation waits at most for its statements to be cancelled. */
const returnPatience = 500

/** What the invocations that run beside each other have borrowed from one pool, or wait for. */
export class Loans {
  readonly #endings = new NotesByScope<Ending>()
  /** Statements that are being cancelled. */
  readonly #cancellations = new NotesByScope<Promise<void>>()

  /** Notes what is lent to a unit of work. The function that is returned says that it was given back. */
  lend(ending: Ending, borrower: Scope | undefined): () => void {
    return this.#endings.add(ending, borrower)
  }

  /** Notes a statement of a unit of work that is being cancelled. */
  cancelling(cancellation: Promise<void>, borrower: Scope | undefined = currentScope()): void {
    const settled = cancellation.catch(() => undefined)
    void settled.then(this.#cancellations.add(settled, borrower))
  }

  /** Takes back all that a unit of work has not given back; `undefined` where nothing has to be waited for. */
  end(borrower: Scope): Promise<void> | undefined {
    for (const ending of this.#endings.of(borrower)) {
      const cancellation = ending()
      if (cancellation !== undefined) this.cancelling(cancellation, borrower)
    }
    this.#endings.clear(borrower)
    const cancellations = this.#cancellations.of(borrower)
    // Half of what is left is for the answer: an early timeout comes milliseconds before the end.
    const milliseconds = Math.min(returnPatience, (borrower.deadline - Date.now()) / 2)
    if (cancellations.length === 0 || milliseconds < 1) return undefined
    const stop = new AbortController()
    const late = after(milliseconds, undefined, { signal: stop.signal }).catch(() => undefined)
    return Promise.race([Promise.all(cancellations), late]).then(() => {
      stop.abort()
    })
  }
}

/** Notes about units of work. What is noted about a record is noted about its invocation, too. */
class NotesByScope<T> {
  readonly #notes = new WeakMap<Scope, Set<T>>()

  /** The function that is returned takes the note away. */
  add(note: T, scope: Scope | undefined): () => void {
    const sets = withInvocation(scope).map((each) => this.#setOf(each))
    for (const set of sets) set.add(note)
    return () => {
      for (const set of sets) set.delete(note)
    }
  }

  of(scope: Scope): T[] {
    return [...(this.#notes.get(scope) ?? [])]
  }

  clear(scope: Scope): void {
    this.#notes.delete(scope)
  }

  #setOf(scope: Scope): Set<T> {
    let set = this.#notes.get(scope)
    if (set === undefined) this.#notes.set(scope, (set = new Set()))
    return set
  }
}

/** A record's work ends at the latest with the invocation that the record is of. */
function withInvocation(scope: Scope | undefined): Scope[] {
  if (scope === undefined) return []
  return scope.recordId === undefined ? [scope] : [scope, ...withInvocation(scope.parent)]
}
