import { Socket } from 'node:net'

/** Where to connect to, be it the entry of a tunnel or the database itself. */
export interface Entry {
  readonly host: string
  readonly port: number
}

/**
 * A connection to where `enter` says, wherever its driver thinks that it goes: to another address than the name that
 * the certificate is checked against, or through a tunnel, which is opened first if it is not open.
 */
export class EntrySocket extends Socket {
  readonly #enter: () => Promise<Entry>

  constructor(enter: () => Promise<Entry>) {
    super()
    this.#enter = enter
    this.setNoDelay(true)
    this.setKeepAlive(true)
  }

  override connect(): this {
    this.#enter().then(
      ({ host, port }) => {
        if (!this.destroyed) super.connect(port, host)
      },
      (error: unknown) => {
        this.destroy(error as Error)
      },
    )
    return this
  }
}
