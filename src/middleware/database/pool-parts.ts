import type { Entry } from './entry-socket.ts'
import type { Loans } from './loans.ts'
import type { PasswordSource } from './password-source.ts'
import type { DatabaseSettings } from './settings.ts'
import type { Trust } from './tls.ts'

/** What a pool needs beside the settings. */
export interface PoolParts {
  readonly settings: DatabaseSettings
  /** `undefined` for no TLS at all, which only a password may be sent without. */
  readonly trust: Trust | undefined
  /** Whether any certificate will do. */
  readonly insecure: boolean
  readonly passwords: PasswordSource
  /** Whether the password is a token, which is sent as it stands. */
  readonly isToken: boolean
  readonly max: number
  /** The user's options of the driver. */
  readonly driver: object
  /** Milliseconds that a statement may take. */
  readonly statementTimeout: number | undefined
  /** Where a connection goes, if that is not the endpoint itself. */
  readonly enter: (() => Promise<Entry>) | undefined
  readonly loans: Loans
  /** Told of connections that end while nobody uses them. */
  readonly onIdleError: (error: unknown) => void
  /** Told of a connection that was not made in time, or whose statement was not done. */
  readonly onTimeout: () => void
}

/**
 * Milliseconds that an idle connection is kept. Making one costs a token and some round trips, and RDS takes about 200
 * a second; after a longer freeze of the function the other side may have given it up.
 */
export const idleTimeout = 600_000

/** Of a method that stands in for a driver's own: tools that trace statements put theirs in its place. */
export const replaceable = { writable: true, configurable: true } as const

/** What a pool shows to who logs it: a line, and no credentials. */
export function summarize(pool: object, { settings, max }: PoolParts): void {
  const { engine, endpoint, port, username, database } = settings
  Object.defineProperty(pool, 'toJSON', {
    value: () => ({ engine, endpoint, port, username, database, max }),
  })
}

/** Milliseconds until a statement that is being cancelled is left alone. */
export const cancelTimeout = 5000
