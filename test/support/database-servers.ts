import { readFileSync, writeFileSync } from 'node:fs'

/** A server that `npm run test:databases` has started. */
export interface DatabaseServer {
  readonly engine: 'postgres' | 'mysql'
  readonly title: string
  readonly port: number
  readonly ca: string
  readonly pidFile: string
  readonly stopSignal: NodeJS.Signals
}

interface Site {
  readonly endpoint: string
  readonly clockFile: string
  readonly databases: readonly DatabaseServer[]
}

export const { endpoint, clockFile, databases } = JSON.parse(
  process.env['DATABASES'] ?? '{"databases":[]}',
) as Site

/** Sets the clock by which the servers judge tokens. */
export function setServerClock(seconds: number): void {
  writeFileSync(clockFile, String(seconds))
}

/** Ends a server, and everybody's connection with it; it is started again. */
export function restart({ pidFile, stopSignal }: DatabaseServer): void {
  process.kill(Number.parseInt(readFileSync(pidFile, 'utf8')), stopSignal)
}
