import { Socket } from 'node:net'

/** Where a tunnel can be entered. */
export interface TunnelEntry {
  readonly host: string
  readonly port: number
}

/** A connection through a tunnel, wherever its driver wants to go: the tunnel is opened first if it is not open. */
export class TunnelSocket extends Socket {
  readonly #enter: () => Promise<TunnelEntry>

  constructor(enter: () => Promise<TunnelEntry>) {
    super()
    this.#enter = enter
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
