import type { Entry } from './entry-socket.ts'
import { type PluginProcess, isFree } from './session-manager-plugin.ts'

/** A way through an instance, as long as its plugin lives. */
export interface Tunnel {
  readonly plugin: PluginProcess
  readonly terminate: () => Promise<void>
}

/** Opens a tunnel to a host's port, which listens at a port of this machine; at a free one for 0. */
export type OpenTunnel = (host: string, remotePort: number, localPort: number) => Promise<Tunnel>

/** The tunnels of a bastion: one for each endpoint, opened once for all who ask at the same time. */
export class Tunnels {
  readonly #openTunnel: OpenTunnel
  readonly #localPort: number
  readonly #tunnels = new Map<string, Promise<Tunnel>>()

  constructor(openTunnel: OpenTunnel, localPort = 0) {
    this.#openTunnel = openTunnel
    this.#localPort = localPort
  }

  async open(endpoint: string, remotePort: number): Promise<Entry> {
    const name = tunnelName(endpoint, remotePort)
    const known = this.#tunnels.get(name)
    const last = await known
    if (last?.plugin.isAlive === true) return entryOf(last)
    const opening = this.#tunnels.get(name)
    // Another caller, who has found it dead too, may have been first.
    if (opening !== known && opening !== undefined) return entryOf(await opening)
    const begun = this.#reopen(endpoint, remotePort, last)
    begun.catch(() => {
      if (this.#tunnels.get(name) === begun) this.#tunnels.delete(name)
    })
    this.#tunnels.set(name, begun)
    return entryOf(await begun)
  }

  /** Opens what has died at the port that it had: who has read the connection's details still finds it. */
  async #reopen(endpoint: string, remotePort: number, last: Tunnel | undefined): Promise<Tunnel> {
    await last?.terminate()
    const isSamePort = last !== undefined && (await isFree(last.plugin.port))
    return this.#openTunnel(endpoint, remotePort, isSamePort ? last.plugin.port : this.#localPort)
  }

  /** Closes the tunnel to an endpoint, or all. */
  async close(endpoint?: string, remotePort?: number): Promise<void> {
    const closed = [...this.#tunnels].filter(
      ([name]) => endpoint === undefined || name === tunnelName(endpoint, remotePort),
    )
    for (const [name] of closed) this.#tunnels.delete(name)
    const closing = closed.map(async ([, opening]) => {
      const tunnel = await opening.catch(() => undefined)
      await tunnel?.plugin.stop()
      await tunnel?.terminate()
    })
    await Promise.all(closing)
  }
}

function tunnelName(endpoint: string, port: number | undefined): string {
  return `${endpoint}:${port}`
}

function entryOf({ plugin }: Tunnel): Entry {
  return { host: '127.0.0.1', port: plugin.port }
}
