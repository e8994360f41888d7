/** Uses a password, and once more what it has become if the first is not accepted. */
export type Retry = <T>(use: (password: string) => Promise<T>) => Promise<T>

/** Gives each new connection of a pool its password. */
export class PasswordSource {
  /** Gives the password as it is now, or a new token. */
  readonly read: () => Promise<string>
  readonly #retry: Retry | undefined
  #next: string | undefined

  constructor(read: () => Promise<string>, retry?: Retry) {
    this.read = read
    this.#retry = retry
  }

  /** Whether a refused password is followed by another. */
  get canRetry(): boolean {
    return this.#retry !== undefined
  }

  /** Called in the constructor of a connection: what will give its password. */
  forNewConnection(): () => Promise<string> {
    const password = this.#next
    return password === undefined ? this.read : () => Promise.resolve(password)
  }

  /** Connects, and once more with a newer password if the first is refused. */
  connect<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#retry === undefined) return begin()
    return this.#retry((password) => {
      // A pool constructs its connection before it returns: no other one can take this password.
      this.#next = password
      try {
        return begin()
      } finally {
        this.#next = undefined
      }
    })
  }
}
