declare module 'dynalite' {
  import type { Server } from 'node:http'

  /** Options in milliseconds; see the package's own readme. */
  export default function dynalite(options?: {
    createTableMs?: number
    deleteTableMs?: number
    updateTableMs?: number
    maxItemSizeKb?: number
  }): Server
}
