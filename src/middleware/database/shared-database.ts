import type { UnknownRecord } from '../../core/record.ts'
import { Environment } from '../environment.ts'
import { type OpenDatabase, openDatabase } from './open-database.ts'
import type { IamDbAuthOptions } from './options.ts'
import type { DatabaseEngine } from './settings.ts'

/** A database that is opened by the first invocation, and that all later ones share. */
export class SharedDatabase<TEngine extends DatabaseEngine> {
  /** Set as soon as it is open. */
  open: OpenDatabase<TEngine> | undefined
  readonly #options: IamDbAuthOptions<TEngine>
  #opening: Promise<OpenDatabase<TEngine>> | undefined

  constructor(options: IamDbAuthOptions<TEngine>) {
    this.#options = options
  }

  /**
   * Opens it, with the settings of an invocation's context. Another invocation may have begun, in its own time and with its
   * own secrets: a failure of that one is not this one's.
   */
  join(context: UnknownRecord): Promise<OpenDatabase<TEngine>> {
    if (this.#opening === undefined) return (this.#opening = this.#begin(context))
    return this.#opening.catch(() => (this.#opening ??= this.#begin(context)))
  }

  #begin(context: UnknownRecord): Promise<OpenDatabase<TEngine>> {
    const environment = Object.values(context).find((value) => value instanceof Environment)
    const begun = openDatabase(this.#options, environment)
    begun.then(
      (made) => {
        if (this.#opening === begun) this.open = made
      },
      () => {
        if (this.#opening === begun) this.#opening = undefined // What is missing now may be there at the next invocation.
      },
    )
    return begun
  }

  /** Closes it; the next invocation opens it anew. */
  async end(): Promise<void> {
    const closing = this.#opening
    this.#opening = undefined
    this.open = undefined
    await (await closing?.catch(() => undefined))?.close()
  }
}
